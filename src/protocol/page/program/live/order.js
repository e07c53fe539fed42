// The shop's live page: the key comes when the order button is pressed, and goes when the order is sealed.

const ORDERS = "v1/orders"; // beside the page

const memory = new Memory(page.shop, "live");

/** There are none to forget: those of an order are in no variable that outlives its sealing. */
function forgetKeys() {}

const mayOrderAgain = () => true;

/** Seals an order by the program in the page, or by one that the service makes for it. */
async function sealFresh(order) {
  const program = await (page.program ? builtIn(page) : askForProgram(page));
  checkDates(program.suite, false);
  $("status").textContent = say("sealing");
  return [await sealBy(program, order, order.ordered), program.guided];
}

const placeOrder = guarded(async () => {
  if (!correct()) return;
  step(1);
  $("status").textContent = say(page.program ? "sealing" : "asking");
  let guided;
  [sealed, guided] = await sealFresh(collect());
  $("status").focus();
  letGo();
  await memory.keep(sealed).catch(() => { $("unkept").hidden = false; });
  if (!guided) return send();
  $("steps").hidden = false;
  offer();
  $("sealed").focus();
});

/** Sends the order. If the shop's server does not take it, sending it again is of no use. */
async function send() {
  $("status").textContent = say("sending");
  try {
    await deliver(ORDERS, sealed);
  } catch (trouble) {
    if (trouble.refused) {
      $("send").hidden = true;
      $("download").className = "main";
      $("kept").hidden = false;
      $("next").textContent = say("refused_next", say("kept"));
    }
    throw trouble;
  }
  return finish(say("sent"));
}

async function start() {
  translate();
  const { host } = location;
  showWays(host, page.program ? say("how_key", host) : say("how_ask", new URL(page.service).host, host), false);
  await recall();
  if (sealed) return offerEarlier();
  if (page.program) checkDates((await builtIn(page)).suite);
  else await verifyingKey(page.service_key);
  openForm([]);
}

start().catch((error) => explain(Object.assign(error, { final: true })));
