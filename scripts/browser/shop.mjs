// The other side of a page: the service that makes it, and the shop that listens on localhost, opens what
// arrives, and notes whatever else is asked of it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const { ORDERSEAL } = process.env;

export const orderseal = (args, input) => execFileSync(ORDERSEAL, args, { input, stdio: ["pipe", "pipe", "pipe"] }).toString();
/** What jwcrypto opens of sealed lines, with a line feed after each text. */
export const jwcrypto = (alg, enc, lines) => {
  writeFileSync("jwcrypto.jwe", lines);
  const job = ["open", "shop.jwks", alg, enc, "compact", "jwcrypto.jwe", "jwcrypto.opened"];
  execFileSync("venv/bin/python", ["jwcrypto_jwe.py"], { input: `${job.join("\t")}\n` });
  const results = readFileSync("jwcrypto.opened", "utf8");
  assert.ok(results.split("\n").slice(0, -1).every((result) => result.startsWith("+")), results);
  return results.replaceAll(/^\+/gm, "");
};

/** `memory` is where the page that was made last keeps what it remembers. */
export const shop = { memory: "", lines: [], headers: [], strays: [], status: 200, hangs: false };
const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    response.setHeader("Access-Control-Allow-Origin", "*");
    if (request.url === "/order.html") {
      response.setHeader("Content-Type", "text/html");
      response.setHeader("Set-Cookie", "visit=1");
      response.end(readFileSync("order.html"));
    } else if (request.url === "/other") {
      response.setHeader("Content-Type", "text/html");
      response.end('<link rel="icon" href="data:,">Another page');
    } else if (request.method === "POST" && request.url === "/orders") {
      if (shop.hangs) return;
      if (shop.status === 200) {
        shop.lines.push(Buffer.concat(chunks).toString());
        shop.headers.push(request.headers);
      }
      response.statusCode = shop.status;
      if (shop.status === 307) response.setHeader("Location", "/elsewhere");
      response.end();
    } else {
      shop.strays.push(`${request.method} ${request.url}`);
      response.end();
    }
  });
});
await new Promise((done) => { server.listen(0, "127.0.0.1", done); });

export const address = `http://127.0.0.1:${server.address().port}`;
export const toShop = ["--send-to", `${address}/orders`];
export const fromFile = pathToFileURL(resolve("order.html")).href;
export const fromServer = `${address}/order.html`;

export function closeShop() {
  server.close();
  server.closeAllConnections();
}

export function makeKeys(options, orders = 8) {
  for (const name of ["service.jwks", "shop.jwks"]) rmSync(name, { force: true });
  orderseal(["keygen", ...options, "--rsa-bits", "2048", "--shop", "tokyo", "--orders", String(orders), "-o", "service.jwks"]);
  orderseal(["bundle", "shop", "--keys", "service.jwks", "-o", "shop.jwks"]);
}

/** Makes order.html and returns its keys as they stand in it. */
export function makePage(...options) {
  orderseal(["bundle", "client", "--keys", "service.jwks", "--form", "html", "--allow-shared-secret", "--force", "-o", "order.html", ...options]);
  const [, data] = /id="delivered">(.*?)<\/script>/s.exec(readFileSync("order.html", "utf8"));
  shop.lines = [];
  shop.headers = [];
  const { shop: name, id, keys } = JSON.parse(data);
  shop.memory = `orderseal:${name}:${id}`;
  return keys.map(([, key]) => key);
}

/** The orders in sealed lines. */
export const opened = (lines) => orderseal(["decrypt", "--bundle", "shop.jwks"], lines).trimEnd().split("\n").map((order) => JSON.parse(order));

/** An order without its time, which has to be one. */
export function timeless({ ordered, ...order }) {
  assert.match(ordered, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  return order;
}

export const header = (line) => JSON.parse(Buffer.from(line.split(".")[0], "base64url"));
