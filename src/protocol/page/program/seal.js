// Seals an order as one line of JWE (RFC 7516), as `orderseal encrypt` does.

/**
 * Wraps a content-encryption key, through a chain if there are layers. The delivered key wraps the first key, and is
 * itself the first key with `dir`; each key wraps the next.
 */
async function wrapped(header, key, cek, layers) {
  const direct = header.alg === "dir";
  const makeLink = () => subtle.generateKey({ name: "AES-KW", length: 256 }, true, ["wrapKey"]);
  const keys = await Promise.all(Array.from({ length: layers - (direct ? 2 : 1) }, makeLink));
  keys.push(cek);
  const made = [await wrapKey(header, key, keys[0])];
  for (let index = 1; index < keys.length; index += 1) {
    made.push(new Uint8Array(await subtle.wrapKey("raw", keys[index], keys[index - 1], "AES-KW")));
  }
  const encryptedKey = direct ? new Uint8Array() : made.shift();
  if (made.length) Object.assign(header, { chain: made.map(base64url), crit: ["chain"] });
  return encryptedKey;
}

/** The line's five parts (RFC 7516, section 7.1). `encrypt` is given the additional data, and makes the last three. */
async function compact(header, encryptedKey, encrypt) {
  const aad = base64url(utf8(header));
  const { iv, ciphertext, tag } = await encrypt(utf8(aad));
  return [aad, ...[encryptedKey, iv, ciphertext, tag].map(base64url)].join(".");
}

const encrypting = (key, text) => (aad) => authenticated(key, aad, (aes, algorithm) => subtle.encrypt(algorithm, aes, text));

/** Seals an order under the key that `kid` names; the content-encryption key is random, unless one is prepared. */
async function seal(suite, order, kid, key, prepared) {
  const { alg, enc, layers = 1 } = suite;
  const header = { alg, enc, kid };
  const text = utf8(JSON.stringify(order));
  let cek = key, encryptedKey = new Uint8Array();
  if (alg === "ECDH-ES") {
    const bytes = await agreedKey(header, key, CIPHERS[enc].length);
    cek = await cipherKey(CIPHERS[enc], bytes, "encrypt");
    bytes.fill(0);
  } else if (wraps(suite)) {
    const { key: made, typed } = prepared ?? { key: await contentKey(enc) };
    encryptedKey = await wrapped(header, key, made.whole, layers);
    header.typed = typed;
    cek = made;
  }
  return compact(JSON.stringify(header), encryptedKey, enc === BLOCKS ? blocks(key, text) : encrypting(cek, text));
}
