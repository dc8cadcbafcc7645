// The Durable Objects' own databases, as the runtime keeps them: a file for each object, in a folder for each class.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The file of a class that has the alarms of all its objects. */
export const ALARMS = "metadata.sqlite";

const folderOf = (folder, className) => join(folder, `do/ofauth-edge-${className}`);

/**
 * The files of a class's objects. There are none before one is asked.
 * @param {string} folder      the gateway's
 * @param {string} className   as in wrangler.toml, such as `Ledger`
 */
export function filesOfClass(folder, className) {
  const place = folderOf(folder, className);
  const names = existsSync(place) ? readdirSync(place) : [];
  return names.filter((name) => name.endsWith(".sqlite") && name !== ALARMS);
}

/**
 * What `work` makes of one database.
 * @template T
 * @param {string} folder      the gateway's
 * @param {string} className
 * @param {string} file        one of {@link filesOfClass}, or {@link ALARMS}
 * @param {(database: DatabaseSync) => T} work
 * @returns {T}
 */
export function inDatabase(folder, className, file, work) {
  // The runtime may be writing.
  const database = new DatabaseSync(join(folderOf(folder, className), file), { timeout: 5_000 });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

export function hasTable(database, name) {
  return database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !== undefined;
}
