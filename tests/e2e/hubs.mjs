// The hubs' own files, as the runtime keeps them: for what no route shows, and for what an older build would have left.
// A file is changed only while no gateway runs.

import { filesOfClass, hasTable, inDatabase } from "./objects.mjs";

const HUB = "Hub";

/**
 * What `work` makes of the hub that has the connection of that handle, or had it.
 * @template T
 * @param {string} folder   the gateway's
 * @param {string} handle
 * @param {(hub: import("node:sqlite").DatabaseSync) => T} work
 * @returns {T}
 */
export function inHubWith(folder, handle, work) {
  const hasHandle = (hub) => hasTable(hub, "connections") && hub.prepare("SELECT 1 FROM connections WHERE handle = ?").get(handle);
  const file = filesOfClass(folder, HUB).find((one) => inDatabase(folder, HUB, one, hasHandle));
  if (!file) throw new Error(`no hub has ${handle}`);
  return inDatabase(folder, HUB, file, work);
}

/** Makes the hub's copies of these connections unreadable, so that whoever opens one of them finds none. */
export function damageRecords(hub, handles) {
  const damage = hub.prepare("UPDATE connections SET record = zeroblob(100) WHERE handle = ?");
  for (const handle of handles) {
    if (damage.run(handle).changes !== 1) throw new Error(`the hub does not have ${handle}`);
  }
}
