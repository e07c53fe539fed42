// The tests of scripts/browser-test.sh: pages in a real browser, a shop that listens on localhost, and
// both `orderseal decrypt` and jwcrypto to read what arrives.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import "./items.mjs";

const { CHROMIUM, ORDERSEAL, PICTURES } = process.env;
const LIMIT = 100_000;
const WORDS = "梅の花 plum blossom, and quite a few other words";

const orderseal = (args, input) => execFileSync(ORDERSEAL, args, { input, stdio: ["pipe", "pipe", "pipe"] }).toString();
const jwcrypto = (alg, enc, lines) =>
  execFileSync("venv/bin/python", ["jwcrypto_jwe.py", "open", "shop.jwks", alg, enc], { input: lines }).toString();

// ---- The shop: serves the page, takes orders, and notes whatever else is asked of it.

const shop = { lines: [], strays: [], status: 200, delay: 0 };
const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => setTimeout(() => {
    response.setHeader("Access-Control-Allow-Origin", "*");
    if (request.url === "/order.html") {
      response.setHeader("Content-Type", "text/html");
      response.end(readFileSync("order.html"));
    } else if (request.method === "POST" && request.url === "/orders") {
      if (shop.status === 200) shop.lines.push(Buffer.concat(chunks).toString());
      response.statusCode = shop.status;
      response.end();
    } else {
      shop.strays.push(`${request.method} ${request.url}`);
      response.end();
    }
  }, shop.delay));
});
await new Promise((done) => { server.listen(0, "127.0.0.1", done); });
const address = `http://127.0.0.1:${server.address().port}`;
const fromFile = pathToFileURL(resolve("order.html")).href;
const fromServer = `${address}/order.html`;

// ---- Keys, bundles, pages.

function makeKeys(options, orders = 8) {
  for (const name of ["service.jwks", "shop.jwks"]) rmSync(name, { force: true });
  orderseal(["keygen", ...options, "--rsa-bits", "2048", "--shop", "tokyo", "--orders", String(orders), "-o", "service.jwks"]);
  orderseal(["bundle", "shop", "--keys", "service.jwks", "-o", "shop.jwks"]);
}

/** Makes order.html and returns what of it is secret. */
function makePage(...options) {
  orderseal(["bundle", "client", "--keys", "service.jwks", "--form", "html", "--force", "-o", "order.html", ...options]);
  const [, data] = /id="delivered">(.*?)<\/script>/s.exec(readFileSync("order.html", "utf8"));
  return JSON.parse(data).keys.map(([, key]) => key);
}

// ---- The user.

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function user(options = {}) {
  const context = await browser.newContext({ locale: "en-US", ...options });
  context.setDefaultTimeout(30_000);
  context.requests = [];
  context.on("request", (request) => context.requests.push(`${request.method()} ${request.url()}`));
  context.on("weberror", (error) => { throw error.error(); });
  return context;
}

const PERSON = {
  name: "小鳥遊 Żółć", address: "本町 1-2-3\n大阪市 〒530-0099", telephone: "+81 010 1676", card: "4111 1111 1111 1111",
};

async function fillIn(page) {
  for (const [name, value] of Object.entries(PERSON)) await page.fill(`#field-${name}`, value);
  if (await page.locator("#quantity-1").count()) await page.fill("#quantity-1", "3");
  else {
    await page.fill("#item-0", "green </script> tea");
    await page.fill("#quantity-0", "3");
  }
}

const wanted = (order, items) => {
  const { ordered, ...rest } = JSON.parse(order);
  assert.match(ordered, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(rest, { ...PERSON, items });
};
const TEA = [{ item: "G-02", name: "Green tea, 100 g", quantity: 3, price: 1280 }];
const FREE = [{ item: "green </script> tea", quantity: 3 }];

const done = (page) => page.locator("#done").waitFor();

/** Nothing of keys, words, card or address is left where script or a curious person can find it. */
async function checkErased(page, secrets) {
  const left = await page.evaluate(async () => JSON.stringify([
    new XMLSerializer().serializeToString(document), [...document.querySelectorAll("input, textarea")].map(({ value }) => value),
    { ...localStorage }, { ...sessionStorage }, document.cookie, await indexedDB.databases(), Object.keys(globalThis), history.state, globalThis.name,
  ]));
  for (const secret of [...secrets, WORDS, PERSON.card, "小鳥遊"]) assert(!left.includes(secret), `left after ordering: ${secret}`);
  assert.equal(await page.locator("script, form, textarea").count(), 0);
}

const kidOf = (line) => JSON.parse(Buffer.from(line.split(".")[0], "base64url")).kid;

let count = 0;
async function test(what, run) {
  try {
    await run();
  } catch (error) {
    console.error(`pages.mjs: error: ${what}: ${error.stack}`);
    process.exit(1);
  }
  count += 1;
  console.log(`${what}: as expected`);
}

// ---- Every scheme: from a file and from a server, random key and typed key, reload, both readers.

for (const [alg, content, kind] of [["dir", "direct", "secret"], ["A256KW", "hybrid", "secret"], ["A128KW", "hybrid", "secret"], ["RSA-OAEP-256", "hybrid", "public"]]) {
  for (const enc of ["A256GCM", "A128GCM"]) {
    for (const scope of ["shop", "transaction"]) {
      await test(`${alg} with ${enc}, ${scope} scope`, async () => {
        const wrap = alg === "dir" ? [] : ["--wrap", alg];
        makeKeys(["--content", content, "--scope", scope, "--kind", kind, "--enc", enc, ...wrap]);
        const keys = makePage("--orders", "3", "--items", "items.json", "--send-to", `${address}/orders`);
        const secrets = kind === "public" ? [] : keys;
        shop.lines = [];
        const context = await user();
        const page = await context.newPage();
        for (const url of [fromFile, fromServer]) {
          await page.goto(url);
          await fillIn(page);
          assert(!(await page.content()).includes(keys[0]), "the keys are out of the document from the beginning");
          await page.click("#order");
          await done(page);
          await checkErased(page, [...keys, ...secrets]);
        }
        // The storage of a file and of a server are two: go on where the server's id was spent.
        if (scope === "transaction") assert.equal(kidOf(shop.lines[0]), kidOf(shop.lines[1]));
        await page.reload();
        await fillIn(page);
        if (alg !== "dir") {
          await page.click("summary");
          await page.fill("#typed", WORDS);
        }
        await page.click("#order");
        await done(page);
        await checkErased(page, keys);
        assert.equal(shop.lines.length, 3);
        if (scope === "transaction") {
          assert.notEqual(kidOf(shop.lines[1]), kidOf(shop.lines[2]), "a reload takes another id");
          await page.reload();
          await fillIn(page);
          await page.click("#order");
          await done(page);
          assert.equal(await page.locator("#again").isHidden(), true);
          await page.reload();
          await page.getByText("Every order of this page was placed already").waitFor();
          assert.equal(await page.locator("#form").isHidden(), true);
          assert.equal(new Set(shop.lines.map(kidOf)).size, 3);
        }
        const header = JSON.parse(Buffer.from(shop.lines[2].split(".")[0], "base64url"));
        assert.deepEqual(Object.keys(header), ["alg", "enc", "kid", ...(alg === "dir" ? [] : ["typed"])]);
        const opened = orderseal(["decrypt", "--bundle", "shop.jwks"], shop.lines.join(""));
        assert.equal(jwcrypto(alg, enc, shop.lines.join("")), opened);
        for (const order of opened.trimEnd().split("\n")) wanted(order, TEA);
        const allowed = [`GET ${fromFile}`, `GET ${fromServer}`, `POST ${address}/orders`];
        assert.deepEqual(context.requests.filter((request) => !allowed.includes(request) && !request.startsWith("GET data:image/svg+xml,") && request !== "GET data:,"), []);
        assert.deepEqual(shop.strays, []);
        await context.close();
      });
    }
  }
}

// ---- The parts of the flow, at one scheme.

makeKeys(["--embodiment", "4"], 400);
const opened = (lines) => orderseal(["decrypt", "--bundle", "shop.jwks"], lines).trimEnd().split("\n");

await test("the policy lets nothing out and nothing in", async () => {
  makePage("--send-to", `${address}/orders`);
  const context = await user();
  const page = await context.newPage();
  await page.goto(fromServer);
  const blocked = await page.evaluate(async (elsewhere) => {
    const violated = [];
    document.addEventListener("securitypolicyviolation", (event) => violated.push(event.effectiveDirective));
    const fetched = await fetch(`${elsewhere}/stray`).then(() => "answered", () => "refused");
    await new Promise((next) => { const image = new Image(); image.onerror = next; image.src = `${elsewhere}/stray.png`; });
    const script = document.createElement("script");
    const attempt = (action) => { try { return action() ?? "taken"; } catch { return "refused"; } };
    const text = attempt(() => { script.textContent = "globalThis.ran = true"; });
    script.append("globalThis.ran = true");
    document.body.append(script);
    const handler = attempt(() => document.body.setAttribute("onclick", "globalThis.ran = true"));
    navigator.sendBeacon(`${elsewhere}/stray`);
    await new Promise((next) => { setTimeout(next, 200); });
    return { fetched, text, handler, ran: globalThis.ran, violated: [...new Set(violated)].sort() };
  }, address);
  assert.deepEqual([blocked.fetched, blocked.text, blocked.handler], ["refused", "refused", "refused"]);
  assert.equal(blocked.ran, undefined);
  for (const directive of ["connect-src", "img-src"]) assert(blocked.violated.includes(directive), `${directive}: ${blocked.violated}`);
  assert.deepEqual(shop.strays, []);
  await context.close();
});

await test("bad input is explained beside the field and on top", async () => {
  makePage("--items", "items.json", "--fields", "fields.json", "--send-to", `${address}/orders`);
  shop.lines = [];
  const context = await user();
  const page = await context.newPage();
  await page.goto(fromFile);
  await page.click("#order");
  assert.deepEqual(await page.locator("#trouble li").allTextContents(), [
    "Name: please fill this in", "Address: please fill this in", "Card number: please fill this in", "E-mail: please fill this in",
  ]);
  assert.equal(await page.evaluate(() => document.activeElement.id), "trouble");
  for (const [name, value, words] of [
    ["card", "4111 1111 1111 1112", "12 to 19 digits"], ["telephone", "call me", "5 to 20 digits"],
    ["email", "nobody", "name@example.com"], ["note", "x".repeat(41), "At most 40 characters"],
  ]) {
    await page.fill(`#field-${name}`, value);
    await page.click("#order");
    const field = page.locator(`#field-${name}`);
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    assert.match(await page.locator(`#${await field.getAttribute("aria-describedby")}`).textContent(), new RegExp(words));
    await page.fill(`#field-${name}`, "");
  }
  for (const bad of ["-1", "1.5", "10000"]) {
    await page.fill("#quantity-0", bad);
    await page.click("#order");
    assert.match(await page.locator("#quantity-0-error").textContent(), /whole number/);
  }
  await page.fill("#quantity-0", "0");
  await page.fill("#field-name", PERSON.name);
  await page.fill("#field-address", PERSON.address);
  await page.fill("#field-card", "４１１１－１１１１－１１１１－１１１１");
  await page.fill("#field-email", "a@b.example");
  await page.click("#order");
  assert.deepEqual(await page.locator("#trouble li").allTextContents(), ["Please choose at least one item"]);
  await page.click("#trouble a");
  assert.equal(await page.evaluate(() => document.activeElement.id), "quantity-0");
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/trouble.png`, fullPage: true });
  await page.fill("#quantity-0", "2");
  await page.selectOption("#field-wrapping", "gift");
  await page.check("#elsewhere");
  await page.fill("[name='delivery_address.name']", "Ελένη");
  await page.fill("[name='delivery_address.address']", "Οδός 1");
  await page.click("#order");
  await done(page);
  const { ordered, ...order } = JSON.parse(opened(shop.lines[0])[0]);
  assert(ordered);
  assert.deepEqual(order, {
    name: PERSON.name, address: PERSON.address, card: "4111-1111-1111-1111", email: "a@b.example", wrapping: "gift",
    items: [{ item: "T-01", name: "Teapot, cast iron", quantity: 2, price: 4150 }],
    delivery_address: { name: "Ελένη", address: "Οδός 1" },
  });
  await context.close();
});

await test("an order that the shop does not confirm is kept and sent again as it is", async () => {
  makePage("--send-to", `${address}/orders`);
  shop.lines = [];
  const context = await user();
  const page = await context.newPage();
  await page.goto(fromFile);
  await fillIn(page);
  shop.status = 503;
  await page.click("#order");
  await page.getByText("The shop has not confirmed the order (answer 503)").waitFor();
  const line = await page.inputValue("#line");
  shop.status = 200;
  await page.click("#send");
  await done(page);
  assert.equal(shop.lines[0], `${line}\n`);
  wanted(opened(shop.lines[0])[0], FREE);
  await context.close();
});

await test("without an address the order is downloaded or copied", async () => {
  makePage("--orders", "2");
  const context = await user({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  await page.goto(fromFile);
  await fillIn(page);
  await page.click("#order");
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
  await done(page);
  assert.match(file.suggestedFilename(), /^tokyo-[0-9a-f]{16}-\d{14}\.jwe$/);
  wanted(opened(readFileSync(await file.path()))[0], FREE);
  await page.goto(fromServer);
  await fillIn(page);
  await page.click("#order");
  await page.click("#copy");
  await done(page);
  wanted(opened(await page.evaluate(() => navigator.clipboard.readText()))[0], FREE);
  await context.close();
});

await test("the guided form seals, and sends when told to", async () => {
  makePage("--guided", "--items", "items.json", "--send-to", `${address}/orders`);
  shop.lines = [];
  const context = await user();
  const page = await context.newPage();
  await page.goto(fromFile);
  await fillIn(page);
  await page.click("#order");
  await page.locator("#sealed").waitFor();
  assert.equal(await page.locator("[aria-current]").textContent(), "Send");
  assert.equal(shop.lines.length, 0);
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/guided.png`, fullPage: true });
  await page.click("#send");
  await done(page);
  wanted(opened(shop.lines[0])[0], TEA);
  await context.close();
});

await test("a program that ends with erasing takes one order", async () => {
  makePage("--orders", "5", "--erase", "--send-to", `${address}/orders`);
  const context = await user();
  const page = await context.newPage();
  await page.goto(fromFile);
  await fillIn(page);
  await page.click("#order");
  await done(page);
  await page.reload();
  await page.getByText("This page was erased after its order").waitFor();
  await context.close();
});

await test("two tabs and a double click never share an id", async () => {
  makePage("--orders", "2", "--send-to", `${address}/orders`);
  shop.lines = [];
  const context = await user();
  const pages = await Promise.all([context.newPage(), context.newPage()]);
  for (const page of pages) {
    await page.goto(fromFile);
    await fillIn(page);
  }
  await Promise.all(pages.map((page) => page.evaluate(() => { document.querySelector("#form").requestSubmit(); document.querySelector("#form").requestSubmit(); })));
  await Promise.all(pages.map(done));
  assert.equal(shop.lines.length, 2);
  assert.equal(new Set(shop.lines.map(kidOf)).size, 2);
  await context.close();
});

await test("where nothing can be remembered no order is placed", async () => {
  makePage("--send-to", `${address}/orders`);
  shop.lines = [];
  const context = await user();
  await context.addInitScript(() => { Object.defineProperty(globalThis, "localStorage", { get() { throw new Error("no"); } }); });
  const page = await context.newPage();
  await page.goto(fromFile);
  await page.getByText("does not let the page remember").waitFor();
  assert.equal(shop.lines.length, 0);
  await context.close();
});

await test("a reusable direct key keeps within its budget", async () => {
  makeKeys(["--embodiment", "1"]);
  makePage("--send-to", `${address}/orders`);
  const context = await user();
  const page = await context.newPage();
  await page.goto(fromFile);
  await fillIn(page);
  await page.click("#order");
  await done(page);
  const name = await page.evaluate(() => {
    const [key] = Object.keys(localStorage);
    localStorage.setItem(key, JSON.stringify({ ...JSON.parse(localStorage.getItem(key)), sealed: 2 ** 24 }));
    return key;
  });
  assert.match(name, /^orderseal:tokyo:[0-9a-f]{16}$/);
  await page.reload();
  await page.getByText("Every order of this page was placed already").waitFor();
  await context.close();
});

await test("the language is the browser's, or the one asked for", async () => {
  makePage();
  const japanese = await user({ locale: "ja-JP" });
  const page = await japanese.newPage();
  await page.goto(fromFile);
  assert.equal(await page.textContent("#order"), "注文を暗号化する");
  assert.equal(await page.getAttribute("html", "lang"), "ja");
  makePage("--lang", "en");
  await page.reload();
  assert.equal(await page.textContent("#order"), "Encrypt the order");
  await japanese.close();
});

await test("everything can be reached, has a name, and works by keyboard", async () => {
  makePage("--items", "items.json", "--fields", "fields.json", "--send-to", `${address}/orders`);
  const context = await user();
  const page = await context.newPage();
  await page.goto(fromFile);
  await page.locator("#order").waitFor();
  const unnamed = await page.evaluate(() => [...document.querySelectorAll("input, select, textarea")]
    .filter((control) => !control.getAttribute("aria-label") && !control.labels.length).map(({ id }) => id));
  assert.deepEqual(unnamed, []);
  const ids = await page.evaluate(() => [...document.querySelectorAll("[id]")].map(({ id }) => id));
  assert.equal(new Set(ids).size, ids.length);
  await page.focus("#quantity-0");
  await page.keyboard.type("1");
  await page.focus("#field-name");
  await page.keyboard.press("Enter");
  await page.locator("#trouble").waitFor();
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `scrolls sideways at ${width}`);
  }
  await context.close();
});

if (PICTURES) {
  makeKeys(["--embodiment", "4"], 60);
  for (const [name, options, locale, colorScheme, width] of [
    ["wide", ["--items", "items.json"], "en-US", "light", 1200], ["narrow", ["--items", "items.json", "--guided"], "ja-JP", "light", 390],
    ["dark", ["--items", "items.json"], "ja-JP", "dark", 1200], ["plain", [], "en-US", "light", 1200], ["narrow-dark", [], "en-US", "dark", 390],
  ]) {
    makePage("--orders", "2", "--send-to", `${address}/orders`, ...options);
    const context = await user({ locale, colorScheme, viewport: { width, height: 800 } });
    const page = await context.newPage();
    await page.goto(fromFile);
    if (name === "wide" || name === "dark") await fillIn(page);
    else if (name === "narrow-dark") {
      await page.check("#elsewhere");
      await page.click("summary");
      await page.click("#order");
    }
    await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
    if (name === "wide") {
      await page.click("#order");
      await done(page);
      await page.screenshot({ path: `${PICTURES}/done.png`, fullPage: true });
    }
    await context.close();
  }
}

for (const [what, options, orders] of [
  ["a 1-order page", ["--embodiment", "4"], 1], ["a 1-order page by RSA", ["--embodiment", "6"], 1],
  ["a pool of 200 orders", ["--embodiment", "4"], 200],
]) {
  makeKeys(options, orders);
  makePage("--orders", String(orders));
  const { size } = statSync("order.html");
  console.log(`${what}: ${size.toLocaleString("en")} bytes`);
  assert(size < LIMIT, `${what} has ${LIMIT} bytes or more`);
}

await browser.close();
server.close();
console.log(`${count} tests passed in ${browser.version()}`);
