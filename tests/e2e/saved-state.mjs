// Opens the fixture of tests/fixtures/saved-state: makes a temporary copy, moves its times to today, and asks a gateway the
// questions whose answers were recorded with it.

import { cpSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

import { consoleOf, sessionOf } from "./harness.mjs";

const FIXTURES = fileURLToPath(new URL("../fixtures/saved-state", import.meta.url));

/**
 * @typedef {object} Question   one GET request
 * @property {"server" | "console" | {sub: string}} as   the caller; `sub` is the user of a session
 * @property {string} target
 */

/** @typedef {Question & {status: number, body: any}} Answer   `body` of an error is its type alone */

/**
 * @typedef {object} Saved      the content of `expected.json`
 * @property {number} writtenAt                 when the state was written, in unix milliseconds
 * @property {Record<string, string>} vars      the secrets and variables that the state was written with
 * @property {Record<string, string>} handles   the handle of each connection, by its id
 * @property {Answer[]} answers                 with both storage keys, after all pending work was done
 * @property {Answer[]} withoutOldKey           the same with the new storage key alone
 */

/**
 * Copies a saved state to a temporary folder. Every time in the copy is moved forward by the time that has passed since the
 * state was written, so it looks as if it was written just now.
 * @param {string} build   the build that wrote it, which is the name of its folder
 * @returns {{folder: string, passed: number, saved: Saved}}
 *   folder: the copy, for startGateway; passed: by how many milliseconds its times were moved
 */
export function copySavedState(build) {
  const saved = JSON.parse(readFileSync(join(FIXTURES, build, "expected.json"), "utf8"));
  const folder = mkdtempSync(join(tmpdir(), "ofauth-edge-saved-"));
  cpSync(join(FIXTURES, build, "state"), folder, { recursive: true });
  const passed = Date.now() - saved.writtenAt;
  shiftTimes(folder, passed);
  return { folder, passed, saved };
}

/** The times that the Worker or the runtime compares with the clock, in unix milliseconds. */
const TIMES = {
  "do/ofauth-edge-Ledger": [["ledger", "alarm_at"], ["ledger", "purge_at"], ["deliveries", "received"]],
  "do/ofauth-edge-Hub": [["connections", "told"], ["links", "until"]],
  "kv/miniflare-KVNamespaceObject": [["_mf_entries", "expiration"]],
};
/** The runtime's alarms, in nanoseconds. It keeps each in two places, which must agree, or it does not ring. */
const ALARMS = [["_cf_METADATA", "value"], ["_cf_ALARM", "scheduled_time"]];

/**
 * Moves the times in a state folder by `by` milliseconds while no runtime uses it. The stamps of facts stay, since they are
 * compared with each other only. Versions stay too: a new one is always larger than the last.
 */
function shiftTimes(folder, by) {
  for (const [part, times] of Object.entries(TIMES)) {
    for (const file of readdirSync(join(folder, part)).filter((name) => name.endsWith(".sqlite"))) {
      const database = new DatabaseSync(join(folder, part, file));
      const tables = database.prepare("SELECT name FROM sqlite_master").all().map(({ name }) => name);
      const shift = (columns, difference) => {
        for (const [table, column] of columns.filter(([table]) => tables.includes(table))) {
          database.prepare(`UPDATE ${table} SET ${column} = ${column} + ?`).run(difference);
        }
      };
      shift(times, BigInt(by));
      shift(ALARMS, BigInt(by) * 1_000_000n);
      database.close();
    }
  }
}

/** The answer to expect from a state whose times were moved. Only timelines show such a time: when a delivery came. */
export function shifted({ body, ...answer }, by) {
  const isTimeline = /^\/edge\/connections\/[^/]+\/events/.test(answer.target) && answer.status === 200;
  if (!isTimeline) return { ...answer, body };
  const later = (time) => new Date(Date.parse(time) + by).toISOString();
  const list = body.list.map((delivery) => ({ ...delivery, receivedAt: later(delivery.receivedAt) }));
  return { ...answer, body: { ...body, list } };
}

/**
 * Asks a gateway some questions, one after the other.
 * @param {import("./harness.mjs").Gateway} gateway
 * @param {Question[]} questions
 * @returns {Promise<Answer[]>}
 */
export async function answersOf(gateway, questions) {
  const callers = { server: gateway.call, console: await consoleOf(gateway) };
  const answers = [];
  for (const { as, target } of questions) {
    const call = callers[as] ?? sessionOf(gateway, as);
    const answer = await call("GET", target);
    const body = answer.status === 200 ? answer.json() : answer.json().type;
    answers.push({ as, target, status: answer.status, body });
  }
  return answers;
}
