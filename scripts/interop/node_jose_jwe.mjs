// node-jose (npm) as the other side of scripts/interop.sh; see jobs.py.

import nodeJose from "node-jose";
import { isPassword, main, named, ofKid } from "./jobs.mjs";

const { JWE, JWK, util } = nodeJose;
const known = new Map();

// A password is an `oct` key. Keys are imported once.
async function keyOf(key) {
  const jwk = isPassword(key) ? { kty: "oct", k: util.base64url.encode(key) } : key;
  if (!known.has(key)) known.set(key, await JWK.asKey(jwk));
  return known.get(key);
}

async function seal({ keys, alg, enc, form, number }, text) {
  if (form === "general") {
    const recipients = [];
    for (const key of keys) {
      recipients.push({ key: await keyOf(key), header: named({ alg: key.alg }, key), reference: false });
    }
    const options = { format: "general", contentAlg: enc, fields: { enc }, protect: ["enc"] };
    return JSON.stringify(await JWE.createEncrypt(options, recipients).update(text).final());
  }
  const key = keys[number % keys.length];
  const options = { format: form, contentAlg: enc, fields: named({ alg, enc }, key), protect: "*" };
  const line = await JWE.createEncrypt(options, { key: await keyOf(key), reference: false }).update(text).final();
  return form === "flattened" ? JSON.stringify(line) : line;
}

async function open({ keys, alg, enc }, line) {
  const text = line.toString();
  const { kid } = JSON.parse(util.base64url.decode(text.split(".")[0]).toString());
  const opened = await JWE.createDecrypt(await keyOf(ofKid(keys, kid)), { algorithms: [alg, enc] }).decrypt(text);
  return opened.plaintext;
}

await main(seal, open);
