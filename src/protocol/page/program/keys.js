// Delivered keys: what each is imported for, and how it wraps. None of them can be exported.

const BLOCKS = "RSA-OAEP-256-BOUND-BLOCKS";

/** The hash of the forms of RSA-OAEP. */
const RSA_HASHES = { "RSA-OAEP": "SHA-1", "RSA-OAEP-256": "SHA-256", "RSA-OAEP-384": "SHA-384", "RSA-OAEP-512": "SHA-512" };

/** The curves by the length of a coordinate in base64url. X25519 has one coordinate, the others two. */
const CURVES = { 43: "P-256", 64: "P-384", 88: "P-521" };

/** The cipher of an `alg` that wraps keys by a content cipher. */
const wrappingCipher = (alg) => CIPHERS[alg.slice(0, -2)];

/** The algorithms as the user reads them. */
const algorithms = ({ alg, enc }) => (alg === "dir" ? enc : `${alg} + ${enc}`);

/** Whether each order has a content-encryption key of its own. */
const wraps = ({ alg, layers = 1 }) => layers > 1 || !["dir", "ECDH-ES"].includes(alg);

/** Imports a key: secret bytes; modulus and exponent unless it is 65537; or coordinates, of which X25519 has one. */
function importKey({ alg, enc, layers = 1 }, value, second) {
  const ready = (key, algorithm, ...usages) => subtle.importKey("jwk", key, algorithm, false, usages);
  const hash = enc === BLOCKS ? "SHA-256" : RSA_HASHES[alg];
  if (hash) return ready({ kty: "RSA", n: value, e: second ?? "AQAB" }, { name: "RSA-OAEP", hash }, enc === BLOCKS ? "encrypt" : "wrapKey");
  if (alg.startsWith("ECDH-ES")) {
    if (second === undefined) return ready({ kty: "OKP", crv: "X25519", x: value }, { name: "X25519" });
    const namedCurve = CURVES[value.length];
    return ready({ kty: "EC", crv: namedCurve, x: value, y: second }, { name: "ECDH", namedCurve });
  }
  const bytes = fromBase64url(value);
  if (alg === "dir" && layers === 1) return cipherKey(CIPHERS[enc], bytes, "encrypt");
  const cipher = wrappingCipher(alg);
  return cipher ? cipherKey(cipher, bytes, "wrapKey") : subtle.importKey("raw", bytes, "AES-KW", false, ["wrapKey"]);
}

/** Agrees on a key with the shop's: RFC 7518, section 4.6. The new ephemeral public key is added to the header. */
async function agreedKey(header, key, length) {
  const { name } = key.algorithm;
  const ephemeral = await subtle.generateKey(key.algorithm, false, ["deriveBits"]);
  const { kty, crv, x, y } = await subtle.exportKey("jwk", ephemeral.publicKey);
  header.epk = { kty, crv, x, y };
  const bits = 8 * fromBase64url(x).length;
  const secret = new Uint8Array(await subtle.deriveBits({ name, public: key }, ephemeral.privateKey, bits));
  const algorithm = utf8(header.alg === "ECDH-ES" ? header.enc : header.alg);
  const bytes = new Uint8Array(length);
  for (let offset = 0; offset < length; offset += 32) {
    // The round, the secret, then the algorithm, no names of the parties, and the key's length in bits.
    const input = joined(u32(offset / 32 + 1), secret, u32(algorithm.length), algorithm, u32(0), u32(0), u32(8 * length));
    const hash = new Uint8Array(await subtle.digest("SHA-256", input));
    bytes.set(hash.subarray(0, length - offset), offset);
    for (const used of [input, hash]) used.fill(0);
  }
  secret.fill(0);
  return bytes;
}

/** Agrees on a key that wraps. */
async function agreedWrappingKey(header, key) {
  const bytes = await agreedKey(header, key, header.alg === "ECDH-ES+A128KW" ? 16 : 32);
  const wrapping = await subtle.importKey("raw", bytes, "AES-KW", false, ["wrapKey"]);
  bytes.fill(0);
  return wrapping;
}

/** Wraps a key under a delivered one, or under one that is agreed on with it. What the shop needs for it is added to the header. */
async function wrapKey(header, key, inner) {
  if (wrappingCipher(header.alg)) {
    const work = (aes, algorithm) => subtle.wrapKey("raw", inner, aes, algorithm);
    const { iv, ciphertext, tag } = await authenticated(key, new Uint8Array(), work);
    Object.assign(header, { iv: base64url(iv), tag: base64url(tag) });
    return ciphertext;
  }
  const wrapping = header.alg.startsWith("ECDH-ES") ? await agreedWrappingKey(header, key) : key;
  return new Uint8Array(await subtle.wrapKey("raw", inner, wrapping, wrapping.algorithm.name));
}
