// From the order button to the end: the order is sealed and sent, and what was delivered for it is erased.

const SEND_TIMEOUT = 60000; // milliseconds

const memory = new Memory(page);
let pool = [], sealed = null, busy = false, told = [];

function complain(words, ...more) {
  $("trouble").replaceChildren(make("p", { id: "trouble-title" }, words), ...more);
  $("trouble").hidden = false;
  $("trouble").focus();
  $("status").textContent = "";
}

function step(number) {
  for (const [index, item] of [...$("steps").children].entries()) {
    item.className = index < number ? "past" : "";
    if (index === number) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
}

/** Drops keys and entries: an order was sealed, or none can be placed. */
function letGo() {
  deliveredKeys.length = 0;
  pool = [];
  $("form")?.reset();
  $("form")?.remove();
}

/** Runs one action at a time, and explains its errors. */
const guarded = (action) => async (event) => {
  event?.preventDefault();
  if (busy) return;
  busy = true;
  $("trouble").hidden = true;
  // Disabled buttons would lose the focus.
  for (const button of document.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  let failure = null;
  try {
    await action();
  } catch (error) {
    failure = error;
  }
  for (const button of document.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  busy = false;
  if (!failure) return;
  if (sealed) offer();
  else step(0);
  explain(failure);
};

function explain(error) {
  if (error.final) letGo();
  complain(error instanceof Trouble ? say(error.text, ...error.values) : say(sealed ? "failed_late" : "failed", error.message));
  $(error.focus ?? "trouble").focus();
  if (error.focus === "line") $("line").select();
}

/** Keys may have dates: from when and until when they seal. */
function checkDates({ not_before: from, expires: to }, now) {
  if (to && now >= Date.parse(to)) throw new Trouble("expired", { values: [when(to)], final: true });
  if (from && now < Date.parse(from)) throw new Trouble("early", { values: [when(from)], final: true });
}

/** Takes the next key and seals the order in the form. Nothing else is left of it. */
async function sealNext(words) {
  const text = collect();
  const { id, key } = await memory.spend(pool, text.ordered, told);
  const kid = id ? `${page.shop}/${id}` : page.shop;
  try {
    return { kid, line: await seal(page, text, kid, key, words), ordered: text.ordered };
  } catch (error) {
    // The user learns of it now, and not again later.
    await memory.forget(text).catch(() => {});
    throw error;
  }
}

const placeOrder = guarded(async () => {
  if (!correct()) return;
  checkDates(page, Date.now());
  step(1);
  $("status").textContent = say("sealing");
  sealed = await sealNext($("typed")?.value.trim());
  $("status").focus();
  $("unfinished").hidden = true;
  letGo();
  await memory.keep(sealed).catch(() => { $("unkept").hidden = false; });
  if (page.send_to && !page.guided) return send();
  offer();
  $("sealed").focus();
});

/** Shows the sealed order and ways to send it. */
function offer() {
  $("line").value = sealed.line;
  $("status").textContent = "";
  step(2);
  $("sealed").hidden = false;
}

const when = (ordered) => new Date(ordered).toLocaleString(lang, { dateStyle: "long", timeStyle: "short" });

/** Shows an order of an earlier visit, which may have been sent in another way since. */
function offerEarlier() {
  $("sealed-title").textContent = say("earlier");
  $("next").textContent = say("earlier_next", when(sealed.ordered), sealed.kid, say("kept"));
  $("kept").hidden = false;
  offer();
  $("sealed").focus();
}

/** POSTs the line. Only an ok status counts as received. */
async function send() {
  $("status").textContent = say("sending");
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), SEND_TIMEOUT);
  const answer = await fetch(page.send_to, {
    method: "POST", body: `${sealed.line}\n`, headers: { "Content-Type": "text/plain" },
    credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store", redirect: "error", signal: late.signal,
  }).catch(() => null);
  clearTimeout(timer);
  if (answer?.ok) return finish(say("sent"));
  throw new Trouble("not_sent", { values: [answer ? say("answer", answer.status) : say("no_answer")] });
}

function download() {
  const name = `${sealed.kid.replace("/", "-")}-${sealed.ordered.replace(/\D/g, "").slice(0, 14)}.jwe`;
  const href = URL.createObjectURL(new Blob([`${sealed.line}\n`], { type: "application/octet-stream" }));
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
  handOver(say("downloaded", name));
}

async function copy() {
  try {
    await navigator.clipboard.writeText(`${sealed.line}\n`);
  } catch {
    $("kept").hidden = false;
    throw new Trouble("not_copied", { focus: "line" });
  }
  handOver(say("copied"));
}

/** The page cannot see whether a file or a copy exists: the user says so before it erases. */
function handOver(how) {
  $("status").textContent = [how, say("check_kept", say("kept"))].join(" ");
  $("kept").hidden = false;
}

/** Erases what can be erased, and says how it went. */
async function finish(how) {
  const state = await memory.forget(sealed).catch(() => null);
  const wasKept = $("unkept").hidden;
  $("sent").textContent = how;
  $("receipt").textContent = say("receipt", `${sealed.kid} · ${when(sealed.ordered)}`);
  sealed = null;
  $("sealed").remove();
  for (const script of document.querySelectorAll("script")) script.remove();
  step(4);
  $("status").textContent = "";
  $("erased").textContent = say(state || !wasKept ? "erased" : "not_erased");
  const more = Boolean(state?.unsent.length);
  $("again").textContent = say(more ? "next_unsent" : "again");
  $("again").hidden = !more && (state ? memory.left(state) < 1 : memory.needed);
  $("done").hidden = false;
  $("done").focus();
}

/** Empties the form: on a reload, browsers put back what was typed, card number and all. */
function startEmpty() {
  if (!$("form")) return;
  $("form").reset();
  $("elsewhere")?.onchange();
  showSummary();
}

async function start() {
  document.documentElement.lang = lang;
  document.title = own(page.title);
  document.querySelector("h1").textContent = own(page.title);
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  if (!globalThis.crypto?.subtle) throw new Trouble("no_crypto");
  const shop = page.send_to && new URL(page.send_to).host;
  const algorithms = page.alg === "dir" ? page.enc : `${page.alg} + ${page.enc}`;
  $("order").textContent = say(page.guided || !shop ? "seal" : "order");
  $("how").textContent = say(shop ? "how_send" : "how_keep", algorithms, shop);
  $("next").textContent = say(shop ? "next_send" : "next_keep", shop);
  $("send").hidden = !shop;
  (shop ? $("send") : $("download")).className = "main";
  $("steps").hidden = !page.guided;
  $("send").onclick = guarded(send);
  $("download").onclick = guarded(download);
  $("copy").onclick = guarded(copy);
  $("kept").onclick = guarded(() => finish(say("given")));
  addEventListener("beforeunload", (event) => { if (busy || sealed) event.preventDefault(); });

  const state = await memory.recall();
  told = state.begun;
  $("unfinished").textContent = told.map((time) => say("unfinished", when(time))).join(" ");
  $("unfinished").hidden = told.length === 0;
  if (state.unsent.length) {
    // It comes first, and needs no key.
    letGo();
    [sealed] = state.unsent;
    return offerEarlier();
  }
  checkDates(page, Date.now());
  memory.checkLeft(state);
  pool = await importKeys(page, deliveredKeys, new Set(state.spent));
  $("left").textContent = page.reusable ? "" : say("left", memory.left(state));
  $("fields").append(...page.fields.map((rule) => (rule.type === "delivery" ? delivery(rule) : field(rule))));
  if (wraps(page)) $("fields").append(typedWords());
  step(0);
  $("form").oninput = showSummary;
  // The button places an order, not the Enter key in a field.
  $("form").onkeydown = (event) => { if (event.key === "Enter" && event.target.matches("input")) event.preventDefault(); };
  $("form").onsubmit = placeOrder;
  $("form").hidden = false;
  startEmpty();
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) startEmpty();
    else if ($("form") && !busy && !sealed) location.reload();
  });
}

start().catch((error) => explain(Object.assign(error, { final: true })));
