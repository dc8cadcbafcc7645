// The metrics of a gateway that was started with `watched`, past its routes; and its own files, as the runtime keeps them, for what
// would take an hour to happen.

import { request } from "./client.mjs";
import { filesOfClass, inDatabase } from "./objects.mjs";

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
  const codes = (name) => {
    const uses = lines.find((line) => line.name === name).value;
    return uses.filter(({ place }) => place).map(({ code }) => code);
  };
  return { secrets: codes("webhookSecrets"), keys: codes("gatewayKeys") };
}

/** Counts something in a minute, counted from 1970. */
export async function addCounts(gateway, minute, lines, shard = 0) {
  await askMetrics(gateway, `add/${minute}`, { shard, head: lines });
}

/** Makes what was counted and told so many minutes older. No gateway may run. */
export function ageMetrics(folder, minutes) {
  for (const file of filesOfClass(folder, "Metrics")) inDatabase(folder, "Metrics", file, (metrics) => age(metrics, Number(minutes)));
}

function age(metrics, minutes) {
  const tables = metrics.prepare("SELECT name FROM sqlite_master WHERE name IN ('minutes', 'told')").all();
  // In two steps, so that no minute meets another one.
  for (const { name } of tables) metrics.exec(`UPDATE ${name} SET minute = -minute; UPDATE ${name} SET minute = -minute - ${minutes}`);
}
