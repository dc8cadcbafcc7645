// The hub: a Durable Object per user, which holds a sealed copy of the record of each of the user's connections.

import { DurableObject } from "cloudflare:workers";
import { keysOf } from "./keys.js";
import { openJson, sealJson } from "./seal.js";

const SCHEMA = `CREATE TABLE IF NOT EXISTS connections (handle TEXT PRIMARY KEY, version INTEGER NOT NULL, record BLOB)`;
const UPSERT = `INSERT INTO connections VALUES (?, ?, ?) ON CONFLICT (handle) DO UPDATE
  SET version = excluded.version, record = excluded.record WHERE version <= excluded.version`;

export class Hub extends DurableObject {
  #hasTable = false;

  // Stores a record, or that the connection left. An update that is older than the stored one changes nothing.
  async update(name, handle, version, record) {
    const { storage } = await keysOf(this.env);
    const sealed = record && (await sealJson(storage, `hub/${name}/${handle}`, record));
    if (!this.#hasTable) this.ctx.storage.sql.exec(SCHEMA);
    this.#hasTable = true;
    this.ctx.storage.sql.exec(UPSERT, handle, version, sealed);
  }

  // All connections of the user, the newest first.
  async list(name) {
    const { sql } = this.ctx.storage;
    if (sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'connections'").toArray().length === 0) return [];
    const { storage } = await keysOf(this.env);
    const rows = sql.exec("SELECT handle, record FROM connections WHERE record IS NOT NULL").toArray();
    const records = await Promise.all(rows.map(({ handle, record }) => openJson(storage, `hub/${name}/${handle}`, record)));
    return records.sort((a, b) => compare(b.updatedAt, a.updatedAt) || compare(a.handle, b.handle));
  }
}

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
