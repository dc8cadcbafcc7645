// The hubs' own files, as the runtime keeps them: for what no route shows, and for what an older build would have written.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const HUBS = "do/ofauth-edge-Hub";

/**
 * What `work` makes of the hub that has the connection with that handle, or had it.
 * @template T
 * @param {string} folder   the gateway's
 * @param {string} handle
 * @param {(hub: DatabaseSync) => T} work
 * @returns {T}
 */
export function inHubOf(folder, handle, work) {
  const files = readdirSync(join(folder, HUBS)).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  for (const file of files) {
    const hub = new DatabaseSync(join(folder, HUBS, file), { timeout: 5_000 }); // the runtime may be writing
    try {
      const hasTable = hub.prepare("SELECT 1 FROM sqlite_master WHERE name = 'connections'").all().length > 0;
      if (hasTable && hub.prepare("SELECT 1 FROM connections WHERE handle = ?").all(handle).length > 0) return work(hub);
    } finally {
      hub.close();
    }
  }
  throw new Error(`no hub of ${handle}`);
}
