// What frameworks have instead of headers: 1. their requests and contexts work, 2. what is no headers is a TypeError that says
// what to pass, never MISSING_HEADERS, 3. headers without a signature are MISSING_HEADERS. frameworks.test.mjs runs the frameworks.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AT, BODY, codeOf, ofauth, SECRET, signedOfauth, signedSvix } from "./signed.mjs";

const code = (headers) => codeOf(() => ofauth.verifySignature(BODY, headers, SECRET, AT));
const upper = (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));

/** The shapes of frameworks, made of the headers of a request. */
const shapes = {
  "a Map with names as they were sent": (headers) => new Map(Object.entries(upper(headers))),
  "Node's request": (headers) => ({ headers, method: "POST", socket: {} }),
  "Koa's context": (headers) => koa(headers),
  "Koa's request": (headers) => koa(headers).request,
  "Hono's context": (headers) => hono(headers),
  "Hono's request": (headers) => hono(headers).req,
  "Fastify's request": (headers) => new (class Request { raw = { headers }; get headers() { return headers; } })(),
  "an event of AWS Lambda": (headers) => ({ version: "2.0", headers, body: "", isBase64Encoded: false }),
  "an event of AWS Lambda with several values": (headers) => ({
    multiValueHeaders: Object.fromEntries(Object.entries(upper(headers)).map(([name, value]) => [name, [value]])),
  }),
};

function koa(headers) {
  const get = (name) => headers[name.toLowerCase()] ?? "";
  return { get, headers, request: { get, headers, method: "POST" }, req: { headers }, body: undefined };
}

function hono(headers) {
  const raw = new Request("http://localhost/", { headers });
  const variables = new Map();
  return { get: (key) => variables.get(key), header() {}, req: { raw, header: (name) => raw.headers.get(name) } };
}

for (const [name, make] of Object.entries(shapes)) {
  test(`${name} verifies under both schemes`, () => {
    assert.deepEqual([code(make(signedOfauth())), code(make(signedSvix()))], ["ok", "ok"]);
  });

  test(`${name} without a signature is MISSING_HEADERS`, () => {
    assert.equal(code(make({ host: "localhost" })), "MISSING_HEADERS");
  });
}

test("a Map with one name in two cases is MALFORMED_HEADER", () => {
  const headers = signedOfauth();
  assert.equal(code(new Map([...Object.entries(headers), ...Object.entries(upper(headers))])), "MALFORMED_HEADER");
});

test("an event of AWS Lambda without any headers is MISSING_HEADERS", () => {
  assert.equal(code({ headers: {}, multiValueHeaders: {} }), "MISSING_HEADERS");
});

const HEADERS = new Headers(signedOfauth());
for (const [name, value, hint] of [
  ["a promise of headers", Promise.resolve(HEADERS), /await headers\(\)/],
  ["an iterator", HEADERS.entries(), /Iterator/],
  ["a generator", (function* () { yield* HEADERS; })(), /Generator/],
  ["an iterator of one's own", { next: () => ({ done: true }) }, /next/],
  ["a Set", new Set(HEADERS), /Set/],
  ["a WeakMap", new WeakMap(), /WeakMap/],
  ["search parameters", new URLSearchParams(signedOfauth()).toString() && new URLSearchParams(), /URLSearchParams/],
  ["form data", new FormData(), /FormData/],
  ["a Date", new Date(), /Date/],
  ["bytes", new Uint8Array(2), /Uint8Array/],
  ["the parsed event", { type: "rules.updated", data: {} }, /"data"/],
  ["a function that returns headers", { headers: () => HEADERS }, /"headers"/],
]) {
  test(`${name} is a TypeError that says what to pass`, () => {
    assert.throws(() => code(value), { name: "TypeError", message: hint });
    assert.throws(() => code(value), { message: /headers must be the request's headers/ });
  });
}
