// From the order button to the end: the policy, sending and what can go wrong in it, what is remembered,
// and the other ways to the shop.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { address, fromFile, fromServer, header, makeKeys, makePage, opened, shop, timeless, toShop } from "./shop.mjs";
import { test } from "./test.mjs";
import { FREE, PERSON, TEA, checkErased, fillIn, place, user, visit } from "./user.mjs";

makeKeys(["--embodiment", "4"], 60);
const order = (line, items = FREE) => assert.deepEqual(timeless(opened(line)[0]), { ...PERSON, items });
const memory = (page) => page.evaluate((key) => JSON.parse(localStorage.getItem(key)), shop.memory);

await test("the policy lets nothing out and nothing in", async () => {
  makePage(...toShop);
  const page = await visit(fromServer);
  const blocked = await page.evaluate(async (elsewhere) => {
    const violated = [];
    document.addEventListener("securitypolicyviolation", (event) => violated.push(event.effectiveDirective));
    const fetched = await fetch(`${elsewhere}/stray`).then(() => "answered", () => "refused");
    await new Promise((next) => { const image = new Image(); image.onerror = next; image.src = `${elsewhere}/stray.png`; });
    const attempt = (action) => { try { return action() ?? "taken"; } catch { return "refused"; } };
    const script = document.createElement("script");
    const text = attempt(() => { script.textContent = "globalThis.ran = true"; });
    const handler = attempt(() => document.body.setAttribute("onclick", "globalThis.ran = true"));
    const evaluated = attempt(() => new Function("return 1")());
    const parsed = attempt(() => document.createRange().createContextualFragment("<p>"));
    navigator.sendBeacon(`${elsewhere}/stray`);
    await new Promise((next) => { setTimeout(next, 200); });
    return { attempts: [fetched, text, handler, evaluated, parsed], ran: globalThis.ran, violated };
  }, address);
  assert.deepEqual(blocked.attempts, Array(5).fill("refused"));
  assert.equal(blocked.ran, undefined);
  for (const directive of ["connect-src", "img-src"]) assert(blocked.violated.includes(directive), `${directive}: ${blocked.violated}`);
  // A script of the markup itself, which Trusted Types do not see.
  const html = readFileSync("order.html", "utf8").replace("<body>", "<body><script>globalThis.ran = true</script>");
  await page.route(fromServer, (route) => route.fulfill({ body: html, contentType: "text/html" }));
  await page.reload();
  await page.locator("#form").waitFor();
  assert.equal(await page.evaluate(() => globalThis.ran), undefined);
  assert.deepEqual(shop.strays, []);
  await page.context().close();
});

await test("an order that the shop does not confirm is kept and sent again as it is", async () => {
  makePage(...toShop);
  const page = await visit(fromFile);
  await fillIn(page);
  shop.status = 503;
  await page.click("#order");
  await page.getByText("The shop has not confirmed the order (answer 503)").waitFor();
  const line = await page.inputValue("#line");
  shop.status = 307;
  await page.click("#send");
  await page.getByText("The shop has not confirmed the order (no answer").waitFor();
  assert.deepEqual(shop.strays, [], "a redirect is not followed");
  await page.context().setOffline(true);
  await page.click("#send");
  await page.getByText("The shop has not confirmed the order (no answer").waitFor();
  await page.context().setOffline(false);
  shop.status = 200;
  await page.click("#send");
  await page.locator("#done").waitFor();
  assert.equal(shop.lines[0], `${line}\n`);
  order(shop.lines[0]);
  await page.context().close();
});

await test("a shop that never answers is waited for a minute", async () => {
  makePage(...toShop);
  const page = await visit("about:blank");
  await page.clock.install();
  await page.goto(fromFile);
  await fillIn(page);
  shop.hangs = true;
  await page.click("#order");
  await page.getByText("Sending …").waitFor();
  await page.clock.fastForward(59_000);
  assert.equal(await page.isVisible("#trouble"), false);
  await page.clock.fastForward(2_000);
  await page.getByText("The shop has not confirmed the order").waitFor();
  shop.hangs = false;
  await page.context().close();
});

await test("an order that was not sent is there after a reload, and comes first", async () => {
  makePage(...toShop);
  const page = await visit(fromFile);
  await fillIn(page);
  shop.status = 503;
  await page.click("#order");
  await page.locator("#trouble").waitFor();
  const line = await page.inputValue("#line");
  // The page asks before it is left.
  const [dialog] = await Promise.all([page.waitForEvent("dialog"), page.close({ runBeforeUnload: true })]);
  assert.equal(dialog.type(), "beforeunload");
  await dialog.accept();
  const again = await page.context().newPage();
  await again.goto(fromFile);
  assert.equal(await again.locator("#line").inputValue(), line);
  assert.equal(await again.locator("form").count(), 0);
  shop.status = 200;
  await again.click("#send");
  await again.locator("#done").waitFor();
  assert.equal(shop.lines[0], `${line}\n`);
  await checkErased(again, [line]);
  await again.reload();
  await again.getByText("Every order of this page was placed already").waitFor();
  await page.context().close();
});

await test("without an address the order is downloaded or copied, and erased when the user has it", async () => {
  makePage("--orders", "3");
  const page = await visit(fromServer, { permissions: ["clipboard-read", "clipboard-write"] });
  await fillIn(page);
  await page.click("#order");
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
  assert.match(file.suggestedFilename(), /^tokyo-[0-9a-f]{16}-\d{14}\.jwe$/);
  assert.equal(await page.isVisible("#line"), true, "the file may not have been written");
  await page.click("#kept");
  await page.locator("#done").waitFor();
  const line = readFileSync(await file.path(), "utf8");
  order(line);
  await checkErased(page, [line.trimEnd()]);

  await page.reload();
  await fillIn(page);
  await page.click("#order");
  await page.click("#copy");
  await page.click("#kept");
  await page.locator("#done").waitFor();
  order(await page.evaluate(() => navigator.clipboard.readText()));

  await page.reload();
  await fillIn(page);
  await page.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new Error("no")); });
  await page.click("#order");
  await page.click("#copy");
  await page.getByText("does not allow copying").waitFor();
  const selected = await page.evaluate(() => {
    const { id, value, selectionStart, selectionEnd } = document.activeElement;
    return [id, value.slice(selectionStart, selectionEnd)];
  });
  assert.equal(selected[0], "line");
  order(selected[1]);
  await page.click("#kept");
  await page.locator("#done").waitFor();
  await page.context().close();
});

await test("the guided form seals, and sends when told to", async () => {
  makePage("--guided", "--items", "items.json", ...toShop);
  const page = await visit(fromFile);
  await fillIn(page);
  await page.click("#order");
  await page.locator("#sealed").waitFor();
  assert.equal(await page.locator("[aria-current]").textContent(), "Send");
  assert.equal(shop.lines.length, 0);
  await page.click("#send");
  await page.locator("#done").waitFor();
  order(shop.lines[0], TEA);
  await page.context().close();
});

await test("a program that ends with erasing takes one order, sent or not", async () => {
  makePage("--erase", "--guided", ...toShop);
  const page = await visit(fromFile);
  await fillIn(page);
  await page.click("#order");
  await page.locator("#sealed").waitFor();
  assert.equal((await memory(page)).erased, true);
  page.on("dialog", (dialog) => dialog.accept());
  await page.reload();
  await page.click("#send");
  await page.locator("#done").waitFor();
  assert.equal(await page.isVisible("#again"), false);
  await page.reload();
  await page.getByText("This page was erased after its order").waitFor();
  await page.context().close();
});

await test("two tabs and a double click never share an id", async () => {
  makePage("--orders", "2", ...toShop);
  const context = await user();
  const pages = await Promise.all([context.newPage(), context.newPage()]);
  for (const page of pages) {
    await page.goto(fromFile);
    await fillIn(page);
  }
  // While another tab holds the lock, no id is taken.
  await pages[1].evaluate((lock) => new Promise((held) => {
    navigator.locks.request(lock, () => { held(); return new Promise((release) => { globalThis.release = release; }); });
  }), shop.memory);
  await pages[0].evaluate(() => { for (let press = 0; press < 2; press += 1) document.querySelector("#form").requestSubmit(); });
  await pages[0].waitForTimeout(300);
  assert.equal(await memory(pages[0]), null);
  await pages[1].evaluate(() => globalThis.release());
  await pages[0].locator("#done").waitFor();
  await place(pages[1]);
  assert.equal(shop.lines.length, 2);
  assert.equal(new Set(shop.lines.map((line) => header(line).kid)).size, 2);
  await context.close();
});

await test("where nothing can be remembered no order is placed", async () => {
  makePage(...toShop);
  const context = await user();
  await context.addInitScript(() => { Object.defineProperty(globalThis, "localStorage", { get() { throw new Error("no"); } }); });
  const page = await context.newPage();
  await page.goto(fromFile);
  await page.getByText("does not let the page remember").waitFor();
  await context.close();
  const full = await visit(fromServer);
  await full.evaluate(() => {
    for (let size = 1 << 22; size >= 1;) {
      try { localStorage.setItem(`rest ${size} ${localStorage.length}`, "x".repeat(size)); } catch { size >>= 1; }
    }
  });
  await full.reload();
  await full.getByText("no room left for the page to remember").waitFor();
  for (const damaged of ["{", "null", "5", "[]", "{}", '"x"', '{"spent":[],"sealed":-9,"erased":false,"unsent":[]}', '{"spent":[],"sealed":1,"erased":false,"unsent":[{}]}']) {
    await full.evaluate(([key, text]) => { localStorage.clear(); localStorage.setItem(key, text); }, [shop.memory, damaged]);
    await full.reload();
    await full.getByText("is damaged").waitFor();
  }
  assert.equal(shop.lines.length, 0);
  await full.context().close();
});

await test("a reusable direct key keeps within its budget", async () => {
  makeKeys(["--embodiment", "1"]);
  makePage(...toShop);
  const page = await visit(fromFile);
  await fillIn(page);
  await place(page);
  assert.equal((await memory(page)).sealed, 1);
  await page.evaluate((key) => {
    localStorage.setItem(key, JSON.stringify({ ...JSON.parse(localStorage.getItem(key)), sealed: 2 ** 24 - 1 }));
  }, shop.memory);
  await page.reload();
  await fillIn(page);
  await place(page);
  await page.reload();
  await page.getByText("Every order of this page was placed already").waitFor();
  assert.equal(shop.lines.length, 2);
  await page.context().close();
});

await test("a key that only wraps others needs no memory", async () => {
  makeKeys(["--embodiment", "2"]);
  makePage(...toShop);
  const context = await user();
  await context.addInitScript(() => { Object.defineProperty(globalThis, "localStorage", { get() { throw new Error("no"); } }); });
  const page = await context.newPage();
  await page.goto(fromFile);
  await fillIn(page);
  await place(page);
  order(shop.lines[0]);
  await context.close();
});
