import assert from "node:assert/strict";
import {
  constants, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, pbkdf2Sync,
  privateDecrypt, webcrypto,
} from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./program.mjs";

const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url)));
const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64url"));
const IV = new Uint8Array(12).fill(7);
const SALT = new Uint8Array(16).fill(9);
const ORDER = { name: "山田 花子", items: [{ item: "tea", quantity: 2 }] };

/**
 * The code of crypto.js with random values that are given: first whatever is random comes out of `random`, then
 * nothing any more. `seen` has what WebCrypto gave.
 */
function withRandom(...random) {
  const ephemeral = random.filter((value) => value.kty);
  random = random.filter((value) => !value.kty);
  const seen = { deriveBits: [], deriveKey: [], digest: [], importKey: [], sign: [] };
  const next = (length) => {
    assert.equal(random[0]?.length, length, `${length} random bytes are wanted`);
    return random.shift();
  };
  const subtle = Object.fromEntries(["deriveBits", "deriveKey", "digest", "encrypt", "exportKey", "importKey", "sign", "wrapKey"].map((name) => [name, async (...args) => {
    const made = await webcrypto.subtle[name](...args);
    seen[name]?.push(made);
    return made;
  }]));
  subtle.generateKey = (cipher, ...use) =>
    cipher.length ? webcrypto.subtle.importKey("raw", next(cipher.length / 8), cipher, ...use) : pairOf(ephemeral.shift(), cipher, ...use);
  const getRandomValues = (array) => {
    array.set(next(array.length));
    return array;
  };
  const names = ["base64url", "fromBase64url", "compact", "contentKey", "importKeys", "seal"];
  return { ...load(["crypto.js"], names, { crypto: { subtle, getRandomValues } }), seen };
}

/** A pair of keys from a JWK, as WebCrypto would generate it. */
async function pairOf(jwk, algorithm, extractable, usages) {
  const { d, ...half } = jwk;
  return {
    privateKey: await webcrypto.subtle.importKey("jwk", jwk, algorithm, extractable, usages),
    publicKey: await webcrypto.subtle.importKey("jwk", half, algorithm, true, []),
  };
}

/** A key as it is delivered, imported. */
const imported = async (code, alg, ...key) => (await code.importKeys(alg, [["id", ...key]], new Set()))[0].key;

/** The order in a line, opened by node's own AES-GCM under a content-encryption key. */
async function openedBy(cek, line) {
  const [additionalData, , iv, ciphertext, tag] = line.split(".");
  const key = await webcrypto.subtle.importKey("raw", cek, "AES-GCM", false, ["decrypt"]);
  const cipher = { name: "AES-GCM", iv: bytesOf(iv), additionalData: Buffer.from(additionalData) };
  const plaintext = await webcrypto.subtle.decrypt(cipher, key, Buffer.concat([bytesOf(ciphertext), bytesOf(tag)]));
  return JSON.parse(Buffer.from(plaintext));
}
const header = (line) => JSON.parse(Buffer.from(line.split(".")[0], "base64url"));

test("base64url is that of RFC 7515, appendix C", () => {
  const { base64url, fromBase64url } = withRandom();
  assert.equal(base64url(Uint8Array.of(3, 236, 255, 224, 193)), "A-z_4ME");
  assert.deepEqual(fromBase64url("A-z_4ME"), Uint8Array.of(3, 236, 255, 224, 193));
  assert.equal(base64url(new Uint8Array()), "");
});

for (const { source, cek, plaintext, line } of vectors.lines) {
  test(`the line of ${source}`, async () => {
    const [protectedHeader, wrapped, iv] = line.split(".").map(bytesOf);
    const code = withRandom(iv);
    const enc = bytesOf(cek).length === 16 ? "A128GCM" : "A256GCM";
    const made = await code.compact(Buffer.from(protectedHeader).toString(), wrapped, await code.contentKey(enc, bytesOf(cek)), plaintext);
    assert.equal(made, line);
  });
}

for (const { source, alg, enc, key, cek, wrapped } of vectors["wrapped keys"]) {
  test(`the wrapped key of ${source}`, async () => {
    const code = withRandom(bytesOf(cek), IV);
    const line = await code.seal({ alg, enc }, ORDER, "tokyo/1", await imported(code, alg, key));
    assert.equal(line.split(".")[1], wrapped);
    assert.deepEqual(header(line), { alg, enc, kid: "tokyo/1" });
    assert.deepEqual(await openedBy(bytesOf(cek), line), ORDER);
  });
}

test("the key of RFC 7517, appendix A.2, unwraps what its public half wraps", async () => {
  const jwk = vectors["RSA key"];
  const cek = new Uint8Array(32).fill(5);
  const code = withRandom(cek, IV);
  const key = await imported(code, "RSA-OAEP-256", jwk.n);
  assert.equal(key.type, "public");
  const line = await code.seal({ alg: "RSA-OAEP-256", enc: "A256GCM" }, ORDER, "tokyo/1", key);
  const padding = { key: createPrivateKey({ key: jwk, format: "jwk" }), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
  assert.deepEqual(new Uint8Array(privateDecrypt(padding, bytesOf(line.split(".")[1]))), cek);
  assert.deepEqual(await openedBy(cek, line), ORDER);
});

/** The key agreed on from a line's header, by node's own Diffie-Hellman and hash (RFC 7518, section 4.6.2). */
function agreed(recipient, line, length) {
  const { alg, enc, epk } = header(line);
  const privateKey = createPrivateKey({ key: recipient, format: "jwk" });
  const secret = diffieHellman({ privateKey, publicKey: createPublicKey({ key: epk, format: "jwk" }) });
  const u32 = (number) => Buffer.from([0, 0, number >> 8, number & 255]);
  const algorithm = Buffer.from(alg === "ECDH-ES" ? enc : alg);
  const hash = createHash("sha256").update(u32(1)).update(secret).update(u32(algorithm.length)).update(algorithm);
  return new Uint8Array(hash.update(u32(0)).update(u32(0)).update(u32(8 * length)).digest().subarray(0, length));
}

test("the wrapped key of RFC 7520, section 5.4", async () => {
  const { recipient, ephemeral, cek, wrapped } = vectors["ECDH-ES+A128KW"];
  const code = withRandom(ephemeral, bytesOf(cek), IV);
  const key = await imported(code, "ECDH-ES+A128KW", recipient.x, recipient.y);
  const line = await code.seal({ alg: "ECDH-ES+A128KW", enc: "A128GCM" }, ORDER, "tokyo/1", key);
  assert.equal(line.split(".")[1], wrapped);
  const { d, ...epk } = ephemeral;
  assert.deepEqual(header(line), { alg: "ECDH-ES+A128KW", enc: "A128GCM", kid: "tokyo/1", epk });
  assert.deepEqual(await openedBy(bytesOf(cek), line), ORDER);
});

for (const [name, type, options] of [
  ["X25519", "x25519", {}], ["P-256", "ec", { namedCurve: "P-256" }], ["P-384", "ec", { namedCurve: "P-384" }], ["P-521", "ec", { namedCurve: "P-521" }],
]) {
  test(`an order is sealed under a public key on ${name}, and each under another ephemeral key`, async () => {
    const recipient = generateKeyPairSync(type, options).privateKey.export({ format: "jwk" });
    const { importKeys, seal } = load(["crypto.js"], ["importKeys", "seal"]);
    const secrets = new Set();
    for (const alg of ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"]) {
      for (const [enc, length] of [["A256GCM", 32], ["A128GCM", 16]]) {
        const parts = name === "X25519" ? [recipient.x] : [recipient.x, recipient.y];
        const [{ key }] = await importKeys(alg, [["id", ...parts]], new Set());
        assert.deepEqual([key.extractable, key.usages, key.type], [false, [], "public"]);
        const line = await seal({ alg, enc }, ORDER, "tokyo", key);
        const { epk, ...rest } = header(line);
        assert.deepEqual(rest, { alg, enc, kid: "tokyo" });
        assert.deepEqual([epk.crv, "d" in epk, "y" in epk], [name, false, name !== "X25519"]);
        secrets.add(epk.x);
        const own = agreed(recipient, line, alg === "ECDH-ES" ? length : alg === "ECDH-ES+A128KW" ? 16 : 32);
        let cek = own;
        if (alg !== "ECDH-ES") {
          const unwrap = createDecipheriv(`id-aes${8 * own.length}-wrap`, own, Buffer.alloc(8, 0xa6));
          cek = new Uint8Array(Buffer.concat([unwrap.update(bytesOf(line.split(".")[1])), unwrap.final()]));
        }
        assert.equal(cek.length, length);
        assert.deepEqual(await openedBy(cek, line), ORDER);
      }
    }
    assert.equal(secrets.size, 6);
  });
}

test("what was agreed on is overwritten, and the key that wraps cannot be exported", async () => {
  const { recipient, ephemeral } = vectors["ECDH-ES+A128KW"];
  for (const alg of ["ECDH-ES", "ECDH-ES+A256KW"]) {
    const code = alg === "ECDH-ES" ? withRandom(ephemeral, IV) : withRandom(ephemeral, new Uint8Array(32), IV);
    const key = await imported(code, alg, recipient.x, recipient.y);
    await code.seal({ alg, enc: "A256GCM" }, ORDER, "tokyo", key);
    for (const made of [...code.seen.deriveBits, ...code.seen.digest]) assert.ok(new Uint8Array(made).every((byte) => byte === 0), alg);
    const exportable = code.seen.importKey.filter(({ extractable }) => extractable).map(({ algorithm }) => algorithm.name);
    assert.deepEqual(exportable, alg === "ECDH-ES" ? ["AES-GCM"] : []);
  }
});

test("an exponent that is not the usual one is taken", async () => {
  const code = withRandom();
  assert.deepEqual((await imported(code, "RSA-OAEP-256", vectors["RSA key"].n)).algorithm.publicExponent, Uint8Array.of(1, 0, 1));
  assert.deepEqual((await imported(code, "RSA-OAEP-256", vectors["RSA key"].n, "Aw")).algorithm.publicExponent, Uint8Array.of(3));
});

test("a direct key encrypts the order itself", async () => {
  for (const [enc, length] of [["A256GCM", 32], ["A128GCM", 16]]) {
    const secret = new Uint8Array(length).fill(3);
    const code = withRandom(IV);
    const line = await code.seal({ alg: "dir", enc }, ORDER, "tokyo", await imported(code, "dir", code.base64url(secret)));
    assert.equal(line.split(".")[1], "");
    assert.deepEqual(header(line), { alg: "dir", enc, kid: "tokyo" });
    assert.deepEqual(await openedBy(secret, line), ORDER);
  }
});

test("imported keys have one use, cannot be exported, and leave the list", async () => {
  for (const [alg, use, value] of [
    ["dir", "encrypt", new Uint8Array(32)], ["A256KW", "wrapKey", new Uint8Array(32)], ["A128KW", "wrapKey", new Uint8Array(16)],
    ["RSA-OAEP-256", "wrapKey", bytesOf(vectors["RSA key"].n)],
  ]) {
    const { importKeys, base64url } = withRandom();
    const delivered = ["a", "b", "c"].map((id) => [id, base64url(value)]);
    const keys = await importKeys(alg, delivered, new Set(["b"]));
    assert.deepEqual(delivered, [], "the list is empty");
    assert.deepEqual(keys.map(({ id }) => id), ["a", "c"], "spent keys are not imported");
    for (const { key } of keys) assert.deepEqual([key.extractable, key.usages], [false, [use]], alg);
  }
});

test("typed words make the content-encryption key, and its bytes are overwritten", async () => {
  const words = "nine words that nobody else would ever think of";
  const master = pbkdf2Sync(words, SALT, 600_000, 32, "sha256");
  const expanded = createHmac("sha256", master).update(Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 1])).digest();
  for (const [enc, length] of [["A256GCM", 32], ["A128GCM", 16]]) {
    const code = withRandom(SALT, IV);
    const key = await imported(code, "A256KW", code.base64url(new Uint8Array(32)));
    const line = await code.seal({ alg: "A256KW", enc }, ORDER, "tokyo/1", key, words);
    assert.deepEqual(header(line), { alg: "A256KW", enc, kid: "tokyo/1", typed: { i: 0, rounds: 600_000, salt: code.base64url(SALT) } });
    assert.deepEqual(await openedBy(new Uint8Array(expanded.subarray(0, length)), line), ORDER);
    const [made] = code.seen.sign;
    assert.deepEqual(new Uint8Array(made), new Uint8Array(32), "the bytes of the key");
    const exportable = [...code.seen.importKey, ...code.seen.deriveKey].filter(({ extractable }) => extractable);
    assert.deepEqual(exportable.map(({ algorithm, usages }) => [algorithm.name, usages]), [["AES-GCM", ["encrypt"]]]);
  }
});

test("each order has a content-encryption key and an IV of its own", async () => {
  const { importKeys, seal } = load(["crypto.js"], ["importKeys", "seal"]);
  const [{ key }] = await importKeys("A128KW", [["id", "AAAAAAAAAAAAAAAAAAAAAA"]], new Set());
  const lines = await Promise.all(Array.from({ length: 50 }, () => seal({ alg: "A128KW", enc: "A128GCM" }, ORDER, "tokyo", key)));
  for (const part of [1, 2, 3, 4]) assert.equal(new Set(lines.map((line) => line.split(".")[part])).size, 50);
});
