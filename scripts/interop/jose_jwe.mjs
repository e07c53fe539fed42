// jose (npm) as the other side of scripts/interop.sh; see jobs.py.

import { CompactEncrypt, compactDecrypt, FlattenedEncrypt, GeneralEncrypt } from "jose";
import { isPassword, main, named, ofKid } from "./jobs.mjs";

// It seals with public keys only.
const sealingKey = (key) => {
  if (isPassword(key)) return key;
  const { d, p, q, dp, dq, qi, ...others } = key;
  return others;
};

async function seal({ keys, alg, enc, form, number }, text) {
  if (form === "general") {
    const token = new GeneralEncrypt(text).setProtectedHeader({ enc });
    for (const key of keys) token.addRecipient(sealingKey(key)).setUnprotectedHeader(named({ alg: key.alg }, key));
    return JSON.stringify(await token.encrypt());
  }
  const key = keys[number % keys.length];
  const Encrypt = form === "flattened" ? FlattenedEncrypt : CompactEncrypt;
  const line = await new Encrypt(text).setProtectedHeader(named({ alg, enc }, key)).encrypt(sealingKey(key));
  return form === "flattened" ? JSON.stringify(line) : line;
}

async function open({ keys, alg, enc }, line) {
  const { plaintext } = await compactDecrypt(line, ({ kid }) => ofKid(keys, kid), {
    keyManagementAlgorithms: [alg],
    contentEncryptionAlgorithms: [enc],
    maxPBES2Count: 600000, // instead of 10,000
  });
  return plaintext;
}

await main(seal, open);
