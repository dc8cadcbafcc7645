// The metrics of a gateway that was started with `watched`, past its routes; and its own files, as the runtime keeps them, for what
// would take an hour to happen.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { request } from "./client.mjs";

/** The points that were written to Analytics Engine. */
export async function pointsOf(gateway) {
  return (await request(gateway.watcher, "GET", "/")).json();
}

/** Asks an object of the metrics, and answers its text. */
export async function askMetrics(gateway, path, { shard = 0, head = "" } = {}) {
  const answer = await request(gateway.watcher, "POST", `/${shard}/${path}`, { body: head });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return answer.text;
}

/**
 * The codes under which uses of webhook secrets and gateway keys are counted, in the order of their lists.
 * @returns {Promise<{secrets: string[], keys: string[]}>}
 */
export async function codesOf(gateway) {
  const { lines } = (await gateway.call("GET", "/edge/status")).json();
  const [secrets, keys] = ["webhookSecrets", "gatewayKeys"].map((name) => lines.find((line) => line.name === name).value.filter(({ place }) => place).map(({ code }) => code));
  return { secrets, keys };
}

/** Counts something in a minute, counted from 1970. */
export async function addCounts(gateway, minute, lines, shard = 0) {
  await askMetrics(gateway, `add/${minute}`, { shard, head: lines });
}

/** Makes what was counted and told so many minutes older. No gateway may run. */
export function ageMetrics(folder, minutes) {
  const objects = join(folder, "do/ofauth-edge-Metrics");
  for (const name of readdirSync(objects).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite")) {
    const metrics = new DatabaseSync(join(objects, name), { timeout: 5_000 });
    const tables = metrics.prepare("SELECT name FROM sqlite_master WHERE name IN ('minutes', 'told')").all();
    // In two steps, so that no minute meets another one.
    for (const { name: table } of tables) {
      metrics.exec(`UPDATE ${table} SET minute = -minute; UPDATE ${table} SET minute = -minute - ${Number(minutes)}`);
    }
    metrics.close();
  }
}
