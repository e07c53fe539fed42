// Seals an order as one line of JWE (RFC 7516), as `orderseal encrypt` does. Delivered keys cannot be exported.

const PBKDF2_ROUNDS = 600000;

/** WebCrypto's name of each `alg`, and the one use of its keys; public keys to agree with have none there. */
const KEY_USE = {
  "dir": ["AES-GCM", "encrypt"],
  "A256KW": ["AES-KW", "wrapKey"],
  "A128KW": ["AES-KW", "wrapKey"],
  "RSA-OAEP-256": ["RSA-OAEP", "wrapKey"],
  "ECDH-ES": ["ECDH"],
  "ECDH-ES+A128KW": ["ECDH"],
  "ECDH-ES+A256KW": ["ECDH"],
};

/** The curves by the length of a coordinate in base64url. X25519 has one coordinate, the others two. */
const CURVES = { 43: "P-256", 64: "P-384", 88: "P-521" };

const utf8 = (text) => new TextEncoder().encode(text);
const base64url = (bytes) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));

/** Imports a key: secret bytes; modulus and exponent unless it is 65537; or coordinates, of which X25519 has one. */
const importKey = (alg, value, second) => {
  const [name, ...usages] = KEY_USE[alg];
  const ready = (key, algorithm) => crypto.subtle.importKey("jwk", key, algorithm, false, usages);
  if (name === "RSA-OAEP") return ready({ kty: "RSA", n: value, e: second ?? "AQAB" }, { name, hash: "SHA-256" });
  if (name !== "ECDH") return crypto.subtle.importKey("raw", fromBase64url(value), name, false, usages);
  if (second === undefined) return ready({ kty: "OKP", crv: "X25519", x: value }, { name: "X25519" });
  const namedCurve = CURVES[value.length];
  return ready({ kty: "EC", crv: namedCurve, x: value, y: second }, { name, namedCurve });
};

/** Empties a list of keys [id, parts…], and imports those that are not spent. */
const importKeys = (alg, delivered, spent) =>
  Promise.all(delivered.splice(0).filter(([id]) => !spent.has(id)).map(async ([id, ...parts]) => ({ id, key: await importKey(alg, ...parts) })));

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

/** Agrees on a key with the shop's: RFC 7518, section 4.6. The new ephemeral public key is added to the header. */
async function agreedKey(header, key, length) {
  const { name } = key.algorithm;
  const ephemeral = await crypto.subtle.generateKey(key.algorithm, false, ["deriveBits"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", ephemeral.publicKey);
  header.epk = { kty, crv, x, y };
  const bits = 8 * fromBase64url(x).length;
  const secret = new Uint8Array(await crypto.subtle.deriveBits({ name, public: key }, ephemeral.privateKey, bits));
  // Round 1, the secret, then the algorithm, no names of the parties, and the key's length in bits.
  const algorithm = utf8(header.alg === "ECDH-ES" ? header.enc : header.alg);
  const input = Uint8Array.of(0, 0, 0, 1, ...secret, 0, 0, 0, algorithm.length, ...algorithm, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, length >> 5, 8 * length & 255);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", input));
  for (const bytes of [secret, input]) bytes.fill(0);
  return hash.subarray(0, length);
}

/** Agrees on a key that wraps. */
async function agreedWrappingKey(header, key) {
  const bytes = await agreedKey(header, key, header.alg === "ECDH-ES+A128KW" ? 16 : 32);
  const wrapping = await crypto.subtle.importKey("raw", bytes, "AES-KW", false, ["wrapKey"]);
  bytes.fill(0);
  return wrapping;
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
  if (alg === "ECDH-ES") {
    const bytes = await agreedKey(header, key, enc === "A128GCM" ? 16 : 32);
    cek = await contentKey(enc, bytes);
    bytes.fill(0);
  } else if (alg !== "dir") {
    const agrees = KEY_USE[alg][0] === "ECDH";
    const wrapping = agrees ? await agreedWrappingKey(header, key) : key;
    cek = await (words ? typedKey(words, header) : contentKey(enc));
    wrapped = new Uint8Array(await crypto.subtle.wrapKey("raw", cek, wrapping, agrees ? "AES-KW" : KEY_USE[alg][0]));
  }
  return compact(JSON.stringify(header), wrapped, cek, JSON.stringify(order));
}
