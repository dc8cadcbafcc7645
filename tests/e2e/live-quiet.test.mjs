// Hubs with many WebSockets and nothing to say: they sleep, and cost the runtime no CPU time. A change wakes one of them.
//
// `make test-all` opens 1,000 WebSockets on 100 hubs, `make test` 100 on 10.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { isFull } from "../full.mjs";
import { introduce, startGateway } from "./harness.mjs";
import { openNew } from "./sockets.mjs";

const HUBS = isFull ? 100 : 10;
const EACH = 10;
/** The runtime puts an object to sleep after 10 s without a call. */
const ASLEEP = 12_000;
const WATCHED = 10_000;
/** The most CPU time of the runtime while it is watched, in ms. */
const MOST = 500;

const gateway = await startGateway();
after(() => gateway.close());

test("a quiet hub costs no CPU time, and wakes with a change", { skip: gateway.pid === undefined }, async () => {
  const users = Array.from({ length: HUBS }, (_, index) => `user_quiet_${index}`);
  const sockets = [];
  for (const sub of users) {
    const opened = await Promise.all(Array.from({ length: EACH }, () => openNew(gateway, { sub })));
    sockets.push(opened.map(({ socket }) => socket));
  }
  await sleep(ASLEEP);
  const before = cpuTime(gateway.pid);
  await sleep(WATCHED);
  const spent = cpuTime(gateway.pid) - before;
  console.log(`quiet: ${HUBS * EACH} WebSockets on ${HUBS} hubs cost ${spent} ms of CPU time in ${WATCHED} ms`);
  assert.ok(spent <= MOST, `${spent} ms`);

  sockets[0][0].send("ping");
  assert.equal(await sockets[0][0].next(), "pong");
  await introduce(gateway, "conn_quiet", { user: users[0] });
  const heard = sockets[0].map(async (socket) => (await socket.next()).status);
  assert.deepEqual(await Promise.all(heard), Array(EACH).fill("active"));
  assert.ok(sockets.slice(1).flat().every(({ frames }) => frames.length === 1));
});

/** The CPU time of a process so far, in ms: fields 14 and 15 of proc's `stat`, in ticks of 10 ms. */
function cpuTime(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
