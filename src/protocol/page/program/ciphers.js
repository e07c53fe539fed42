// WebCrypto's ciphers in the forms of JOSE (RFC 7518, section 5), and content-encryption keys for them.

const { subtle } = crypto;

/** Length of a key in bytes by `enc`; CBC forms also have a hash: half of the key is for its HMAC, and half of that is the tag. */
const CIPHERS = {
  "A128GCM": { length: 16 },
  "A256GCM": { length: 32 },
  "A128CBC-HS256": { length: 32, hash: "SHA-256" },
  "A256CBC-HS512": { length: 64, hash: "SHA-512" },
};

/** Imports a cipher's key for one use, `encrypt` or `wrapKey`; a MAC key beside it for CBC. */
async function cipherKey({ length, hash }, bytes, use) {
  const ready = (part, algorithm, usage) => subtle.importKey("raw", part, algorithm, false, [usage]);
  if (!hash) return { aes: await ready(bytes, "AES-GCM", use) };
  const mac = await ready(bytes.subarray(0, length / 2), { name: "HMAC", hash }, "sign");
  return { mac, aes: await ready(bytes.subarray(length / 2), "AES-CBC", use) };
}

/** A content-encryption key, random or from bytes. The `whole` key is extractable, or WebCrypto would not wrap it. */
async function contentKey(enc, bytes) {
  const { length, hash } = CIPHERS[enc];
  if (!hash) {
    const cipher = { name: "AES-GCM", length: 8 * length };
    const aes = await (bytes ? subtle.importKey("raw", bytes, cipher, true, ["encrypt"])
      : subtle.generateKey(cipher, true, ["encrypt"]));
    return { aes, whole: aes };
  }
  const both = bytes ?? random(length);
  const key = await cipherKey(CIPHERS[enc], both, "encrypt");
  const whole = await subtle.importKey("raw", both, { name: "HMAC", hash }, true, ["sign"]);
  both.fill(0);
  return { ...key, whole };
}

/** Encrypts under a fresh IV. `work` is given the AES key and the algorithm: it encrypts a text or wraps a key. */
async function authenticated({ aes, mac }, aad, work) {
  const iv = random(mac ? 16 : 12);
  if (!mac) {
    const made = new Uint8Array(await work(aes, { name: "AES-GCM", iv, additionalData: aad, tagLength: 128 }));
    return { iv, ciphertext: made.subarray(0, -16), tag: made.subarray(-16) };
  }
  const ciphertext = new Uint8Array(await work(aes, { name: "AES-CBC", iv }));
  const tag = new Uint8Array(await subtle.sign("HMAC", mac, joined(aad, iv, ciphertext, u32(0), u32(8 * aad.length))));
  return { iv, ciphertext, tag: tag.subarray(0, tag.length / 2) };
}

/** Encrypts a text by RSA itself, block by block: direct RSA in docs/FORMATS.md. */
const blocks = (key, text) => async (aad) => {
  const iv = random(16), secret = random(16);
  const size = Math.ceil(key.algorithm.modulusLength / 8), room = size - 82;
  const count = Math.max(1, Math.ceil(text.length / room));
  const ciphertext = new Uint8Array(count * size);
  for (let index = 0; index < count; index += 1) {
    const label = await subtle.digest("SHA-256", joined(aad, iv, u32(index), u32(count)));
    const block = joined(secret, text.subarray(index * room, (index + 1) * room));
    ciphertext.set(new Uint8Array(await subtle.encrypt({ name: "RSA-OAEP", label }, key, block)), index * size);
    block.fill(0);
  }
  secret.fill(0);
  return { iv, ciphertext, tag: new Uint8Array() };
};
