// Changes that the gateway pushes: 1. the first list, changes and bursts, 2. a resync, and a connection that leaves the user, 3. a
// filter, 4. frames, records and reads that are wrong, 5. the README's sample.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { LIMIT, next, serveLive, start } from "./live-gateway.mjs";
import { json, page, refuse } from "./server.mjs";

test("the list is read once the socket is open, and the socket carries the token", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { first } = await start(t, server, { token: "a.b-c_d.e" });
  assert.deepEqual(first, ["acct_1 active", "acct_2 active"]);
  assert.deepEqual(server.reads(), ["?limit=100"]);
  assert.deepEqual(server.attempts.map(({ url, protocols }) => [url, protocols]), [["/edge/live", ["ofauth-edge", "bearer.a.b-c_d.e"]]]);
});

test("the socket has the path of the baseUrl", LIMIT, async (t) => {
  const server = await serveLive(t, { answer: (req) => void (req.url = req.url.replace("/base", "")) });
  await start(t, server, { baseUrl: `${server.baseUrl}/base/` });
  assert.equal(server.attempts[0].url, "/base/edge/live");
});

test("a change costs one read of its connection, and an unchanged connection is not yielded", LIMIT, async (t) => {
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

test("changes are not lost while a slow consumer works", LIMIT, async (t) => {
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

test("a change is not lost while the list is read", LIMIT, async (t) => {
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

test("a connection that a resync no longer finds is yielded as disconnected", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { results } = await start(t, server);
  server.records.delete("acct_2");
  server.sockets[0].send({ resync: true, seq: 50 });
  assert.equal(await next(results), "acct_2 disconnected");
});

test("a filter applies to changes too, and ignores the case of a status", LIMIT, async (t) => {
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

test("unknown frames are ignored", LIMIT, async (t) => {
  const server = await serveLive(t);
  const { results } = await start(t, server);
  for (const frame of ["", "null", "1", "[]", "{}", "nonsense", { seq: 2, later: true }]) server.sockets[0].send(frame);
  server.push("acct_1", "expired");
  assert.equal(await next(results), "acct_1 expired");
  assert.deepEqual(server.reads(), ["?limit=100", "/acct_1"]);
});

for (const body of ["null", "5", '"text"', "[]", "", "{"]) {
  test(`a connection whose record is ${body || "empty"} ends live with an error, and nothing is thrown`, LIMIT, async (t) => {
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
