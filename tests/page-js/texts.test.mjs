import assert from "node:assert/strict";
import { test } from "node:test";
import { load, source } from "./program.mjs";

const { TEXTS } = load(["texts.js"], ["TEXTS"]);

test("every language has every text, with the same places for values", () => {
  const places = (texts) => Object.entries(texts).map(([name, text]) => [name, (text.match(/\{\d\}/g) ?? []).sort()]);
  assert.deepEqual(Object.keys(TEXTS), ["en", "ja"]);
  assert.deepEqual(places(TEXTS.ja), places(TEXTS.en));
});

test("every text is used, and every text that is named exists", () => {
  const script = ["memory.js", "form.js", "order.js"].map(source).join("");
  const markup = source("../page.html");
  const quoted = [...script.matchAll(/"(\w+)"/g), ...markup.matchAll(/data-text="(\w+)"/g)].map(([, name]) => name);
  assert.deepEqual(Object.keys(TEXTS.en).filter((name) => !quoted.includes(name)), []);
  const named = [...script.matchAll(/(?:say|Trouble)\("(\w+)"/g), ...markup.matchAll(/data-text="(\w+)"/g)].map(([, name]) => name);
  assert(named.length > 50);
  assert.deepEqual(named.filter((name) => !(name in TEXTS.en)), []);
});
