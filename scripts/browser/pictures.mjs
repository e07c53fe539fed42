// Pictures of the pages, to be looked at.
import { fromFile, makeKeys, makePage, toShop } from "./shop.mjs";
import { fillIn, visit } from "./user.mjs";

const { PICTURES } = process.env;

/** What the user does, and what the picture is called. */
const SCENES = [
  ["wide", ["--items", "items.json"], { viewport: { width: 1200, height: 800 } }, fillIn],
  ["dark", ["--items", "items.json"], { locale: "ja-JP", colorScheme: "dark", viewport: { width: 1200, height: 800 } }, fillIn],
  ["narrow", ["--items", "items.json", "--guided"], { locale: "ja-JP", viewport: { width: 390, height: 800 } }],
  ["narrow-dark", [], { colorScheme: "dark", viewport: { width: 390, height: 800 } }, async (page) => {
    await page.check("#elsewhere");
    await page.click("summary");
    await page.click("#order");
  }],
  ["small", ["--items", "items.json"], { viewport: { width: 320, height: 800 } }, fillIn],
  ["plain", [], { viewport: { width: 1200, height: 800 } }],
  ["trouble", ["--items", "items.json", "--fields", "fields.json"], { viewport: { width: 1200, height: 800 } }, (page) => page.click("#order")],
  ["guided", ["--items", "items.json", "--guided"], { viewport: { width: 1200, height: 800 } }, async (page) => {
    await fillIn(page);
    await page.click("#order");
    await page.click("#download");
  }],
  ["done", [], { locale: "ja-JP", viewport: { width: 1200, height: 800 } }, async (page) => {
    await fillIn(page);
    await page.click("#order");
    await page.locator("#done").waitFor();
  }],
];

makeKeys(["--embodiment", "4"], 60);
for (const [name, options, look, action] of SCENES) {
  makePage("--orders", "2", ...toShop, ...options);
  const page = await visit(fromFile, look);
  await page.locator("#form").waitFor();
  await action?.(page);
  await page.waitForTimeout(300);
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
  await page.context().close();
}
