// A form that a shop has already, with the script of `bundle form`: nothing that is typed leaves it but sealed, whatever
// happens to the script.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { SERVICE, SHOP, inbox, makeShop, serveService, serveShop, stopServers } from "./servers.mjs";
import { header, opened, orderseal, shop } from "./shop.mjs";
import { test } from "./test.mjs";
import { memory, user, watched } from "./user.mjs";

const FORM = `${SHOP}/static/order.html`;
const ORDERS = `${SHOP}/v1/orders`;
const PROGRAMS = `${SERVICE}/v1/programs`;

/** What is typed: words that are found again wherever they go. */
const TYPED = { item: "G-02", quantity: "3", name: "Zażółć typed-name-7f3a", address: "本町 1-2-3\ntyped-street-91cc", telephone: "+81 typed-0101676" };
const WORDS = ["typed-name-7f3a", "typed-street-91cc", "typed-0101676", "Zażółć", "本町"];

/** The ways in which a word may stand in a request. */
const spelled = (word) => [word, encodeURIComponent(word), ...[0, 1, 2].map((shift) => {
  // The middle of its base64, in each of three positions.
  const text = Buffer.from(" ".repeat(shift) + word).toString("base64").replace(/=*$/, "");
  return text.slice(shift ? 4 : 0, -2);
})];

/** A user whose requests are looked at: none may have a word of what is typed. */
async function watchedUser(options) {
  const context = await user(options);
  context.leaks = [];
  context.on("request", (request) => {
    const sent = [request.url(), request.postData() ?? "", JSON.stringify(request.headers())].join("\n");
    const text = [sent, Buffer.from(sent.replaceAll(/[^A-Za-z0-9+/_-]/g, ""), "base64").toString()].join("\n");
    context.leaks.push(...WORDS.flatMap(spelled).filter((word) => text.includes(word)).map((word) => `${word} in ${request.url()}`));
  });
  await context.addInitScript(() => {
    globalThis.told = [];
    for (const state of ["ready", "working", "sent", "sealed", "unsent", "failed", "erased", "off"]) {
      document.addEventListener(`orderseal:${state}`, ({ detail }) => { globalThis.told.push([state, detail.error?.text ?? "", detail.kid ?? ""]); });
    }
  });
  return context;
}

const told = (page) => page.evaluate(() => globalThis.told.map(([state]) => state));
const status = (page) => page.locator("[role=status]");
const order = (page) => page.locator("form button:not([type=button])").first();
const received = () => opened(inbox().map((line) => `${line}\n`).join(""));
const issued = () => JSON.parse(readFileSync("service.jwks")).orderseal.shops.tokyo.issued?.length ?? 0;

async function fillIn(page, typed = TYPED) {
  for (const [name, value] of Object.entries(typed)) {
    const control = page.locator(`form [name="${name}"]`);
    if (await control.evaluate(({ tagName }) => tagName === "SELECT")) await control.selectOption(value);
    else await control.fill(value);
  }
}

async function open(context, url = FORM) {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** Opens the form when the script is there. */
async function openReady(context, url = FORM) {
  const page = await open(context, url);
  await page.locator("form button:enabled").first().waitFor();
  return page;
}

const values = (page) => page.evaluate(() => Object.fromEntries(new FormData(document.querySelector("form"))));

let stopService = null;

/** Makes keys, an item page, and the form with its script in the folder that the shop's server shows. */
async function makeForm(keys, { orders = 4, page = [], form = [], service = [], serve = [] } = {}) {
  await makeShop(keys, orders, "--items", "items.json", ...page);
  rmSync("site", { recursive: true, force: true });
  mkdirSync("site");
  orderseal(["bundle", "form", "--page", "page.json", "-o", "site/order.html", ...form]);
  shop.memory = "orderseal:tokyo:form";
  if (!page.includes("--with-key")) stopService = await serveService(...service);
  await serveShop("--static", "site", ...serve);
}

const script = () => readdirSync("site").find((name) => /^orderseal-[0-9a-f]{16}\.js$/.test(name));
const edit = (change) => writeFileSync("site/order.html", change(readFileSync("site/order.html", "utf8")));

for (const [what, keys, options, kind] of [
  ["embodiment 1", ["--embodiment", "1"], { service: ["--allow-shared-secret"] }, "AES-GCM secret encrypt"],
  ["embodiment 2", ["--embodiment", "2"], { service: ["--allow-shared-secret"] }, "AES-KW secret wrapKey"],
  ["embodiment 3", ["--embodiment", "3"], {}, "AES-GCM secret encrypt"],
  ["embodiment 4 with derived keys", ["--embodiment", "4", "--pool", "derived"], {}, "AES-KW secret wrapKey"],
  ["embodiment 4 in CBC", ["--embodiment", "4", "--wrap", "A128CBC-HS256KW", "--enc", "A256CBC-HS512"], {}, "AES-CBC secret wrapKey"],
  ["embodiment 5", ["--embodiment", "5"], {}, "RSA-OAEP public encrypt"],
  ["embodiment 6", ["--embodiment", "6"], {}, "RSA-OAEP public wrapKey"],
  ["embodiment 6 on X25519", ["--embodiment", "6", "--wrap", "ECDH-ES+A256KW", "--curve", "X25519"], {}, "X25519 public"],
  ["embodiment 5 on P-256", ["--embodiment", "5", "--wrap", "ECDH-ES", "--curve", "P-256"], {}, "ECDH public"],
  ["a public key of the shop in the form", ["--content", "hybrid", "--scope", "shop", "--kind", "public"], { page: ["--with-key"] }, "RSA-OAEP public wrapKey"],
]) {
  await test(`a form of the shop's own by ${what}, with erasing (7)`, async () => {
    await makeForm(keys, options);
    const context = await watchedUser();
    const page = await openReady(context);
    for (let number = 0; number < 2; number += 1) {
      await fillIn(page);
      await order(page).click();
      await page.getByText("Thank you! The shop has received your order").waitFor();
      assert.deepEqual(await values(page), { item: "T-01", quantity: "1", name: "", address: "", telephone: "" });
    }
    assert.deepEqual(received(), Array(2).fill(TYPED));
    assert.equal(new Set(inbox().map((line) => header(line).kid)).size, options.service || options.page ? 1 : 2);
    const { keys: made, alive } = await watched(page);
    assert.deepEqual([made.some((one) => one.kind === kind), alive], [true, 0], "nothing refers to a key any more");
    assert.deepEqual(await memory(page), { unsent: [] });
    const left = await page.evaluate(() => JSON.stringify([
      new XMLSerializer().serializeToString(document), { ...localStorage }, { ...sessionStorage }, document.cookie, Object.keys(globalThis).filter((name) => name !== "told"), history.state,
    ]));
    assert.deepEqual(WORDS.filter((word) => left.includes(word)), []);
    assert(!inbox().some((line) => left.includes(line)));
    assert.deepEqual(await told(page), ["ready", "working", "sent", "working", "sent"]);
    const allowed = [`GET ${FORM}`, `GET ${SHOP}/static/${script()}`, `POST ${ORDERS}`, `POST ${PROGRAMS}`, "GET data:,"];
    assert.deepEqual(context.requests.filter((request) => !allowed.includes(request)), []);
    assert.deepEqual(context.leaks, []);
    await context.close();
  });
}

/** Everything that a user, or a script of the shop, may do with a form whose script is not there. */
async function tryToSend(page) {
  await fillIn(page);
  await page.locator("[name=name]").press("Enter");
  await order(page).click({ force: true, timeout: 2000 }).catch(() => {});
  await page.evaluate(() => {
    const form = document.querySelector("form");
    const tries = [() => form.requestSubmit(), () => HTMLFormElement.prototype.submit.call(form), () => form.querySelector("button").click()];
    for (const attempt of tries) {
      try {
        attempt();
      } catch { /* refused */ }
    }
  });
  await page.waitForTimeout(300);
}

for (const [what, prepare, options = {}] of [
  ["scripts are off", () => {}, { javaScriptEnabled: false }],
  ["the script is blocked", (context) => context.route("**/orderseal-*.js", (route) => route.abort())],
  ["the script is slow", (context) => context.route("**/orderseal-*.js", () => {})],
  ["the script is missing", (context) => context.route("**/orderseal-*.js", (route) => route.fulfill({ status: 404 }))],
  ["the script was changed", (context) => context.route("**/orderseal-*.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${await response.text()};` });
  })],
  ["the tag has a wrong hash", () => edit((html) => html.replace(/integrity="sha384-.{8}/, 'integrity="sha384-AAAAAAAA'))],
  ["the policy does not have the script", () => edit((html) => html.replace("script-src 'self'", "script-src 'none'"))],
  ["the policy does not have the service", () => edit((html) => html.replace(/connect-src [^;]*/, "connect-src 'none'"))],
  ["the form has an action", () => edit((html) => html.replace('method="dialog"', 'method="dialog" action="/elsewhere"'))],
  ["the form is to be sent", () => edit((html) => html.replace('method="dialog"', ""))],
  ["a button sends", () => edit((html) => html.replace("<button disabled>", '<button disabled formaction="/elsewhere">'))],
  ["a button of another place sends", () => edit((html) => html.replace('method="dialog"', 'method="dialog" id="order"').replace("</form>", '</form><button form="order" formmethod="get" disabled>Go</button>'))],
  ["a file is asked for", () => edit((html) => html.replace("</form>", '<input type="file" name="file"></form>'))],
  ["there are two forms", () => edit((html) => html.replace("</form>", '</form><form method="dialog"></form>'))],
]) {
  await test(`nothing that is typed leaves a form: ${what}`, async () => {
    await makeForm(["--embodiment", "4"]);
    const context = await watchedUser(options);
    await prepare(context);
    const page = await context.newPage();
    await page.goto(FORM, { waitUntil: "commit" });
    await page.locator("form button").first().waitFor();
    await page.waitForTimeout(200);
    if (options.javaScriptEnabled === false) {
      await page.locator("[name=name]").fill(TYPED.name);
      await page.locator("[name=name]").press("Enter");
      await order(page).click({ force: true, timeout: 1000 }).catch(() => {});
    } else await tryToSend(page);
    assert.deepEqual([context.leaks, inbox()], [[], []]);
    assert.equal(page.url(), FORM);
    if (/action|sent|sends|file|two/.test(what)) {
      assert.match(await page.evaluate(() => document.querySelector("[role=status]").textContent), /^This form takes no orders \(unsafe /);
    }
    await context.close();
  });
}

/** Makes the call numbered `index` of a function fail, and counts the calls of all. Runs in the page. */
function failAt(index) {
  let calls = 0;
  const fail = () => {
    calls += 1;
    globalThis.calls = calls;
    if (calls === index) throw new Error("broken for a test");
  };
  const wrap = (owner, name) => {
    const real = owner[name];
    owner[name] = function broken(...args) {
      fail();
      return Reflect.apply(real, this, args);
    };
  };
  for (const name of ["importKey", "generateKey", "encrypt", "wrapKey", "verify", "digest"]) wrap(SubtleCrypto.prototype, name);
  wrap(Crypto.prototype, "getRandomValues");
  wrap(IDBFactory.prototype, "open");
  wrap(globalThis, "fetch");
  wrap(Response.prototype, "text");
  wrap(JSON, "stringify");
  wrap(JSON, "parse");
  wrap(TextEncoder.prototype, "encode");
  wrap(FormData.prototype, "getAll");
  wrap(FormData.prototype, "keys");
  wrap(HTMLFormElement.prototype, "reset");
  wrap(Date.prototype, "toISOString");
}

await test("whatever step of an order fails, nothing that is typed leaves the form, and no order is sealed twice", async () => {
  await makeForm(["--embodiment", "4", "--pool", "derived"], { orders: 500, service: ["--limit-address", "100000"] });
  const context = await watchedUser();
  const plain = await openReady(context);
  await plain.evaluate(failAt, 0);
  await fillIn(plain);
  await order(plain).click();
  await plain.getByText("Thank you!").waitFor();
  const steps = await plain.evaluate(() => globalThis.calls);
  assert(steps > 25, `${steps} steps`);
  await plain.close();
  const ends = {};
  for (let index = 1; index <= steps; index += 1) {
    const before = inbox().length;
    const page = await openReady(context);
    await page.evaluate(failAt, index);
    await fillIn(page);
    await order(page).click();
    await page.waitForFunction(() => ["sent", "unsent", "failed"].includes(globalThis.told.at(-1)[0]));
    const end = (await told(page)).at(-1);
    ends[end] = (ends[end] ?? 0) + 1;
    if (end === "failed") {
      assert.deepEqual(await values(page), TYPED, "the entries are still there");
      await order(page).click();
    } else if (end === "unsent") await page.getByRole("button", { name: "Send" }).click();
    await page.waitForFunction(() => globalThis.told.at(-1)[0] === "sent").catch(async (error) => { throw new Error(`failing at ${index}: ${JSON.stringify(await page.evaluate(() => globalThis.told))}`, { cause: error }); });
    assert.equal(inbox().length, before + 1, `an order once, failing at ${index}`);
    await page.close();
  }
  assert(ends.failed > 10 && ends.unsent > 1 && ends.sent > 0, JSON.stringify(ends));
  assert.deepEqual(received(), Array(steps + 1).fill(TYPED));
  assert.deepEqual(context.leaks, []);
  await context.close();
});

await test("an order without an answer is kept, offered after a reload, and sent as the same line", async () => {
  await makeForm(["--embodiment", "4"]);
  const context = await watchedUser();
  let page = await openReady(context);
  const bodies = [];
  let isLost = true;
  await context.route(ORDERS, async (route) => {
    bodies.push(route.request().postData());
    if (!isLost) return route.continue();
    // The shop keeps it, but the answer is lost.
    await route.fetch();
    return route.abort();
  });
  await fillIn(page);
  await order(page).click();
  await page.getByText("Please send it again: it is the same order.").waitFor();
  assert.equal(await order(page).isEnabled(), false);
  assert.deepEqual((await memory(page)).unsent.map(({ line }) => `${line}\n`), bodies);
  await page.getByRole("button", { name: "Send" }).click();
  await page.waitForFunction(() => globalThis.told.filter(([state]) => state === "unsent").length === 2);
  const [dialog] = await Promise.all([page.waitForEvent("dialog"), page.close({ runBeforeUnload: true })]);
  assert.equal(dialog.type(), "beforeunload");
  await dialog.accept();
  isLost = false;

  page = await open(context);
  await page.getByText("The shop has not confirmed your order of").waitFor();
  assert.equal(await order(page).isEnabled(), false);
  await page.evaluate(() => document.querySelector("form").requestSubmit());
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Thank you!").waitFor();
  assert.deepEqual([bodies.length, new Set(bodies).size, inbox().length, issued()], [3, 1, 1, 1]);
  assert.deepEqual(received(), [TYPED]);
  assert.deepEqual(await memory(page), { unsent: [] });
  assert.equal(await order(page).isEnabled(), true);
  await context.close();
});

await test("an order that was sent can be erased; what was typed goes with it", async () => {
  await makeForm(["--embodiment", "4"]);
  const context = await watchedUser();
  await context.route(ORDERS, (route) => route.abort());
  const page = await openReady(context);
  await fillIn(page);
  await order(page).click();
  await page.getByRole("button", { name: "Erase" }).click();
  await page.getByText("It was erased here.").waitFor();
  assert.deepEqual([await memory(page), (await values(page)).name], [{ unsent: [] }, ""]);
  assert.equal(await order(page).isEnabled(), true);
  await context.close();
});

for (const [what, prepare, words] of [
  ["the service is offline", () => stopService(), "no service"],
  ["the pool is exhausted", () => {}, "pool-empty"],
  ["the service does not know the page", async () => { await stopService(); await serveService("--origin", "https://shop.example"); }, "no service"],
  ["the shop refuses", (context) => context.route(ORDERS, (route) => route.fulfill({ status: 403, contentType: "application/problem+json", body: '{"code":"origin"}' }), { times: 1 }), "refused answer 403 origin"],
]) {
  await test(`no order is placed, and what was typed stays: ${what}`, async () => {
    await makeForm(["--embodiment", "4"], { orders: what.startsWith("the pool") ? 1 : 3 });
    const context = await watchedUser();
    const page = await openReady(context);
    if (what.startsWith("the pool")) {
      await fillIn(page);
      await order(page).click();
      await page.getByText("Thank you!").waitFor();
    }
    await prepare(context);
    await fillIn(page);
    await order(page).click();
    await page.getByText("No order was placed (").waitFor();
    assert((await status(page).textContent()).includes(words), await status(page).textContent());
    assert.deepEqual(await values(page), TYPED);
    assert.equal(await order(page).isEnabled(), true);
    assert.deepEqual(await memory(page), { unsent: [] });
    if (what === "the shop refuses") {
      await order(page).click();
      await page.getByText("Thank you!").waitFor();
      assert.deepEqual([received(), issued()], [[TYPED], 2]);
    }
    assert.deepEqual(context.leaks, []);
    await context.close();
  });
}

await test("a refusal after a try without an answer does not let the order be sealed again", async () => {
  await makeForm(["--embodiment", "4"]);
  const context = await watchedUser();
  await context.route(ORDERS, (route) => route.abort(), { times: 1 });
  const page = await openReady(context);
  await fillIn(page);
  await order(page).click();
  await page.getByText("Please send it again").waitFor();
  await context.route(ORDERS, (route) => route.fulfill({ status: 403 }), { times: 1 });
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("(refused answer 403)").waitFor();
  assert.deepEqual([await order(page).isEnabled(), (await memory(page)).unsent.length], [false, 1]);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Thank you!").waitFor();
  assert.equal(inbox().length, 1);
  await context.close();
});

await test("values come after the # of the address, and go nowhere", async () => {
  await makeForm(["--embodiment", "4"]);
  edit((html) => html.replace("</form>", `
    <input type="hidden" name="source" value="shop"><input name="fixed" value="shop" readonly><div hidden><input name="price" value="5"></div>
    <button name="pressed" value="other" formnovalidate disabled>Other</button><select name="many" multiple><option>a</option><option>b</option><option>c</option></select><input type="checkbox" name="gift" value="yes">
    <input type="checkbox" name="extra" value="ribbon"><input type="checkbox" name="extra" value="card">
    <input type="radio" name="speed" value="slow" checked><input type="radio" name="speed" value="fast"></form>`));
  const context = await watchedUser();
  const given = new URLSearchParams({ ...TYPED, source: "forged", fixed: "forged", price: "1", pressed: "forged", gift: "yes", extra: "card", speed: "fast", unknown: "x", action: "/x" });
  const page = await openReady(context, `${FORM}?name=query#${given}&many=a&many=c`);
  assert.equal(page.url(), `${FORM}?name=query`);
  await order(page).click();
  await page.getByText("Thank you!").waitFor();
  assert.deepEqual(received(), [{ ...TYPED, source: "shop", fixed: "shop", price: "5", many: ["a", "c"], gift: "yes", extra: ["card"], speed: "fast" }]);
  assert.deepEqual(context.leaks, []);
  await context.close();
});

await test("what was typed before the script was there is not replaced by values of the address", async () => {
  await makeForm(["--embodiment", "4"]);
  const context = await watchedUser();
  let go = null;
  const typed = new Promise((done) => { go = done; });
  await context.route("**/orderseal-*.js", async (route) => {
    await typed;
    await route.continue();
  });
  const page = await context.newPage();
  await page.goto(`${FORM}#name=other&quantity=7`, { waitUntil: "commit" });
  await page.locator("[name=name]").fill(TYPED.name);
  go();
  await page.locator("form button:enabled").first().waitFor();
  const { name, quantity } = await values(page);
  assert.deepEqual([name, quantity], [TYPED.name, "7"]);
  await context.close();
});

await test("fields may have the names of a form's own members, and several values", async () => {
  await makeForm(["--embodiment", "4"]);
  const names = ["action", "method", "reset", "submit", "elements", "id", "target", "length", "title", "hidden", "lang", "dataset", "__proto__", "toString"];
  edit((html) => html.replace("</form>", `${names.map((name) => `<input name="${name}" value="v-${name}">`).join("")}
    <select name="sizes" multiple><option selected>S</option><option selected>L</option></select><textarea name="note">a
b</textarea><input name="off" value="x" disabled></form>`));
  const context = await watchedUser();
  const page = await openReady(context);
  await fillIn(page);
  await order(page).click();
  await page.getByText("Thank you!").waitFor();
  const expected = Object.entries({ ...TYPED, ...Object.fromEntries(names.map((name) => [name, `v-${name}`])), sizes: ["S", "L"], note: "a\nb" });
  expected.push(["__proto__", "v-__proto__"]);
  const entries = Object.entries(received()[0]);
  assert.deepEqual(entries.sort(), [...new Map(expected)].sort());
  await context.close();
});

await test("an order is placed once, however often the button is pressed", async () => {
  await makeForm(["--embodiment", "4"]);
  const context = await watchedUser();
  const page = await openReady(context);
  await fillIn(page);
  await page.evaluate(() => { for (let time = 0; time < 5; time += 1) document.querySelector("form").requestSubmit(); });
  await page.getByText("Thank you!").waitFor();
  await page.waitForTimeout(200);
  assert.deepEqual([inbox().length, issued()], [1, 1]);
  await context.close();
});

await test("the shop may say things itself, and in its own words", async () => {
  await makeForm(["--embodiment", "4"], { form: ["--lang", "ja"] });
  const context = await watchedUser();
  const page = await openReady(context);
  assert.deepEqual([await page.locator("html").getAttribute("lang"), await order(page).textContent()], ["ja", "注文する"]);
  await fillIn(page);
  await order(page).click();
  await page.getByText("ありがとうございます。店舗がご注文を受け取りました（tokyo/").waitFor();
  await page.evaluate(() => document.addEventListener("orderseal:sent", (event) => {
    event.preventDefault();
    document.querySelector("h1").textContent = `own words for ${event.detail.kid}`;
  }));
  await fillIn(page);
  await order(page).click();
  await page.getByText(`own words for ${"tokyo/"}`).waitFor();
  assert.equal(await status(page).textContent(), "");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("role")), "status");
  await context.close();
});

await test("a page that has the script twice places one order", async () => {
  await makeForm(["--embodiment", "4"]);
  edit((html) => html.replace(/<script[^]*<\/script>/, (tag) => tag + tag));
  const context = await watchedUser();
  const page = await openReady(context);
  await fillIn(page);
  await order(page).click();
  await page.getByText("Thank you!").waitFor();
  await page.waitForTimeout(300);
  assert.deepEqual([inbox().length, issued(), await page.locator("[role=status]").count()], [1, 1, 1]);
  await context.close();
});

await test("the shop's own scripts can stop an order, and see it with the button that was pressed", async () => {
  await makeForm(["--embodiment", "4"]);
  edit((html) => html.replace("<button disabled>", '<button disabled name="speed" value="express">'));
  const context = await watchedUser();
  const page = await openReady(context);
  await page.evaluate(() => {
    let asked = 0;
    const form = document.querySelector("form");
    form.addEventListener("submit", (event) => { if ((asked += 1) === 1) event.preventDefault(); });
    // As pages do that show that they are busy.
    form.addEventListener("orderseal:working", () => { for (const field of form.elements) field.disabled = true; });
    form.addEventListener("orderseal:sent", () => { location.href = "other.html#thanks"; });
  });
  writeFileSync("site/other.html", "<p>Another page");
  await fillIn(page);
  await order(page).click();
  await page.waitForTimeout(300);
  assert.deepEqual([await told(page), inbox()], [["ready"], []]);
  page.on("dialog", () => assert.fail("nothing is asked when the order is sent"));
  await order(page).click();
  await page.getByText("Another page").waitFor();
  assert.deepEqual(received(), [{ ...TYPED, speed: "express" }]);
  await context.close();
});

await test("an earlier order is sent, or erased, whatever has become of the form, and leaves what is typed now", async () => {
  await makeForm(["--embodiment", "4"]);
  const context = await watchedUser();
  let page = await openReady(context);
  await context.route(ORDERS, (route) => route.abort());
  for (const change of [(html) => html, (html) => html.replace("</form>", '<input type="file" name="file"></form>')]) {
    page = await openReady(context);
    await fillIn(page);
    await order(page).click();
    await page.getByText("Please send it again").waitFor();
    await page.close();
    await context.unrouteAll({ behavior: "ignoreErrors" });
    edit(change);
    page = await open(context, `${FORM}#name=typed-name-7f3a`);
    await page.getByText("The shop has not confirmed your order of").waitFor();
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("Thank you!").waitFor();
    const isOff = change("</form>") !== "</form>";
    assert.deepEqual([await order(page).isEnabled(), (await values(page)).name], [!isOff, isOff ? "" : "typed-name-7f3a"]);
    await page.close();
    await context.route(ORDERS, (route) => route.abort());
  }
  assert.deepEqual(received(), [TYPED, TYPED]);
  await context.close();
});

await test("a guided order that is refused at once can be corrected", async () => {
  await makeForm(["--content", "hybrid", "--scope", "shop", "--kind", "public"], { page: ["--with-key"] });
  edit((html) => html.replace("&quot;run&quot;:&quot;automatic&quot;", "&quot;run&quot;:&quot;guided&quot;"));
  const context = await watchedUser();
  const page = await openReady(context);
  await context.route(ORDERS, (route) => route.fulfill({ status: 413 }), { times: 1 });
  await fillIn(page);
  await order(page).click();
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("No order was placed (refused answer 413)").waitFor();
  assert.deepEqual([await values(page), await order(page).isEnabled(), await memory(page)], [TYPED, true, { unsent: [] }]);
  await context.close();
});

await test("a program may have steps: the order is looked at before it is sent", async () => {
  await makeForm(["--content", "hybrid", "--scope", "shop", "--kind", "public"], { page: ["--with-key"] });
  edit((html) => html.replace("&quot;run&quot;:&quot;automatic&quot;", "&quot;run&quot;:&quot;guided&quot;"));
  const context = await watchedUser();
  const page = await openReady(context);
  await fillIn(page);
  await order(page).click();
  await page.getByText("Your order is encrypted (tokyo) and can be sent.").waitFor();
  assert.equal(inbox().length, 0);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Thank you!").waitFor();
  assert.deepEqual(received(), [TYPED]);
  await context.close();
});

await test("a static site of another origin orders, with the script from the shop's server", async () => {
  const site = createServer((request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(readFileSync("site/order.html"));
  });
  await new Promise((done) => { site.listen(0, "127.0.0.1", done); });
  const origin = `http://127.0.0.1:${site.address().port}`;
  await makeForm(["--content", "hybrid", "--scope", "shop", "--kind", "public"], {
    page: ["--with-key"], form: ["--send-to", ORDERS], serve: ["--origin", origin],
  });
  edit((html) => html.replace('src="orderseal-', `src="${SHOP}/static/orderseal-`).replace("script-src 'self'", `script-src ${SHOP}/static/`));
  const context = await watchedUser();
  const page = await openReady(context, origin);
  await fillIn(page);
  await order(page).click();
  await page.getByText("Thank you!").waitFor();
  assert.deepEqual(received(), [TYPED]);
  assert.deepEqual(context.leaks, []);
  await context.close();
  site.close();
});

await test("without a memory orders are placed all the same", async () => {
  await makeForm(["--embodiment", "4"]);
  const context = await watchedUser();
  await context.addInitScript(() => { Object.defineProperty(globalThis, "indexedDB", { get() { throw new Error("no"); } }); });
  const page = await openReady(context);
  await fillIn(page);
  await order(page).click();
  await page.getByText("Thank you!").waitFor();
  assert.deepEqual(received(), [TYPED]);
  await context.close();
});

await stopServers();
