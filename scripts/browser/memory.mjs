// What the browser remembers: two tabs, reloads and crashes, damage, and browsers that remember nothing.
import assert from "node:assert/strict";
import { mkdtempSync, readlinkSync } from "node:fs";
import { resolve } from "node:path";
import { chromium } from "playwright-core";
import { fromFile, fromServer, header, makeKeys, makePage, opened, shop, timeless, toShop } from "./shop.mjs";
import { test } from "./test.mjs";
import { ARGS, FREE, PERSON, fillIn, memory, place, user, visit, watched } from "./user.mjs";

makeKeys(["--embodiment", "4"], 120);
const order = (line) => assert.deepEqual(timeless(opened(line)[0]), { ...PERSON, items: FREE });
const good = { spent: [], count: 0, erased: false, begun: [], unsent: [] };
const ids = () => new Set(shop.lines.map((line) => header(line).kid));

/** Before the page's script runs: this browser keeps no data of sites. */
function withoutMemory() {
  Object.defineProperty(globalThis, "indexedDB", { get() { throw new Error("no"); } });
}

/** From now on there is no room for a state with so many orders that were not sent, or for any. */
function refuseToStore(unsent) {
  const real = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function put(state, ...rest) {
    if (unsent === null || state.unsent.length === unsent) throw new DOMException("no", "QuotaExceededError");
    return real.call(this, state, ...rest);
  };
}

/** Before the page's script runs: sealing waits for `globalThis.release()`. */
function holdSealing() {
  const real = crypto.subtle.encrypt;
  crypto.subtle.encrypt = async function encrypt(...args) {
    await new Promise((go) => { globalThis.release = go; });
    return real.apply(this, args);
  };
}

await test("a double click takes one id, in strict transactions", async () => {
  makePage("--orders", "2", ...toShop);
  const page = await visit("about:blank");
  await page.addInitScript(() => {
    globalThis.transactions = [];
    const real = IDBDatabase.prototype.transaction;
    IDBDatabase.prototype.transaction = function transaction(...args) {
      const made = real.apply(this, args);
      globalThis.transactions.push(`${made.mode} ${made.durability}`);
      return made;
    };
  });
  await page.goto(fromFile);
  await fillIn(page);
  await page.evaluate(() => { for (let press = 0; press < 2; press += 1) document.querySelector("#form").requestSubmit(); });
  await page.locator("#done").waitFor();
  assert.deepEqual(await page.evaluate(() => globalThis.transactions), Array(4).fill("readwrite strict"));
  assert.equal((await memory(page)).spent.length, 1);
  assert.equal(shop.lines.length, 1);
  await page.context().close();
});

for (const [where, url] of [["a file", fromFile], ["a server", fromServer]]) {
  await test(`two tabs that order at the same moment never share an id, from ${where}`, async () => {
    const ROUNDS = 12;
    makePage("--orders", String(2 * ROUNDS), ...toShop);
    const context = await user();
    const pages = await Promise.all([context.newPage(), context.newPage()]);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const page of pages) {
        await page.goto(url);
        await fillIn(page);
      }
      const moment = Date.now() + 100;
      await Promise.all(pages.map((page) => page.evaluate((start) => {
        while (Date.now() < start);
        document.querySelector("#form").requestSubmit();
      }, moment)));
      for (const page of pages) await page.locator("#done").waitFor();
    }
    assert.equal(shop.lines.length, 2 * ROUNDS);
    assert.equal(ids().size, 2 * ROUNDS);
    assert.equal((await memory(pages[0])).spent.length, 2 * ROUNDS);
    await pages[0].reload();
    await pages[0].getByText("Every key of this page has been used").waitFor();
    await context.close();
  });
}

await test("a browser that is killed remembers the id and the order that was not sent", async () => {
  makePage("--orders", "2", ...toShop);
  const profile = mkdtempSync(resolve("profile."));
  const start = async () => {
    const context = await chromium.launchPersistentContext(profile, { executablePath: process.env.CHROMIUM, args: ARGS });
    const page = await context.newPage();
    await page.goto(fromServer);
    const kill = async () => {
      // A link to HOST-PID.
      const [, pid] = /-(\d+)$/.exec(readlinkSync(resolve(profile, "SingletonLock")));
      const closed = context.waitForEvent("close");
      process.kill(Number(pid), "SIGKILL");
      await closed;
    };
    return { page, kill };
  };
  const first = await start();
  await fillIn(first.page);
  shop.status = 503;
  await first.page.click("#order");
  await first.page.locator("#trouble").waitFor();
  const line = await first.page.inputValue("#line");
  await first.kill();

  const second = await start();
  await second.page.getByText("An earlier order may not have reached the shop").waitFor();
  assert.equal(await second.page.inputValue("#line"), line);
  shop.status = 200;
  await second.page.click("#send");
  await second.page.locator("#done").waitFor();
  await second.page.click("#again");
  await fillIn(second.page);
  await place(second.page);
  await second.kill();

  const third = await start();
  await third.page.getByText("Every key of this page has been used").waitFor();
  await third.kill();
  assert.equal(shop.lines[0], `${line}\n`);
  assert.equal(ids().size, 2);
});

await test("a page that is left while it encrypts asks before, and tells afterwards that the order was lost", async () => {
  makePage("--orders", "1", ...toShop);
  const context = await user();
  const page = await context.newPage();
  await page.addInitScript(holdSealing);
  await page.goto(fromFile);
  await fillIn(page);
  await page.click("#order");
  await page.getByText("Encrypting …").waitFor();
  const [dialog] = await Promise.all([page.waitForEvent("dialog"), page.close({ runBeforeUnload: true })]);
  assert.equal(dialog.type(), "beforeunload");
  await dialog.accept();
  const again = await context.newPage();
  await again.goto(fromFile);
  await again.getByText("Every key of this page has been used").waitFor();
  await again.getByText(/The order that you began on .*\d.* was interrupted.* ask the shop/).waitFor();
  assert.equal(shop.lines.length, 0);
  await context.close();
});

await test("an order that was lost is told until the next one is placed", async () => {
  makePage("--orders", "2", ...toShop);
  const page = await visit(fromFile);
  await fillIn(page);
  await memory(page, { ...await memory(page), spent: ["0123456789abcdef"], count: 1, begun: [new Date().toISOString()] });
  await page.reload();
  await fillIn(page);
  assert(await page.getByText("was interrupted").isVisible());
  await place(page);
  assert.equal(await page.getByText("was interrupted").isVisible(), false);
  await page.reload();
  await page.getByText("Every key of this page has been used").waitFor();
  assert.equal(await page.getByText("was interrupted").isVisible(), false);
  await page.context().close();
});

await test("of two orders that were not sent, the page goes on to the second", async () => {
  makePage("--orders", "2", "--guided", ...toShop);
  const context = await user();
  const tabs = await Promise.all([context.newPage(), context.newPage()]);
  for (const tab of tabs) {
    await tab.goto(fromFile);
    await fillIn(tab);
  }
  for (const tab of tabs) {
    await tab.click("#order");
    await tab.locator("#sealed").waitFor();
  }
  const page = await context.newPage();
  await page.goto(fromFile);
  await page.getByText("An earlier order may not have reached the shop").waitFor();
  assert.match(await page.textContent("#next"), /order reference: tokyo\/[0-9a-f]{16}/);
  await page.click("#send");
  await page.locator("#done").waitFor();
  assert.equal(await page.textContent("#again"), "Go on to the next order that may not have reached the shop");
  await page.click("#again");
  // Sent in another way since: there is no need to download it again.
  await page.click("#kept");
  await page.locator("#done").waitFor();
  assert.equal(await page.isVisible("#again"), false);
  await page.reload();
  await page.getByText("Every key of this page has been used").waitFor();
  assert.equal(shop.lines.length, 1);
  await context.close();
});

await test("where nothing can be remembered no order is placed", async () => {
  makePage(...toShop);
  const context = await user();
  await context.addInitScript(withoutMemory);
  const page = await context.newPage();
  await page.goto(fromFile);
  await page.getByText("does not let the page remember").waitFor();
  await context.close();

  const full = await visit(fromServer);
  await fillIn(full);
  await full.evaluate(refuseToStore, null);
  await full.click("#order");
  await full.getByText("no room left for the page to remember").waitFor();
  await full.reload();
  for (const damaged of [null, 5, [], {}, "x", { ...good, count: -9 }, { ...good, spent: [1] }, { ...good, spent: ["a", "b"], count: 1 },
    { ...good, begun: 7 }, { ...good, begun: [7] }, { ...good, unsent: [{}] }, { ...good, erased: 1 }]) {
    await memory(full, damaged);
    await full.reload();
    await full.getByText("is damaged").waitFor();
  }
  await memory(full, good);
  await full.reload();
  await fillIn(full);
  assert.equal(shop.lines.length, 0);
  await full.context().close();
});

await test("an order that the browser cannot keep, or not forget, is told", async () => {
  makePage("--orders", "1", "--guided", ...toShop);
  const page = await visit(fromFile);
  await fillIn(page);
  await page.evaluate(refuseToStore, 1);
  await page.click("#order");
  await page.getByText("cannot keep the encrypted order").waitFor();
  await page.click("#send");
  await page.getByText("were removed from this page.").waitFor();
  assert.deepEqual((await memory(page)).begun, []);
  await page.context().close();

  makePage("--orders", "1", "--guided", ...toShop);
  const kept = await visit(fromFile);
  await fillIn(kept);
  await kept.click("#order");
  await kept.locator("#sealed").waitFor();
  assert.equal(await kept.getByText("cannot keep the encrypted order").isVisible(), false);
  await kept.evaluate(refuseToStore, null);
  await kept.click("#send");
  await kept.getByText("the page will show that order once more").waitFor();
  assert.equal(await kept.isVisible("#again"), false);
  await kept.context().close();

  // Neither: what is claimed of it afterwards is no more than what is known.
  makePage("--orders", "1", ...toShop);
  const full = await visit(fromFile);
  await fillIn(full);
  await full.evaluate(holdSealing);
  await full.click("#order");
  await full.waitForFunction(() => globalThis.release);
  await full.evaluate(refuseToStore, null);
  await full.evaluate(() => globalThis.release());
  await full.locator("#done").waitFor();
  assert.equal(await full.textContent("#erased"), "The key, the program and your entries were removed from this page.");
  await full.reload();
  await full.getByText(/was interrupted. If you saw no confirmation/).waitFor();
  await full.context().close();
});

await test("two tabs: the order of one that is closed while it encrypts is told, whatever the other does", async () => {
  makePage("--orders", "2", ...toShop);
  const context = await user();
  const pages = await Promise.all([context.newPage(), context.newPage()]);
  for (const page of pages) {
    await page.goto(fromFile);
    await fillIn(page);
  }
  await pages[0].evaluate(holdSealing);
  await pages[0].click("#order");
  await pages[0].waitForFunction(() => globalThis.release);
  await place(pages[1]);
  await pages[0].close();
  await pages[1].reload();
  await pages[1].getByText("was interrupted").waitFor();
  await context.close();
});

await test("a second tab that comes too late lets go of key and entries", async () => {
  makePage("--erase", ...toShop);
  const context = await user();
  const pages = await Promise.all([context.newPage(), context.newPage()]);
  for (const page of pages) {
    await page.goto(fromFile);
    await fillIn(page);
  }
  await place(pages[0]);
  await pages[1].click("#order");
  await pages[1].getByText("This page takes one order, and that was begun already").waitFor();
  assert.equal(await pages[1].locator("form").count(), 0);
  assert.equal(await pages[1].evaluate(() => globalThis.filledIn.filter(({ type, value, defaultValue }) => type !== "checkbox" && value !== defaultValue).length), 0);
  assert.equal((await watched(pages[1])).alive, 0);
  await context.close();
});

await test("an id that was spent when the page opened is not used again when site data are cleared", async () => {
  makePage("--orders", "2", ...toShop);
  const page = await visit(fromFile);
  await fillIn(page);
  await place(page);
  await page.reload();
  await fillIn(page);
  await memory(page, good);
  await place(page);
  assert.equal(ids().size, 2);
  await page.context().close();
});

await test("a memory that never answers is told", async () => {
  makePage(...toShop);
  const page = await visit("about:blank");
  await page.clock.install();
  await page.addInitScript(() => { indexedDB.open = () => ({}); });
  await page.goto(fromFile);
  await page.clock.fastForward(11_000);
  await page.getByText("does not let the page remember").waitFor();
  await page.context().close();

  // An answer that comes after that changes nothing.
  makePage("--orders", "1", ...toShop);
  const slow = await visit("about:blank");
  await slow.clock.install();
  await slow.goto(fromFile);
  await fillIn(slow);
  await slow.evaluate(() => {
    const real = indexedDB.open;
    indexedDB.open = (...args) => {
      const request = real.apply(indexedDB, args);
      const later = { result: null };
      request.onsuccess = () => {
        later.result = request.result;
        globalThis.answer = () => { indexedDB.open = real; later.onsuccess(); };
      };
      return later;
    };
  });
  await slow.click("#order");
  await slow.waitForFunction(() => globalThis.answer);
  await slow.clock.fastForward(11_000);
  await slow.getByText("does not let the page remember").waitFor();
  await slow.evaluate(() => globalThis.answer());
  await place(slow);
  assert.equal(shop.lines.length, 1);
  await slow.context().close();
});

await test("a reusable direct key keeps within its budget", async () => {
  makeKeys(["--embodiment", "1"]);
  makePage(...toShop);
  const page = await visit(fromFile);
  await fillIn(page);
  await place(page);
  const state = await memory(page);
  assert.equal(state.count, 1);
  await memory(page, { ...state, count: 2 ** 24 - 1 });
  await page.reload();
  await fillIn(page);
  await place(page);
  await page.reload();
  await page.getByText("Every key of this page has been used").waitFor();
  assert.equal(shop.lines.length, 2);
  await page.context().close();
});

await test("a key that only wraps others needs no memory", async () => {
  makeKeys(["--embodiment", "2"]);
  makePage("--guided", ...toShop);
  const context = await user();
  await context.addInitScript(withoutMemory);
  const page = await context.newPage();
  await page.goto(fromFile);
  await fillIn(page);
  await page.click("#order");
  await page.getByText("cannot keep the encrypted order").waitFor();
  await page.click("#send");
  await page.locator("#done").waitFor();
  assert.equal(await page.isVisible("#again"), true);
  order(shop.lines[0]);
  await context.close();
});
