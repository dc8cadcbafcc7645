// A page that was away: 1. `since` replays what it missed, in order, 2. it reads all anew without `since`, with one that is
// older than the last 200 changes, and with one that no change had, 3. it misses nothing when the runtime is killed, 4. nor
// when an older build, which writes no changes, had the hub meanwhile, 5. or made the hub. 6. The hub keeps about 200 changes.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { introduce, startGateway } from "./harness.mjs";
import { inHubWith } from "./hubs.mjs";
import { openNew, openSocket } from "./sockets.mjs";

const gateway = await startGateway();
after(() => gateway.close());
let time = Date.now();

test("since replays the missed changes in order, and the next ones follow", async () => {
  const user = "user_since";
  const { socket, seq } = await openNew(gateway, { sub: user });
  const handles = [];
  for (const id of ["conn_since_1", "conn_since_2"]) handles.push(await introduce(gateway, id, { user }));
  for (const status of ["expired", "active"]) await tell(gateway, "conn_since_1", user, status);
  const seen = [];
  while (seen.length < 4) seen.push(await socket.next());
  await socket.close();
  assert.deepEqual(seen.map((frame) => frame.seq), [1, 2, 3, 4].map((number) => seq + number));
  for (const [index, since] of [seq, ...seen.map((frame) => frame.seq)].entries()) {
    const again = await openSocket(gateway, { sub: user }, { since });
    await tell(gateway, "conn_since_2", user, index % 2 ? "active" : "expired");
    const missed = [];
    while (missed.length < seen.length - index) missed.push(await again.next());
    assert.deepEqual(missed, seen.slice(index), `since=${since}`);
    const next = await again.next();
    assert.deepEqual([next.seq, next.handle], [seen.at(-1).seq + 1, handles[1]]);
    seen.push(next);
    await again.close();
  }
});

test("without since, and with one that no change had, the page must read all again", async () => {
  const user = "user_anew";
  const first = await openNew(gateway, { sub: user });
  await introduce(gateway, "conn_anew", { user });
  const { seq } = await first.socket.next();
  for (const since of [undefined, seq + 1, 999_999_999_999_999]) {
    const socket = await openSocket(gateway, { sub: user }, { since });
    assert.deepEqual(await socket.next(), { resync: true, seq });
    await socket.close();
  }
  await first.socket.close();
});

test("since reaches 200 changes back and no further, and the hub keeps few more", async () => {
  const user = "user_busy";
  const { socket, seq } = await openNew(gateway, { sub: user });
  const handle = await introduce(gateway, "conn_busy", { user });
  await socket.next();
  const newest = () => socket.frames.at(-1).seq;
  for (let status = "active"; newest() < seq + 300; ) {
    status = status === "active" ? "expired" : "active";
    await tell(gateway, "conn_busy", user, status);
    await socket.next();
  }
  const back = async (count) => {
    const again = await openSocket(gateway, { sub: user }, { since: newest() - count });
    const frame = await again.next();
    await again.close();
    return frame;
  };
  assert.deepEqual(await back(200), socket.frames.at(-200));
  assert.deepEqual(await back(201), { resync: true, seq: newest() });
  await socket.close();
  const kept = inHubWith(gateway.folder, handle, (hub) => hub.prepare("SELECT count(*) AS n FROM changes").get().n);
  assert.ok(kept >= 200 && kept < 264, `${kept} rows`);
});

test("a page that comes back after the runtime was killed has missed nothing", async (t) => {
  const user = "user_killed";
  let own = await startGateway();
  t.after(() => own.close());
  const { socket, seq } = await openNew(own, { sub: user });
  const handle = await introduce(own, "conn_killed", { user });
  const heard = [await socket.next()];
  const page = socket.closed;
  for (let kills = 0; kills < 3; kills++) {
    await tell(own, "conn_killed", user, kills % 2 ? "active" : "expired");
    await own.kill(); // the page may or may not have heard of it
    own = await startGateway({ folder: own.folder });
    const again = await openSocket(own, { sub: user }, { since: heard.at(-1).seq });
    heard.push(await again.next());
  }
  await page;
  assert.deepEqual(heard.map((frame) => frame.seq), [1, 2, 3, 4].map((number) => seq + number));
  assert.deepEqual(heard.map((frame) => frame.status), ["active", "expired", "active", "expired"]);
  assert.ok(heard.every((frame) => frame.handle === handle));
});

test("a change that an older build wrote while it had the hub is not missed", async (t) => {
  const user = "user_rolled";
  let own = await startGateway();
  t.after(() => own.close());
  const openSince = (since) => openSocket(own, { sub: user }, { since });
  const handles = [];
  const first = await openNew(own, { sub: user });
  for (const id of ["conn_rolled_1", "conn_rolled_2"]) handles.push(await introduce(own, id, { user }));
  const { seq } = [await first.socket.next(), await first.socket.next()].at(-1);
  await first.socket.close();

  await own.close({ keep: true });
  const olderWrite = "UPDATE connections SET version = version + 1, told = ? WHERE handle = ?";
  inHubWith(own.folder, handles[0], (hub) => hub.prepare(olderWrite).run(Date.now(), handles[0]));
  own = await startGateway({ folder: own.folder });
  const anew = await openSince(seq);
  assert.deepEqual(await anew.next(), { resync: true, seq });
  await tell(own, "conn_rolled_2", user, "expired");
  const other = await anew.next();
  assert.deepEqual([other.seq, other.handle], [seq + 1, handles[1]]);
  const still = await openSince(seq);
  assert.deepEqual(await still.next(), { resync: true, seq: seq + 1 }, "the older build's change has no number");
  const known = await openSince(seq + 1);
  await tell(own, "conn_rolled_2", user, "active");
  assert.equal((await known.next()).seq, seq + 2, "who read all since then goes on");

  await own.close({ keep: true });
  inHubWith(own.folder, handles[0], (hub) => hub.exec("DROP TABLE changes"));
  own = await startGateway({ folder: own.folder });
  const created = await openNew(own, { sub: user });
  await tell(own, "conn_rolled_2", user, "expired");
  const { seq: number, status } = await created.socket.next();
  assert.deepEqual([number, status], [created.seq + 1, "expired"]);
  await own.close({ keep: true });
  own = await startGateway({ folder: own.folder });
  const after = await openSince(created.seq);
  assert.equal((await after.next()).seq, created.seq + 1);
});

async function tell(to, id, user, status) {
  time = Math.max(time + 20, Date.now());
  const timestamp = new Date(time).toISOString();
  const event = connectionEvent("connection.updated", { id, clientReferenceId: user, status, timestamp });
  const { outcome, text } = await to.deliver(event);
  assert.equal(outcome, "applied", text);
}
