// Keys from the user's words.

const PBKDF2_ROUNDS = 600000;

/** The content-encryption key from the user's words: PBKDF2, then HKDF-Expand (RFC 5869). */
async function typedKey(words, enc) {
  const salt = random(16);
  const source = await subtle.importKey("raw", utf8(words), "PBKDF2", false, ["deriveKey"]);
  const master = await subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: PBKDF2_ROUNDS }, source,
    { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"],
  );
  const { length } = CIPHERS[enc];
  const bytes = new Uint8Array(length);
  for (let offset = 0; offset < length; offset += 32) {
    // The block before, the order's number as 64 bits, and the block's number.
    const input = joined(bytes.subarray(0, offset), u32(0), u32(0), [offset / 32 + 1]);
    const block = new Uint8Array(await subtle.sign("HMAC", master, input));
    bytes.set(block.subarray(0, length - offset), offset);
    for (const used of [input, block]) used.fill(0);
  }
  const key = await contentKey(enc, bytes);
  bytes.fill(0);
  return { key, typed: { i: 0, rounds: PBKDF2_ROUNDS, salt: base64url(salt) } };
}
