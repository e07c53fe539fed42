import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load, source } from "./program.mjs";

const ORDER_PAGE = ["memory.js", "spending.js", "dates.js", "form.js", "steps.js", "order.js"];
const LIVE_PAGE = ["memory.js", "dates.js", "form.js", "steps.js", "live/answers.js", "live/program.js", "live/deliver.js", "live/order.js"];
const { TEXTS } = load(["texts.js"], ["TEXTS"]);
const { LIVE_TEXTS } = load(["texts.js", "live/texts.js"], ["LIVE_TEXTS"]);

test("every language has every text, with the same places for values", () => {
  const places = (texts) => Object.entries(texts).map(([name, text]) => [name, (text.match(/\{\d\}/g) ?? []).sort()]);
  for (const texts of [TEXTS, LIVE_TEXTS]) {
    assert.deepEqual(Object.keys(texts), ["en", "ja"]);
    assert.deepEqual(places(texts.ja), places(texts.en));
  }
});

for (const [page, files, own, all] of [
  ["order page", ORDER_PAGE, TEXTS.en, TEXTS.en], ["live page", LIVE_PAGE, LIVE_TEXTS.en, { ...TEXTS.en, ...LIVE_TEXTS.en }],
]) {
  test(`every text of the ${page} is used, and every text that is named exists`, () => {
    const script = files.map(source).join("");
    const markup = source("../page.html");
    const quoted = [...script.matchAll(/"(\w+)"/g), ...markup.matchAll(/data-text="(\w+)"/g)].map(([, name]) => name);
    assert.deepEqual(Object.keys(own).filter((name) => !quoted.includes(name) && !name.includes(":")), []);
    const named = [...script.matchAll(/(?:say|Trouble)\("(\w+)"/g), ...markup.matchAll(/data-text="(\w+)"/g)].map(([, name]) => name);
    assert(named.length > 50);
    assert.deepEqual(named.filter((name) => !(name in all)), []);
  });
}

test("texts of codes belong to a text for all codes, and to codes of the documentation", () => {
  const documented = readFileSync(new URL("../../docs/HTTP.md", import.meta.url), "utf8");
  const ofCodes = Object.keys(LIVE_TEXTS.en).filter((name) => name.includes(":"));
  assert(ofCodes.length > 8);
  for (const name of ofCodes) {
    const [usual, code] = name.split(":");
    assert(["refused", "not_handed_out"].includes(usual), name);
    assert(documented.includes(`\`${code}\``), name);
  }
});
