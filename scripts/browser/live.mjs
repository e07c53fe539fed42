// The live page: a shop's item page from its own server, a key for each order from the service's, the sealed order in the
// inbox, and what goes wrong between the three.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { SERVICE, SHOP, editItemPage, inbox, makeShop, serveService, serveShop, stopServers } from "./servers.mjs";
import { header, opened, orderseal, shop, timeless } from "./shop.mjs";
import { test } from "./test.mjs";
import { FREE, PERSON, TEA, checkErased, field, fillIn, memory, place, user, visit, watched } from "./user.mjs";

const PROGRAMS = `${SERVICE}/v1/programs`;
const ORDERS = `${SHOP}/v1/orders`;
const items = ["--items", "items.json"];

/** The orders in the inbox, opened. */
const received = () => opened(inbox().map((line) => `${line}\n`).join("")).map(timeless);
const issued = () => JSON.parse(readFileSync("service.jwks")).orderseal.shops.tokyo.issued?.length ?? 0;
const filledIn = (page) => field(page, "name").inputValue();

/** Answers that the page is given instead of those of a server. */
const problem = (status, code, headers = {}) => ({
  status, headers: { "Access-Control-Allow-Origin": SHOP, "Access-Control-Expose-Headers": "Retry-After", ...headers },
  contentType: "application/problem+json", body: JSON.stringify({ title: "for a test", status, code }),
});

/** A page of a shop with both servers, or with its own alone. */
async function live(keys, orders, { page = [], service = [] } = {}) {
  await makeShop(keys, orders, ...page);
  if (!page.includes("--with-key")) await serveService(...service);
  await serveShop();
}

for (const [what, keys, { service, kind }] of [
  ["embodiment 1", ["--embodiment", "1"], { service: ["--allow-shared-secret"], kind: ["AES-GCM secret encrypt"] }],
  ["embodiment 2", ["--embodiment", "2"], { service: ["--allow-shared-secret"], kind: ["AES-KW secret wrapKey"] }],
  ["embodiment 3", ["--embodiment", "3"], { kind: ["AES-GCM secret encrypt"] }],
  ["embodiment 4", ["--embodiment", "4"], { kind: ["AES-KW secret wrapKey"] }],
  ["embodiment 4 with derived keys", ["--embodiment", "4", "--pool", "derived"], { kind: ["AES-KW secret wrapKey"] }],
  ["embodiment 4 in CBC", ["--embodiment", "4", "--wrap", "A128CBC-HS256KW", "--enc", "A256CBC-HS512"], { kind: ["AES-CBC secret wrapKey"] }],
  ["embodiment 5", ["--embodiment", "5"], { kind: ["RSA-OAEP public encrypt"] }],
  ["embodiment 6", ["--embodiment", "6"], { kind: ["RSA-OAEP public wrapKey"] }],
  ["embodiment 6 on X25519 with derived keys", ["--embodiment", "6", "--wrap", "ECDH-ES+A256KW", "--curve", "X25519", "--pool", "derived"], { kind: ["X25519 public"] }],
  ["embodiment 6 on P-384", ["--embodiment", "6", "--wrap", "ECDH-ES+A128KW", "--curve", "P-384"], { kind: ["ECDH public"] }],
]) {
  await test(`a live order by ${what}, with erasing (7)`, async () => {
    await live(keys, 3, { page: items, service });
    const context = await user();
    const page = await context.newPage();
    const sent = [];
    page.on("request", (request) => { if (request.url() === ORDERS) sent.push(request.allHeaders()); });
    const tokens = [];
    page.on("response", async (response) => { if (response.url() === PROGRAMS) tokens.push(await response.text()); });
    for (let order = 0; order < 2; order += 1) {
      await page.goto(SHOP);
      await fillIn(page);
      assert.equal((await watched(page)).alive, 0, "there is no key before the button is pressed");
      await place(page);
      const ticket = (await sent.at(-1)).authorization.replace("Bearer ", "");
      await checkErased(page, [inbox().at(-1), ticket, tokens.at(-1).split(".")[1]]);
      const kinds = (await watched(page)).keys.map((key) => key.kind);
      assert(kind.every((one) => kinds.includes(one)), kinds.join());
      assert.equal(await page.isVisible("#again"), true);
    }
    assert.deepEqual(received(), Array(2).fill({ ...PERSON, items: TEA }));
    const kids = new Set(inbox().map((line) => header(line).kid));
    assert.equal(kids.size, service ? 1 : 2);
    const { cookie, referer, origin, "content-type": type } = await sent[0];
    assert.deepEqual([cookie, referer, origin, type], [undefined, undefined, SHOP, "text/plain"]);
    const allowed = [`GET ${SHOP}/`, `POST ${ORDERS}`, `POST ${PROGRAMS}`, "GET data:,"];
    assert.deepEqual(context.requests.filter((request) => !allowed.includes(request) && !request.startsWith("GET data:image/svg+xml,")), []);
    await context.close();
  });
}

await test("a live order under the next generation of keys", async () => {
  await makeShop(["--embodiment", "4"], 3);
  orderseal(["keys", "rotate", "service.jwks", "--shop", "tokyo", "--orders", "3"]);
  orderseal(["bundle", "shop", "--keys", "service.jwks", "-o", "shop.jwks", "--force"]);
  await serveService();
  await serveShop();
  const page = await visit(SHOP);
  await fillIn(page);
  await place(page);
  assert.match(header(inbox()[0]).kid, /^tokyo@2\/[0-9a-f]{16}$/);
  assert.deepEqual(received(), [{ ...PERSON, items: FREE }]);
  await page.context().close();
});

for (const [name, keys] of [
  ["RSA", ["--content", "hybrid"]], ["X25519", ["--content", "hybrid", "--wrap", "ECDH-ES+A256KW", "--curve", "X25519"]],
  ["RSA in blocks", ["--content", "direct"]],
]) {
  await test(`with the shop's public key in the page no service is asked: ${name}`, async () => {
    await live([...keys, "--scope", "shop", "--kind", "public"], 1, { page: ["--with-key", ...items] });
    const context = await user();
    const page = await context.newPage();
    for (let order = 0; order < 2; order += 1) {
      await page.goto(SHOP);
      await fillIn(page);
      await place(page);
      await checkErased(page, [inbox().at(-1)]);
    }
    assert.deepEqual(received(), Array(2).fill({ ...PERSON, items: TEA }));
    assert.deepEqual(inbox().map((line) => header(line).kid), ["tokyo", "tokyo"]);
    assert(!context.requests.some((request) => request.includes(SERVICE)));
    assert.match(await page.evaluate(() => document.querySelector("[http-equiv]").content), /connect-src 'self';/);
    await context.close();
  });
}

await test("a program in the page may have steps and dates", async () => {
  await makeShop(["--content", "hybrid", "--scope", "shop", "--kind", "public"], 1, "--with-key");
  editItemPage(({ program }) => { program.orderseal.program.run = "guided"; });
  const stop = await serveShop();
  const page = await visit(SHOP);
  await fillIn(page);
  assert.equal(await page.isVisible("#steps"), false);
  await page.click("#order");
  await page.locator("#sealed").waitFor();
  assert.equal(await page.locator("[aria-current]").textContent(), "Send");
  assert.equal(inbox().length, 0);
  await page.click("#send");
  await page.locator("#done").waitFor();
  assert.deepEqual(received(), [{ ...PERSON, items: FREE }]);
  await stop();
  editItemPage(({ program }) => {
    program.orderseal.version = 4;
    program.orderseal.shops.tokyo.expires = "2026-01-01T00:00:00Z";
  });
  await serveShop();
  await page.reload();
  await page.getByText("The keys of this shop expired on January 1, 2026").waitFor();
  assert.equal(await page.locator("#form").count(), 0);
  await page.context().close();
});

await test("a link to the service shows a button, and the button an order page with a key for one order", async () => {
  await makeShop(["--embodiment", "4"], 2);
  const stop = await serveService("--origin", SHOP, SERVICE);
  const page = await visit(`${SERVICE}/shops/tokyo`);
  await page.locator("#get").waitFor();
  assert.deepEqual([await page.title(), issued()], ["tokyo", 0]);
  await page.click("#get");
  await page.locator("#form").waitFor();
  assert.equal(issued(), 1);
  const id = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  assert.match(id[0], /^orderseal:tokyo:[0-9a-f]{16}$/);
  shop.memory = id[0];
  await fillIn(page);
  await page.click("#order");
  await page.locator("#sealed").waitFor();
  const line = await page.inputValue("#line");
  assert.deepEqual(opened(`${line}\n`).map(timeless), [{ ...PERSON, items: FREE }]);
  await page.click("#copy").catch(() => {});
  await page.click("#kept");
  await page.locator("#done").waitFor();
  await checkErased(page, [line]);

  await page.goto(`${SERVICE}/shops/tokyo`);
  await page.click("#get");
  await page.locator("#form").waitFor();
  await page.goto(`${SERVICE}/shops/tokyo`);
  await page.click("#get");
  await page.getByText("The page could not be had (409 pool-empty).").waitFor();
  await page.goto(`${SERVICE}/shops/other`);
  await page.click("#get");
  await page.getByText("(404 unknown-shop)").waitFor();
  await stop();
  await page.click("#get");
  await page.getByText("(–)").waitFor();
  assert.equal(await page.isEnabled("#get"), true);
  await page.context().close();
});

await test("the policy of a live page lets it ask the service and its own server, and nobody else", async () => {
  await live(["--embodiment", "4"], 3);
  const page = await visit(SHOP);
  await page.locator("#form").waitFor();
  const tried = await page.evaluate(async ([programs, other]) => {
    const violated = [];
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => violated.push(effectiveDirective));
    const reach = (url, options) => fetch(url, { mode: "no-cors", ...options }).then(() => "reached", () => "refused");
    const results = [await reach("healthz"), await reach(programs, { method: "POST" }), await reach(other), await reach(`${programs}/other`)];
    const form = document.createElement("form");
    Object.assign(form, { action: other, method: "post" });
    document.body.append(form);
    form.submit();
    await new Promise((next) => { setTimeout(next, 200); });
    return [results, violated];
  }, [PROGRAMS, `${SERVICE}/v1/key`]);
  assert.deepEqual(tried, [["reached", "reached", "refused", "refused"], ["connect-src", "connect-src", "form-action"]]);
  await page.context().close();
});

await test("a service that is offline, or does not know the page, costs neither the entries nor an id", async () => {
  await makeShop(["--embodiment", "4"], 2);
  await serveShop();
  const page = await visit(SHOP);
  await fillIn(page);
  await page.click("#order");
  await page.getByText(`The security service at ${SERVICE.slice(7)} did not answer, or does not accept this page. Nothing was sent`).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "trouble");
  assert.equal(await filledIn(page), PERSON.name);

  const stop = await serveService("--origin", "https://shop.example");
  await page.click("#order");
  await page.getByText("did not answer, or does not accept this page").waitFor();
  assert.equal(await filledIn(page), PERSON.name);
  assert.deepEqual([issued(), inbox().length], [0, 0]);
  await stop();

  await serveService();
  // An answer that is cut off costs an id, and nothing else.
  await page.route(PROGRAMS, async (route) => {
    if (route.request().method() === "POST") await route.fetch();
    await route.abort("connectionreset");
  });
  await page.click("#order");
  await page.getByText("did not answer, or does not accept this page").waitFor();
  await page.unroute(PROGRAMS);
  await place(page);
  assert.deepEqual(received(), [{ ...PERSON, items: FREE }]);
  assert.equal(issued(), 2);
  await page.context().close();
});

await test("a pool that is exhausted is told, and what was typed stays", async () => {
  await live(["--embodiment", "4"], 1);
  const page = await visit(SHOP);
  await fillIn(page);
  await place(page);
  await page.click("#again");
  await fillIn(page);
  await page.click("#order");
  await page.getByText("has no key left for this shop (answer 409 pool-empty). Nothing was sent").waitFor();
  assert.equal(await filledIn(page), PERSON.name);
  orderseal(["keygen", "--embodiment", "4", "--shop", "tokyo", "--orders", "1", "--into", "service.jwks"]);
  orderseal(["bundle", "shop", "--keys", "service.jwks", "-o", "shop.jwks", "--force"]);
  await place(page);
  assert.equal(received().length, 2);
  await page.context().close();
});

await test("a secret that all clients share is not handed out unless the service is told to", async () => {
  await live(["--embodiment", "2"], 1);
  const page = await visit(SHOP);
  await fillIn(page);
  await page.click("#order");
  await page.getByText("as it opens the orders of everybody (answer 403 shared-secret)").waitFor();
  await page.context().close();
});

await test("an order whose answer is cut off is sent again as it is, and known", async () => {
  await live(["--embodiment", "4"], 2);
  const page = await visit(SHOP);
  await fillIn(page);
  const answers = [];
  await page.route(ORDERS, async (route) => {
    const answer = await route.fetch();
    answers.push(await answer.json());
    await (answers.length < 3 ? route.abort("connectionreset") : route.fulfill({ response: answer }));
  });
  await page.click("#order");
  await page.getByText("The shop has not confirmed the order (no answer").waitFor();
  const line = await page.inputValue("#line");
  await page.click("#send");
  await page.getByText("The shop has not confirmed the order (no answer").waitFor();
  assert.equal((await memory(page)).unsent[0].line, line);
  await page.click("#send");
  await page.locator("#done").waitFor();
  assert.deepEqual(answers, [{ kept: 1, known: 0 }, { kept: 0, known: 1 }, { kept: 0, known: 1 }]);
  assert.deepEqual(inbox(), [line]);
  assert.deepEqual(received(), [{ ...PERSON, items: FREE }]);
  await checkErased(page, [line]);
  await page.context().close();
});

await test("an order that was not sent is there after a reload with its ticket, when the service is gone", async () => {
  await live(["--embodiment", "4"], 2);
  const page = await visit(SHOP);
  await fillIn(page);
  await page.route(ORDERS, (route) => route.fulfill(problem(503, "unavailable")));
  await page.click("#order");
  await page.getByText("The shop has not confirmed the order (answer 503 unavailable)").waitFor();
  const line = await page.inputValue("#line");
  assert.deepEqual(Object.keys((await memory(page)).unsent[0]).sort(), ["kid", "line", "ordered", "ticket"]);
  await stopServers();
  await serveShop();
  const again = await page.context().newPage();
  await again.goto(SHOP);
  await again.getByText("An earlier order may not have reached the shop").waitFor();
  assert.equal(await again.inputValue("#line"), line);
  await again.click("#send");
  await again.locator("#done").waitFor();
  await checkErased(again, [line]);
  assert.deepEqual(inbox(), [line]);
  await page.context().close();
});

await test("an order under an id that another order has used up is refused for good", async () => {
  await live(["--embodiment", "4"], 2);
  const page = await visit(SHOP);
  await fillIn(page);
  await page.route(ORDERS, (route) => route.abort());
  await page.click("#order");
  await page.getByText("The shop has not confirmed the order").waitFor();
  const [{ line, ticket, kid }] = (await memory(page)).unsent;
  await page.unroute(ORDERS);
  // Another line under the same id; then the same again, a line without a ticket, and one under an id that it does not name.
  const [head, ...parts] = line.split(".");
  const other = [head, ...parts.with(-1, "A".repeat(22))].join(".");
  const under = (id) => [Buffer.from(JSON.stringify({ ...header(line), kid: id })).toString("base64url"), ...parts].join(".");
  const send = async (body, headers) => {
    const answer = await fetch(ORDERS, { method: "POST", body: `${body}\n`, headers: { "Content-Type": "text/plain", ...headers } });
    return `${answer.status} ${(await answer.json()).code ?? "kept"}`;
  };
  const bearer = { Authorization: `Bearer ${ticket}` };
  assert.deepEqual([await send(other, bearer), await send(other, bearer), await send(line), await send(under("tokyo/0123456789abcdef"), bearer)],
    ["201 kept", "201 kept", "401 no-ticket", "403 wrong-id"]);
  assert.equal(await send(line, { ...bearer, Origin: "https://elsewhere.example" }), "403 origin");
  await page.click("#send");
  await page.getByText("already has another order with this reference and does not take this one (answer 409 id-used)").waitFor();
  assert.equal(await page.isVisible("#send"), false);
  await page.getByText("Sending it again will not help").waitFor();
  await page.click("#kept");
  await page.locator("#done").waitFor();
  assert.equal(await page.textContent("#receipt").then((text) => text.includes(kid)), true);
  await checkErased(page, [line, ticket]);
  assert.deepEqual(inbox(), [other]);
  await page.context().close();
});

await test("junk under every id of a pool is not kept, and all orders arrive", async () => {
  await live(["--embodiment", "4"], 4);
  const page = await visit(SHOP);
  await fillIn(page);
  await page.route(ORDERS, (route) => route.abort());
  await page.click("#order");
  await page.getByText("The shop has not confirmed the order").waitFor();
  const [{ line, ticket }] = (await memory(page)).unsent;
  await page.unroute(ORDERS);
  const { keys } = JSON.parse(readFileSync("service.jwks"));
  const [, ...parts] = line.split(".");
  const foreign = [...ticket.split(".").slice(0, 2), "A".repeat(86)].join(".");
  for (const { kid } of keys.filter((key) => key.kid !== header(line).kid)) {
    const junk = [Buffer.from(JSON.stringify({ ...header(line), kid })).toString("base64url"), ...parts].join(".");
    for (const [token, told] of [[null, "no-ticket"], [foreign, "bad-ticket"], ["x.y", "bad-ticket"], [ticket, "wrong-id"]]) {
      const headers = { "Content-Type": "text/plain", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
      const answer = await fetch(ORDERS, { method: "POST", body: `${junk}\n`, headers });
      assert.equal((await answer.json()).code, told);
    }
  }
  assert.deepEqual(inbox(), []);
  await page.click("#send");
  await page.locator("#done").waitFor();
  for (let order = 1; order < 4; order += 1) {
    await page.click("#again");
    await fillIn(page);
    await place(page);
  }
  assert.deepEqual(received(), Array(4).fill({ ...PERSON, items: FREE }));
  await page.context().close();
});

await test("every refusal has words of its own, in both languages", async () => {
  await live(["--embodiment", "4"], 40);
  for (const [locale, words] of [["en-US", {
    "limit ": "please try again in 30 seconds", "out-of-date": "made no key for this order (answer 409 out-of-date)", "unknown-shop": "does not know this shop",
    origin: "makes no keys for this page", "": "made no key for this order (answer 500)",
  }], ["ja-JP", { "limit ": "30 秒後にもう一度お試しください", "pool-empty": "この店舗の鍵が残っていません" }]]) {
    const page = await visit(SHOP, { locale });
    await fillIn(page);
    for (const [code, text] of Object.entries(words)) {
      const status = { "limit ": 429, origin: 403, "unknown-shop": 404, "": 500 }[code] ?? 409;
      await page.route(PROGRAMS, (route) => (route.request().method() === "OPTIONS" ? route.continue() : route.fulfill(problem(status, code.trim(), { "Retry-After": "30" }))));
      await page.click("#order");
      await page.getByText(text).waitFor();
      assert.equal(await filledIn(page), PERSON.name);
      await page.unroute(PROGRAMS);
    }
    await page.context().close();
  }
  assert.equal(issued(), 0);
  for (const [locale, status, code, text, isFinal] of [
    ["en-US", 403, "ticket-expired", "The permission to send this order has expired (answer 403 ticket-expired).", true],
    ["en-US", 401, "bad-ticket", "does not accept the permission", true], ["en-US", 403, "origin", "takes no orders from this page", true],
    ["en-US", 413, "too-large", "does not take the order (answer 413 too-large)", true], ["en-US", 429, "limit", "send it again in 30 seconds", false],
    ["en-US", 408, "timeout", "has not confirmed the order (answer 408 timeout)", false], ["en-US", 200, "x", "has not confirmed the order (answer 200 x)", false],
    ["ja-JP", 409, "id-used", "別のご注文がすでに届いている", true], ["ja-JP", 503, "unavailable", "応答 503 unavailable", false],
  ]) {
    const page = await visit(SHOP, { locale });
    await fillIn(page);
    await page.route(ORDERS, (route) => route.fulfill(problem(status, code, { "Retry-After": "30" })));
    await page.click("#order");
    await page.getByText(text).waitFor();
    assert.equal(await page.isVisible("#send"), !isFinal);
    assert.equal(await page.isVisible("#kept"), isFinal);
    await page.context().close();
  }
  assert.equal(inbox().length, 0);
});

await test("a program that the service did not sign for this request is not used", async () => {
  await live(["--embodiment", "4"], 20);
  const page = await visit(SHOP);
  await fillIn(page);
  const forged = (change) => (route) => route.fetch().then(async (answer) => route.fulfill({ response: answer, body: change(await answer.text()) }));
  let earlier = "";
  for (const [change, text] of [
    [(token) => { earlier = token; return token.replace(/\.([^.]*)$/, (_, signature) => `.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`); }, "did not sign"],
    [() => earlier, "An answer to another request came"],
    [(token) => token.split(".").with(0, Buffer.from('{"alg":"none","typ":"orderseal-program"}').toString("base64url")).join("."), "did not sign"],
    [() => "<html>", "did not sign"],
    // What the service signed for the shop is no program.
    [(token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).tickets[0], "did not sign"],
  ]) {
    await page.route(PROGRAMS, (route) => (route.request().method() === "OPTIONS" ? route.continue() : forged(change)(route)));
    await page.click("#order");
    await page.getByText(text).waitFor();
    assert.equal(await filledIn(page), PERSON.name);
    await page.unroute(PROGRAMS);
  }
  assert.equal(inbox().length, 0);
  await page.context().close();

  // A page that names another key.
  orderseal(["keygen", "--alg", "EdDSA", "-o", "other-sign.jwk", "--public-out", "other.jwk", "--force"]);
  await stopServers();
  const { kty, crv, x } = JSON.parse(readFileSync("other.jwk"));
  editItemPage((ours) => { ours.service_key = { kty, crv, x }; });
  await serveService();
  await serveShop();
  const wrong = await visit(SHOP);
  await fillIn(wrong);
  await wrong.click("#order");
  await wrong.getByText("did not sign").waitFor();
  await wrong.context().close();
});

await test("a browser without Ed25519 is told before anything is typed", async () => {
  await live(["--embodiment", "4"], 2);
  const context = await user();
  await context.addInitScript(() => {
    if (!globalThis.crypto?.subtle) return;
    const real = crypto.subtle.importKey;
    crypto.subtle.importKey = (...args) => (args[2] === "Ed25519" ? Promise.reject(new DOMException("no", "NotSupportedError")) : real.apply(crypto.subtle, args));
  });
  const page = await context.newPage();
  await page.goto(SHOP);
  await page.getByText("This browser cannot verify who made a key (Ed25519)").waitFor();
  assert.equal(await page.locator("#form").count(), 0);
  await context.close();
});

await test("a page that is left while it asks for a key sends nothing, and asks before", async () => {
  await live(["--embodiment", "4"], 2);
  const page = await visit(SHOP);
  await fillIn(page);
  await page.route(PROGRAMS, () => {});
  await page.click("#order");
  await page.getByText("Asking for a key …").waitFor();
  const [dialog] = await Promise.all([page.waitForEvent("dialog"), page.close({ runBeforeUnload: true })]);
  assert.equal(dialog.type(), "beforeunload");
  await dialog.accept();
  const again = await page.context().newPage();
  await again.goto(SHOP);
  await fillIn(again);
  assert.equal(await again.isVisible("#unfinished"), false);
  await place(again);
  assert.equal(inbox().length, 1);
  await page.context().close();
});

await test("where the browser keeps nothing a live order is placed, and one that is not confirmed is told to be lost with the page", async () => {
  await live(["--embodiment", "4"], 2);
  const context = await user();
  await context.addInitScript(() => { Object.defineProperty(globalThis, "indexedDB", { get() { throw new Error("no"); } }); });
  const page = await context.newPage();
  await page.goto(SHOP);
  await fillIn(page);
  await page.route(ORDERS, (route) => route.abort());
  await page.click("#order");
  await page.getByText("This browser cannot keep the encrypted order").waitFor();
  await page.unroute(ORDERS);
  await page.click("#send");
  await page.locator("#done").waitFor();
  assert.deepEqual(received(), [{ ...PERSON, items: FREE }]);
  await context.close();
});

await test("what items say is shown as text and ordered as it is", async () => {
  const hostile = ["</script><script>globalThis.ran = 1</script>", "<img src=x onerror=globalThis.ran=1>", "\"'`${globalThis.ran=1}{{data}}", "--><!--", "__proto__", "\u2028javascript:globalThis.ran=1"];
  const list = hostile.map((name) => ({ id: name, name, price: 1, specification: name, performance: name }));
  writeFileSync("hostile.json", JSON.stringify({ title: hostile[0], items: list, currency: "JPY" }));
  await live(["--embodiment", "4"], 2, { page: ["--items", "hostile.json"] });
  const page = await visit(SHOP);
  await page.locator("#form").waitFor();
  assert.equal(await page.textContent("h1"), hostile[0]);
  assert.deepEqual(await page.locator(".item strong").allTextContents(), hostile);
  await fillIn(page);
  for (const index of hostile.keys()) await page.fill(`#quantity-${index}`, String(index + 1));
  await place(page);
  assert.equal(await page.evaluate(() => globalThis.ran), undefined);
  assert.deepEqual(received()[0].items, hostile.map((name, index) => ({ item: name, name, quantity: index + 1, price: 1 })));
  await page.context().close();
});

await stopServers();
