// The form: what it refuses and how it says so, what it makes of what was typed, languages, and use
// without a mouse or with little room.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { address, fromFile, fromServer, makeKeys, makePage, opened, shop, timeless, toShop } from "./shop.mjs";
import { test } from "./test.mjs";
import { FREE, PERSON, field, fillIn, place, visit } from "./user.mjs";

makeKeys(["--embodiment", "2"]);
const SHOP = ["--items", "items.json", "--fields", "fields.json", ...toShop];
const problems = (page) => page.locator("#trouble li").allTextContents();

function withFields(fields) {
  writeFileSync("own-fields.json", JSON.stringify(fields));
  return ["--fields", "own-fields.json", ...toShop];
}

await test("bad input is explained beside the field and on top", async () => {
  makePage(...SHOP);
  const page = await visit(fromFile);
  await page.click("#order");
  assert.deepEqual(await problems(page), ["Please choose at least one item", ...["Name", "Address", "Card number", "E-mail"].map((label) => `${label}: Please fill this in`)]);
  assert.equal(await page.evaluate(() => document.activeElement.id), "trouble");
  for (const [name, value, words] of [
    ["card", "4111 1111 1111 1112", "12 to 19 digits"], ["telephone", "call me", "5 to 20 digits"],
    ["email", "nobody", "name@example.com"], ["note", "𠮷".repeat(41), "At most 40 characters"],
  ]) {
    await field(page, name).fill(value);
    await page.click("#order");
    assert.equal(await field(page, name).getAttribute("aria-invalid"), "true");
    const explanation = await field(page, name).getAttribute("aria-describedby");
    assert.match(await page.locator(`#${explanation}`).textContent(), new RegExp(words));
    await field(page, name).fill("");
  }
  for (const bad of ["-1", "1.5", "10000"]) {
    await page.fill("#quantity-0", bad);
    await page.click("#order");
    assert.match(await page.locator("#quantity-0-error").textContent(), /whole number/);
    assert.equal((await problems(page))[0], "Teapot, cast iron: Quantity: A whole number from 0 to 9999");
    assert.equal(await page.textContent("#chosen"), "Nothing chosen yet");
  }
  assert.equal(await page.locator("#typed").getAttribute("aria-describedby"), "typed-hint");
  await page.fill("#quantity-0", "0");
  await field(page, "name").fill(PERSON.name);
  await field(page, "address").fill(PERSON.address);
  await field(page, "card").fill(PERSON.card);
  await field(page, "email").fill("a@b.example");
  await page.click("#order");
  assert.deepEqual(await problems(page), ["Please choose at least one item"]);
  assert.equal(await page.getAttribute("#quantity-0", "aria-describedby"), "price-0 quantity-0-error");
  await page.click("summary");
  await page.fill("#typed", "too short");
  await page.click("summary");
  await page.click("#order");
  assert.deepEqual(await problems(page), ["Please choose at least one item", "My words: At least 12 characters"]);
  assert.equal(await page.getAttribute("#typed", "aria-describedby"), "typed-hint typed-error");
  assert(await page.isVisible("#typed"));
  await page.fill("#typed", " ");
  await page.click("#order");
  assert.deepEqual(await problems(page), ["Please choose at least one item"]);
  await page.click("#trouble a");
  assert.equal(await page.evaluate(() => document.activeElement.id), "quantity-0");
  assert.equal(shop.lines.length, 0);
  await page.context().close();
});

await test("what was typed in other writing arrives in plain ASCII, and as it was checked", async () => {
  makePage(...SHOP);
  const page = await visit(fromFile);
  await page.fill("#quantity-0", "2");
  await field(page, "name").fill(PERSON.name);
  await field(page, "address").fill(PERSON.address);
  await field(page, "card").fill("４１１１－１１１１‐1111－１１１１");
  await field(page, "telephone").fill("０３ー１２３４／5678");
  await field(page, "note").fill("𠮷".repeat(40));
  await field(page, "email").fill("ａ＠ｂ．example");
  await field(page, "wrapping").selectOption("gift");
  await page.check("#elsewhere");
  await field(page, "delivery_address.name").fill("Ελένη");
  await field(page, "delivery_address.address").fill("Οδός 1");
  await field(page, "delivery_address.telephone").fill("０３－１２３４－５６７８");
  await place(page);
  assert.deepEqual(timeless(opened(shop.lines[0])[0]), {
    name: PERSON.name, address: PERSON.address, card: "4111-1111-1111-1111", telephone: "03-1234/5678", note: "𠮷".repeat(40), email: "a@b.example", wrapping: "gift",
    items: [{ item: "T-01", name: "Teapot, cast iron", quantity: 2, price: 4150 }],
    delivery_address: { name: "Ελένη", address: "Οδός 1", telephone: "03-1234-5678" },
  });
  await page.context().close();
});

await test("numbers and dates arrive in one form", async () => {
  makePage(...withFields([{ name: "weight", type: "number", label: "Weight" }, { name: "day", type: "date", label: "Day", required: true }]));
  const page = await visit(fromFile);
  await fillIn(page);
  for (const long of ["12345678901234567890", "0.1234567890123456", "123456789012345.6e3"]) {
    await field(page, "weight").fill(long);
    await page.click("#order");
    assert.deepEqual(await problems(page), ["Weight: A number has at most 15 significant digits", "Day: Please choose"], long);
  }
  await field(page, "weight").fill("1e3");
  for (const year of ["0026", "22026"]) {
    await field(page, "day").fill(`${year}-03-14`);
    await page.click("#order");
    assert.deepEqual(await problems(page), ["Day: Please enter a date, with a year from 1900 to 9999"]);
  }
  await field(page, "day").fill("2026-03-14");
  await place(page);
  assert.deepEqual(timeless(opened(shop.lines[0])[0]), { ...PERSON, weight: "1000", day: "2026-03-14", items: FREE });
  await page.context().close();
});

await test("prices have all the decimals of their currency", async () => {
  for (const [currency, price, shown, total] of [["HUF", 12.5, /12\.50/, /37\.50/], ["IQD", 0.5, /0\.500/, /1\.500/], ["HUF", 1280, /1,280$/, /3,840$/], ["IQD", 1.005, /1\.005/, /3\.015/], ["JPY", 1280, /1,280$/, /3,840$/], ["EUR", 0.1, /0\.10$/, /0\.30$/], [undefined, 2.5, /^2\.5$/, /^7\.5$/]]) {
    writeFileSync("priced.json", JSON.stringify({ currency, items: [{ id: 1, name: "Tea", price }, { id: 2, name: "Cup", price }] }));
    makePage("--items", "priced.json", ...toShop);
    const page = await visit(fromFile);
    await fillIn(page);
    assert.match(await page.locator("#goods strong + div").first().textContent(), shown);
    assert.match(await page.locator("#total output").textContent(), total);
    await page.context().close();
  }
});

await test("items show their picture, price, specification and performance", async () => {
  makePage(...SHOP);
  for (const [locale, facts] of [["en-US", ["Specification: 0.8 l, cast iron, enamelled inside", "Performance: Keeps tea hot for an hour"]], ["ja-JP", ["仕様：0.8 l、鋳鉄、内側ホーロー引き", "性能：約 1 時間保温"]]]) {
    const page = await visit(fromFile, { locale });
    await page.locator("#form").waitFor();
    const item = (index) => page.locator(".item").nth(index);
    assert.deepEqual(await item(0).locator("dl > div").allTextContents(), facts);
    assert(await item(0).locator("img").isVisible() && await item(0).locator(".price").isVisible());
    assert.equal(await item(1).locator("dl > div").count(), 1, "only what is said of it");
    assert.equal(await item(2).locator("dl").count(), 0);
    await page.context().close();
  }
});

await test("a field may have any name", async () => {
  const names = ["reset", "remove", "hidden", "elements", "constructor", "submit", "id", "form", "line"];
  makePage(...withFields(names.map((name) => ({ name, label: name }))));
  const page = await visit(fromFile);
  await fillIn(page);
  for (const name of names) await field(page, name).fill(`its ${name}`);
  await place(page);
  const own = Object.fromEntries(names.map((name) => [name, `its ${name}`]));
  assert.deepEqual(timeless(opened(shop.lines[0])[0]), { ...PERSON, ...own, items: FREE });
  await page.context().close();
});

await test("rows for items without a list: more of them, and empty ones do not count", async () => {
  makePage(...toShop);
  const page = await visit(fromFile);
  await fillIn(page);
  await page.fill("#item-0", "");
  await page.click("#order");
  assert.deepEqual(await problems(page), ["Item 1: Please fill this in"]);
  await page.fill("#item-0", "tea");
  await page.press("#item-0", "Enter");
  assert.equal(await page.textContent("#status"), "", "an order is placed by its button");
  await page.getByText("Add another item").click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "item-1");
  await page.getByText("Add another item").click();
  await page.getByText("Add another item").click();
  await page.fill("#quantity-3", "");
  await page.fill("#item-2", "x".repeat(501));
  await page.fill("#quantity-2", "0");
  await page.click("#order");
  assert.deepEqual(await problems(page), ["Item 3: At most 500 characters", "Item 3: Quantity: A whole number from 1 to 9999"]);
  await page.fill("#item-2", "paper");
  await page.fill("#quantity-2", "1");
  await place(page);
  assert.deepEqual(opened(shop.lines[0])[0].items, [{ item: "tea", quantity: 3 }, { item: "paper", quantity: 1 }]);
  await page.context().close();
});

await test("a form that is come back to is empty", async () => {
  makePage(...toShop);
  const page = await visit(fromServer);
  await fillIn(page);
  await page.check("#elsewhere");
  await field(page, "delivery_address.name").fill("Ελένη");
  const isEmpty = async () => {
    await page.locator("#form").waitFor();
    assert.equal(await page.inputValue("#quantity-0"), "1");
    await page.waitForTimeout(200);
    for (const name of ["name", "card", "delivery_address.name"]) assert.equal(await field(page, name).inputValue(), "");
    assert.equal(await page.isChecked("#elsewhere"), false);
    assert.equal(await page.isVisible("#delivery"), false);
  };
  const fill = async () => {
    await fillIn(page);
    await page.check("#elsewhere");
  };
  await page.goto(`${address}/other`);
  await page.goBack();
  await isEmpty();
  await fill();
  await page.reload();
  await isEmpty();
  await fill();
  // Browsers may bring a page back as it was left; whether they do is theirs to decide.
  await Promise.all([page.waitForEvent("load"), page.evaluate(() => { dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })); })]);
  await isEmpty();
  await page.context().close();
});

await test("the language is the browser's, or the one asked for", async () => {
  makePage();
  const page = await visit(fromFile, { locale: "ja-JP" });
  assert.equal(await page.textContent("#order"), "注文を暗号化する");
  assert.equal(await page.getAttribute("html", "lang"), "ja");
  await page.click("#order");
  assert.equal((await problems(page))[1], "お名前：入力してください");
  makePage("--lang", "en");
  await page.reload();
  assert.equal(await page.textContent("#order"), "Encrypt the order");
  await page.context().close();
});

await test("everything can be reached, has a name, and works by keyboard", async () => {
  makePage(...SHOP);
  const page = await visit(fromFile);
  await page.locator("#order").waitFor();
  const unnamed = await page.evaluate(() => [...document.querySelectorAll("input, select, textarea")]
    .filter((control) => !control.getAttribute("aria-label") && !control.labels.length).map(({ id }) => id));
  assert.deepEqual(unnamed, []);
  const ids = await page.evaluate(() => [...document.querySelectorAll("[id]")].map(({ id }) => id));
  assert.equal(new Set(ids).size, ids.length);
  const required = await page.evaluate(() => [...document.querySelectorAll("[aria-required]")].map(({ id }) => id));
  assert.deepEqual(required, ["name", "address", "card", "delivery_address.name", "delivery_address.address", "email"].map((name) => `field-${name}`));
  assert.equal(await page.getAttribute("#quantity-0", "aria-describedby"), "price-0");
  await page.focus("#quantity-0");
  await page.keyboard.press("ArrowUp");
  await page.mouse.move(...await page.locator("#quantity-0").boundingBox().then(({ x, y }) => [x + 5, y + 5]));
  await page.evaluate(() => { globalThis.wheeled = new Promise((next) => { document.addEventListener("wheel", () => requestAnimationFrame(() => requestAnimationFrame(next))); }); });
  await page.mouse.wheel(0, -100);
  await page.evaluate(() => globalThis.wheeled);
  assert.equal(await page.inputValue("#quantity-0"), "1", "a wheel changes no quantity");
  await page.focus("#order");
  await page.keyboard.press("Enter");
  await page.locator("#trouble").waitFor();
  await page.focus("#trouble a");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "field-name");
  const stops = [];
  for (let stop = 0; stop < 10; stop += 1) {
    stops.push(await page.evaluate(() => document.activeElement.id || document.activeElement.tagName));
    await page.keyboard.press("Tab");
  }
  assert.deepEqual(stops, [
    "field-name", "field-address", "field-telephone", "field-card", "elsewhere", "field-email", "field-wrapping", "field-note",
    "SUMMARY", "order",
  ]);
  await page.context().close();
});

await test("long words and narrow windows never scroll sideways", async () => {
  const long = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen".repeat(2);
  writeFileSync("long.json", JSON.stringify({ title: long, currency: "JPY", items: ["1", "2"].map((id) => ({ id, name: long, price: 987654321, specification: long, performance: long.repeat(3), picture: "data:image/gif;base64,R0lGODlhAQABAAAAACw=" })) }));
  makePage("--items", "long.json", ...withFields([{ name: "long", label: long }, { name: "choice", label: "Choice", type: "choice", choices: [long] }]), "--guided");
  const page = await visit(fromFile, { viewport: { width: 320, height: 800 } });
  const fits = async (where) => assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${where} scrolls sideways`);
  await fillIn(page);
  await page.check("#elsewhere");
  await page.fill("#quantity-0", "9999");
  const lines = await page.evaluate(() => [...document.querySelectorAll("#chosen span + span, #total output, .price")].map((element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return range.getClientRects().length;
  }));
  assert.deepEqual(lines, [1, 1, 1, 1, 1], "amounts stay on one line");
  assert(await page.locator(".item strong").first().evaluate((name) => name.parentElement.clientWidth > 100), "room for the names");
  await page.click("#order");
  await fits("the form with complaints");
  await page.uncheck("#elsewhere");
  await page.click("#order");
  await page.locator("#sealed").waitFor();
  await fits("the sealed order");
  await page.click("#download");
  await fits("the file's name");
  await page.click("#kept");
  await page.locator("#done").waitFor();
  await fits("the end");
  await page.context().close();
});
