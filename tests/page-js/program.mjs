// Loads files of the page's script where there is no document, and gives what they define.
import { readFileSync } from "node:fs";

const folder = new URL("../../src/protocol/page/program/", import.meta.url);

export const source = (file) => readFileSync(new URL(file, folder), "utf8");

/** The files that seal. */
export const SEALING = ["bytes.js", "ciphers.js", "words.js", "keys.js", "seal.js", "delivered.js"];

/** The `names` that the `files` define, run in strict mode like the page; `globals` take the place of node's. */
export const load = (files, names, globals = {}) =>
  new Function(...Object.keys(globals), `"use strict";${files.map(source).join("")}return { ${names} };`)(...Object.values(globals));
