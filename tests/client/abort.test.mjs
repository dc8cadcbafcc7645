// An abort and a timeout end a call: before it is sent, while it waits, and between two tries.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { json, page, serve, verdict } from "./server.mjs";

const ABORTED = [undefined, "aborted", "ABORTED", 0, "give_up"];
const TIMEOUT = [undefined, "timeout", "TIMEOUT", 0, "retry"];
const ok = (req, res) => json(res, 200, page([]));
const never = () => {};
const half = (req, res) => res.writeHead(200, { "content-length": "100" }).write("{");
const drop = (req) => req.socket.destroy();
const limited = (req, res) => json(res, 429, {}, { "retry-after": "20" });

test("a call with an aborted signal sends nothing, and asks for no token", async (t) => {
  let calls = 0;
  const { client, seen } = await serve(t, ok);
  const one = client({ token: () => `t${(calls += 1)}` });
  const signal = AbortSignal.abort();
  const { connections, init } = one.link;
  const asked = [
    init({}, { signal }),
    connections.getAll({}, { signal }),
    connections.getById("acct_1", { signal }),
    connections.delete("acct_1", { signal }),
    connections.invalidate("acct_1", { signal }),
    connections.health("acct_1", { signal }),
    one.sessions.create({ clientReferenceId: "u" }, { signal }),
    one.account.whoami({ signal }),
    one.self.getMe({ signal }),
    one.subscribers.list({ signal }),
    one.access("/v2/access/self", { signal }),
  ];
  for (const result of await Promise.all(asked)) assert.deepEqual(verdict(result), ABORTED);
  assert.deepEqual([calls, seen.length], [0, 0]);
});

test("an abort ends a call that waits for an answer, for the rest of it, or for another try", async (t) => {
  for (const answer of [never, half, limited]) {
    const controller = new AbortController();
    const { client, seen } = await serve(t, (req, res) => {
      answer(req, res);
      setTimeout(() => controller.abort(new Error("enough")), 30);
    });
    const started = performance.now();
    assert.deepEqual(verdict(await client().account.whoami({ signal: controller.signal })), ABORTED);
    assert.ok(performance.now() - started < 2_000);
    assert.equal(seen.length, 1);
  }
});

test("a timeout of the call or of its signal ends a call that waits", async (t) => {
  for (const answer of [never, half]) {
    for (const limited of [() => ({ timeout: 300 }), () => ({ signal: AbortSignal.timeout(300) })]) {
      const { client, seen } = await serve(t, answer);
      const started = performance.now();
      assert.deepEqual(verdict(await client().account.whoami(limited())), TIMEOUT);
      assert.ok(performance.now() - started < 2_000);
      assert.equal(seen.length, 1, "a call that took too long is not repeated");
    }
  }
});

test("the timeout of a call is for all of its tries together", async (t) => {
  const { client } = await serve(t, drop);
  const started = performance.now();
  const { error } = await client({ retry: { tries: 10 } }).account.whoami({ timeout: 300 });
  assert.ok(["network_error", "timeout"].includes(error.type));
  assert.ok(performance.now() - started < 1_500);
});

test("an abort between two tries ends the call", async (t) => {
  const controller = new AbortController();
  const { client, seen } = await serve(t, (req) => {
    req.socket.destroy();
    setTimeout(() => controller.abort(), 5);
  });
  let aborted = 0;
  for (let round = 0; round < 5 && !aborted; round += 1) {
    const { error } = await client({ retry: { tries: 10 } }).account.whoami({ signal: controller.signal });
    aborted += Number(error.type === "aborted");
  }
  assert.equal(aborted, 1);
  assert.ok(seen.length < 10);
});

test("an abort after the answer changes nothing, and nothing is left listening", async (t) => {
  const { client } = await serve(t, ok);
  const controller = new AbortController();
  for (let call = 0; call < 3; call += 1) {
    assert.deepEqual(await client().link.connections.getAll({}, { signal: controller.signal }), {
      data: page([]),
      error: undefined,
    });
  }
  assert.deepEqual(getEventListeners(controller.signal, "abort"), []);
  controller.abort();
  await sleep(10);
});

test("a call ends even if its fetch ignores the signal", async (t) => {
  const { client } = await serve(t, ok);
  const deaf = () => new Promise((resolve, reject) => setTimeout(reject, 200, new Error("late")));
  assert.deepEqual(verdict(await client({ fetch: deaf }).account.whoami({ timeout: 50 })), TIMEOUT);
  await sleep(200); // its late rejection is handled: else this test would fail
});

test("an abort during the token function sends nothing", async (t) => {
  const { client } = await serve(t, ok);
  const controller = new AbortController();
  let sent = 0;
  const token = () => {
    controller.abort();
    return "token";
  };
  const deaf = () => new Promise(() => (sent += 1));
  assert.deepEqual(verdict(await client({ token, fetch: deaf }).account.whoami({ signal: controller.signal })), ABORTED);
  assert.equal(sent, 0);
});

test("a call that has ended keeps no process alive", async (t) => {
  const { client } = await serve(t, limited);
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 60);
  const one = client();
  await Promise.all([one.account.whoami({ signal: controller.signal }), one.account.whoami({ timeout: 10_000 })]);
  await sleep(1);
  assert.equal(timers(), before);
});

test("a call may have no time limit", async (t) => {
  const { client } = await serve(t, (req, res) => setTimeout(ok, 50, req, res));
  for (const timeout of [Infinity, 2 ** 31, undefined]) {
    assert.equal((await client().account.whoami({ timeout })).error, undefined);
  }
});

test("an abort of one call does not end others that wait for the same token", async (t) => {
  const { client } = await serve(t, ok);
  let calls = 0;
  const one = client({ token: () => sleep(80, `t${(calls += 1)}`) });
  const controller = new AbortController();
  const aborted = one.account.whoami({ signal: controller.signal });
  const other = one.account.whoami();
  setTimeout(() => controller.abort(), 20);
  assert.equal((await aborted).error.type, "aborted");
  assert.deepEqual([(await other).error, calls], [undefined, 1]);
});
