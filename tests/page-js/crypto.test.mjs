import assert from "node:assert/strict";
import {
  constants, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, pbkdf2Sync,
  privateDecrypt, webcrypto,
} from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { SEALING, load } from "./program.mjs";

const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url)));
const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64url"));
const IV = new Uint8Array(12).fill(7);
const SALT = new Uint8Array(16).fill(9);
const ORDER = { name: "山田 花子", items: [{ item: "tea", quantity: 2 }] };

/**
 * The code that seals, with random values that are given: first whatever is random comes out of `random`, then
 * nothing any more. `seen` has what WebCrypto gave.
 */
function withRandom(...random) {
  const ephemeral = random.filter((value) => value.kty);
  random = random.filter((value) => !value.kty);
  const seen = { deriveBits: [], deriveKey: [], digest: [], importKey: [], random: [], sign: [] };
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
    seen.random.push(array);
    return array;
  };
  const names = ["authenticated", "base64url", "cipherKey", "CIPHERS", "compact", "contentKey", "encrypting", "fromBase64url", "importKeys", "seal", "typedKey"];
  return { ...load(SEALING, names, { crypto: { subtle, getRandomValues } }), seen };
}

/** A pair of keys from a JWK, as WebCrypto would generate it. */
async function pairOf(jwk, algorithm, extractable, usages) {
  const { d, ...half } = jwk;
  return {
    privateKey: await webcrypto.subtle.importKey("jwk", jwk, algorithm, extractable, usages),
    publicKey: await webcrypto.subtle.importKey("jwk", half, algorithm, true, []),
  };
}

/** A key as it is delivered, imported. `page` has the algorithms. */
const imported = async (code, page, ...key) => (await code.importKeys(page, [["id", ...key]], new Set()))[0].key;

/** What node's own AES and HMAC decrypt under a key of `enc`. */
function decrypted(enc, key, aad, iv, ciphertext, tag) {
  if (enc.endsWith("GCM")) {
    const cipher = createDecipheriv(`aes-${8 * key.length}-gcm`, key, iv).setAAD(aad).setAuthTag(tag);
    return Buffer.concat([cipher.update(ciphertext), cipher.final()]);
  }
  const half = key.length / 2;
  const bits = Buffer.alloc(8);
  bits.writeUInt32BE(8 * aad.length, 4);
  const mac = createHmac(`sha${enc.split("-HS")[1]}`, key.subarray(0, half)).update(aad).update(iv).update(ciphertext).update(bits).digest();
  assert.deepEqual(new Uint8Array(mac.subarray(0, half)), tag);
  const cipher = createDecipheriv(`aes-${8 * half}-cbc`, key.subarray(half), iv);
  return Buffer.concat([cipher.update(ciphertext), cipher.final()]);
}

/** The order in a line, opened under a content-encryption key. */
function openedBy(cek, line) {
  const [aad, , ...parts] = line.split(".");
  return JSON.parse(decrypted(header(line).enc, cek, Buffer.from(aad), ...parts.map(bytesOf)));
}

/** What node's own AES key wrap unwraps. */
function unwrapped(key, wrapped) {
  const unwrap = createDecipheriv(`id-aes${8 * key.length}-wrap`, key, Buffer.alloc(8, 0xa6));
  return new Uint8Array(Buffer.concat([unwrap.update(wrapped), unwrap.final()]));
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
    const key = await code.contentKey(header(line).enc, bytesOf(cek));
    const encrypt = code.encrypting(key, Buffer.from(plaintext));
    assert.equal(await code.compact(Buffer.from(protectedHeader).toString(), wrapped, encrypt), line);
  });
}

for (const { source, enc, key, iv, aad, plaintext, ciphertext, tag } of vectors.texts) {
  test(`the text of ${source}`, async () => {
    const code = withRandom(bytesOf(iv));
    const encrypt = code.encrypting(await code.cipherKey(code.CIPHERS[enc], bytesOf(key), "encrypt"), Buffer.from(plaintext));
    const made = await encrypt(Buffer.from(aad));
    assert.deepEqual([made.ciphertext, made.tag].map(code.base64url), [ciphertext, tag]);
  });
}

for (const { source, alg, enc, key, cek, wrapped } of vectors["wrapped keys"]) {
  test(`the wrapped key of ${source}`, async () => {
    const code = withRandom(bytesOf(cek), IV);
    const line = await code.seal({ alg, enc }, ORDER, "tokyo/1", await imported(code, { alg, enc }, key));
    assert.equal(line.split(".")[1], wrapped);
    assert.deepEqual(header(line), { alg, enc, kid: "tokyo/1" });
    assert.deepEqual(openedBy(bytesOf(cek), line), ORDER);
  });
}

test("the wrapped key of RFC 7520, section 5.7", async () => {
  const { key, cek, iv, tag, wrapped } = vectors.A256GCMKW;
  const code = withRandom(bytesOf(cek), bytesOf(iv), IV);
  const page = { alg: "A256GCMKW", enc: "A256GCM" };
  const line = await code.seal(page, ORDER, "tokyo/1", await imported(code, page, key));
  assert.equal(line.split(".")[1], wrapped);
  assert.deepEqual(header(line), { ...page, kid: "tokyo/1", iv, tag });
  assert.deepEqual(openedBy(bytesOf(cek), line), ORDER);
});

for (const [alg, length] of [["A128GCMKW", 16], ["A256GCMKW", 32], ["A128CBC-HS256KW", 32]]) {
  test(`${alg} wraps keys of every cipher`, async () => {
    const { base64url, importKeys, seal } = load(SEALING, ["base64url", "importKeys", "seal"]);
    const secret = new Uint8Array(length).map((_, index) => index);
    const [own] = alg.split("KW");
    const ivs = new Set();
    for (const enc of ["A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512"]) {
      const [{ key }] = await importKeys({ alg, enc }, [["id", base64url(secret)]], new Set());
      const line = await seal({ alg, enc }, ORDER, "tokyo", key);
      const { iv, tag } = header(line);
      ivs.add(iv).add(line.split(".")[2]);
      const cek = decrypted(own, secret, Buffer.alloc(0), bytesOf(iv), bytesOf(line.split(".")[1]), bytesOf(tag));
      assert.deepEqual(openedBy(cek, line), ORDER);
    }
    assert.equal(ivs.size, 8, "an IV for each key and each order");
  });
}

for (const [alg, hash] of [["RSA-OAEP", "sha1"], ["RSA-OAEP-256", "sha256"], ["RSA-OAEP-384", "sha384"], ["RSA-OAEP-512", "sha512"]]) {
  test(`${alg} has ${hash}`, async () => {
    const { importKeys, seal } = load(SEALING, ["importKeys", "seal"]);
    const jwk = vectors["RSA key"];
    const page = { alg, enc: "A256CBC-HS512" };
    const [{ key }] = await importKeys(page, [["id", jwk.n]], new Set());
    const line = await seal(page, ORDER, "tokyo", key);
    const padding = { key: createPrivateKey({ key: jwk, format: "jwk" }), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash };
    assert.deepEqual(openedBy(privateDecrypt(padding, bytesOf(line.split(".")[1])), line), ORDER);
  });
}

/** The text in a line of direct RSA (docs/FORMATS.md), by node's own RSA-OAEP. */
function openedBlocks(jwk, line) {
  const [aad, wrapped, iv, ciphertext, tag] = line.split(".");
  assert.deepEqual([wrapped, tag, bytesOf(iv).length], ["", "", 16]);
  const blocks = bytesOf(ciphertext);
  const count = blocks.length / 256;
  const numbered = (index) => {
    const numbers = Buffer.alloc(8);
    numbers.writeUInt32BE(index);
    numbers.writeUInt32BE(count, 4);
    const oaepLabel = createHash("sha256").update(aad).update(bytesOf(iv)).update(numbers).digest();
    const key = { key: createPrivateKey({ key: jwk, format: "jwk" }), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256", oaepLabel };
    return privateDecrypt(key, blocks.subarray(256 * index, 256 * (index + 1)));
  };
  const opened = Array.from({ length: count }, (_, index) => numbered(index));
  assert.equal(new Set(opened.map((block) => block.subarray(0, 16).toString("hex"))).size, 1, "one secret in all blocks");
  return { pieces: opened.map((block) => block.length - 16), text: Buffer.concat(opened.map((block) => block.subarray(16))).toString() };
}

test("direct RSA encrypts the order itself, in blocks that are bound to each other", async () => {
  const jwk = vectors["RSA key"];
  const page = { alg: "dir", enc: "RSA-OAEP-256-BOUND-BLOCKS" };
  const secrets = new Set();
  for (const [length, pieces] of [[2, [2]], [174, [174]], [175, [174, 1]], [348, [174, 174]], [2000, [...Array(11).fill(174), 86]]]) {
    const secret = new Uint8Array(16).fill(length);
    const code = withRandom(new Uint8Array(16).fill(4), secret);
    const key = await imported(code, page, jwk.n);
    assert.deepEqual([key.extractable, key.usages, key.algorithm.hash.name], [false, ["encrypt"], "SHA-256"]);
    const order = "x".repeat(length - 2);
    const line = await code.seal(page, order, "tokyo/1", key);
    assert.deepEqual(header(line), { ...page, kid: "tokyo/1" });
    assert.deepEqual(openedBlocks(jwk, line), { pieces, text: JSON.stringify(order) });
    secrets.add(line.split(".")[3]);
  }
  assert.equal(secrets.size, 5);
});

for (const [alg, layers] of [["A256KW", 2], ["A256KW", 16], ["A128KW", 3], ["A256GCMKW", 3], ["RSA-OAEP-256", 2], ["dir", 2], ["dir", 3]]) {
  for (const enc of ["A256GCM", "A128CBC-HS256"]) {
    test(`${alg} with ${enc} in ${layers} layers`, async () => {
      const { base64url, importKeys, seal } = load(SEALING, ["base64url", "importKeys", "seal"]);
      const page = { alg, enc, layers };
      const secret = new Uint8Array(alg === "A128KW" ? 16 : 32).fill(8);
      const jwk = vectors["RSA key"];
      const [{ key }] = await importKeys(page, [["id", alg === "RSA-OAEP-256" ? jwk.n : base64url(secret)]], new Set());
      const line = await seal(page, ORDER, "tokyo", key);
      const { chain, crit, iv, tag, ...rest } = header(line);
      assert.deepEqual([crit, chain.length, rest], [["chain"], layers - 1, { alg, enc, kid: "tokyo" }]);
      const wrapped = bytesOf(line.split(".")[1]);
      const padding = { key: createPrivateKey({ key: jwk, format: "jwk" }), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
      const outermost = {
        "dir": () => secret, "A256KW": () => unwrapped(secret, wrapped), "A128KW": () => unwrapped(secret, wrapped),
        "A256GCMKW": () => decrypted("A256GCM", secret, Buffer.alloc(0), bytesOf(iv), wrapped, bytesOf(tag)),
        "RSA-OAEP-256": () => privateDecrypt(padding, wrapped),
      }[alg]();
      if (alg === "dir") assert.equal(wrapped.length, 0);
      const keys = chain.reduce((made, link) => [...made, unwrapped(made.at(-1), bytesOf(link))], [outermost]);
      assert.equal(new Set(keys.map((made) => Buffer.from(made).toString("hex"))).size, layers);
      assert.deepEqual(openedBy(keys.at(-1), line), ORDER);
    });
  }
}

test("the key of RFC 7517, appendix A.2, unwraps what its public half wraps", async () => {
  const jwk = vectors["RSA key"];
  const cek = new Uint8Array(32).fill(5);
  const code = withRandom(cek, IV);
  const key = await imported(code, { alg: "RSA-OAEP-256" }, jwk.n);
  assert.equal(key.type, "public");
  const line = await code.seal({ alg: "RSA-OAEP-256", enc: "A256GCM" }, ORDER, "tokyo/1", key);
  const padding = { key: createPrivateKey({ key: jwk, format: "jwk" }), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
  assert.deepEqual(new Uint8Array(privateDecrypt(padding, bytesOf(line.split(".")[1]))), cek);
  assert.deepEqual(openedBy(cek, line), ORDER);
});

/** The key agreed on from a line's header, by node's own Diffie-Hellman and hash (RFC 7518, section 4.6.2). */
function agreed(recipient, line, length) {
  const { alg, enc, epk } = header(line);
  const privateKey = createPrivateKey({ key: recipient, format: "jwk" });
  const secret = diffieHellman({ privateKey, publicKey: createPublicKey({ key: epk, format: "jwk" }) });
  const u32 = (number) => Buffer.from([0, 0, number >> 8, number & 255]);
  const algorithm = Buffer.from(alg === "ECDH-ES" ? enc : alg);
  const rounds = [1, 2].map((round) => {
    const hash = createHash("sha256").update(u32(round)).update(secret).update(u32(algorithm.length)).update(algorithm);
    return hash.update(u32(0)).update(u32(0)).update(u32(8 * length)).digest();
  });
  return new Uint8Array(Buffer.concat(rounds).subarray(0, length));
}

test("the wrapped key of RFC 7520, section 5.4", async () => {
  const { recipient, ephemeral, cek, wrapped } = vectors["ECDH-ES+A128KW"];
  const code = withRandom(ephemeral, bytesOf(cek), IV);
  const key = await imported(code, { alg: "ECDH-ES+A128KW" }, recipient.x, recipient.y);
  const line = await code.seal({ alg: "ECDH-ES+A128KW", enc: "A128GCM" }, ORDER, "tokyo/1", key);
  assert.equal(line.split(".")[1], wrapped);
  const { d, ...epk } = ephemeral;
  assert.deepEqual(header(line), { alg: "ECDH-ES+A128KW", enc: "A128GCM", kid: "tokyo/1", epk });
  assert.deepEqual(openedBy(bytesOf(cek), line), ORDER);
});

for (const [name, type, options] of [
  ["X25519", "x25519", {}], ["P-256", "ec", { namedCurve: "P-256" }], ["P-384", "ec", { namedCurve: "P-384" }], ["P-521", "ec", { namedCurve: "P-521" }],
]) {
  test(`an order is sealed under a public key on ${name}, and each under another ephemeral key`, async () => {
    const recipient = generateKeyPairSync(type, options).privateKey.export({ format: "jwk" });
    const { importKeys, seal } = load(SEALING, ["importKeys", "seal"]);
    const secrets = new Set();
    for (const alg of ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"]) {
      for (const [enc, length] of [["A256GCM", 32], ["A128GCM", 16], ["A128CBC-HS256", 32], ["A256CBC-HS512", 64]]) {
        const parts = name === "X25519" ? [recipient.x] : [recipient.x, recipient.y];
        const [{ key }] = await importKeys({ alg, enc }, [["id", ...parts]], new Set());
        assert.deepEqual([key.extractable, key.usages, key.type], [false, [], "public"]);
        const line = await seal({ alg, enc }, ORDER, "tokyo", key);
        const { epk, ...rest } = header(line);
        assert.deepEqual(rest, { alg, enc, kid: "tokyo" });
        assert.deepEqual([epk.crv, "d" in epk, "y" in epk], [name, false, name !== "X25519"]);
        secrets.add(epk.x);
        const own = agreed(recipient, line, alg === "ECDH-ES" ? length : alg === "ECDH-ES+A128KW" ? 16 : 32);
        const cek = alg === "ECDH-ES" ? own : unwrapped(own, bytesOf(line.split(".")[1]));
        assert.equal(cek.length, length);
        assert.deepEqual(openedBy(cek, line), ORDER);
      }
    }
    assert.equal(secrets.size, 12);
  });
}

test("what was agreed on is overwritten, and the key that wraps cannot be exported", async () => {
  const { recipient, ephemeral } = vectors["ECDH-ES+A128KW"];
  for (const alg of ["ECDH-ES", "ECDH-ES+A256KW"]) {
    const code = alg === "ECDH-ES" ? withRandom(ephemeral, IV) : withRandom(ephemeral, new Uint8Array(32), IV);
    const key = await imported(code, { alg }, recipient.x, recipient.y);
    await code.seal({ alg, enc: "A256GCM" }, ORDER, "tokyo", key);
    for (const made of [...code.seen.deriveBits, ...code.seen.digest]) assert.ok(new Uint8Array(made).every((byte) => byte === 0), alg);
    const exportable = code.seen.importKey.filter(({ extractable }) => extractable).map(({ algorithm }) => algorithm.name);
    assert.deepEqual(exportable, []);
  }
});

test("random bytes of keys are overwritten", async () => {
  const secret = new Uint8Array(32);
  const cbc = withRandom(new Uint8Array(32).fill(1), new Uint8Array(16).fill(2));
  const page = { alg: "A256KW", enc: "A128CBC-HS256" };
  await cbc.seal(page, ORDER, "tokyo", await imported(cbc, page, cbc.base64url(secret)));
  assert.deepEqual(cbc.seen.random.map((bytes) => bytes[0]), [0, 2], "key, IV");
  const rsa = withRandom(new Uint8Array(16).fill(2), new Uint8Array(16).fill(1));
  const direct = { alg: "dir", enc: "RSA-OAEP-256-BOUND-BLOCKS" };
  await rsa.seal(direct, ORDER, "tokyo", await imported(rsa, direct, vectors["RSA key"].n));
  assert.deepEqual(rsa.seen.random.map((bytes) => bytes[0]), [2, 0], "IV, secret of the blocks");
});

test("an exponent that is not the usual one is taken", async () => {
  const code = withRandom();
  assert.deepEqual((await imported(code, { alg: "RSA-OAEP-256" }, vectors["RSA key"].n)).algorithm.publicExponent, Uint8Array.of(1, 0, 1));
  assert.deepEqual((await imported(code, { alg: "RSA-OAEP-256" }, vectors["RSA key"].n, "Aw")).algorithm.publicExponent, Uint8Array.of(3));
});

const DIRECT = [["A256GCM", 32], ["A128GCM", 16], ["A128CBC-HS256", 32], ["A256CBC-HS512", 64]];

test("a direct key encrypts the order itself", async () => {
  for (const [enc, length] of DIRECT) {
    const secret = new Uint8Array(length).map((_, index) => index);
    const { base64url, importKeys, seal } = load(SEALING, ["base64url", "importKeys", "seal"]);
    const page = { alg: "dir", enc };
    const [{ key }] = await importKeys(page, [["id", base64url(secret)]], new Set());
    const line = await seal(page, ORDER, "tokyo", key);
    assert.equal(line.split(".")[1], "");
    assert.deepEqual(header(line), { ...page, kid: "tokyo" });
    assert.deepEqual(openedBy(secret, line), ORDER);
  }
});

test("imported keys have one use, cannot be exported, and leave the list", async () => {
  for (const [page, use, length] of [
    [{ alg: "dir", enc: "A256GCM" }, ["encrypt"], 32], [{ alg: "dir", enc: "A256GCM", layers: 2 }, ["wrapKey"], 32],
    [{ alg: "dir", enc: "A128CBC-HS256" }, ["encrypt", "sign"], 32], [{ alg: "dir", enc: "RSA-OAEP-256-BOUND-BLOCKS" }, ["encrypt"]],
    [{ alg: "A256KW" }, ["wrapKey"], 32], [{ alg: "A128KW" }, ["wrapKey"], 16], [{ alg: "A128GCMKW" }, ["wrapKey"], 16],
    [{ alg: "A128CBC-HS256KW" }, ["sign", "wrapKey"], 32], [{ alg: "RSA-OAEP-256" }, ["wrapKey"]],
  ]) {
    const code = withRandom();
    const value = length ? code.base64url(new Uint8Array(length)) : vectors["RSA key"].n;
    const delivered = ["a", "b", "c"].map((id) => [id, value]);
    const keys = await code.importKeys(page, delivered, new Set(["b"]));
    assert.deepEqual(delivered, [], "the list is empty");
    assert.deepEqual(keys.map(({ id }) => id), ["a", "c"], "spent keys are not imported");
    assert.equal(code.seen.importKey.length, 2 * use.length, "a key for each use");
    assert.ok(code.seen.importKey.every(({ extractable }) => !extractable), page.alg);
    assert.deepEqual([...new Set(code.seen.importKey.flatMap(({ usages }) => usages))].sort(), use);
  }
});

test("typed words make the content-encryption key, and its bytes are overwritten", async () => {
  const words = "nine words that nobody else would ever think of";
  const master = pbkdf2Sync(words, SALT, 600_000, 32, "sha256");
  const info = Buffer.alloc(8);
  const first = createHmac("sha256", master).update(info).update(Buffer.of(1)).digest();
  const second = createHmac("sha256", master).update(first).update(info).update(Buffer.of(2)).digest();
  const expanded = new Uint8Array(Buffer.concat([first, second]));
  for (const [enc, length] of DIRECT) {
    const code = withRandom(SALT, enc.endsWith("GCM") ? IV : new Uint8Array(16).fill(7));
    const key = await imported(code, { alg: "A256KW", enc }, code.base64url(new Uint8Array(32)));
    const line = await code.seal({ alg: "A256KW", enc }, ORDER, "tokyo/1", key, await code.typedKey(words, enc));
    assert.deepEqual(header(line), { alg: "A256KW", enc, kid: "tokyo/1", typed: { i: 0, rounds: 600_000, salt: code.base64url(SALT) } });
    assert.deepEqual(openedBy(expanded.subarray(0, length), line), ORDER);
    for (const made of code.seen.sign.slice(0, Math.ceil(length / 32))) assert.deepEqual(new Uint8Array(made), new Uint8Array(32), "the bytes of the key");
    const exportable = [...code.seen.importKey, ...code.seen.deriveKey].filter(({ extractable }) => extractable);
    assert.deepEqual(exportable.map(({ algorithm }) => algorithm.name), [enc.endsWith("GCM") ? "AES-GCM" : "HMAC"]);
  }
});

test("typed words make the innermost key of a chain, and the others are random", async () => {
  const words = "nine words that nobody else would ever think of";
  const link = new Uint8Array(32).fill(6);
  const code = withRandom(SALT, link, IV);
  const page = { alg: "dir", enc: "A256GCM", layers: 3 };
  const secret = new Uint8Array(32);
  const line = await code.seal(page, ORDER, "tokyo", await imported(code, page, code.base64url(secret)), await code.typedKey(words, page.enc));
  const { chain, typed } = header(line);
  assert.equal(typed.salt, code.base64url(SALT));
  assert.deepEqual(unwrapped(secret, bytesOf(chain[0])), link);
  const master = pbkdf2Sync(words, SALT, 600_000, 32, "sha256");
  const cek = createHmac("sha256", master).update(Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 1])).digest();
  assert.deepEqual(unwrapped(link, bytesOf(chain[1])), new Uint8Array(cek));
  assert.deepEqual(openedBy(cek, line), ORDER);
});

test("each order has a content-encryption key and an IV of its own", async () => {
  const { importKeys, seal } = load(SEALING, ["importKeys", "seal"]);
  for (const enc of ["A128GCM", "A256CBC-HS512"]) {
    const [{ key }] = await importKeys({ alg: "A128KW", enc }, [["id", "AAAAAAAAAAAAAAAAAAAAAA"]], new Set());
    const lines = await Promise.all(Array.from({ length: 50 }, () => seal({ alg: "A128KW", enc }, ORDER, "tokyo", key)));
    for (const part of [1, 2, 3, 4]) assert.equal(new Set(lines.map((line) => line.split(".")[part])).size, 50);
  }
});
