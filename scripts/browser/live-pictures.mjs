// Pictures of live pages, to be looked at.
import { SHOP, makeShop, serveService, serveShop, stopServers } from "./servers.mjs";
import { fillIn, visit } from "./user.mjs";

const { PICTURES } = process.env;

const press = async (page) => {
  await fillIn(page);
  await page.click("#order");
  await page.locator("#trouble").waitFor();
};

/** What the user does, and what the picture is called; a request may stay without an answer, or get one for the picture. */
const SCENES = [
  ["live-wide", { viewport: { width: 1200, height: 800 } }, fillIn],
  ["live-narrow-dark", { locale: "ja-JP", colorScheme: "dark", viewport: { width: 390, height: 800 } }, fillIn],
  ["live-offline", { viewport: { width: 1200, height: 800 } }, press, "**/v1/programs"],
  ["live-offline-narrow", { locale: "ja-JP", viewport: { width: 390, height: 800 } }, press, "**/v1/programs"],
  ["live-unsent-dark", { colorScheme: "dark", viewport: { width: 1200, height: 800 } }, press, "**/v1/orders"],
  ["live-refused", { viewport: { width: 1200, height: 800 } }, press, "**/v1/orders", { status: 409, body: '{"code":"id-used"}' }],
  ["live-refused-narrow", { locale: "ja-JP", viewport: { width: 390, height: 800 } }, press, "**/v1/orders", { status: 403, body: '{"code":"ticket-expired"}' }],
];

await makeShop(["--embodiment", "4"], 20, "--items", "items.json");
await serveService();
await serveShop();
for (const [name, look, action, asked, answer] of SCENES) {
  const page = await visit(SHOP, look);
  if (asked) await page.route(asked, (route) => (answer ? route.fulfill(answer) : route.abort()));
  await page.locator("#form").waitFor();
  await action(page);
  await page.waitForTimeout(300);
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
  await page.context().close();
}
await stopServers();
