// A connection whose key was taken out of STORAGE_KEY. 1. The alarm of its ledger rings ever more rarely, at least once an hour,
// and the log says why once. 2. Its webhooks, and calls for it, are refused with a code of their own: no user is told to link
// again. 3. Once the key is back, a copy that fails is retried as soon as ever.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { consoleOf, eventually, introduce, refusal, SECRETS, sessionOf, startGateway } from "./harness.mjs";
import { ageLedgerOf, inLedgerOf, untilSettled } from "./ledgers.mjs";

const NEW_KEY = Buffer.alloc(32, "newer").toString("base64");
const USER = "user_456";
const [SECOND, MINUTE] = [1_000, 60_000];
/** The wait that a ledger has noted, and the one that it notes when its alarm rings without the key. */
const WAITS = [
  [2 * SECOND, 10 * MINUTE],
  [5 * MINUTE, 10 * MINUTE],
  [10 * MINUTE, 20 * MINUTE],
  [40 * MINUTE, 60 * MINUTE],
  [60 * MINUTE, 60 * MINUTE],
];

test("without its key a ledger tries ever more rarely, says why once, and refuses webhooks; with the key it is as before", async (t) => {
  const first = await startGateway();
  t.after(() => first.close());
  const { folder } = first;
  const ids = WAITS.map((_, place) => `conn_${place}`);
  const handles = [];
  for (const id of ids) handles.push(await introduce(first, id));
  await untilSettled(folder);
  await first.close({ keep: true });
  for (const [place, handle] of handles.entries()) {
    ageLedgerOf(folder, handle, (ledger) => ledger.prepare("UPDATE ledger SET retry_ms = ?").run(WAITS[place][0]));
  }

  const rung = Date.now();
  const lost = await startGateway({ folder, vars: { STORAGE_KEY: NEW_KEY } });
  t.after(() => lost.close());
  for (const [place, [, wait]] of WAITS.entries()) {
    await eventually(() => {
      const { alarm_at: noted, retry_ms: noticedWait, rings } = inLedgerOf(folder, handles[place], alarmIn);
      assert.deepEqual([noticedWait, rings], [wait, noted], ids[place]);
      const now = Date.now();
      assert.ok(noted >= rung + wait && noted <= now + wait, `${ids[place]}: ${noted - now} ms`);
    });
  }
  const complaints = lost.logs.flatMap((text) => text.split("\n")).filter((line) => line.includes('"alarm"'));
  assert.equal(complaints.length, 2, "those that never tried without the key say so");
  assert.ok(complaints.every((line) => JSON.parse(line).level === "error" && !/conn_|acct_/.test(line)), complaints.join());
  for (const id of ids) {
    const answer = await lost.deliver(connectionEvent("connection.updated", { id, clientReferenceId: USER }));
    assert.deepEqual(refusal(answer), [503, "STORAGE_KEY_MISSING"], id);
    assert.deepEqual([answer.headers["retry-after"], answer.headers["x-ofauth-edge-action"]], ["2", "operator"]);
  }
  await lost.close({ keep: true });

  const both = await startGateway({ folder, faults: true, vars: { STORAGE_KEY: `${NEW_KEY},${SECRETS.STORAGE_KEY}` } });
  t.after(() => both.close());
  await both.fail({ put: "fail" });
  const told = await both.deliver(connectionEvent("connection.expired", { id: ids.at(-1), clientReferenceId: USER }));
  assert.equal(told.outcome, "applied");
  await both.fail({});
  await untilSettled(folder, { within: 15_000, every: 100 });
});

test("without its key a connection is not answered as not found, except to those who may not see it", async (t) => {
  const first = await startGateway();
  t.after(() => first.close());
  const { folder } = first;
  const old = await introduce(first, "conn_old");
  await introduce(first, "conn_foreign", { user: "user_other" });
  await untilSettled(folder);
  await first.close({ keep: true });

  const lost = await startGateway({ folder, vars: { STORAGE_KEY: NEW_KEY } });
  t.after(() => lost.close());
  const permissions = ["profile:read", "connections:write"];
  const own = sessionOf(lost, { sub: USER, permissions });
  const bound = sessionOf(lost, { sub: USER, permissions, connection: old });
  const calls = [
    ["GET", `/edge/connections/${old}`],
    ["GET", `/edge/connections/${old}/health`],
    ["GET", `/edge/connections/${old}/events`],
    ["POST", `/edge/connections/${old}/invalidate`],
    ["DELETE", `/edge/connections/${old}`],
    ["GET", "/v2/access/self", { headers: { "x-connection-id": old } }],
  ];
  const ofPages = [...calls, ["GET", "/v2/access/self"]];
  const callers = [[lost.call, calls], [await consoleOf(lost), calls.slice(0, 5)], [own, ofPages], [bound, ofPages]];
  for (const [caller, made] of callers) {
    for (const call of made) {
      const answer = await caller(...call);
      assert.deepEqual(refusal(answer), [503, "STORAGE_KEY_MISSING"], call.join(" "));
      assert.equal(answer.headers["x-ofauth-edge-action"], "operator");
    }
  }
  const foreign = sessionOf(lost, { sub: "user_third", permissions });
  for (const call of ofPages) assert.deepEqual(refusal(await foreign(...call)), [404, "CONNECTION_NOT_FOUND"], call.join(" "));
  assert.deepEqual(lost.emulator.requests, [], "OFAuth is not asked");

  const erasure = await lost.call("DELETE", `/edge/users/${USER}`);
  const { type, deleted, failed } = erasure.json();
  assert.deepEqual([erasure.status, type, deleted, failed], [503, "STORAGE_KEY_MISSING", 0, [old]]);
  assert.equal(erasure.headers["x-ofauth-edge-action"], "operator", "to repeat it would not help");
  assert.equal(erasure.headers["retry-after"], "2", "as on every 503");

  const fresh = await introduce(lost, "conn_new");
  assert.equal((await own("GET", "/v2/access/self")).status, 200, "one whose key is there is chosen");
  assert.equal((await own("GET", `/edge/connections/${fresh}`)).status, 200);
  assert.deepEqual((await own("GET", "/edge/connections")).json().list.map(({ handle }) => handle), [fresh]);
});

/** What a ledger has noted of its alarm, and when the runtime rings it (unix ms). */
function alarmIn(ledger) {
  const rings = "SELECT CAST(value / 1000000 AS INTEGER) FROM _cf_METADATA WHERE key = 1";
  return ledger.prepare(`SELECT alarm_at, retry_ms, (${rings}) AS rings FROM ledger`).get();
}
