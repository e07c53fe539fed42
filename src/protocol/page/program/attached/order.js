// Orders of the form: a program for each, sealed once, and the same line sent until the shop's server has answered.

const { sendTo = "/v1/orders" } = data;
let lang; // the browser's
const say = (name, ...values) => (script.getAttribute(`data-text-${name}`) ?? TEXTS.en[name]).replace(/\{(\d)\}/g, (_, index) => values[index]);

const memory = new Memory(data.shop, data.form ?? "form");
const make = (tag, facts) => Object.assign(document.createElement(tag), facts);
const report = make("p", { tabIndex: -1 }), choices = make("p", { hidden: true });

let sealed = null, busy = false, isOn = false;
let isOwn, isKept, isUntried; // of the sealed order: from this form, in the browser's memory, not sent without an answer

/** Dispatches an event, and shows its message unless a listener prevents that. */
function tell(state, values, error, order = sealed) {
  const detail = { message: say(state, ...values), error, kid: order?.kid };
  const event = new CustomEvent(`orderseal:${state}`, { detail, bubbles: true, cancelable: true });
  report.textContent = (form ?? document).dispatchEvent(event) ? detail.message : "";
}

const reason = (error) => (error instanceof Trouble ? [error.text, ...error.values].flat().join(" ").replaceAll("_", " ") : String(error));

/** The message for an error. If an order is sealed, it says that the shop has not confirmed it. */
const failed = (state, error) => (sealed
  ? ["unsent", [error ? reason(error) : sealed.kid, when(sealed.ordered)], error] : [state, [reason(error)], error]);

/** Lets the user fill in and order, or choose what becomes of the order that is sealed. */
function settle() {
  const isClosed = busy || sealed !== null;
  for (const button of buttons()) button.disabled = isClosed || !isOn;
  if (form) form.inert = isClosed;
  choices.hidden = busy || !sealed;
}

/** Runs one action at a time. Reports its result or its error when it is over. */
const guarded = (action) => async (event) => {
  if (busy) return;
  busy = true;
  let told;
  try {
    // It reads the form at once, before anything of it changes.
    const result = action(event);
    settle();
    tell("working", []);
    report.focus();
    told = await result;
  } catch (error) {
    told = failed("failed", error);
  }
  busy = false;
  settle();
  tell(...told);
};

/** The program that the form has, or one that the service makes. */
const makeProgram = async () => (data.program ? builtIn({ ...data, program: JSON.parse(data.program) })
  : askForProgram({ ...data, service_key: { x: data.serviceKey }, page: await hashOf(location.href.split(/[?#]/)[0]) }));

const placeOrder = guarded(async ({ submitter }) => {
  checkHarmless();
  const typed = collect(submitter);
  const program = await makeProgram();
  checkDates(program.suite);
  sealed = await sealBy(program, typed, new Date().toISOString());
  isOwn = isUntried = true;
  isKept = await memory.keep(sealed).then(() => true, () => false);
  return program.guided ? ["sealed", [sealed.kid]] : send();
});

async function send() {
  try {
    await deliver(sendTo, sealed);
  } catch (failure) {
    // At the first try, a refusal means that the shop does not have the order: it can be placed again.
    if (isUntried && failure.refused && await forget()) sealed = null;
    isUntried = false;
    throw failure;
  }
  return end("sent");
}

/** Whether the browser's memory does not have the sealed order any more. */
const forget = () => memory.forget(sealed).then(() => true, () => !isKept);

/** Erases the order here, sealed and as it was typed. */
async function end(state) {
  if (isOwn) HTMLFormElement.prototype.reset.call(form);
  await forget();
  const order = sealed;
  sealed = null;
  return [state, [order.kid], undefined, order];
}

async function start() {
  if (form) {
    const mark = Symbol.for("orderseal");
    if (form[mark]) return;
    form[mark] = true;
  }
  addEventListener("submit", (event) => {
    if (event.target !== form) return;
    const { defaultPrevented } = event;
    event.preventDefault();
    if (isOn && !sealed && !defaultPrevented) placeOrder(event);
  });
  addEventListener("beforeunload", (event) => { if (busy || sealed) event.preventDefault(); });
  Element.prototype.after.call(form ?? script, report, choices);
  report.setAttribute("role", "status");
  for (const [name, action] of [["send", send], ["erase", () => end("erased")]]) {
    choices.append(make("button", { type: "button", textContent: say(name), onclick: guarded(action) }));
  }
  try {
    [sealed = null] = (await memory.recall()).unsent;
    isKept = sealed;
    checkHarmless();
    if (!subtle) throw new Trouble("no_crypto");
    await (data.program ? makeProgram() : verifyingKey({ x: data.serviceKey }));
    prefill();
    isOn = true;
    tell("ready", []);
    if (sealed) tell(...failed());
  } catch (error) {
    tell(...failed("off", error));
  }
  settle();
}

start();
