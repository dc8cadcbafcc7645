// What is sent again, when, and how often: 1. idempotent methods after a network error, 2. any method after a 429.

import assert from "node:assert/strict";
import { test } from "node:test";

import { json, refuse, serve } from "./server.mjs";

const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];
const drop = (req) => req.socket.destroy();
const times = (count, first, then) => (req, res, seen) => (seen.length <= count ? first : then)(req, res);
const ok = (req, res) => json(res, 200, { ok: true });
const limited =
  (headers, body = {}) =>
  (req, res) =>
    json(res, 429, { type: "RATE_LIMIT_EXCEEDED", ...body }, headers);

test("an idempotent method is repeated after a network error, with pauses that grow", async (t) => {
  const repeat = async (method) => {
    const { client, seen } = await serve(t, times(2, drop, ok));
    const body = method === "PUT" ? "same" : undefined;
    assert.equal((await client().access("/v2/access/x", { method, body })).error, undefined, method);
    assert.deepEqual(
      seen.map(({ method, body }) => [method, body]),
      Array(3).fill([method, body ?? ""]),
    );
    assert.ok(seen[2].at - seen[0].at < 2_500);
  };
  await Promise.all(IDEMPOTENT.map(repeat));
});

test("a POST or PATCH is not repeated after a network error, because it may have arrived", async (t) => {
  for (const method of ["POST", "PATCH", "patch"]) {
    const { client, seen } = await serve(t, times(2, drop, ok));
    assert.equal((await client().access("/v2/access/x", { method, body: "x" })).error.type, "network_error");
    assert.deepEqual(
      seen.map(({ method }) => method),
      [method.toUpperCase()],
    );
  }
  const { client, seen } = await serve(t, times(2, drop, ok));
  const { init, connections } = client().link;
  for (const call of [
    () => init(),
    () => connections.invalidate("acct_1"),
    () => client().sessions.create({ clientReferenceId: "u" }),
  ]) {
    seen.length = 0;
    assert.equal((await call()).error.type, "network_error");
    assert.equal(seen.length, 1);
  }
});

test("a call whose answer breaks off is repeated", async (t) => {
  const half = (req, res) => res.writeHead(200, { "content-length": "100" }).write("{", () => req.socket.destroy());
  const { client, seen } = await serve(t, times(1, half, ok));
  assert.deepEqual((await client().account.whoami()).data, { ok: true });
  assert.equal(seen.length, 2);
});

test("a call has three tries, or as many as the options say, and then the error", async (t) => {
  for (const [retry, count] of [
    [undefined, 3],
    [false, 1],
    [{ tries: 1 }, 1],
    [{ tries: 2 }, 2],
    [{}, 3],
  ]) {
    const { client, seen } = await serve(t, drop);
    assert.equal((await client({ retry }).account.whoami()).error.type, "network_error");
    assert.equal(seen.length, count);
  }
});

test("no error answer but 429 is asked for again, because the gateway has done that", async (t) => {
  for (const status of [400, 401, 403, 404, 409, 500, 502, 503, 504]) {
    const { client, seen } = await serve(t, (req, res) => refuse(res, status, "X", "retry", { "retry-after": "0" }));
    assert.equal((await client().account.whoami()).error.status, status);
    assert.equal(seen.length, 1);
  }
});

test("after a 429 any method is repeated, and not before the time that the answer says", async (t) => {
  const wait = async (method) => {
    const { client, seen } = await serve(t, times(1, limited({ "retry-after": "1" }), ok));
    const { data } = await client().access("/v2/access/x", { method, body: method === "POST" ? "same" : undefined });
    assert.deepEqual([data, seen.length], [{ ok: true }, 2]);
    const waited = seen[1].at - seen[0].at;
    assert.ok(waited >= 995 && waited < 2_500, `${waited} ms`);
  };
  await Promise.all(["GET", "POST"].map(wait));
});

test("a 429 that asks for more than 30 s is returned at once, with the time to wait", async (t) => {
  const answers = [
    [{ "retry-after": "31" }, {}, 31],
    [{ "retry-after": "30.2" }, {}, 31],
    [{ "retry-after": new Date(Date.now() + 90_000).toUTCString() }, {}, 90],
    [{ "x-ratelimit-retry-after": "45" }, {}, 45],
    [{ "retry-after": "40", "x-ratelimit-retry-after": "45" }, { retryAfter: 50 }, 40],
    [{}, { retryAfter: 50 }, 50],
    [{}, { retryAfter: "51" }, 51],
    [{ "retry-after": "soon" }, {}, 60],
    [{ "retry-after": "-5" }, { retryAfter: {} }, 60],
    [{}, {}, 60],
  ];
  for (const [headers, body, retryAfter] of answers) {
    const { client, seen } = await serve(t, limited(headers, body));
    const { error } = await client().account.whoami();
    assert.deepEqual(
      [error.type, error.code, error.action, seen.length],
      ["too_many_requests", "RATE_LIMIT_EXCEEDED", "retry", 1],
    );
    assert.ok(error.retryAfter <= retryAfter && error.retryAfter >= retryAfter - 1, `${error.retryAfter}`);
  }
});

test("the longest wait can be set", async (t) => {
  const patient = await serve(t, times(1, limited({ "retry-after": "1" }), ok));
  assert.equal((await patient.client({ retry: { maxWait: 1 } }).account.whoami()).error, undefined);
  const hasty = await serve(t, times(1, limited({ "retry-after": "1" }), ok));
  assert.equal((await hasty.client({ retry: { maxWait: 0 } }).account.whoami()).error.retryAfter, 1);
});

test("a 429 that asks for more than the call's timeout is returned at once", async (t) => {
  const { client, seen } = await serve(t, limited({ "retry-after": "5" }));
  const { error } = await client().account.whoami({ timeout: 2_000 });
  assert.deepEqual([error.type, error.retryAfter, seen.length], ["too_many_requests", 5, 1]);
});

test("a call that always gets a 429 ends after three tries", async (t) => {
  const { client, seen } = await serve(t, limited({ "retry-after": "0" }));
  assert.equal((await client().account.whoami()).error.retryAfter, 0);
  assert.equal(seen.length, 3);
});

test("the error of a 503 has its Retry-After too", async (t) => {
  const { client } = await serve(t, (req, res) => refuse(res, 503, "STORAGE_UNAVAILABLE", "retry", { "retry-after": "2" }));
  assert.equal((await client().account.whoami()).error.retryAfter, 2);
});

test("a body that is a stream is sent once, and any other as often as needed", async (t) => {
  const stream = () => new Blob(["streamed"]).stream();
  const once = await serve(t, limited({ "retry-after": "0" }));
  const sent = await once.client().access("/v2/access/x", { method: "PUT", body: stream() });
  assert.deepEqual([sent.error.type, once.seen.length, once.seen[0].body], ["too_many_requests", 1, "streamed"]);
  async function* chunks() {
    yield Buffer.from("a");
    yield Buffer.from("b");
  }
  assert.equal((await once.client().access("/v2/access/x", { method: "PUT", body: chunks() })).error.status, 429);
  assert.deepEqual([once.seen.length, once.seen[1].body], [2, "ab"]);

  const form = new FormData();
  form.set("field", "value");
  for (const body of ["text", new TextEncoder().encode("text"), new Blob(["text"]), new URLSearchParams("text="), form]) {
    const { client, seen } = await serve(t, times(2, limited({ "retry-after": "0" }), ok));
    assert.equal((await client().access("/v2/access/x", { method: "POST", body })).error, undefined);
    assert.deepEqual(
      seen.map(({ body }) => /text|value/.test(body)),
      [true, true, true],
    );
  }
});
