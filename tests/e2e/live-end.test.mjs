// How a WebSocket ends, and how it does not: 1. with 4401 when its token expires, each at its own time, 2. with 4403 when its
// user was deleted, and nothing is sent after that, 3. nothing of the changes is left then, and the numbers go on, 4. a page that
// comes back while its user is being deleted is sent away at the end, 5. it stays while something of its user is left,
// 6. it goes on after a panic of the wasm.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { connectionEvent } from "../emulator/events.mjs";
import { eventually, introduce, startGateway, unixNow } from "./harness.mjs";
import { inHubWith } from "./hubs.mjs";
import { openNew, openSocket } from "./sockets.mjs";

const root = new URL("../../", import.meta.url);
const { status } = spawnSync(process.execPath, ["scripts/worker.mjs", "--test-hooks"], { cwd: root, stdio: "inherit" });
assert.equal(status, 0, "scripts/worker.mjs --test-hooks");
const gateway = await startGateway({ build: "target/worker-test-hooks" });
after(() => gateway.close());

test("a WebSocket ends with 4401 when its token expires, each at its own time", async () => {
  const user = "user_expires";
  const { socket: stays } = await openNew(gateway, { sub: user });
  const begun = Date.now();
  const ends = [3, 1.5, 2.25].map((seconds) => (begun + seconds * 1000) / 1000);
  const closed = ends.map(async (exp) => {
    const { socket } = await openNew(gateway, { sub: user, exp, iat: unixNow() - 60 });
    const { code } = await socket.closed;
    return { code, late: Date.now() - exp * 1000 };
  });
  for (const { code, late } of await Promise.all(closed)) {
    assert.equal(code, 4401);
    assert.ok(late >= -5 && late < 1_000, `${late} ms late`);
  }
  await introduce(gateway, "conn_expires", { user });
  assert.equal((await stays.next()).status, "active", "the others go on");
  await stays.close();
});

test("a WebSocket ends with 4403 when its user was deleted, hears of nothing else, and no change is left", async () => {
  const user = "user_deleted";
  const sockets = [];
  for (let count = 0; count < 3; count++) sockets.push((await openNew(gateway, { sub: user })).socket);
  const { socket: other } = await openNew(gateway, { sub: "user_not_deleted" });
  const handle = await introduce(gateway, "conn_deleted", { user });
  const { seq } = await sockets[0].next();
  const deleted = await gateway.call("DELETE", `/edge/users/${user}`);
  assert.equal(deleted.status, 200, deleted.text);
  for (const socket of sockets) {
    assert.deepEqual(await socket.closed, { code: 4403, reason: "the user was deleted" });
    const [, first, ...later] = socket.frames;
    assert.equal(first.seq, seq);
    // The deletion of the connection itself may come before the end.
    assert.deepEqual(later.map((frame) => [frame.handle, frame.status]), later.map(() => [handle, null]));
  }
  const changes = () => inHubWith(gateway.folder, handle, (hub) => hub.prepare("SELECT handle, status FROM changes").all());
  assert.ok(changes().every((change) => change.status === null), JSON.stringify(changes()));

  const { socket, seq: newest } = await openNew(gateway, { sub: user });
  assert.ok(newest > seq, "a number is not given twice");
  const known = await openSocket(gateway, { sub: user }, { since: seq });
  assert.deepEqual(await known.next(), { resync: true, seq: newest });
  await introduce(gateway, "conn_deleted_next", { user });
  assert.equal((await socket.next()).seq, newest + 1);
  assert.equal(other.frames.length, 1);
  await Promise.all([socket, known, other].map((one) => one.close()));
});

test("a page that comes back while its user is being deleted is sent away at the end", async () => {
  const user = "user_returns";
  const ids = Array.from({ length: 8 }, (_, index) => `conn_returns_${index}`);
  for (const id of ids) await introduce(gateway, id, { user });
  const { socket } = await openNew(gateway, { sub: user });
  gateway.emulator.fault({ kind: "slow", ms: 500, times: ids.length, match: { method: "DELETE" } });
  let isDone = false;
  const deleted = gateway.call("DELETE", `/edge/users/${user}`).finally(() => (isDone = true));
  // It has begun: the first connection has left.
  while ((await socket.next()).status !== null);
  const again = [];
  while (!isDone && again.length < 19) again.push(await openSocket(gateway, { sub: user }));
  assert.equal((await deleted).status, 200);
  const during = again.slice(0, -1); // the last one may have come after the end
  assert.ok(during.length > 0, "the deletion was too quick for this test");
  for (const page of during) assert.equal((await page.closed).code, 4403);
  await again.at(-1).close();
});

test("a WebSocket stays while something of its user could not be deleted, and ends after the deletion that succeeds", async () => {
  const user = "user_kept";
  const handle = await introduce(gateway, "conn_kept", { user });
  const { socket } = await openNew(gateway, { sub: user });
  gateway.emulator.fault({ kind: "status", code: 503, times: 1, match: { method: "DELETE" } });
  assert.equal((await gateway.call("DELETE", `/edge/users/${user}`)).status, 503);
  await gateway.deliver(connectionEvent("connection.updated", { id: "conn_kept", clientReferenceId: user, status: "expired" }));
  const frame = await socket.next();
  assert.deepEqual([frame.handle, frame.status], [handle, "expired"]);
  assert.equal((await gateway.call("DELETE", `/edge/users/${user}`)).status, 200);
  assert.equal((await socket.closed).code, 4403);
});

test("a WebSocket goes on after a panic of the wasm, hears of changes, and ends with its token", async () => {
  const user = "user_panics";
  const { socket } = await openNew(gateway, { sub: user, exp: unixNow() + 6 });
  await introduce(gateway, "conn_panics", { user });
  assert.equal((await socket.next()).status, "active");
  const panics = () => gateway.logs.filter((line) => line.includes("panicked at")).length;
  for (const status of ["expired", "active"]) {
    const before = panics();
    await gateway.send("GET", "/test-hooks/panic").catch(() => undefined);
    await eventually(() => panics() > before);
    socket.send("ping");
    assert.equal(await socket.next(), "pong");
    await sleep(20);
    await gateway.deliver(connectionEvent("connection.updated", { id: "conn_panics", clientReferenceId: user, status }));
    assert.equal((await socket.next()).status, status);
  }
  assert.equal((await socket.closed).code, 4401);
});
