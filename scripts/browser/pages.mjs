// What scripts/browser-test.sh runs: pages in a real browser, a shop on localhost or the servers of service and shop,
// and both `orderseal decrypt` and jwcrypto to read what arrives.
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import "./items.mjs";
import { stopServers } from "./servers.mjs";
import { closeShop, makeKeys, makePage } from "./shop.mjs";
import { count, test } from "./test.mjs";
import { browser } from "./user.mjs";

// One after the other, as each makes keys and pages of its own in the same folder.
const parts = process.env.PARTS.split(" ");
for (const part of parts) await import(`./${part}.mjs`);

// The moduli alone of 200 pairs are 68 kB.
for (const [what, options, orders, limit] of [
  ["a 1-order page", ["--embodiment", "4"], 1, 100_000], ["a 1-order page by RSA", ["--embodiment", "6"], 1, 100_000],
  ["a pool of 200 orders", ["--embodiment", "4"], 200, 100_000], ["a pool of 200 orders by RSA", ["--embodiment", "6"], 200, 136_000],
  ["a pool of 200 orders on P-256", ["--embodiment", "6", "--wrap", "ECDH-ES+A256KW", "--curve", "P-256"], 200, 100_000],
]) {
  await test(`${what} is below ${limit.toLocaleString("en")} bytes`, () => {
    makeKeys(options, orders);
    makePage("--orders", String(orders));
    const { size } = statSync("order.html");
    console.log(`${what}: ${size.toLocaleString("en")} bytes`);
    assert(size < limit);
  });
}

if (process.env.PICTURES) {
  await import("./pictures.mjs");
  if (parts.includes("live")) await import("./live-pictures.mjs");
}
await stopServers();
await browser.close();
closeShop();
console.log(`${count} tests passed in ${browser.version()}`);
