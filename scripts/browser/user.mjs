// The user: a browser, what is typed, and a look at what the page does with keys and leaves behind.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { shop } from "./shop.mjs";

export const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--js-flags=--expose-gc"];
// A page that is come back to is the one that was left, as for other users.
export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM, args: ARGS, ignoreDefaultArgs: ["--disable-back-forward-cache"],
});

export async function user(options = {}) {
  const context = await browser.newContext({ locale: "en-US", ...options });
  context.setDefaultTimeout(30_000);
  context.requests = [];
  context.on("request", (request) => context.requests.push(`${request.method()} ${request.url()}`));
  context.on("weberror", (error) => { throw error.error(); });
  await context.addInitScript(watchKeys);
  return context;
}

/** Notes in `crypto.watched` every key that the page makes, and the bytes of those that it wraps. Runs in the page. */
function watchKeys() {
  if (!globalThis.crypto?.subtle) return;
  const { subtle } = crypto;
  const noted = { keys: [], wrapped: [] };
  Object.defineProperty(crypto, "watched", { value: noted });
  for (const name of ["importKey", "deriveKey", "generateKey"]) {
    const real = subtle[name].bind(subtle);
    subtle[name] = async (...args) => {
      const made = await real(...args);
      for (const key of made.privateKey ? [made.privateKey, made.publicKey] : [made]) {
        const facts = [key.algorithm.name, key.type, key.usages.join(), key.extractable ? "extractable" : ""];
        noted.keys.push({ made: name, kind: facts.filter(Boolean).join(" "), key: new WeakRef(key) });
      }
      return made;
    };
  }
  const { wrapKey, exportKey } = subtle;
  subtle.wrapKey = async (format, key, ...rest) => {
    noted.wrapped.push([...new Uint8Array(await exportKey.call(subtle, "raw", key))]);
    return wrapKey.call(subtle, format, key, ...rest);
  };
}

/** What `watchKeys` noted; `alive` is how many keys something still refers to. */
export const watched = (page) => page.evaluate(async () => {
  const { keys, wrapped } = crypto.watched;
  const isAlive = ({ key }) => key.deref() !== undefined;
  // A WeakRef holds its target until the task in which it was made or read is over.
  for (let tries = 0; tries < 10 && (tries === 0 || keys.some(isAlive)); tries += 1) {
    await globalThis.gc({ execution: "async" });
  }
  return { wrapped, keys: keys.map(({ made, kind }) => ({ made, kind })), alive: keys.filter(isAlive).length };
});

export const PERSON = {
  name: "小鳥遊 Żółć", address: "本町 1-2-3\n大阪市 〒530-0099", telephone: "+81 010 1676", card: "4111 1111 1111 1111",
};
export const WORDS = "梅の花 plum blossom, and quite a few other words";
export const TEA = [{ item: "G-02", name: "Green tea, 100 g", quantity: 3, price: 1280 }];
export const FREE = [{ item: "green </script> tea", quantity: 3 }];

export const field = (page, name) => page.locator(`[id='field-${name}']`);

/** Fills in the person, and three of the second item or of what the user writes. */
export async function fillIn(page) {
  await page.locator("#form").waitFor();
  for (const [name, value] of Object.entries(PERSON)) {
    if (await field(page, name).count()) await field(page, name).fill(value);
  }
  if (await page.locator("#quantity-1").count()) await page.fill("#quantity-1", "3");
  else {
    await page.fill("#item-0", FREE[0].item);
    await page.fill("#quantity-0", "3");
  }
  await page.evaluate(() => { globalThis.filledIn = [...document.querySelectorAll("form input, form textarea")]; });
}

export async function place(page) {
  await page.click("#order");
  await page.locator("#done").waitFor();
}

/** The page in a fresh context, and its closing. */
export async function visit(url, options) {
  const context = await user(options);
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** What the page that was made last remembers, all of it; or, with a state, replaces it. */
export const memory = (page, state) => page.evaluate(([name, replacement]) => new Promise((resolve, reject) => {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("state");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const transaction = opening.result.transaction("state", "readwrite");
    const store = transaction.objectStore("state");
    const reading = store.getAll();
    if (replacement !== undefined) store.put(replacement, name);
    transaction.oncomplete = () => {
      opening.result.close();
      if (reading.result.length > 1) reject(new Error("more than one state"));
      else resolve(reading.result[0] ?? null);
    };
  };
}), [shop.memory, state]);

/** Nothing of keys, words or the order is left where script or a curious person can find it. */
export async function checkErased(page, secrets) {
  assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name)), [shop.memory]);
  const state = await memory(page);
  // Pages that ask for each key remember of it only what was not sent.
  const { unsent, spent, begun } = shop.memory.endsWith(":live") ? { ...state, spent: [], begun: [] } : state;
  assert.deepEqual(Object.keys(state), shop.memory.endsWith(":live") ? ["unsent"] : ["spent", "count", "erased", "begun", "unsent"]);
  assert(spent.every((id) => /^[0-9a-f]{16}$/.test(id)) && begun.length === 0 && unsent.length === 0);
  const left = await page.evaluate(async () => JSON.stringify([
    new XMLSerializer().serializeToString(document), (globalThis.filledIn ?? []).map(({ value }) => value),
    { ...localStorage }, { ...sessionStorage }, document.cookie, await caches.keys().catch(() => []),
    Object.keys(globalThis), history.state, globalThis.name,
  ]));
  const typed = [WORDS, PERSON.card, PERSON.telephone, "小鳥遊", "大阪市", "Green tea"];
  for (const secret of [...secrets, ...typed]) assert(!left.includes(secret), `left after ordering: ${secret}`);
  assert.equal(await page.locator("script, form, textarea").count(), 0);
  assert.equal((await watched(page)).alive, 0, "something still refers to a key");
}
