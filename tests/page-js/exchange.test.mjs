// Orders that the page's code seals under node open in `orderseal decrypt`: ORDERSEAL is the program.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { SEALING, load } from "./program.mjs";

const { importKeys, seal, typedKey, wraps } = load(SEALING, ["importKeys", "seal", "typedKey", "wraps"]);
const folder = mkdtempSync(join(tmpdir(), "orderseal-page."));
after(() => rmSync(folder, { recursive: true }));
const orderseal = (args, input) =>
  execFileSync(process.env.ORDERSEAL, args, { cwd: folder, input, stdio: ["pipe", "pipe", "pipe"] }).toString();
const ORDER = { name: "山田 花子", items: [{ item: "tea", quantity: 2 }] };

const WORDS = "nine words that nobody else would ever think of";

const agreements = ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"].flatMap((alg) =>
  ["X25519", "P-256", "P-384", "P-521"].map((curve) => [alg, "public", { curve }]));
const CIPHERS = ["A256GCM", "A128GCM", "A128CBC-HS256", "A256CBC-HS512"];

for (const [alg, kind, { curve, layers = 1, encs = CIPHERS } = {}] of [
  ["dir", "secret"], ["dir", "secret", { layers: 3, encs: ["A256GCM", "A128CBC-HS256"] }], ["dir", "public", { encs: ["RSA-OAEP-256-BOUND-BLOCKS"] }],
  ["A256KW", "secret"], ["A256KW", "secret", { layers: 16 }], ["A128KW", "secret"],
  ["A256GCMKW", "secret"], ["A256GCMKW", "secret", { layers: 2 }], ["A128GCMKW", "secret"], ["A128CBC-HS256KW", "secret"],
  ["RSA-OAEP-256", "public"], ["RSA-OAEP-256", "public", { layers: 2 }], ["RSA-OAEP", "public"], ["RSA-OAEP-384", "public"], ["RSA-OAEP-512", "public"],
  ...agreements, ["ECDH-ES+A256KW", "public", { curve: "P-256", layers: 2 }],
]) {
  const name = [alg, curve && `on ${curve}`, kind === "public" && alg === "dir" && "with RSA", layers > 1 && `in ${layers} layers`].filter(Boolean).join(" ");
  test(`orders by ${name} open in orderseal`, async () => {
    for (const enc of encs) {
      const isBlocks = alg === "dir" && kind === "public";
      const content = [
        "--content", ["dir", "ECDH-ES"].includes(alg) ? "direct" : "hybrid", ...(alg === "dir" ? [] : ["--wrap", alg]),
        ...(curve ? ["--curve", curve] : ["--rsa-bits", "2048"]), ...(isBlocks ? [] : ["--enc", enc]),
      ];
      orderseal(["keygen", ...content, "--kind", kind, "--scope", "shop", "--shop", "tokyo", "-o", "service.jwks", "--force"]);
      orderseal(["bundle", "shop", "--keys", "service.jwks", "-o", "shop.jwks", "--force"]);
      const form = ["--form", "html", "--allow-shared-secret", "--layers", String(layers)];
      orderseal(["bundle", "client", "--keys", "service.jwks", ...form, "-o", "order.html", "--force"]);
      const [, data] = /id="delivered">(.*?)<\/script>/s.exec(readFileSync(join(folder, "order.html"), "utf8"));
      const { keys, shop, ...page } = JSON.parse(data);
      assert.deepEqual([page.alg, page.enc, page.layers ?? 1], [alg, enc, layers]);
      const [{ key }] = await importKeys(page, keys, new Set());
      const ways = wraps(page) ? [undefined, WORDS] : [undefined];
      const lines = await Promise.all(ways.map(async (words) => seal(page, ORDER, shop, key, words && await typedKey(words, enc))));
      const opened = orderseal(["decrypt", "--bundle", "shop.jwks"], lines.map((line) => `${line}\n`).join(""));
      assert.equal(opened, lines.map(() => `${JSON.stringify(ORDER)}\n`).join(""));
    }
  });
}
