// Changes that the gateway pushes: 1. the first list, changes, bursts, 2. a resync, a connection that leaves, 3. a filter, 4. lost
// sockets: the token expired, the user deleted, the network gone, 5. platforms and gateways without sockets, 6. the end leaves
// nothing behind, 7. the README's sample.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { json, page, refuse, serve } from "./server.mjs";

const RESYNC = { frames: [{ resync: true, seq: 1 }] };
const LIMIT = { timeout: 15_000 };

/** A gateway with connections. `set` changes one, `push` says so on the newest socket. */
async function serveLive(t, { accept = () => RESYNC, statuses = { acct_1: "active", acct_2: "active" }, answer } = {}) {
  const records = new Map(Object.entries(statuses).map(([handle, status]) => [handle, { handle, id: handle, status, clientReferenceId: "u" }]));
  const respond = (req, res, seen) => {
    if (answer?.(req, res, seen)) return;
    const { pathname, searchParams } = new URL(req.url, "http://gateway");
    const [, , , handle] = pathname.split("/");
    const status = searchParams.get("status")?.toLowerCase();
    if (!handle) json(res, 200, page([...records.values()].filter((record) => !status || record.status === status)));
    else if (records.has(handle)) json(res, 200, records.get(handle));
    else refuse(res, 404, "CONNECTION_NOT_FOUND", "relink");
  };
  const server = await serve(t, respond, accept);
  let seq = 1;
  const set = (handle, status) => records.set(handle, { ...records.get(handle), handle, id: handle, status });
  const push = (handle, status) => {
    if (status !== undefined) set(handle, status);
    server.sockets.at(-1).send({ seq: (seq += 1), handle, status: status ?? null, updatedAt: "2026-11-28T07:52:24.000Z" });
  };
  const reads = () => server.seen.map(({ url }) => url.replace("/edge/connections", ""));
  return { ...server, records, set, push, reads };
}

/** Starts `live` and takes the first `count` results. */
async function start(t, server, { filter = {}, count = 2, options, ...more } = {}) {
  const results = server.client(more).link.connections.live(filter, options);
  t.after(() => results.return());
  const first = [];
  while (first.length < count) first.push(outcome(await results.next()));
  return { results, first };
}

/** Handle and status, or the code of an error. */
function outcome({ value, done }) {
  if (done) return "done";
  return value.error ? value.error.code : `${value.data.handle} ${value.data.status}`;
}
const next = async (results) => outcome(await results.next());

test("the list is read once the socket is open, and the socket carries the token", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { first } = await start(t, server, { token: "a.b-c_d.e" });
  assert.deepEqual(first, ["acct_1 active", "acct_2 active"]);
  assert.deepEqual(server.reads(), ["?limit=100"]);
  assert.deepEqual(server.attempts.map(({ url, protocols }) => [url, protocols]), [["/edge/live", ["ofauth-edge", "bearer.a.b-c_d.e"]]]);
});

test("a gateway with a path has its socket there too", LIMIT, async (t) => {
  const server = await serveLive(t, { answer: (req) => void (req.url = req.url.replace("/base", "")) });
  await start(t, server, { baseUrl: `${server.baseUrl}/base/` });
  assert.equal(server.attempts[0].url, "/base/edge/live");
});

test("a change costs one read of that connection; an unchanged one is not yielded", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { results } = await start(t, server);
  server.push("acct_1", "active");
  await sleep(200);
  server.push("acct_2", "expired");
  assert.equal(await next(results), "acct_2 expired");
  assert.deepEqual(server.reads().slice(1).sort(), ["/acct_1", "/acct_2"]);
});

test("a new connection is yielded", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { results } = await start(t, server);
  server.push("acct_3", "pending");
  assert.equal(await next(results), "acct_3 pending");
});

test("a burst costs one read for each connection, and the newest state is yielded once", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { results } = await start(t, server);
  for (let index = 0; index < 20; index += 1) {
    server.push("acct_1", index % 2 ? "active" : "awaiting_2fa");
    server.push("acct_2", index % 2 ? "active" : "pending");
  }
  server.push("acct_1", "expired");
  server.push("acct_2", "expired");
  assert.deepEqual([await next(results), await next(results)], ["acct_1 expired", "acct_2 expired"]);
  await sleep(300);
  assert.deepEqual(server.reads().slice(1), ["/acct_1", "/acct_2"]);
});

test("changes while a slow consumer works are not lost", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { results } = await start(t, server, { count: 1 });
  server.push("acct_1", "expired");
  server.push("acct_2", "expired");
  await sleep(300);
  const taken = [await next(results), await next(results), await next(results)];
  assert.equal(taken.filter((text) => text === "acct_1 expired").length, 1);
  assert.equal(taken.at(-1).split(" ")[1], "expired");
  assert.equal(taken.filter((text) => text === "acct_2 expired").length, 1);
});

test("a change while the list is being read is not lost", LIMIT, async (t) => {
  const server = await serveLive(t, {
    answer: (req, res, seen) => {
      if (seen.length > 1) return false;
      json(res, 200, page([{ handle: "acct_1", status: "active" }]));
      server.push("acct_1", "expired");
      return true;
    },
  });
  const { results, first } = await start(t, server, { count: 1 });
  assert.deepEqual([first[0], await next(results)], ["acct_1 active", "acct_1 expired"]);
});

test("a resync reads the list again and yields what differs", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { results } = await start(t, server);
  server.set("acct_2", "expired");
  server.sockets[0].send({ resync: true, seq: 50 });
  assert.equal(await next(results), "acct_2 expired");
  assert.deepEqual(server.reads(), ["?limit=100", "?limit=100"]);
});

test("a connection that has left the user is yielded as disconnected, once", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { results } = await start(t, server);
  server.records.delete("acct_1");
  server.push("acct_1");
  assert.equal(await next(results), "acct_1 disconnected");
  server.push("acct_1");
  await sleep(200);
  server.push("acct_1", "active");
  assert.equal(await next(results), "acct_1 active");
});

test("so is one that a resync no longer finds", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { results } = await start(t, server);
  server.records.delete("acct_2");
  server.sockets[0].send({ resync: true, seq: 50 });
  assert.equal(await next(results), "acct_2 disconnected");
});

test("a filter holds for changes too, and ignores the case of a status", LIMIT, async (t) => {
  const server = await serveLive(t, { statuses: { acct_1: "active", acct_2: "expired" } });
  const { results, first } = await start(t, server, { filter: { status: "Active" }, count: 1 });
  assert.deepEqual(first, ["acct_1 active"]);
  server.push("acct_3", "pending");
  server.push("acct_1", "expired");
  await sleep(200);
  server.push("acct_2", "active");
  assert.equal(await next(results), "acct_2 active");
  server.push("acct_1", "active");
  assert.equal(await next(results), "acct_1 active");
  server.records.delete("acct_1");
  server.push("acct_1");
  server.push("acct_2", "active");
  server.push("acct_3", "active");
  assert.equal(await next(results), "acct_3 active");
});

test("frames that nobody knows are passed over", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { results } = await start(t, server);
  for (const frame of ["", "null", "1", "[]", "{}", "nonsense", { seq: 2, later: true }]) server.sockets[0].send(frame);
  server.push("acct_1", "expired");
  assert.equal(await next(results), "acct_1 expired");
  assert.deepEqual(server.reads(), ["?limit=100", "/acct_1"]);
});

for (const body of ["null", "5", '"text"', "[]", "", "{"]) {
  test(`a connection whose record is ${body || "empty"} ends it with an error, and nothing is thrown`, LIMIT, async (t) => {
    const answer = (req, res, seen) => seen.length > 1 && res.writeHead(200, { "content-type": "application/json" }).end(body);
    const server = await serveLive(t, { answer });
    const { results } = await start(t, server, { filter: { status: "active" } });
    server.push("acct_1", "active");
    assert.deepEqual([await next(results), await next(results)], ["INVALID_ANSWER", "done"]);
  });
}

test("a read that fails is repeated", LIMIT, async (t) => {
  let failures = 0;
  const answer = (req, res, seen) => {
    if (!["2", "3"].includes(String(seen.length))) return false;
    failures += 1;
    refuse(res, 503, "STORAGE_UNAVAILABLE", "retry");
    return true;
  };
  const server = await serveLive(t, { answer });
  const { results } = await start(t, server, { options: { interval: 1_000 } });
  server.push("acct_1", "expired");
  assert.equal(await next(results), "acct_1 expired");
  assert.equal(failures, 2);
});

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

test("4401 gets a new token and connects again", LIMIT, async (t) => {
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

test("after a change of the user, the token's new user is asked for everything", LIMIT, async (t) => {
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

test("4403 ends it: the user was deleted", LIMIT, async (t) => {
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

test("a gateway that closes each socket at once is not stormed", LIMIT, async (t) => {
  t.mock.method(Math, "random", () => 0.05);
  const server = await serveLive(t);
  server.server.on("socket", (socket) => socket.close(1013));
  const { results } = await start(t, server);
  void results.next();
  await sleep(2_000);
  assert.ok(server.attempts.length >= 3 && server.attempts.length <= 7, `${server.attempts.length}`);
});

for (const status of [401, 404, 429, 500]) {
  test(`a refusal with ${status} lets the list be read at once and again, and a later socket is used`, LIMIT, async (t) => {
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

test("it counts as failed after 20 s, with the time for its token, and a later attempt is made", LIMIT, async (t) => {
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

test("a network that has died without a word is noticed by the missing pong", LIMIT, async (t) => {
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

test("the event online connects at once", LIMIT, async (t) => {
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

test("a gateway key opens no socket", LIMIT, async (t) => {
  const server = await serveLive(t);
  await start(t, server, { token: undefined, apiKey: "key" });
  assert.equal(server.attempts.length, 0);
});

test("a platform without WebSocket reads the list", LIMIT, async (t) => {
  const { WebSocket } = globalThis;
  delete globalThis.WebSocket;
  t.after(() => (globalThis.WebSocket = WebSocket));
  const server = await serveLive(t);
  const { results } = await start(t, server, { options: { interval: 1_000 } });
  server.set("acct_1", "expired");
  assert.equal(await next(results), "acct_1 expired");
});

test("a token that no subprotocol can carry reads the list", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { first } = await start(t, server, { token: "a/b=c" });
  assert.deepEqual([first.length, server.attempts.length], [2, 0]);
});

const ENDS = {
  "an abort": (controller) => controller.abort(),
  "return()": (controller, results) => results.return(),
};
for (const [name, end] of Object.entries(ENDS)) {
  test(`${name} closes the socket at once while a change is waited for, and leaves no timer`, LIMIT, async (t) => {
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

  test(`${name} before the socket is open leaves none, and stops a read that is under way`, LIMIT, async (t) => {
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

test("an iterator that was never asked opens nothing", LIMIT, async (t) => {
  const server = await serveLive(t);
  const results = server.client().link.connections.live();
  await results.return();
  assert.equal(await next(results), "done");
  assert.deepEqual([server.attempts.length, server.seen.length], [0, 0]);
});

test("a wrong signal is said to be", LIMIT, async (t) => {
  const server = await serveLive(t);
  const results = server.client().link.connections.live({}, { signal: 5 });
  assert.deepEqual([await next(results), await next(results)], ["INVALID_ARGUMENT", "done"]);
});

test("the sample of the package's README logs the changes", LIMIT, async (t) => {
  const readme = readFileSync(new URL("../../pkg-template/README.md", import.meta.url), "utf8");
  const [, code] = /^### Changes\n[^]*?```js\n([^]*?)```/m.exec(readme);
  const server = await serveLive(t);
  const lines = [];
  const log = (...words) => {
    lines.push(words.join(" "));
    if (lines.length === 2) server.push("acct_2", "expired");
    if (lines.length === 3) server.sockets[0].close(4403);
  };
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  await new AsyncFunction("client", "console", code)(server.client(), { log, error: log });
  assert.deepEqual(lines, ["acct_1 active", "acct_2 active", "acct_2 expired", "the user was deleted"]);
});

/** The timers that keep the process alive. Those of the platform's connection pool do not count. */
function countTimers() {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

