// What the page shows from the order button to the end, whatever the order is sealed with and wherever it goes.

let sealed = null, busy = false;

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
  forgetKeys();
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
  // A value may be a text of its own.
  const worded = (value) => (Array.isArray(value) ? say(...value) : value);
  complain(error instanceof Trouble ? say(error.text, ...error.values.map(worded)) : say(sealed ? "failed_late" : "failed", error.message));
  $(error.focus ?? "trouble").focus();
  if (error.focus === "line") $("line").select();
}

/** Shows the sealed order and ways to send it. */
function offer() {
  $("line").value = sealed.line;
  $("status").textContent = "";
  step(2);
  $("sealed").hidden = false;
}

/** Shows an order of an earlier visit, which may have been sent in another way since. */
function offerEarlier() {
  $("sealed-title").textContent = say("earlier");
  $("next").textContent = say("earlier_next", when(sealed.ordered), sealed.kid, say("kept"));
  $("kept").hidden = false;
  offer();
  $("sealed").focus();
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
  $("again").hidden = !more && !mayOrderAgain(state);
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

/** Puts the words in place. */
function translate() {
  document.documentElement.lang = lang;
  document.title = own(page.title);
  document.querySelector("h1").textContent = own(page.title);
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  if (!globalThis.crypto?.subtle) throw new Trouble("no_crypto");
}

/** Shows the ways to the shop, of which sending is one if `shop` names a host. */
function showWays(shop, how, guided) {
  $("order").textContent = say(guided || !shop ? "seal" : "order");
  $("how").textContent = how;
  $("next").textContent = say(shop ? "next_send" : "next_keep", shop);
  $("send").hidden = !shop;
  (shop ? $("send") : $("download")).className = "main";
  $("steps").hidden = !guided;
  $("send").onclick = guarded(send);
  $("download").onclick = guarded(download);
  $("copy").onclick = guarded(copy);
  $("kept").onclick = guarded(() => finish(say("given")));
  addEventListener("beforeunload", (event) => { if (busy || sealed) event.preventDefault(); });
}

/** What the browser remembers. An order that may not have arrived comes first, and needs no key. */
async function recall() {
  const state = await memory.recall();
  [sealed = null] = state.unsent;
  if (sealed) letGo();
  return state;
}

/** Shows the form, with more fields at its end. */
function openForm(more) {
  $("fields").append(...page.fields.map((rule) => (rule.type === "delivery" ? delivery(rule) : field(rule))), ...more);
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
