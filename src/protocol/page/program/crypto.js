// Seals an order as one line of JWE (RFC 7516), as `orderseal encrypt` does. Delivered keys cannot be exported.

const PBKDF2_ROUNDS = 600000;

/** WebCrypto's name of each `alg`, and the one use of its keys. */
const KEY_USE = {
  "dir": ["AES-GCM", "encrypt"],
  "A256KW": ["AES-KW", "wrapKey"],
  "A128KW": ["AES-KW", "wrapKey"],
  "RSA-OAEP-256": ["RSA-OAEP", "wrapKey"],
};

const utf8 = (text) => new TextEncoder().encode(text);
const base64url = (bytes) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));

/** Empties a list of keys [id, secret key or modulus, exponent unless it is 65537], and imports those that are not spent. */
const importKeys = (alg, delivered, spent) => Promise.all(delivered.splice(0).filter(([id]) => !spent.has(id)).map(async ([id, value, e = "AQAB"]) => {
  const [name, usage] = KEY_USE[alg];
  const imported = name === "RSA-OAEP"
    ? crypto.subtle.importKey("jwk", { kty: "RSA", n: value, e }, { name, hash: "SHA-256" }, false, [usage])
    : crypto.subtle.importKey("raw", fromBase64url(value), name, false, [usage]);
  return { id, key: await imported };
}));

/** A content-encryption key, random or from bytes; extractable, or WebCrypto would not wrap it. */
const contentKey = (enc, bytes) => {
  const cipher = { name: "AES-GCM", length: enc === "A128GCM" ? 128 : 256 };
  return bytes
    ? crypto.subtle.importKey("raw", bytes.subarray(0, cipher.length / 8), cipher, true, ["encrypt"])
    : crypto.subtle.generateKey(cipher, true, ["encrypt"]);
};

/** The content-encryption key from the user's words: PBKDF2, then HKDF-Expand (RFC 5869). */
async function typedKey(words, header) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  header.typed = { i: 0, rounds: PBKDF2_ROUNDS, salt: base64url(salt) };
  const source = await crypto.subtle.importKey("raw", utf8(words), "PBKDF2", false, ["deriveKey"]);
  const master = await crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: PBKDF2_ROUNDS }, source,
    { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"],
  );
  // The first block: info is the order's number as 64 bits, then the block's number, 1.
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", master, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1)));
  const key = await contentKey(header.enc, bytes);
  bytes.fill(0);
  return key;
}

/** Encrypts under a fresh IV, as compact serialization (RFC 7516, section 7.1). */
async function compact(header, wrapped, cek, plaintext) {
  const additionalData = base64url(utf8(header));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: utf8(additionalData), tagLength: 128 }, cek, utf8(plaintext),
  ));
  return [additionalData, ...[wrapped, iv, ciphertext.subarray(0, -16), ciphertext.subarray(-16)].map(base64url)].join(".");
}

/** Seals an order under the key that `kid` names. */
async function seal({ alg, enc }, order, kid, key, words) {
  const header = { alg, enc, kid };
  let cek = key, wrapped = new Uint8Array();
  if (alg !== "dir") {
    cek = await (words ? typedKey(words, header) : contentKey(enc));
    wrapped = new Uint8Array(await crypto.subtle.wrapKey("raw", cek, key, KEY_USE[alg][0]));
  }
  return compact(JSON.stringify(header), wrapped, cek, JSON.stringify(order));
}
