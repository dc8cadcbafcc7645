// The hubs' own files, as the runtime keeps them: for what no route shows, and for what an older build would have left.
// A file is changed only while no gateway runs.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const HUBS = "do/ofauth-edge-Hub";

/**
 * What `work` makes of the hub that has the connection of that handle, or had it.
 * @template T
 * @param {string} folder   the gateway's
 * @param {string} handle
 * @param {(hub: DatabaseSync) => T} work
 * @returns {T}
 */
export function inHubWith(folder, handle, work) {
  const files = readdirSync(join(folder, HUBS)).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  for (const file of files) {
    const hub = new DatabaseSync(join(folder, HUBS, file), { timeout: 5_000 });
    try {
      const hasTable = hub.prepare("SELECT 1 FROM sqlite_master WHERE name = 'connections'").get();
      if (hasTable && hub.prepare("SELECT 1 FROM connections WHERE handle = ?").get(handle)) return work(hub);
    } finally {
      hub.close();
    }
  }
  throw new Error(`no hub has ${handle}`);
}

/** Makes the hub's copies of these connections unreadable, so that whoever opens one of them finds none. */
export function damageRecords(hub, handles) {
  const damage = hub.prepare("UPDATE connections SET record = zeroblob(100) WHERE handle = ?");
  for (const handle of handles) {
    if (damage.run(handle).changes !== 1) throw new Error(`the hub does not have ${handle}`);
  }
}
