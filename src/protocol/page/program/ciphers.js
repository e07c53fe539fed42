// WebCrypto's ciphers in the forms of JOSE (RFC 7518, section 5), and content-encryption keys for them.

const PBKDF2_ROUNDS = 600000;

/** Length of a key in bytes by `enc`; CBC forms also have a hash: half of the key is for its HMAC, and half of that is the tag. */
const CIPHERS = {
  "A128GCM": { length: 16 },
  "A256GCM": { length: 32 },
  "A128CBC-HS256": { length: 32, hash: "SHA-256" },
  "A256CBC-HS512": { length: 64, hash: "SHA-512" },
};

const utf8 = (text) => new TextEncoder().encode(text);
const u32 = (number) => [number >>> 24, number >>> 16 & 255, number >>> 8 & 255, number & 255];
const random = (length) => crypto.getRandomValues(new Uint8Array(length));
const base64url = (bytes) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((offset, part) => { whole.set(part, offset); return offset + part.length; }, 0);
  return whole;
}

/** Imports a cipher's key for one use, `encrypt` or `wrapKey`; a MAC key beside it for CBC. */
async function cipherKey({ length, hash }, bytes, use) {
  const ready = (part, algorithm, usage) => crypto.subtle.importKey("raw", part, algorithm, false, [usage]);
  if (!hash) return { aes: await ready(bytes, "AES-GCM", use) };
  const mac = await ready(bytes.subarray(0, length / 2), { name: "HMAC", hash }, "sign");
  return { mac, aes: await ready(bytes.subarray(length / 2), "AES-CBC", use) };
}

/** A content-encryption key, random or from bytes. The `whole` key is extractable, or WebCrypto would not wrap it. */
async function contentKey(enc, bytes) {
  const { length, hash } = CIPHERS[enc];
  if (!hash) {
    const cipher = { name: "AES-GCM", length: 8 * length };
    const aes = await (bytes ? crypto.subtle.importKey("raw", bytes, cipher, true, ["encrypt"])
      : crypto.subtle.generateKey(cipher, true, ["encrypt"]));
    return { aes, whole: aes };
  }
  const both = bytes ?? random(length);
  const key = await cipherKey(CIPHERS[enc], both, "encrypt");
  const whole = await crypto.subtle.importKey("raw", both, { name: "HMAC", hash }, true, ["sign"]);
  both.fill(0);
  return { ...key, whole };
}

/** The content-encryption key from the user's words: PBKDF2, then HKDF-Expand (RFC 5869). */
async function typedKey(words, enc) {
  const salt = random(16);
  const source = await crypto.subtle.importKey("raw", utf8(words), "PBKDF2", false, ["deriveKey"]);
  const master = await crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: PBKDF2_ROUNDS }, source,
    { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"],
  );
  const { length } = CIPHERS[enc];
  const bytes = new Uint8Array(length);
  for (let offset = 0; offset < length; offset += 32) {
    // The block before, the order's number as 64 bits, and the block's number.
    const input = joined(bytes.subarray(0, offset), u32(0), u32(0), [offset / 32 + 1]);
    const block = new Uint8Array(await crypto.subtle.sign("HMAC", master, input));
    bytes.set(block.subarray(0, length - offset), offset);
    for (const used of [input, block]) used.fill(0);
  }
  const key = await contentKey(enc, bytes);
  bytes.fill(0);
  return { key, typed: { i: 0, rounds: PBKDF2_ROUNDS, salt: base64url(salt) } };
}

/** Encrypts under a fresh IV. `work` is given the AES key and the algorithm: it encrypts a text or wraps a key. */
async function authenticated({ aes, mac }, aad, work) {
  const iv = random(mac ? 16 : 12);
  if (!mac) {
    const made = new Uint8Array(await work(aes, { name: "AES-GCM", iv, additionalData: aad, tagLength: 128 }));
    return { iv, ciphertext: made.subarray(0, -16), tag: made.subarray(-16) };
  }
  const ciphertext = new Uint8Array(await work(aes, { name: "AES-CBC", iv }));
  const tag = new Uint8Array(await crypto.subtle.sign("HMAC", mac, joined(aad, iv, ciphertext, u32(0), u32(8 * aad.length))));
  return { iv, ciphertext, tag: tag.subarray(0, tag.length / 2) };
}

/** Encrypts a text by RSA itself, block by block: direct RSA in docs/FORMATS.md. */
const blocks = (key, text) => async (aad) => {
  const iv = random(16), secret = random(16);
  const size = Math.ceil(key.algorithm.modulusLength / 8), room = size - 82;
  const count = Math.max(1, Math.ceil(text.length / room));
  const ciphertext = new Uint8Array(count * size);
  for (let index = 0; index < count; index += 1) {
    const label = await crypto.subtle.digest("SHA-256", joined(aad, iv, u32(index), u32(count)));
    const block = joined(secret, text.subarray(index * room, (index + 1) * room));
    ciphertext.set(new Uint8Array(await crypto.subtle.encrypt({ name: "RSA-OAEP", label }, key, block)), index * size);
    block.fill(0);
  }
  secret.fill(0);
  return { iv, ciphertext, tag: new Uint8Array() };
};
