// The program: asked of the service, verified, and taken apart.

const NEWEST_VERSION = 4; // of a client's bundle
const STEPS = ["generate", "seal", "wrap", "send", "erase"];

/** The algorithms by which a page manages keys, besides those of RSA and of ciphers that wrap. */
const MANAGED = ["dir", "A128KW", "A256KW", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"];

/** The parts of a key as `importKey` takes them, by the type of its JWK. */
const PARTS = { oct: ({ k }) => [k], RSA: ({ n, e }) => [n, e], EC: ({ x, y }) => [x, y], OKP: ({ x }) => [x] };

/** The key by which the service signs. Browsers before 2025 do not have Ed25519. */
const verifyingKey = ({ x }) =>
  subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", x }, "Ed25519", false, ["verify"])
    .catch(() => { throw new Trouble("no_ed25519"); });

const decoded = (segment) => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(fromBase64url(segment)));

/** The payload of a signed program: a compact JWS (RFC 7515) by EdDSA (RFC 8037) and of no other type. */
async function verified(token, key) {
  const [header, payload, signature, ...more] = token.split(".");
  const { alg, typ, crit } = decoded(header);
  const isProgram = alg === "EdDSA" && typ === "orderseal-program" && crit === undefined && more.length === 0;
  const signed = utf8(`${header}.${payload}`);
  if (isProgram && await subtle.verify("Ed25519", key, fromBase64url(signature), signed)) return decoded(payload);
  throw new Trouble("not_signed");
}

/** Whether the page's code seals so. */
const seals = ({ alg, enc }) => (Object.hasOwn(CIPHERS, enc) || enc === BLOCKS) &&
  (MANAGED.includes(alg) || Object.hasOwn(RSA_HASHES, alg) || alg.endsWith("KW") && Object.hasOwn(CIPHERS, alg.slice(0, -2)));

/** The first key of a client's bundle for this shop, and how it seals. */
function unpacked({ keys: [key], orderseal: { role, version, shops, program, signer } }, shop) {
  const [[name, { alg, enc, not_before, expires }], ...others] = Object.entries(shops);
  const isOurs = role === "client" && version <= NEWEST_VERSION && !signer && program.steps.every((one) => STEPS.includes(one));
  const isShop = name.replace(/@\d+$/, "") === shop && others.length === 0;
  const isKey = key.kid === name || key.kid.startsWith(`${name}/`);
  if (!isOurs || !isShop || !isKey) throw new Trouble("bad_program");
  const suite = { alg, enc, layers: program.layers ?? 1, not_before, expires };
  if (!seals(suite)) throw new Trouble("cannot_seal", { values: [algorithms(suite)] });
  return { suite, kid: key.kid, parts: PARTS[key.kty](key), guided: program.run === "guided" };
}

/** Does its work, and says of whatever fails in it that a program is not as it should be. */
async function checkedBy(work, trouble) {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Trouble ? error : new Trouble(trouble);
  }
}

/** The program that stands in the page, of a shop whose clients all have its public key. */
const builtIn = ({ program, shop }) => checkedBy(() => unpacked(program, shop), "bad_program");

const hashOf = async (text) => base64url(new Uint8Array(await subtle.digest("SHA-256", utf8(text))));

/** Asks the service for a program with a key for one order, and its ticket; `page` is the hash of the item page. */
async function askForProgram({ service, service_key: jwk, shop, page: hash }) {
  const key = await verifyingKey(jwk);
  const asked = { version: 1, role: "request", for: "program", shop, page: hash, orders: 1, number: base64url(random(16)) };
  const request = JSON.stringify({ orderseal: asked });
  const { answer, text } = await post(below(service, "v1/programs"), "application/json", request);
  const { host } = new URL(service);
  if (!answer) throw new Trouble("no_service", { values: [host] });
  if (answer.status === 429) throw new Trouble("too_many", { values: [host, patience(answer)] });
  if (answer.status !== 200) throw new Trouble(textFor("not_handed_out", text), { values: [host, toldOf(answer, text)] });
  const payload = await checkedBy(() => verified(text, key), "not_signed");
  if (payload.request !== await hashOf(request)) throw new Trouble("other_answer");
  return checkedBy(() => ({ ...unpacked(payload.bundle, shop), ticket: payload.tickets[0] }), "bad_program");
}

/** Seals an order of a moment by a program, whose key is imported for that and can then be forgotten. */
async function sealBy({ suite, kid, parts, ticket }, order, ordered) {
  const key = await importKey(suite, ...parts).catch(() => { throw new Trouble("cannot_seal", { values: [algorithms(suite)] }); });
  return { kid, line: await seal(suite, order, kid, key), ordered, ticket };
}
