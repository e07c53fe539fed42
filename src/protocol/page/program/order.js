// A page with its keys in it: the order takes the next of them.

const LEAST_WORDS = 12; // characters

const deliveredKeys = page.keys;
delete page.keys;
const memory = new Spending(page);
let pool = [], told = [];

function forgetKeys() {
  deliveredKeys.length = 0;
  pool = [];
}

/** Whether a next order can be placed; there is no state where the browser remembers none. */
const mayOrderAgain = (state) => (state ? memory.left(state) >= 1 : !memory.needed);

/** A field for words to encrypt with. */
function typedWords() {
  // Not a password, which browsers offer to keep.
  const input = make("input", { autocomplete: "off", label: say("words"), hint: "typed-hint" });
  input.check = () => {
    const length = characters(input.value.trim());
    return length > 0 && length < LEAST_WORDS ? say("too_short", LEAST_WORDS) : "";
  };
  return make("details", {}, make("summary", {}, say("typed")), labelled("typed", input, say("words"), ...optional()),
    make("p", { id: "typed-hint", className: "hint" }, say("typed_hint")));
}

/** Takes the next key and seals the order in the form. Nothing else is left of it. */
async function sealNext(words) {
  const text = collect();
  const { id, key } = await memory.spend(pool, text.ordered, told);
  const kid = id ? `${page.shop}/${id}` : page.shop;
  try {
    return { kid, line: await seal(page, text, kid, key, words ? await typedKey(words, page.enc) : undefined), ordered: text.ordered };
  } catch (error) {
    // The user learns of it now, and not again later.
    await memory.forget(text).catch(() => {});
    throw error;
  }
}

const placeOrder = guarded(async () => {
  if (!correct()) return;
  checkDates(page);
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

/** POSTs the line. Only an ok status counts as received. */
async function send() {
  $("status").textContent = say("sending");
  const { answer } = await post(page.send_to, "text/plain", `${sealed.line}\n`);
  if (answer?.ok) return finish(say("sent"));
  throw new Trouble("not_sent", { values: [answer ? say("answer", answer.status) : say("no_answer")] });
}

async function start() {
  translate();
  const shop = page.send_to && new URL(page.send_to).host;
  showWays(shop, say(shop ? "how_send" : "how_keep", algorithms(page), shop), page.guided);
  const state = await recall();
  told = state.begun;
  $("unfinished").textContent = told.map((time) => say("unfinished", when(time))).join(" ");
  $("unfinished").hidden = told.length === 0;
  if (sealed) return offerEarlier();
  checkDates(page);
  memory.checkLeft(state);
  pool = await importKeys(page, deliveredKeys, new Set(state.spent));
  $("left").textContent = page.reusable ? "" : say("left", memory.left(state));
  openForm(wraps(page) ? [typedWords()] : []);
}

start().catch((error) => explain(Object.assign(error, { final: true })));
