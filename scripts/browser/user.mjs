// The user: a browser, what is typed, and a look at what the page does with keys and leaves behind.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--js-flags=--expose-gc"],
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

/** Notes in `crypto.watched` every key that the page makes, and every IV. Runs in the page. */
function watchKeys() {
  if (!globalThis.crypto?.subtle) return;
  const { subtle } = crypto;
  const watched = { keys: [], ivs: [], wrapped: [] };
  Object.defineProperty(crypto, "watched", { value: watched });
  for (const name of ["importKey", "deriveKey", "generateKey"]) {
    const real = subtle[name].bind(subtle);
    subtle[name] = async (...args) => {
      const key = await real(...args);
      watched.keys.push({ made: name, type: key.algorithm.name, extractable: key.extractable, usages: key.usages.join(), key: new WeakRef(key) });
      return key;
    };
  }
  const { wrapKey, encrypt, exportKey } = subtle;
  subtle.wrapKey = async (format, key, ...rest) => {
    watched.wrapped.push([...new Uint8Array(await exportKey.call(subtle, "raw", key))]);
    return wrapKey.call(subtle, format, key, ...rest);
  };
  subtle.encrypt = (algorithm, ...rest) => {
    watched.ivs.push([...algorithm.iv].join());
    return encrypt.call(subtle, algorithm, ...rest);
  };
}

/** What `watchKeys` noted; `alive` is how many keys something still refers to. */
export const watched = (page) => page.evaluate(async () => {
  const { keys, ivs, wrapped } = crypto.watched;
  // A WeakRef holds its target until the task in which it was made or read is over.
  await new Promise((next) => { setTimeout(next, 50); });
  globalThis.gc();
  return { ivs, wrapped, keys: keys.map(({ made, type, extractable, usages }) => ({ made, type, extractable, usages })), alive: keys.filter(({ key }) => key.deref()).length };
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

/** Nothing of keys, words or the order is left where script or a curious person can find it. */
export async function checkErased(page, secrets) {
  const left = await page.evaluate(async () => JSON.stringify([
    new XMLSerializer().serializeToString(document), [...document.querySelectorAll("input, textarea")].map(({ value }) => value),
    { ...localStorage }, { ...sessionStorage }, document.cookie, await indexedDB.databases(), await caches.keys().catch(() => []),
    Object.keys(globalThis), history.state, globalThis.name,
  ]));
  const typed = [WORDS, PERSON.card, PERSON.telephone, "小鳥遊", "大阪市", "Green tea"];
  for (const secret of [...secrets, ...typed]) assert(!left.includes(secret), `left after ordering: ${secret}`);
  assert.equal(await page.locator("script, form, textarea").count(), 0);
  assert.equal((await watched(page)).alive, 0, "something still refers to a key");
}
