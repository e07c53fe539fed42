// Every scheme that a page has: from a file and from a server, random key and typed key, again after a
// reload, read by two programs.
import assert from "node:assert/strict";
import { createHmac, pbkdf2Sync } from "node:crypto";
import { address, fromFile, fromServer, header, jwcrypto, makeKeys, makePage, opened, orderseal, shop, timeless, toShop } from "./shop.mjs";
import { test } from "./test.mjs";
import { PERSON, TEA, WORDS, checkErased, fillIn, place, user, watched } from "./user.mjs";

/** The key of the first order of a batch, from words: docs/FORMATS.md, typed communication keys. */
function keyFromWords(words, { rounds, salt }, length) {
  const master = pbkdf2Sync(words, Buffer.from(salt, "base64url"), rounds, 32, "sha256");
  return createHmac("sha256", master).update(Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 1])).digest().subarray(0, length);
}

/** Keys are for one use and cannot be exported, but for content keys that have to be wrapped. */
function checkKeys({ keys }, alg) {
  const delivered = { "dir": ["AES-GCM", "encrypt"], "RSA-OAEP-256": ["RSA-OAEP", "wrapKey"] }[alg] ?? ["AES-KW", "wrapKey"];
  for (const { type, usages, extractable } of keys) {
    const content = alg !== "dir" && type === "AES-GCM";
    assert.equal(extractable, content, `${type} for ${usages}`);
    const expected = content ? "encrypt" : { "PBKDF2": "deriveKey", "HMAC": "sign", [delivered[0]]: delivered[1] }[type];
    assert.equal(usages, expected);
  }
  assert(keys.some(({ type }) => type === delivered[0]));
}

async function scheme(alg, content, kind, enc, scope) {
  makeKeys(["--content", content, "--scope", scope, "--kind", kind, "--enc", enc, ...(alg === "dir" ? [] : ["--wrap", alg])]);
  const keys = makePage("--orders", "3", "--items", "items.json", ...toShop);
  const context = await user();
  const page = await context.newPage();
  const ivs = [];
  const order = async () => {
    await place(page);
    await checkErased(page, [...keys, shop.lines.at(-1).trimEnd()]);
    const seen = await watched(page);
    checkKeys(seen, alg);
    ivs.push(...seen.ivs);
    return seen;
  };
  for (const url of [fromFile, fromServer]) {
    await page.goto(url);
    await fillIn(page);
    assert(!(await page.content()).includes(keys[0]), "the keys are out of the document from the beginning");
    await order();
  }
  // The storage of a file and of a server are two: go on where the server's id was spent.
  if (scope === "transaction") assert.equal(header(shop.lines[0]).kid, header(shop.lines[1]).kid);
  await page.reload();
  await fillIn(page);
  if (alg !== "dir") {
    await page.click("summary");
    await page.fill("#typed", WORDS);
  }
  const { wrapped } = await order();
  assert.equal(shop.lines.length, 3);
  if (scope === "transaction") {
    assert.notEqual(header(shop.lines[1]).kid, header(shop.lines[2]).kid, "a reload takes another id");
    await page.reload();
    await fillIn(page);
    await order();
    assert.equal(await page.locator("#again").isHidden(), true);
    await page.reload();
    await page.getByText("Every key of this page has been used").waitFor();
    assert.equal(await page.locator("#form").isHidden(), true);
    assert.equal(new Set(shop.lines.map((line) => header(line).kid)).size, 3);
  }
  assert.equal(new Set(ivs).size, shop.lines.length, "an IV for each order");
  assert.deepEqual(Object.keys(header(shop.lines[2])), ["alg", "enc", "kid", ...(alg === "dir" ? [] : ["typed"])]);
  if (alg !== "dir") {
    const length = enc === "A128GCM" ? 16 : 32;
    assert.deepEqual(Buffer.from(wrapped[0]), keyFromWords(WORDS, header(shop.lines[2]).typed, length));
  }
  const lines = shop.lines.join("");
  assert.equal(jwcrypto(alg, enc, lines), orderseal(["decrypt", "--bundle", "shop.jwks"], lines));
  for (const read of opened(lines)) assert.deepEqual(timeless(read), { ...PERSON, items: TEA });
  for (const { cookie, referer, "content-type": type } of shop.headers) assert.deepEqual([cookie, referer, type], [undefined, undefined, "text/plain"]);
  const allowed = [`GET ${fromFile}`, `GET ${fromServer}`, `POST ${address}/orders`, "GET data:,"];
  assert.deepEqual(context.requests.filter((request) => !allowed.includes(request) && !request.startsWith("GET data:image/svg+xml,")), []);
  assert.deepEqual(shop.strays, []);
  await context.close();
}

for (const [alg, content, kind] of [["dir", "direct", "secret"], ["A256KW", "hybrid", "secret"], ["A128KW", "hybrid", "secret"], ["RSA-OAEP-256", "hybrid", "public"]]) {
  for (const enc of ["A256GCM", "A128GCM"]) {
    for (const scope of ["shop", "transaction"]) {
      await test(`${alg} with ${enc}, ${scope} scope`, () => scheme(alg, content, kind, enc, scope));
    }
  }
}

await test("two orders from the same words have two salts and two keys", async () => {
  makeKeys(["--embodiment", "2"]);
  makePage(...toShop);
  const context = await user();
  const page = await context.newPage();
  const seen = [];
  for (let order = 0; order < 2; order += 1) {
    await page.goto(fromFile);
    await fillIn(page);
    await page.click("summary");
    await page.fill("#typed", WORDS);
    await place(page);
    seen.push((await watched(page)).wrapped.join());
  }
  assert.equal(new Set(seen).size, 2);
  assert.equal(new Set(shop.lines.map((line) => header(line).typed.salt)).size, 2);
  await context.close();
});
