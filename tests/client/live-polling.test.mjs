// `live` with a gateway that has no WebSockets: 1. it yields all connections first, then those that have changed, 2. an abort ends it,
// 3. it goes on after errors that pass, and ends with any other.

import assert from "node:assert/strict";
import { test } from "node:test";

import { json, page, refuse, serve, verdict } from "./server.mjs";

const INTERVAL = 1_000;
const of = (handle, status) => ({ handle, id: handle, status });

/** Takes `count` results, or all that come before it ends. */
async function take(iterator, count) {
  const results = [];
  while (results.length < count) {
    const { done, value } = await iterator.next();
    if (done) break;
    results.push(value);
  }
  return results;
}

test("live yields all connections first, and then only those that have changed", { timeout: 10_000 }, async (t) => {
  const looks = [
    [of("acct_1", "active"), of("acct_2", "active")],
    [of("acct_1", "active"), of("acct_2", "active")],
    [of("acct_1", "active"), of("acct_2", "expired")],
  ];
  const { client, seen } = await serve(t, (req, res, seen) => json(res, 200, page(looks[Math.min(seen.length, 3) - 1])));
  const iterator = client().link.connections.live({ status: "any" }, { interval: INTERVAL });
  const results = await take(iterator, 3);
  await iterator.return();
  assert.deepEqual(results.map(({ data }) => [data.handle, data.status]), [
    ["acct_1", "active"],
    ["acct_2", "active"],
    ["acct_2", "expired"],
  ]);
  assert.equal(seen.length, 3);
  assert.ok(seen.every(({ url }) => url.includes("status=any")));
});

test("an abort ends live, in a pause too", { timeout: 10_000 }, async (t) => {
  const { client } = await serve(t, (req, res) => json(res, 200, page([of("acct_1", "active")])));
  const controller = new AbortController();
  const iterator = client().link.connections.live({}, { signal: controller.signal });
  assert.equal((await iterator.next()).value.data.handle, "acct_1");
  setTimeout(() => controller.abort(), 50);
  const rest = await take(iterator, 9);
  assert.deepEqual(rest.map(({ error }) => error.type), ["aborted"]);
});

test("a read that fails for a passing reason is skipped, and any other error is the last result", { timeout: 10_000 }, async (t) => {
  const answers = [
    (res) => refuse(res, 503, "STORAGE_UNAVAILABLE", "retry"),
    (res) => json(res, 200, page([of("acct_1", "active")])),
    (res) => refuse(res, 403, "PERMISSION_DENIED", "give_up"),
  ];
  const { client, seen } = await serve(t, (req, res, seen) => answers[seen.length - 1](res));
  const results = await take(client({ retry: false }).link.connections.live({}, { interval: INTERVAL }), 9);
  assert.deepEqual([results.length, seen.length], [2, 3]);
  assert.equal(results[0].data.handle, "acct_1");
  assert.deepEqual(verdict(results[1]), [undefined, "forbidden", "PERMISSION_DENIED", 403, "give_up"]);
});

test("a token function that fails once, or an expired token, does not end live", { timeout: 10_000 }, async (t) => {
  const answers = [
    (res) => refuse(res, 401, "TOKEN_EXPIRED", "refresh_token"),
    (res) => refuse(res, 401, "TOKEN_EXPIRED", "refresh_token"),
    (res) => json(res, 200, page([of("acct_1", "active")])),
  ];
  const { client, seen } = await serve(t, (req, res, seen) => answers[seen.length - 1](res));
  let calls = 0;
  const token = async () => {
    calls += 1;
    if (calls === 1) throw new Error("offline");
    return `t${calls}`;
  };
  const iterator = client({ token }).link.connections.live({}, { interval: INTERVAL });
  const [{ data }] = await take(iterator, 1);
  await iterator.return();
  assert.deepEqual([data.handle, seen.length], ["acct_1", 3]);
});

test("live goes on after the platform was offline", { timeout: 10_000 }, async (t) => {
  const { client, seen } = await serve(t, (req, res) => json(res, 200, page([of("acct_1", seen.length > 1 ? "expired" : "active")])));
  let isOffline = false;
  const fetching = (url, init) => (isOffline ? Promise.reject(new TypeError("Failed to fetch")) : fetch(url, init));
  const iterator = client({ fetch: fetching }).link.connections.live({}, { interval: INTERVAL });
  assert.equal((await iterator.next()).value.data.status, "active");
  isOffline = true;
  setTimeout(() => (isOffline = false), 1_500);
  assert.equal((await iterator.next()).value.data.status, "expired");
  await iterator.return();
});

test("an interval that is longer than any timer does not become none", { timeout: 10_000 }, async (t) => {
  for (const interval of [2 ** 31, Number.MAX_VALUE, Infinity]) {
    const { client, seen } = await serve(t, (req, res) => json(res, 200, page([of("acct_1", "active")])));
    const controller = new AbortController();
    const iterator = client().link.connections.live({}, { interval, signal: controller.signal });
    await iterator.next();
    setTimeout(() => controller.abort(), 300);
    assert.equal((await iterator.next()).value.error.type, "aborted");
    assert.equal(seen.length, 1);
  }
});

test("a 429 that asks for more than the interval gets the longer pause", { timeout: 10_000 }, async (t) => {
  const { client, seen } = await serve(t, (req, res, seen) =>
    seen.length === 1 ? refuse(res, 429, "RATE_LIMITED", "retry", { "retry-after": "2" }) : json(res, 200, page([of("acct_1", "active")])),
  );
  const iterator = client({ retry: false }).link.connections.live({}, { interval: INTERVAL });
  await take(iterator, 1);
  await iterator.return();
  assert.ok(seen[1].at - seen[0].at >= 1_990, `${seen[1].at - seen[0].at}`);
});

test("an interval that is none is a wrong argument", async (t) => {
  const { client, seen } = await serve(t, (req, res) => json(res, 200, page([])));
  for (const interval of [0, 999, "1000", Number.NaN, null]) {
    const [{ error }, ...more] = await take(client().link.connections.live({}, { interval }), 2);
    assert.deepEqual([error.code, more.length, seen.length], ["INVALID_ARGUMENT", 0, 0]);
  }
});
