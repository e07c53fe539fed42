// Seals or opens JWE lines with jose: the other side of scripts/interop.sh.
//
//     jose_jwe.mjs seal KEYS ALG ENC < orders > lines
//     jose_jwe.mjs open KEYS ALG ENC < lines > orders
//
// KEYS is a JWK Set; sealing uses its keys in turn, opening the one that `kid` names. For PBES2 it is a file with a
// password.

import { readFileSync } from "node:fs";
import { CompactEncrypt, compactDecrypt } from "jose";

const [step, path, alg, enc] = process.argv.slice(2);
const text = readFileSync(path, "utf8");
const password = alg.startsWith("PBES2") ? new TextEncoder().encode(text.replace(/\n$/, "")) : null;
const keys = password ? [password] : JSON.parse(text).keys;

async function seal(order, number) {
  const key = keys[number % keys.length];
  const line = await new CompactEncrypt(order).setProtectedHeader({ alg, enc, kid: key.kid }).encrypt(key);
  return Buffer.from(line);
}

async function open(line) {
  const { plaintext } = await compactDecrypt(line, ({ kid }) => keys.find((key) => key.kid === kid), {
    keyManagementAlgorithms: [alg],
    contentEncryptionAlgorithms: [enc],
    maxPBES2Count: 600000, // instead of 10,000
  });
  return Buffer.from(plaintext);
}

// Lines as bytes: a carriage return is content, and so is what is not UTF-8.
function lines(bytes) {
  const result = [];
  for (let start = 0, end; (end = bytes.indexOf(10, start)) >= 0; start = end + 1) result.push(bytes.subarray(start, end));
  return result;
}

const work = { seal, open }[step];
const output = [];
for (const [number, line] of lines(readFileSync(0)).entries()) output.push(await work(line, number), Buffer.from("\n"));
process.stdout.write(Buffer.concat(output));
