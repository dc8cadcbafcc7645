// How long a WebSocket of `live` lasts: 1. lost ones are opened again, after pauses, 2. what is not answered or dies in silence,
// 3. gateways, platforms and tokens without WebSockets, 4. the end of `live` leaves nothing behind.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { LIMIT, next, RESYNC, serveLive, start } from "./live-gateway.mjs";

test("after a lost connection the client asks for what it has missed, and reads no list", LIMIT, async (t) => {
  const accept = (url) => (url.includes("since") ? {} : RESYNC);
  const server = await serveLive(t, { accept });
  const { results } = await start(t, server);
  server.push("acct_1", "expired");
  assert.equal(await next(results), "acct_1 expired");
  server.set("acct_2", "expired");
  server.sockets[0].drop();
  await server.opened(2);
  assert.equal(server.attempts[1].url, "/edge/live?since=2");
  server.push("acct_2", "expired");
  assert.equal(await next(results), "acct_2 expired");
  assert.deepEqual(server.reads(), ["?limit=100", "/acct_1", "/acct_2"]);
});

test("after a close with 4401 the client gets a new token and connects again", LIMIT, async (t) => {
  const server = await serveLive(t, { accept: (url) => (url.includes("since") ? {} : RESYNC) });
  let count = 0;
  const { results } = await start(t, server, { token: async () => `t${(count += 1)}` });
  server.sockets[0].close(4401);
  await server.opened(2);
  assert.deepEqual(server.attempts.map(({ protocols }) => protocols[1]), ["bearer.t1", "bearer.t2"]);
  server.push("acct_1", "expired");
  assert.equal(await next(results), "acct_1 expired");
  assert.deepEqual([count, server.seen.at(-1).headers.authorization], [2, "Bearer t2"]);
});

test("if a new token has another user, the client reads all of that user's connections", LIMIT, async (t) => {
  const tokenOf = (sub, iat) => `h.${Buffer.from(JSON.stringify({ sub, iat })).toString("base64url")}.s`;
  const tokens = [tokenOf("ü?>~1", 1), tokenOf("ü?>~1", 2), tokenOf("ü?>~2", 3)];
  assert.match(tokens[0], /[-_]/, "it has the letters that base64url has of its own");
  const server = await serveLive(t, { accept: (url) => (url.includes("since") ? {} : RESYNC) });
  const { results } = await start(t, server, { token: async () => tokens.shift() });
  server.sockets[0].close(4401);
  await server.opened(2);
  server.records.clear();
  server.set("acct_3", "active");
  server.sockets[1].close(4401);
  await server.opened(3);
  assert.deepEqual(server.attempts.map(({ url }) => url), ["/edge/live", "/edge/live?since=1", "/edge/live"]);
  const changes = [await next(results), await next(results), await next(results)];
  assert.deepEqual(changes.sort(), ["acct_1 disconnected", "acct_2 disconnected", "acct_3 active"]);
});

test("a close with 4403 ends live with an error, because the user was deleted", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { results } = await start(t, server);
  setTimeout(() => server.sockets[0].close(4403), 50);
  const { value } = await results.next();
  const { type, code, action, status } = value.error;
  assert.deepEqual([type, code, action, status], ["forbidden", "USER_DELETED", "give_up", 0]);
  assert.equal(await next(results), "done");
  await sleep(1_200);
  assert.equal(server.attempts.length, 1);
});

test("pauses between attempts double, with jitter, and are short again after a socket that held", LIMIT, async (t) => {
  t.mock.method(Math, "random", () => 0.05);
  const accept = (url, protocols, index) => (index < 4 ? 503 : RESYNC);
  const server = await serveLive(t, { accept });
  await start(t, server);
  const socket = await server.opened(1);
  const gaps = server.attempts.slice(1).map(({ at }, index) => at - server.attempts[index].at);
  for (const [index, gap] of gaps.entries()) assert.ok(gap >= 49 * 2 ** index && gap < 50 * 2 ** index + 150, `${gaps}`);
  assert.equal(gaps.length, 4);
  await sleep(5_100);
  const dropped = performance.now();
  socket.drop();
  await server.opened(2);
  assert.ok(server.attempts[5].at - dropped < 200);
});

test("a gateway that closes each socket at once is not asked without a pause", LIMIT, async (t) => {
  t.mock.method(Math, "random", () => 0.05);
  const server = await serveLive(t);
  server.server.on("socket", (socket) => socket.close(1013));
  const { results } = await start(t, server);
  void results.next();
  await sleep(2_000);
  assert.ok(server.attempts.length >= 3 && server.attempts.length <= 7, `${server.attempts.length}`);
});

for (const status of [401, 404, 429, 500]) {
  test(`after a refusal with ${status} the list is read at once and again, until a later socket opens`, LIMIT, async (t) => {
    t.mock.method(Math, "random", () => 0.3);
    const server = await serveLive(t, { accept: (url, protocols, index) => (index < 3 ? status : RESYNC) });
    const started = performance.now();
    const { results, first } = await start(t, server, { options: { interval: 1_000 } });
    assert.ok(performance.now() - started < 1_000);
    assert.deepEqual(first, ["acct_1 active", "acct_2 active"]);
    server.set("acct_1", "expired");
    assert.equal(await next(results), "acct_1 expired");
    void results.next();
    await server.opened(1);
    await sleep(300);
    const { length } = server.seen;
    await sleep(1_500);
    assert.equal(server.seen.length, length, "nothing is read while the socket is open");
  });
}

test("an upgrade that is never answered delays the first list by 2 s only", LIMIT, async (t) => {
  const server = await serveLive(t, { accept: () => "hang" });
  const started = performance.now();
  await start(t, server);
  const ms = performance.now() - started;
  assert.ok(ms > 1_900 && ms < 4_000, `${ms}`);
});

test("an upgrade fails after 20 s, which include the token function, and is tried again", LIMIT, async (t) => {
  const { setTimeout } = globalThis;
  t.mock.method(globalThis, "setTimeout", (run, ms, ...rest) => setTimeout(run, ms === 20_000 ? 100 : ms, ...rest));
  t.mock.method(Math, "random", () => 0.05);
  const server = await serveLive(t, { accept: (url, protocols, index) => (index < 2 ? "hang" : RESYNC) });
  let load;
  const loaded = new Promise((resolve) => (load = resolve));
  const started = performance.now();
  const { results } = await start(t, server, { token: () => loaded, count: 0 });
  const first = next(results);
  await sleep(300);
  assert.deepEqual([server.attempts.length, server.seen.length], [0, 0]);
  load("token");
  assert.equal(await first, "acct_1 active");
  assert.ok(performance.now() - started < 1_500, "the list does not wait for the socket after the first failure");
  await server.opened(1);
  assert.equal(server.attempts.length, 3);
});

test("a network that has died in silence is noticed by a missing pong", LIMIT, async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const server = await serveLive(t);
  const { results } = await start(t, server);
  void results.next();
  const [socket] = server.sockets;
  t.mock.timers.tick(30_000);
  await sleep(100);
  assert.deepEqual(socket.received, ["ping", "ping"], "one when it opened");
  socket.isAlive = false;
  t.mock.timers.tick(30_000);
  await sleep(100);
  assert.deepEqual([socket.received.length, server.attempts.length], [3, 1]);
  t.mock.timers.tick(30_000);
  await server.opened(2);
});

test("the platform's event `online` makes the client connect at once", LIMIT, async (t) => {
  t.mock.method(Math, "random", () => 1);
  const platform = new EventTarget();
  for (const name of ["addEventListener", "removeEventListener"]) {
    globalThis[name] = platform[name].bind(platform);
    t.after(() => delete globalThis[name]);
  }
  const server = await serveLive(t, { accept: (url, protocols, index) => (index === 0 ? 503 : RESYNC) });
  const { results } = await start(t, server);
  void results.next();
  const asked = performance.now();
  platform.dispatchEvent(new Event("online"));
  await server.opened(1);
  assert.ok(performance.now() - asked < 500);
  await results.return();
  platform.dispatchEvent(new Event("online"));
  await sleep(200);
  assert.equal(server.attempts.length, 2);
});

test("a client with a gateway key opens no socket", LIMIT, async (t) => {
  const server = await serveLive(t);
  await start(t, server, { token: undefined, apiKey: "key" });
  assert.equal(server.attempts.length, 0);
});

test("the list is read again and again on a platform without WebSocket", LIMIT, async (t) => {
  const { WebSocket } = globalThis;
  delete globalThis.WebSocket;
  t.after(() => (globalThis.WebSocket = WebSocket));
  const server = await serveLive(t);
  const { results } = await start(t, server, { options: { interval: 1_000 } });
  server.set("acct_1", "expired");
  assert.equal(await next(results), "acct_1 expired");
});

test("the list is read if no subprotocol can carry the token", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { first } = await start(t, server, { token: "a/b=c" });
  assert.deepEqual([first.length, server.attempts.length], [2, 0]);
});

const ENDS = {
  "an abort": (controller) => controller.abort(),
  "return()": (controller, results) => results.return(),
};
for (const [name, end] of Object.entries(ENDS)) {
  test(`${name} closes the socket at once while live waits for a change, and leaves no timer`, LIMIT, async (t) => {
    const server = await serveLive(t);
    const timers = countTimers();
    const controller = new AbortController();
    const { results } = await start(t, server, { options: { signal: controller.signal } });
    const waiting = next(results);
    await sleep(50);
    const ending = end(controller, results);
    assert.equal(await waiting, name === "an abort" ? "ABORTED" : "done");
    await ending;
    await server.sockets[0].closed;
    assert.equal(await next(results), "done");
    assert.equal(countTimers(), timers);
  });

  test(`${name} closes the socket at once while the consumer works`, LIMIT, async (t) => {
    const server = await serveLive(t);
    const controller = new AbortController();
    const { results } = await start(t, server, { count: 1, options: { signal: controller.signal } });
    void end(controller, results);
    await server.sockets[0].closed;
    assert.equal(await next(results), name === "an abort" ? "ABORTED" : "done");
    assert.equal(await next(results), "done");
  });

  test(`${name} before the socket opens leaves none, and stops a read that is under way`, LIMIT, async (t) => {
    const server = await serveLive(t, { accept: () => 404, answer: () => true });
    const timers = countTimers();
    const controller = new AbortController();
    const results = server.client().link.connections.live({}, { signal: controller.signal });
    const waiting = next(results);
    while (server.seen.length === 0) await sleep(20);
    const ended = performance.now();
    const ending = end(controller, results);
    assert.equal(await waiting, name === "an abort" ? "ABORTED" : "done");
    await ending;
    assert.ok(performance.now() - ended < 500);
    assert.equal(countTimers(), timers);
  });
}

test("an iterator that is never asked opens nothing", LIMIT, async (t) => {
  const server = await serveLive(t);
  const results = server.client().link.connections.live();
  await results.return();
  assert.equal(await next(results), "done");
  assert.deepEqual([server.attempts.length, server.seen.length], [0, 0]);
});

test("a signal that is none is a wrong argument", LIMIT, async (t) => {
  const server = await serveLive(t);
  const results = server.client().link.connections.live({}, { signal: 5 });
  assert.deepEqual([await next(results), await next(results)], ["INVALID_ARGUMENT", "done"]);
});

/** The timers that keep the process alive. Those of the platform's connection pool do not count. */
function countTimers() {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}
