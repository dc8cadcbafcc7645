// The ledgers' own files, as the runtime keeps them: for what no route shows, and for what would take months to happen.

import assert from "node:assert/strict";

import { eventually } from "./harness.mjs";
import { ALARMS, filesOfClass, hasTable, inDatabase } from "./objects.mjs";

/** How many ledgers keep a record. */
export function ledgerCount(folder) {
  return databasesIn(folder).filter((file) => open(folder, file, handleIn)).length;
}

/** The handles of the ledgers whose newest version is missing in KV or in the hub. */
export function dirtyLedgers(folder) {
  const dirty = "SELECT handle FROM ledger WHERE min(projected, hub_version) < version";
  const dirtyHandleIn = (ledger) => handleIn(ledger) && ledger.prepare(dirty).get()?.handle;
  return databasesIn(folder).map((file) => open(folder, file, dirtyHandleIn)).filter(Boolean);
}

/**
 * Waits until KV and the hubs have the newest version of each ledger.
 * @param {string} folder                                  the gateway's
 * @param {{within?: number, every?: number}} [patience]   as for `eventually`
 */
export function untilSettled(folder, patience) {
  return eventually(() => assert.deepEqual(dirtyLedgers(folder), []), patience);
}

/** The events that the app has not taken, as `{handle, id, parkedAt}`. */
export function waitingForwards(folder) {
  const waiting = "SELECT handle, id, parked_at AS parkedAt FROM outbox, ledger ORDER BY outbox.rowid";
  const waitingIn = (ledger) => (handleIn(ledger) && hasTable(ledger, "outbox") ? ledger.prepare(waiting).all() : []);
  return databasesIn(folder).flatMap((file) => open(folder, file, waitingIn));
}

/**
 * What `work` makes of the ledger of that handle.
 * @template T
 * @param {string} folder                             the gateway's
 * @param {string} handle
 * @param {(ledger: import("node:sqlite").DatabaseSync, object: string) => T} work   object: the runtime's name for it
 * @returns {T}
 */
export function inLedgerOf(folder, handle, work) {
  const file = databasesIn(folder).find((one) => open(folder, one, handleIn) === handle);
  if (!file) throw new Error(`no ledger of ${handle}`);
  return open(folder, file, (ledger) => work(ledger, nameOf(file)));
}

/**
 * Changes the ledger of that handle while the gateway is down, and has its alarm ring once it is back.
 * @param {string} folder
 * @param {string} handle
 * @param {(ledger: import("node:sqlite").DatabaseSync) => void} work
 */
export function ageLedgerOf(folder, handle, work) {
  const object = inLedgerOf(folder, handle, (ledger, name) => {
    work(ledger);
    return name;
  });
  if (!setAlarm(folder, object)) throw new Error(`the ledger of ${handle} has no alarm`);
}

/** Makes all events in lanes parked long ago, while the gateway is down. The lanes' alarms ring once it is back. */
export function ageLanes(folder) {
  for (const file of databasesIn(folder)) {
    const isLane = open(folder, file, (lane) => {
      const tables = lane.prepare("SELECT name FROM sqlite_master WHERE name IN ('ledger', 'outbox', 'forwards')").all();
      if (tables.some(({ name }) => name === "forwards")) lane.exec("UPDATE forwards SET noted = 0 WHERE handle = ''");
      if (tables.length !== 1 || tables[0].name !== "outbox") return false;
      lane.exec("UPDATE outbox SET due_at = 0, parked_at = 0");
      return true;
    });
    if (isLane) setAlarm(folder, nameOf(file));
  }
}

/** Sets the alarm of an object to now. Answers whether it had one. The runtime keeps an alarm in two places, which must agree. */
function setAlarm(folder, object) {
  const now = BigInt(Date.now()) * 1_000_000n;
  open(folder, `${object}.sqlite`, (ledger) => ledger.prepare("UPDATE _cf_METADATA SET value = ? WHERE key = 1").run(now));
  const update = "UPDATE _cf_ALARM SET scheduled_time = ? WHERE actor_id = ?";
  return open(folder, ALARMS, (alarms) => alarms.prepare(update).run(now, object)).changes === 1;
}

/** The runtime's name for the object in a file. */
function nameOf(file) {
  return file.replace(".sqlite", "");
}

function databasesIn(folder) {
  return filesOfClass(folder, "Ledger");
}

function handleIn(ledger) {
  return hasTable(ledger, "ledger") ? ledger.prepare("SELECT handle FROM ledger").get()?.handle : undefined;
}

function open(folder, file, work) {
  return inDatabase(folder, "Ledger", file, work);
}
