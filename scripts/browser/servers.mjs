// The servers of service and shop, as `orderseal serve` runs them, and what the shop's server has kept.
import { spawn } from "node:child_process";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { makeKeys, orderseal, shop } from "./shop.mjs";

/** What stops each of the servers that run. */
const running = new Map();
process.on("exit", () => { for (const server of running.keys()) server.kill("SIGKILL"); });

/** A port that is free now. */
const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

export const ports = { service: await freePort(), shop: await freePort() };
export const SERVICE = `http://127.0.0.1:${ports.service}`;
export const SHOP = `http://127.0.0.1:${ports.shop}`;

/** Starts a server, and gives what stops it. */
async function serve(kind, ...options) {
  const server = spawn(process.env.ORDERSEAL, ["serve", kind, ...options, "--listen", `127.0.0.1:${ports[kind]}`], { stdio: ["ignore", "ignore", "pipe"] });
  let told = "", code = null;
  server.stderr.on("data", (chunk) => { told += chunk; });
  const ended = new Promise((resolve) => { server.on("exit", (status) => { code = status ?? "killed"; resolve(); }); });
  const stop = async () => {
    server.kill("SIGTERM");
    await ended;
    running.delete(server);
  };
  running.set(server, stop);
  for (const start = Date.now(); Date.now() - start < 20_000 && code === null;) {
    if (await fetch(`http://127.0.0.1:${ports[kind]}/healthz`).then(({ ok }) => ok, () => false)) return stop;
    await new Promise((next) => { setTimeout(next, 20); });
  }
  throw new Error(`serve ${kind} does not answer (${code}): ${told}`);
}

const toShop = ["--origin", SHOP];
export const serveService = (...options) =>
  serve("service", "--keys", "service.jwks", ...(options.includes("--origin") ? [] : toShop), ...options);
export const serveShop = (...options) => serve("shop", "--page", "page.json", "--inbox", "inbox", ...options);

export async function stopServers() {
  for (const stop of [...running.values()]) await stop();
}

/** Makes keys, an item page that names the service or has the key, and an empty inbox. */
export async function makeShop(keys, orders, ...options) {
  await stopServers();
  makeKeys(keys, orders);
  shop.memory = "orderseal:tokyo:live";
  rmSync("inbox", { recursive: true, force: true });
  rmSync("inbox.index", { recursive: true, force: true });
  const service = options.includes("--with-key") ? [] : ["--service", SERVICE];
  orderseal(["bundle", "page", "--keys", "service.jwks", ...service, "-o", "page.json", "--force", ...options]);
}

/** Changes what the item page says, by hand. */
export function editItemPage(change) {
  const page = JSON.parse(readFileSync("page.json"));
  change(page.orderseal);
  writeFileSync("page.json", JSON.stringify(page));
}


/** The sealed lines in the inbox, in their order. */
export const inbox = () => readdirSync("inbox").filter((name) => name.endsWith(".jwe")).sort().flatMap((name) =>
  readFileSync(`inbox/${name}`, "utf8").split("\n").filter(Boolean));
