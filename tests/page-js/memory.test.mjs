import assert from "node:assert/strict";
import { test } from "node:test";
import { makeDatabases } from "./database.mjs";
import { load } from "./program.mjs";

const NAME = "orderseal:tokyo:00";
const POOL = { shop: "tokyo", id: "00", orders: 3, reusable: false, erase: false };
const BUDGET = { ...POOL, orders: 1, reusable: true, budget: 2 };
const WRAPS = { ...POOL, orders: 1, reusable: true };
const GOOD = { spent: [], count: 0, erased: false, begun: [], unsent: [] };
const KEYS = ["a", "b", "c"].map((id) => ({ id, key: `secret key ${id}` }));
const order = (number) => ({ kid: `tokyo/${number}`, line: `line ${number}`, ordered: `time ${number}` });

/** A browser, and the memory in it of a page with those facts; `memory` makes it again, as a second tab does. */
function browser(facts, globals = {}) {
  const databases = makeDatabases();
  const { Spending } = load(["trouble.js", "memory.js", "spending.js"], ["Spending"], { indexedDB: databases.indexedDB, ...globals });
  const remembered = () => databases.stored.get(NAME)?.get(NAME);
  return { ...databases, remembered, memory: () => new Spending(facts) };
}

const fails = (promise, text, final) => assert.rejects(promise, { text, ...(final && { final }) });
const ids = async (memory, count) => {
  const taken = [];
  for (let number = 0; number < count; number += 1) taken.push((await memory.spend(KEYS, `time ${number}`, [])).id);
  return taken;
};

test("each key of a pool is taken once, also by pages that are opened again", async () => {
  const { memory, remembered } = browser(POOL);
  assert.deepEqual(await ids(memory(), 2), ["a", "b"]);
  assert.deepEqual(await ids(memory(), 1), ["c"]);
  await fails(memory().spend(KEYS, "later", []), "used_up", true);
  assert.deepEqual(remembered(), { ...GOOD, spent: ["a", "b", "c"], count: 3, begun: ["time 0", "time 1", "time 0"] });
});

test("an id is remembered before its key is given, in a strict transaction; the key never is", async () => {
  const { memory, remembered, stored, log } = browser(POOL);
  const spending = memory().spend(KEYS, "time", []);
  assert.equal(remembered(), undefined);
  assert.equal(await spending, KEYS[0]);
  assert.deepEqual(remembered().spent, ["a"]);
  assert.deepEqual(log.transactions, ["readwrite strict"]);
  assert(!JSON.stringify([...stored].map(([name, values]) => [name, ...values])).includes("secret"));
});

test("tabs that spend at the same moment take different keys", async () => {
  const { memory, log } = browser(POOL);
  const taken = await Promise.all(KEYS.map((_, tab) => memory().spend(KEYS, `time ${tab}`, [])));
  assert.deepEqual(new Set(taken.map(({ id }) => id)), new Set(["a", "b", "c"]));
  assert.equal(log.open, 0, "every database is closed");
});

test("a pool with fewer keys than orders ends with its keys", async () => {
  const { memory, remembered } = browser(POOL);
  await fails(memory().spend([], "time", []), "used_up", true);
  assert.equal(remembered(), undefined);
});

test("a key with a budget is used as often as that", async () => {
  const { memory, remembered } = browser(BUDGET);
  assert.deepEqual(await ids(memory(), 2), ["a", "a"]);
  await fails(memory().spend(KEYS, "later", []), "used_up", true);
  assert.deepEqual([remembered().spent, remembered().count], [[], 2]);
});

test("a page that erases takes one order", async () => {
  for (const facts of [POOL, BUDGET, WRAPS]) {
    const { memory } = browser({ ...facts, erase: true });
    assert.equal(memory().left(GOOD), 1);
    assert.deepEqual(await ids(memory(), 1), ["a"]);
    await fails(memory().spend(KEYS, "later", []), "gone", true);
    assert.equal(memory().left(await memory().recall()), 0);
  }
});

test("what is left is counted", () => {
  const left = (facts, state) => browser(facts).memory().left({ ...GOOD, ...state });
  assert.equal(left(POOL, { spent: ["a"], count: 1 }), 2);
  assert.equal(left(BUDGET, { count: 1 }), 1);
  assert.equal(left(WRAPS, { count: 1_000 }), Infinity);
  assert.equal(left({ ...POOL, erase: true }, {}), 1);
  assert.equal(left(POOL, { erased: true }), 0);
});

test("an order is begun, kept and forgotten", async () => {
  const { memory, remembered } = browser(POOL);
  for (const number of [1, 2]) {
    await memory().spend(KEYS, order(number).ordered, []);
    await memory().keep(order(number));
  }
  assert.deepEqual(remembered(), { ...GOOD, spent: ["a", "b"], count: 2, unsent: [order(1), order(2)] });
  const state = await memory().forget(order(1));
  assert.deepEqual(state.unsent, [order(2)]);
  assert.deepEqual(remembered(), state);
  assert.deepEqual(await memory().recall(), state);
});

test("an order that was interrupted stays begun until the user knows of it", async () => {
  const { memory } = browser(POOL);
  await memory().spend(KEYS, "interrupted", []);
  assert.deepEqual((await memory().recall()).begun, ["interrupted"]);
  await memory().spend(KEYS, "second", []);
  await memory().forget({ ordered: "second" });
  assert.deepEqual((await memory().recall()).begun, ["interrupted"]);
  await memory().spend(KEYS, "third", ["interrupted"]);
  assert.deepEqual((await memory().recall()).begun, ["third"]);
});

test("a memory that is damaged is never taken for another", async () => {
  const damaged = [null, 5, "text", [], {}, { ...GOOD, spent: "a" }, { ...GOOD, spent: new Uint8Array() }, { ...GOOD, spent: [1], count: 1 }, { ...GOOD, spent: ["a"] },
    { ...GOOD, count: -1 }, { ...GOOD, count: 0.5 }, { ...GOOD, count: "0" }, { ...GOOD, erased: 0 }, { ...GOOD, begun: [0] }, { ...GOOD, begun: null },
    { ...GOOD, unsent: [{}] }, { ...GOOD, unsent: [{ ...order(1), line: 1 }] }, { ...GOOD, unsent: [null] },
    ...Object.keys(GOOD).map((member) => ({ ...GOOD, [member]: undefined }))];
  for (const state of damaged) {
    const { memory, stored, remembered } = browser(POOL);
    stored.set(NAME, new Map([[NAME, state]]));
    await fails(memory().recall(), "memory_damaged");
    await fails(memory().spend(KEYS, "time", []), "memory_damaged");
    assert.deepEqual(remembered(), state, "it is left as it is");
  }
});

test("a memory without spent keys begins again if it is damaged: no key depends on it", async () => {
  for (const state of [null, 5, {}, { unsent: [{}] }]) {
    const { indexedDB, stored } = makeDatabases();
    const { Memory } = load(["memory.js"], ["Memory"], { indexedDB });
    const memory = new Memory("tokyo", "form");
    stored.set(memory.name, new Map([[memory.name, state]]));
    assert.deepEqual(await memory.recall(), { unsent: [] });
    stored.set(memory.name, new Map([[memory.name, state]]));
    await memory.keep(order(1));
    assert.deepEqual(stored.get(memory.name).get(memory.name), { unsent: [order(1)] });
  }
});

const short = { setTimeout: (run, time) => {
  assert.equal(time, 10_000);
  return setTimeout(run, 2);
} };
for (const [what, globals, text, faults] of [
  ["that has no room", {}, "memory_full", { isFull: () => true }],
  ["that refuses", {}, "no_memory", { refusesToOpen: true }],
  ["without a memory", { indexedDB: undefined }, "no_memory", {}],
  ["that does not open its memory", short, "no_memory", { opening: new Promise(() => {}) }],
  ["that does not answer", short, "no_memory", { running: new Promise(() => {}) }],
]) {
  test(`a browser ${what} takes orders only where nothing has to be remembered`, async () => {
    for (const [facts, needed] of [[POOL, true], [BUDGET, true], [{ ...WRAPS, erase: true }, true], [WRAPS, false]]) {
      const { memory, remembered, log, ...databases } = browser(facts, globals);
      Object.assign(databases.faults, faults);
      assert.equal(memory().needed, needed);
      if (needed) {
        await fails(memory().recall(), text);
        await fails(memory().spend(KEYS, "time", []), text);
      } else {
        assert.deepEqual(await memory().recall(), GOOD);
        assert.deepEqual(await memory().spend(KEYS, "time", []), KEYS[0]);
      }
      await fails(memory().keep(order(1)), text);
      await fails(memory().forget(order(1)), text);
      assert.equal(remembered(), undefined);
      assert.equal(log.open, 0);
    }
  });
}

for (const fault of ["opening", "running"]) {
  test(`a browser that answers too late, while ${fault}, takes no key`, async () => {
    const { memory, remembered, faults, log } = browser(POOL, short);
    let answer;
    faults[fault] = new Promise((resolve) => { answer = resolve; });
    await fails(memory().spend(KEYS, "time", []), "no_memory");
    answer();
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    assert.equal(remembered(), undefined);
    assert.equal(log.open, 0);
  });
}

test("a state that has no room leaves the one before", async () => {
  const { memory, remembered, faults } = browser(POOL);
  const { id } = await memory().spend(KEYS, "time 1", []);
  faults.isFull = ({ unsent }) => unsent.length > 0;
  await fails(memory().keep(order(1)), "memory_full");
  assert.deepEqual(remembered(), { ...GOOD, spent: [id], count: 1, begun: ["time 1"] });
});
