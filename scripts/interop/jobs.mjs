// Reads the jobs of scripts/interop.sh and does them with one library, as jobs.py does for Python.

import { readFileSync, writeFileSync } from "node:fs";

const readKeys = (path, alg) => {
  const data = readFileSync(path);
  return alg.startsWith("PBES2") ? [data.subarray(0, data.length - 1)] : JSON.parse(data).keys;
};

export const isPassword = (key) => key instanceof Uint8Array;
export const ofKid = (keys, kid) => keys.find((key) => isPassword(key) || key.kid === kid);
export const named = (header, key) => (isPassword(key) ? header : { ...header, kid: key.kid });

// Lines as bytes: a carriage return is content, and so is what is not UTF-8.
function linesOf(bytes) {
  const result = [];
  for (let start = 0, end; (end = bytes.indexOf(10, start)) >= 0; start = end + 1) {
    result.push(bytes.subarray(start, end));
  }
  return result;
}

// Does all jobs: `seal({ keys, alg, enc, form, number }, text)` and `open({ keys, alg, enc }, line)` return bytes or
// text.
export async function main(seal, open) {
  for (const job of readFileSync(0, "utf8").split("\n").slice(0, -1)) {
    const [step, path, alg, enc, form, source, target] = job.split("\t");
    const keys = readKeys(path, alg);
    const output = [];
    for (const [number, line] of linesOf(readFileSync(source)).entries()) {
      try {
        const work = step === "seal" ? seal : open;
        const result = await work({ keys, alg, enc, form, number }, line);
        output.push(Buffer.from("+"), Buffer.from(result), Buffer.from("\n"));
      } catch (error) {
        output.push(Buffer.from(`-${String(error).replace(/\s+/g, " ").slice(0, 200)}\n`));
      }
    }
    writeFileSync(target, Buffer.concat(output));
  }
}
