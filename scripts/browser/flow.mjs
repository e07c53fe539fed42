// From the order button to the end: the policy, sending and what can go wrong in it, and the other ways to
// the shop.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { address, fromFile, fromServer, makeKeys, makePage, opened, shop, timeless, toShop } from "./shop.mjs";
import { test } from "./test.mjs";
import { FREE, PERSON, TEA, checkErased, fillIn, memory, visit, watched } from "./user.mjs";

makeKeys(["--embodiment", "4"], 60);
const order = (line, items = FREE) => assert.deepEqual(timeless(opened(line)[0]), { ...PERSON, items });

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
  assert.equal(await page.evaluate(() => document.activeElement.id), "trouble");
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
  assert.equal(await page.evaluate(() => document.activeElement.id), "status");
  assert.equal((await watched(page)).alive, 0, "the key does not wait for the shop");
  await page.clock.fastForward(45_000);
  assert.equal(await page.isVisible("#trouble"), false);
  await page.clock.fastForward(20_000);
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
  await again.locator("#sealed").waitFor();
  assert.equal(await again.locator("#line").inputValue(), line);
  assert.equal(await again.locator("form").count(), 0);
  assert.equal(await again.isVisible("#unfinished"), false);
  shop.status = 200;
  await again.click("#send");
  await again.locator("#done").waitFor();
  assert.equal(shop.lines[0], `${line}\n`);
  await checkErased(again, [line]);
  await again.reload();
  await again.getByText("Every key of this page has been used").waitFor();
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
  await page.getByText("then press “Done: erase it here”").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "copy", "the focus stays");
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

await test("where sealing fails nothing is sent, and the next try takes another id", async () => {
  makePage("--orders", "2", "--guided", ...toShop);
  const page = await visit(fromFile);
  await fillIn(page);
  await page.evaluate(() => {
    const real = crypto.subtle.encrypt;
    crypto.subtle.encrypt = () => new Promise((_, reject) => { globalThis.fail = reject; });
    globalThis.mend = () => { crypto.subtle.encrypt = real; };
  });
  const step = () => page.locator("[aria-current]").textContent();
  assert.equal(await step(), "Fill in");
  await page.click("#order");
  await page.waitForFunction(() => globalThis.fail);
  assert.equal(await step(), "Encrypt");
  await page.evaluate(() => document.querySelector("#goods button").click());
  assert.equal(await page.locator("#item-1").count(), 0, "nothing changes meanwhile");
  await page.evaluate(() => globalThis.fail(new Error("for a test")));
  await page.getByText("Something went wrong, and nothing was sent: for a test").waitFor();
  assert.equal(await step(), "Fill in");
  await page.evaluate(() => globalThis.mend());
  await page.click("#order");
  await page.click("#send");
  await page.locator("#done").waitFor();
  order(shop.lines[0]);
  const { spent, begun } = await memory(page);
  assert.deepEqual([spent.length, begun.length, shop.lines.length], [2, 0, 1]);
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
  await page.getByText("This page takes one order, and that was begun already").waitFor();
  await page.context().close();
});
