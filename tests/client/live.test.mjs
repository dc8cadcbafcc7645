// Connections as they change: 1. all of them first, then those that changed, 2. an abort ends it, 3. a look that fails is
// passed over, an error that will not pass is the last.

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

test("all come first, then only those that have changed", { timeout: 10_000 }, async (t) => {
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

test("an abort ends it, in a pause too", { timeout: 10_000 }, async (t) => {
  const { client } = await serve(t, (req, res) => json(res, 200, page([of("acct_1", "active")])));
  const controller = new AbortController();
  const iterator = client().link.connections.live({}, { signal: controller.signal });
  assert.equal((await iterator.next()).value.data.handle, "acct_1");
  setTimeout(() => controller.abort(), 50);
  const rest = await take(iterator, 9);
  assert.deepEqual(rest.map(({ error }) => error.type), ["aborted"]);
});

test("a look that fails is passed over; an error that will not pass is the last", { timeout: 10_000 }, async (t) => {
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

test("an interval that is none is said to be", async (t) => {
  const { client, seen } = await serve(t, (req, res) => json(res, 200, page([])));
  for (const interval of [0, 999, "1000", Number.NaN, null]) {
    const [{ error }, ...more] = await take(client().link.connections.live({}, { interval }), 2);
    assert.deepEqual([error.code, more.length, seen.length], ["INVALID_ARGUMENT", 0, 0]);
  }
});
