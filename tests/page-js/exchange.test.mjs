// Orders that the page's code seals under node open in `orderseal decrypt`: ORDERSEAL is the program.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { load } from "./program.mjs";

const { importKeys, seal } = load(["crypto.js"], ["importKeys", "seal"]);
const folder = mkdtempSync(join(tmpdir(), "orderseal-page."));
after(() => rmSync(folder, { recursive: true }));
const orderseal = (args, input) =>
  execFileSync(process.env.ORDERSEAL, args, { cwd: folder, input, stdio: ["pipe", "pipe", "pipe"] }).toString();
const ORDER = { name: "山田 花子", items: [{ item: "tea", quantity: 2 }] };

const agreements = ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"].flatMap((alg) =>
  ["X25519", "P-256", "P-384", "P-521"].map((curve) => [alg, "public", curve]));

for (const [alg, kind, curve] of [["dir", "secret"], ["A256KW", "secret"], ["A128KW", "secret"], ["RSA-OAEP-256", "public"], ...agreements]) {
  test(`orders by ${[alg, curve].filter(Boolean).join(" on ")} open in orderseal`, async () => {
    for (const enc of ["A256GCM", "A128GCM"]) {
      const content = [
        "--content", ["dir", "ECDH-ES"].includes(alg) ? "direct" : "hybrid", ...(alg === "dir" ? [] : ["--wrap", alg]),
        ...(curve ? ["--curve", curve] : ["--rsa-bits", "2048"]),
      ];
      orderseal(["keygen", ...content, "--kind", kind, "--scope", "shop", "--enc", enc, "--shop", "tokyo", "-o", "service.jwks", "--force"]);
      orderseal(["bundle", "shop", "--keys", "service.jwks", "-o", "shop.jwks", "--force"]);
      orderseal(["bundle", "client", "--keys", "service.jwks", "--form", "html", "--allow-shared-secret", "-o", "order.html", "--force"]);
      const [, data] = /id="delivered">(.*?)<\/script>/s.exec(readFileSync(join(folder, "order.html"), "utf8"));
      const { keys, shop, ...page } = JSON.parse(data);
      assert.deepEqual([page.alg, page.enc], [alg, enc]);
      const [{ key }] = await importKeys(alg, keys, new Set());
      const ways = ["A256KW", "ECDH-ES+A256KW"].includes(alg) ? [undefined, "nine words that nobody else would ever think of"] : [undefined];
      const lines = await Promise.all(ways.map((words) => seal(page, ORDER, shop, key, words)));
      const opened = orderseal(["decrypt", "--bundle", "shop.jwks"], lines.map((line) => `${line}\n`).join(""));
      assert.equal(opened, lines.map(() => `${JSON.stringify(ORDER)}\n`).join(""));
    }
  });
}
