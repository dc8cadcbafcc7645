// GET /edge/live: 1. a page hears of each change of its user's connections, with the status and the time that the record
// has, 2. nobody hears of another user's, 3. a token for one connection hears of that one only, 4. a connection that moves to
// another user leaves with a null status, and the old user hears no more of it, 5. what the hub has already is not told again,
// 6. between the first frame and the next nothing is missed, 7. `ping` is answered, and any other message ends it, 8. a user
// has at most twenty, 9. a change costs the hub no commit more.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { commitsBetween, readCommits } from "../../bench/worker/commits.mjs";
import { connectionEvent } from "../emulator/events.mjs";
import { eventually, introduce, refusal, sessionOf, startGateway, tokenOf } from "./harness.mjs";
import { offer, openNew, openSocket, upgrade } from "./sockets.mjs";

const gateway = await startGateway({ faults: true });
const opened = [];
after(() => gateway.close());
afterEach(async () => {
  await gateway.fail({});
  await Promise.all(opened.splice(0).map((socket) => socket.close()));
});

test("a page hears of each change, with the status and the time of the record", async () => {
  const user = "user_hears";
  const { socket, seq } = await open({ sub: user });
  const handle = await introduce(gateway, "conn_hears", { user });
  const seen = [];
  for (const status of ["active", "expired", "active", "disconnected"]) {
    if (seen.length > 0) await tell("conn_hears", user, status, seen.length);
    const { updatedAt } = (await sessionOf(gateway, { sub: user })("GET", `/edge/connections/${handle}`)).json();
    seen.push(await socket.next());
    assert.deepEqual(seen.at(-1), { seq: seq + seen.length, handle, status, updatedAt });
  }
  assert.deepEqual(socket.frames.slice(1), seen, "and of nothing else");
});

test("nobody hears of another user's connections", async () => {
  const [ada, bob] = [await open({ sub: "user_ada" }), await open({ sub: "user_bob" })];
  await introduce(gateway, "conn_ada", { user: "user_ada" });
  await introduce(gateway, "conn_bob", { user: "user_bob" });
  await introduce(gateway, "conn_third", { user: "user_third" });
  const frames = [await ada.socket.next(), await bob.socket.next()];
  assert.notEqual(frames[0].handle, frames[1].handle);
  await sleep(200);
  assert.deepEqual([ada.socket.frames.length, bob.socket.frames.length], [2, 2]);
});

test("a page with a token for one connection hears of that one only, also of the past", async () => {
  const user = "user_one";
  const [one, two] = [await introduce(gateway, "conn_one", { user }), await introduce(gateway, "conn_two", { user })];
  const all = await open({ sub: user });
  const { socket } = await open({ sub: user, connection: one });
  const foreign = await open({ sub: "user_two", connection: one });
  await tell("conn_two", user, "expired", 1);
  await tell("conn_one", user, "expired", 1);
  const [ofTwo, ofOne] = [await all.socket.next(), await all.socket.next()];
  assert.deepEqual([ofTwo.handle, ofOne.handle], [two, one]);
  assert.deepEqual(await socket.next(), ofOne);
  const replayed = await openSocket(gateway, { sub: user, connection: one }, { since: all.seq });
  opened.push(replayed);
  assert.deepEqual(await replayed.next(), ofOne);
  await tell("conn_one", user, "active", 2);
  assert.equal((await replayed.next()).status, "active", "and then what is new");
  assert.deepEqual(socket.frames.filter(({ handle }) => handle === two), []);
  assert.equal(foreign.socket.frames.length, 1, "a handle opens nothing of another user");
});

test("a connection that moves to another user leaves with a null status, and the old user hears no more of it", async () => {
  const [from, to] = [await open({ sub: "user_from" }), await open({ sub: "user_to" })];
  const handle = await introduce(gateway, "conn_moves", { user: "user_from" });
  const before = Date.now();
  await tell("conn_moves", "user_to", "active", 1);
  assert.equal((await from.socket.next()).status, "active");
  const { updatedAt, ...left } = await from.socket.next();
  assert.deepEqual(left, { seq: from.seq + 2, handle, status: null });
  assert.ok(Date.parse(updatedAt) >= before && Date.parse(updatedAt) <= Date.now(), updatedAt);
  assert.deepEqual([(await to.socket.next()).handle, to.socket.frames[1].status], [handle, "active"]);
  await tell("conn_moves", "user_to", "expired", 2);
  await tell("conn_moves", "user_third", "expired", 3);
  assert.deepEqual([(await to.socket.next()).status, (await to.socket.next()).status], ["expired", null]);
  await tell("conn_moves", "user_from", "active", 4);
  assert.deepEqual([(await from.socket.next()).status, from.socket.frames.length], ["active", 4], "until it comes back");
});

test("a page hears nothing of copies, older webhooks, and messages that are sent twice or late", async () => {
  const user = "user_twice";
  const { socket } = await open({ sub: user });
  const event = connectionEvent("connection.created", { id: "conn_twice", clientReferenceId: user, timestamp: at(5) });
  await gateway.deliver(event);
  assert.equal((await gateway.deliver(event)).outcome, "duplicate");
  await tell("conn_twice", user, "expired", 1);
  assert.equal((await socket.next()).status, "active");

  await gateway.fail({ hub: "lost" }); // the hub takes it, the ledger hears nothing and sends it again
  await tell("conn_twice", user, "expired", 6);
  await sleep(2_500);
  await gateway.fail({ hub: "late" });
  await tell("conn_twice", user, "active", 7);
  await gateway.fail({});
  await tell("conn_twice", user, "pending", 8);
  await sleep(2_500); // the late one has come
  assert.deepEqual(socket.frames.slice(1).map(({ status }) => status), ["active", "expired", "pending"]);
});

test("no change is missed between the first frame and the next", async () => {
  const user = "user_pours";
  const ids = Array.from({ length: 4 }, (_, index) => `conn_pours_${index}`);
  let done = false;
  const pouring = Promise.all(ids.map(async (id) => {
    for (let second = 0; second < 12; second++) await tell(id, user, ["active", "expired"][second % 2], second);
  })).finally(() => (done = true));
  const all = [];
  while (!done) {
    const socket = await openSocket(gateway, { sub: user }, all.length % 2 ? { since: all.at(-1).frames[0]?.seq ?? 0 } : {});
    opened.push(socket);
    if (all.push(socket) > 15) break;
    await sleep(30);
  }
  await pouring;
  const { seq } = await (await openSocket(gateway, { sub: user })).next();
  await eventually(() => all.every(({ frames }) => frames.at(-1)?.seq === seq));
  for (const { frames } of all) {
    const first = frames[0].seq;
    assert.deepEqual(frames.map((frame) => frame.seq), frames.map((_, index) => first + index));
  }
});

test("ping is answered, and any other message ends the WebSocket", async () => {
  const { socket } = await open({ sub: "user_pings" });
  socket.send("ping");
  assert.equal(await socket.next(), "pong");
  for (const message of ["hello", "pings", "", new Uint8Array(4)]) {
    const { socket } = await open({ sub: "user_pings" });
    socket.send(message);
    assert.equal((await socket.closed).code, 1008, String(message));
  }
  await introduce(gateway, "conn_pings", { user: "user_pings" });
  assert.equal((await socket.next()).status, "active", "the others go on");
});

test("a user has at most twenty WebSockets, and another one when one is closed", async () => {
  const user = "user_many";
  const sockets = await Promise.all(Array.from({ length: 20 }, () => open({ sub: user })));
  const headers = offer(tokenOf({ sub: user }));
  const refused = await upgrade(gateway, { headers });
  assert.deepEqual([...refusal(refused), refused.headers["retry-after"]], [429, "TOO_MANY_SOCKETS", "60"]);
  assert.equal(refused.headers["x-ofauth-edge-action"], "retry");
  assert.equal((await upgrade(gateway, { headers: offer(tokenOf({ sub: "user_other" })) })).status, 101);
  await sockets[7].socket.close();
  const again = await eventually(() => open({ sub: user }));
  await introduce(gateway, "conn_many", { user });
  const heard = await Promise.all([again, ...sockets.toSpliced(7, 1)].map(({ socket }) => socket.next()));
  assert.deepEqual(new Set(heard.map(({ status }) => status)), new Set(["active"]));
});

test("a change costs the hub one commit, whoever listens", async (t) => {
  const own = await startGateway(); // with one hub, whose log is not written back meanwhile
  t.after(() => own.close());
  const user = "user_commits";
  const hubs = join(own.folder, "do/ofauth-edge-Hub");
  await introduce(own, "conn_commits", { user });
  const cost = async (second) => {
    await sleep(500);
    const before = readCommits(hubs);
    await tell("conn_commits", user, second % 2 ? "expired" : "active", second, own);
    await sleep(500);
    return commitsBetween(before, readCommits(hubs));
  };
  const unheard = await cost(1);
  const { socket } = await openNew(own, { sub: user });
  assert.deepEqual([unheard, await cost(2), (await socket.next()).status], [1, 1, "active"]);
});

async function open(claims) {
  const open = await openNew(gateway, claims);
  opened.push(open.socket);
  return open;
}

async function tell(id, user, status, second, to = gateway) {
  const type = status === "disconnected" ? "connection.disconnected" : "connection.updated";
  const event = connectionEvent(type, { id, clientReferenceId: user, status, timestamp: at(second) });
  const { status: answer, text } = await to.deliver(event);
  assert.equal(answer, 200, text);
}

function at(second) {
  return new Date(Date.now() + second * 1_000).toISOString();
}
