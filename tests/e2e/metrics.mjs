// The metrics of a gateway that was started with `watched`, past its routes.

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

/** Counts something in a minute, counted from 1970. */
export async function addCounts(gateway, minute, lines, shard = 0) {
  await askMetrics(gateway, `add/${minute}`, { shard, head: lines });
}
