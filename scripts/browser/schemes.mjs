// Every form that a page seals in: from a file and from a server, random key and typed key, again after a
// reload, read by two programs.
import assert from "node:assert/strict";
import { createHmac, pbkdf2Sync } from "node:crypto";
import { address, fromFile, fromServer, header, jwcrypto, makeKeys, makePage, opened, orderseal, shop, timeless, toShop } from "./shop.mjs";
import { test } from "./test.mjs";
import { PERSON, TEA, WORDS, checkErased, fillIn, place, user, watched } from "./user.mjs";

/** The key of the first order of a batch, from words: docs/FORMATS.md, typed communication keys. */
function keyFromWords(words, { rounds, salt }, length) {
  const master = pbkdf2Sync(words, Buffer.from(salt, "base64url"), rounds, 32, "sha256");
  const block = (...parts) => parts.reduce((hmac, part) => hmac.update(part), createHmac("sha256", master)).digest();
  const first = block(Buffer.alloc(8), Buffer.of(1));
  return Buffer.concat([first, block(first, Buffer.alloc(8), Buffer.of(2))]).subarray(0, length);
}

const BLOCKS = "RSA-OAEP-256-BOUND-BLOCKS";
const isDirect = (alg) => ["dir", "ECDH-ES"].includes(alg);
const isCbc = (name) => name.includes("CBC");

/** Kinds of the delivered keys. */
function delivered({ alg, enc, curve, layers = 1 }) {
  if (enc === BLOCKS) return ["RSA-OAEP public encrypt"];
  if (alg.startsWith("RSA")) return ["RSA-OAEP public wrapKey"];
  if (curve) return [`${curve === "X25519" ? "X25519" : "ECDH"} public`];
  const [cipher, use] = alg === "dir" && layers === 1 ? [enc, "encrypt"] : [alg.replace("HS256KW", "HS256"), "wrapKey"];
  if (isCbc(cipher)) return ["HMAC secret sign", `AES-CBC secret ${use}`];
  return [`${cipher.includes("GCM") ? "AES-GCM" : "AES-KW"} secret ${use}`];
}

/** Kinds of the keys that the page makes for an order: only what is wrapped, and ephemeral public keys, can be exported. */
function made({ alg, enc, curve, layers = 1 }, typed) {
  const kinds = typed ? ["PBKDF2 secret deriveKey", "HMAC secret sign"] : [];
  if (curve) {
    const [name] = delivered({ alg, curve });
    kinds.push(`${name} extractable`, `${name.replace("public", "private")} deriveBits`);
    if (alg !== "ECDH-ES") kinds.push("AES-KW secret wrapKey");
  }
  if (layers > (alg === "dir" ? 2 : 1)) kinds.push("AES-KW secret wrapKey extractable");
  if (alg === "dir" && layers === 1) return kinds;
  const wrapped = alg === "ECDH-ES" ? "" : " extractable";
  if (!isCbc(enc)) return [...kinds, `AES-GCM secret encrypt${wrapped}`];
  return [...kinds, "HMAC secret sign", "AES-CBC secret encrypt", ...(wrapped ? ["HMAC secret sign extractable"] : [])];
}

async function scheme(suite) {
  const { alg, enc, scope, kind = "secret", curve, layers = 1 } = suite;
  const wraps = layers > 1 || !isDirect(alg);
  makeKeys([
    "--content", isDirect(alg) ? "direct" : "hybrid", "--scope", scope, "--kind", kind, ...(enc === BLOCKS ? [] : ["--enc", enc]),
    ...(alg === "dir" ? [] : ["--wrap", alg]), ...(curve ? ["--curve", curve] : []),
  ]);
  const keys = makePage("--orders", "3", "--layers", String(layers), "--items", "items.json", ...toShop);
  const context = await user();
  const page = await context.newPage();
  const order = async (inWords = false) => {
    await place(page);
    await checkErased(page, [...keys, shop.lines.at(-1).trimEnd()]);
    const seen = await watched(page);
    const kinds = [...delivered(suite), ...made(suite, inWords)];
    assert.deepEqual([...new Set(seen.keys.map((key) => key.kind))].sort(), [...new Set(kinds)].sort());
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
  if (wraps) {
    await page.click("summary");
    await page.fill("#typed", WORDS);
  } else assert.equal(await page.locator("#typed").count(), 0);
  const { wrapped } = await order(wraps);
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
  assert.equal(new Set(shop.lines.map((line) => line.split(".")[2])).size, shop.lines.length, "an IV for each order");
  const { typed, ...rest } = header(shop.lines[2]);
  const members = ["alg", "enc", "kid", ...(/GCMKW|HS256KW/.test(alg) ? ["iv", "tag"] : []), ...(curve ? ["epk"] : []), ...(layers > 1 ? ["chain", "crit"] : [])];
  assert.deepEqual(Object.keys(rest), members);
  if (wraps) {
    const length = { A128GCM: 16, "A256CBC-HS512": 64 }[enc] ?? 32;
    assert.deepEqual(Buffer.from(wrapped.at(-1)), keyFromWords(WORDS, typed, length));
  }
  const lines = shop.lines.join("");
  const texts = orderseal(["decrypt", "--bundle", "shop.jwks"], lines);
  const isPrivate = enc === BLOCKS || layers > 1 || alg === "A128CBC-HS256KW";
  if (!isPrivate) assert.equal(jwcrypto(alg, enc, lines), texts);
  for (const read of opened(lines)) assert.deepEqual(timeless(read), { ...PERSON, items: TEA });
  for (const { cookie, referer, "content-type": type } of shop.headers) assert.deepEqual([cookie, referer, type], [undefined, undefined, "text/plain"]);
  const allowed = [`GET ${fromFile}`, `GET ${fromServer}`, `POST ${address}/orders`, "GET data:,"];
  assert.deepEqual(context.requests.filter((request) => !allowed.includes(request) && !request.startsWith("GET data:image/svg+xml,")), []);
  assert.deepEqual(shop.strays, []);
  await context.close();
}

for (const suite of [
  { alg: "dir", enc: "A256GCM", scope: "shop" },
  { alg: "dir", enc: "A128GCM", scope: "transaction" },
  { alg: "dir", enc: "A128CBC-HS256", scope: "shop" },
  { alg: "dir", enc: "A256CBC-HS512", scope: "transaction" },
  { alg: "dir", enc: "A256GCM", scope: "transaction", layers: 3 },
  { alg: "dir", enc: BLOCKS, scope: "transaction", kind: "public" },
  { alg: "A256KW", enc: "A256GCM", scope: "shop" },
  { alg: "A256KW", enc: "A256CBC-HS512", scope: "transaction" },
  { alg: "A128KW", enc: "A128GCM", scope: "transaction", layers: 2 },
  { alg: "A256GCMKW", enc: "A256GCM", scope: "shop" },
  { alg: "A128GCMKW", enc: "A128CBC-HS256", scope: "transaction" },
  { alg: "A128CBC-HS256KW", enc: "A128CBC-HS256", scope: "shop" },
  { alg: "RSA-OAEP-256", enc: "A256GCM", scope: "transaction", kind: "public" },
  { alg: "RSA-OAEP", enc: "A128GCM", scope: "shop", kind: "public" },
  { alg: "ECDH-ES", enc: "A256CBC-HS512", scope: "shop", kind: "public", curve: "P-256" },
  { alg: "ECDH-ES+A256KW", enc: "A256GCM", scope: "transaction", kind: "public", curve: "X25519" },
]) {
  const { alg, enc, scope, curve, layers } = suite;
  const more = [curve && ` on ${curve}`, layers && ` in ${layers} layers`].filter(Boolean).join("");
  await test(`${alg} with ${enc}${more}, ${scope} scope`, () => scheme(suite));
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
