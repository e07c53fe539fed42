// Programs from a service: how one is asked for, whose signature counts, and what is taken out of its bundle.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign, webcrypto } from "node:crypto";
import { test } from "node:test";
import { SEALING, load } from "./program.mjs";

const FILES = ["texts.js", "live/texts.js", "trouble.js", ...SEALING, "post.js", "live/answers.js", "live/program.js", "live/deliver.js"];
const NAMES = ["Trouble", "askForProgram", "builtIn", "deliver", "sealBy", "unpacked", "verified", "verifyingKey"];
const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const jwk = publicKey.export({ format: "jwk" });
const b64 = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A token, as a service makes it but for what is given. */
function signed(payload, header = { alg: "EdDSA", typ: "orderseal-program", kid: "x" }, key = privateKey) {
  const text = `${b64(header)}.${b64(payload)}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString("base64url")}`;
}

const BUNDLE = {
  keys: [{ kty: "oct", alg: "A256KW", kid: "tokyo/00ff", k: Buffer.alloc(32, 7).toString("base64url") }],
  orderseal: {
    version: 1, role: "client", program: { run: "automatic", steps: ["generate", "seal", "wrap", "send"] },
    shops: { tokyo: { alg: "A256KW", enc: "A256GCM", scheme: { content: "hybrid", scope: "transaction", kind: "secret" } } },
  },
};
const PAGE = { shop: "tokyo", page: "hash-of-the-page", service: "https://service.example/base/", service_key: jwk };

/** The code, where each POST is answered by `answer`; `sent` notes them. */
function online(answer) {
  const sent = [];
  const fetch = async (url, options) => {
    sent.push({ url, ...options });
    return answer(options);
  };
  return { ...load(FILES, NAMES, { crypto: webcrypto, fetch }), sent };
}
const hash = (text) => createHash("sha256").update(text).digest("base64url");
const handsOut = (change = {}) => ({ body }) => new Response(signed({ request: hash(body), bundle: BUNDLE, tickets: ["the ticket"], ...change }));
const refuses = (status, code, headers) => () => new Response(JSON.stringify({ code }), { status, headers });
const offline = () => Promise.reject(new TypeError("Failed to fetch"));
const fails = (promise, text, facts = {}) => assert.rejects(promise, (error) => {
  const { text: found, values, refused } = error;
  assert.deepEqual({ text: found, ...(facts.values && { values }), ...(facts.refused !== undefined && { refused: refused ?? false }) }, { text, ...facts });
  return true;
});

test("a request is what docs/FORMATS.md says, and no two are alike", async () => {
  const { askForProgram, sent } = online(handsOut());
  for (const service of ["https://service.example/base/", "https://service.example/base"]) {
    const { suite, kid, parts, ticket } = await askForProgram({ ...PAGE, service });
    assert.deepEqual([suite.alg, suite.enc, suite.layers, kid, parts, ticket], ["A256KW", "A256GCM", 1, "tokyo/00ff", [BUNDLE.keys[0].k], "the ticket"]);
  }
  const [first, second] = sent.map(({ body }) => JSON.parse(body).orderseal);
  const { number, ...rest } = first;
  assert.deepEqual(rest, { version: 1, role: "request", for: "program", shop: "tokyo", page: "hash-of-the-page", orders: 1 });
  assert.equal(Buffer.from(number, "base64url").length, 16);
  assert.notEqual(second.number, number);
  for (const { url, method, headers, credentials, referrerPolicy, redirect, cache } of sent) {
    assert.deepEqual([url, method, headers], ["https://service.example/base/v1/programs", "POST", { "Content-Type": "application/json" }]);
    assert.deepEqual([credentials, referrerPolicy, redirect, cache], ["omit", "no-referrer", "error", "no-store"]);
  }
});

test("only a program that this key signed is verified", async () => {
  const { verified, verifyingKey } = online(offline);
  const key = await verifyingKey({ ...jwk, alg: "EdDSA", use: "sig" });
  const good = signed({ a: "茶" });
  assert.deepEqual(await verified(good, key), { a: "茶" });
  const [header, payload, signature] = good.split(".");
  const other = generateKeyPairSync("ed25519").privateKey;
  for (const token of [
    signed({ a: 1 }, { alg: "EdDSA", typ: "orderseal-ticket" }), signed({ a: 1 }, { alg: "EdDSA" }), signed({ a: 1 }, { alg: "none", typ: "orderseal-program" }),
    signed({ a: 1 }, { alg: "Ed25519", typ: "orderseal-program" }), signed({ a: 1 }, { alg: "EdDSA", typ: "orderseal-program", crit: ["b64"], b64: false }),
    signed({ a: 1 }, { alg: "EdDSA", typ: "orderseal-program" }, other),
    `${header}.${b64({ a: 2 })}.${signature}`, `${header}.${payload}.`, `${header}.${payload}`, `${good}.`, `${good}.x`, "", "..", "<html>", `${header}.${payload}.${"A".repeat(86)}`,
  ]) await assert.rejects(verified(token, key), token);
});

test("a browser without Ed25519 is told", async () => {
  const subtle = { importKey: () => Promise.reject(new DOMException("no", "NotSupportedError")) };
  const { verifyingKey } = load(FILES, NAMES, { crypto: { subtle } });
  await fails(verifyingKey(jwk), "no_ed25519");
});

test("whatever else comes in place of a program is refused", async () => {
  const host = "service.example";
  for (const [answer, text, values] of [
    [offline, "no_service", [host]],
    [refuses(409, "pool-empty"), "not_handed_out:pool-empty", [host, ["answer", "409 pool-empty"]]],
    [refuses(403, "origin"), "not_handed_out:origin", [host, ["answer", "403 origin"]]],
    [refuses(404, "unknown-shop"), "not_handed_out:unknown-shop", [host, ["answer", "404 unknown-shop"]]],
    [refuses(403, "shared-secret"), "not_handed_out:shared-secret", [host, ["answer", "403 shared-secret"]]],
    [refuses(429, "limit", { "Retry-After": "90" }), "too_many", [host, ["in_seconds", 90]]],
    [refuses(429, "limit"), "too_many", [host, ["later"]]],
    [refuses(429, "limit", { "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT" }), "too_many", [host, ["later"]]],
    [refuses(500, "<b>not a code</b>"), "not_handed_out", [host, ["answer", "500"]]],
    [refuses(201, ""), "not_handed_out", [host, ["answer", "201"]]],
    [() => new Response("null", { status: 502 }), "not_handed_out", [host, ["answer", "502"]]],
    [() => new Response("<html>"), "not_signed", []],
    [handsOut({ request: hash("another") }), "other_answer", []],
    [handsOut({ request: undefined }), "other_answer", []],
    [handsOut({ bundle: undefined }), "bad_program", []],
    [handsOut({ bundle: { ...BUNDLE, keys: [] } }), "bad_program", []],
    [handsOut({ tickets: undefined }), "bad_program", []],
  ]) await fails(online(answer).askForProgram(PAGE), text, { values });
});

test("a bundle is taken apart only if it is a client's, for this shop, and sealed with what pages have", async () => {
  const { unpacked, Trouble } = online(offline);
  const changed = (change) => {
    const copy = structuredClone(BUNDLE);
    change(copy, copy.orderseal, copy.orderseal.shops.tokyo);
    return copy;
  };
  const renamed = (to, kid) => changed((file, ours, own) => { ours.shops = { [to]: own }; file.keys[0].kid = kid; });
  for (const [name, kid] of [["tokyo", "tokyo/00ff"], ["tokyo@2", "tokyo@2/00ff"], ["tokyo@12", "tokyo@12"]]) {
    assert.equal(unpacked(renamed(name, kid), "tokyo").kid, kid);
  }
  const bad = [
    renamed("osaka", "osaka/00ff"), renamed("tokyo", "osaka/00ff"), renamed("tokyo@2", "tokyo/00ff"), renamed("tokyo", "tokyo2/00ff"), renamed("tokyo@x", "tokyo@x/00ff"),
    changed((_, ours, own) => { ours.shops.osaka = own; }), changed((_, ours) => { ours.role = "shop"; }), changed((_, ours) => { ours.version = 5; }),
    changed((_, ours) => { ours.program.steps.push("sign"); }), changed((_, ours) => { ours.signer = {}; }), changed((_, ours) => { delete ours.program; }),
    changed((file) => { delete file.keys; }), changed((file) => { delete file.keys[0].kid; }), changed((file) => { file.keys[0].kty = "AKP"; }),
  ];
  for (const bundle of bad) assert.throws(() => unpacked(bundle, "tokyo"), JSON.stringify(bundle));
  for (const [alg, enc, told] of [
    ["A192KW", "A256GCM", "A192KW + A256GCM"], ["ECDH-ES+A192KW", "A256GCM", "ECDH-ES+A192KW + A256GCM"], ["dir", "A192GCM", "A192GCM"],
    ["MH-KNAPSACK", "A256GCM", "MH-KNAPSACK + A256GCM"], ["DES-CBC-HS256KW", "A256GCM", "DES-CBC-HS256KW + A256GCM"], ["dir", "VERNAM-HS256", "VERNAM-HS256"], ["toString", "A256GCM", "toString + A256GCM"],
  ]) {
    const bundle = changed((file, ours, own) => Object.assign(own, { alg, enc }));
    assert.throws(() => unpacked(bundle, "tokyo"), (error) => error instanceof Trouble && error.text === "cannot_seal" && error.values[0] === told, alg);
  }
  const layered = changed((file, ours, own) => { ours.program.layers = 3; ours.program.run = "guided"; Object.assign(own, { not_before: "2026-01-01T00:00:00Z", expires: "2030-01-01T00:00:00Z" }); });
  const { suite, guided } = unpacked(layered, "tokyo");
  assert.deepEqual([suite.layers, guided, suite.not_before, suite.expires], [3, true, "2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"]);
});

test("keys that a browser does not import are told by their algorithms", async () => {
  const { sealBy } = online(offline);
  const short = { suite: { alg: "A256KW", enc: "A256GCM" }, kid: "tokyo/1", parts: ["AAAA"] };
  await fails(sealBy(short, { ordered: "now" }, "now"), "cannot_seal", { values: ["A256KW + A256GCM"] });
  const { askForProgram } = online(handsOut());
  const order = { name: "山田 花子", ordered: "2026-11-28T10:00:00.000Z" };
  const { line, ...sealed } = await sealBy(await askForProgram(PAGE), order, order.ordered);
  assert.deepEqual(sealed, { kid: "tokyo/00ff", ordered: order.ordered, ticket: "the ticket" });
  assert.equal(JSON.parse(Buffer.from(line.split(".")[0], "base64url")).kid, "tokyo/00ff");
});

test("a line goes with its ticket, and only 201 means that it is kept", async () => {
  const kept = online(() => new Response('{"kept":1,"known":0}', { status: 201 }));
  await kept.deliver("v1/orders", { line: "a.b.c.d.e", ticket: "the ticket" });
  await kept.deliver("v1/orders", { line: "a.b.c.d.e" });
  const [first, second] = kept.sent;
  assert.deepEqual([first.url, first.body, first.headers], ["v1/orders", "a.b.c.d.e\n", { "Content-Type": "text/plain", Authorization: "Bearer the ticket" }]);
  assert.deepEqual(second.headers, { "Content-Type": "text/plain" });
  for (const [answer, text, refused] of [
    [offline, "not_sent", false], [refuses(200, "x"), "not_sent", false], [refuses(503, "unavailable"), "not_sent", false], [refuses(500, ""), "not_sent", false],
    [refuses(408, "timeout"), "not_sent", false], [refuses(429, "limit", { "Retry-After": "5" }), "not_yet", false],
    [refuses(409, "id-used"), "refused:id-used", true], [refuses(403, "ticket-expired"), "refused:ticket-expired", true], [refuses(403, "origin"), "refused:origin", true],
    [refuses(401, "no-ticket"), "refused:no-ticket", true], [refuses(401, "bad-ticket"), "refused:bad-ticket", true], [refuses(403, "wrong-id"), "refused:wrong-id", true],
    [refuses(403, "wrong-shop"), "refused:wrong-shop", true], [refuses(400, "line-malformed"), "refused", true], [refuses(413, "too-large"), "refused", true], [refuses(404, ""), "refused", true],
  ]) await fails(online(answer).deliver("v1/orders", { line: "a", ticket: "t" }), text, { refused });
});
