// The ledger: a Durable Object per connection. It keeps the deliveries, the record that follows from them, and copies the
// record to KV and to its user's hub.
//
// Two commits per event: one when a delivery is accepted, with the alarm that repeats a copy which does not succeed, and
// one when the copies are made. The row is opened once per wake-up.

import { DurableObject } from "cloudflare:workers";
import { keysOf } from "./keys.js";
import { applyEvent, shown } from "./record.js";
import { openJson, seal, sealJson } from "./seal.js";

const DAY = 86_400_000;
const DELIVERY_LIFE = 30 * DAY;
const MAX_DELIVERIES = 1000;
const RETRY = 2000;
const PATIENCE = 1000;
const PUT_GAP = 1000;

const SCHEMA = `
  CREATE TABLE ledger (one INTEGER PRIMARY KEY CHECK (one = 1), handle TEXT NOT NULL, record BLOB NOT NULL,
    version INTEGER NOT NULL, projected INTEGER NOT NULL, hub TEXT);
  CREATE TABLE deliveries (id TEXT PRIMARY KEY, received INTEGER NOT NULL, stamp INTEGER NOT NULL, type TEXT NOT NULL,
    outcome TEXT NOT NULL, body BLOB);`;

export class Ledger extends DurableObject {
  #sql;
  #keys;
  #row;
  #entering = Promise.resolve();
  #projecting = false;
  #lastPut = 0;

  constructor(ctx, env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    ctx.blockConcurrencyWhile(() => this.#load());
  }

  // Enters a delivery and answers its outcome. Deliveries enter one after the other, since sealing awaits.
  async enter(entry, body) {
    const entered = this.#entering.then(() => this.#write(entry, body));
    this.#entering = entered.catch(() => {});
    const outcome = await entered;
    if (this.#isDirty()) await atMost(PATIENCE, this.#project());
    return outcome;
  }

  record() {
    return this.#row ? shown(this.#row.record) : null;
  }

  // Repeats what did not succeed, or removes what is old.
  async alarm() {
    if (this.#isDirty()) {
      await this.ctx.storage.setAlarm(Date.now() + RETRY);
      await this.#project();
    } else {
      this.#sql.exec("DELETE FROM deliveries WHERE received <= ?", Date.now() - DELIVERY_LIFE);
    }
  }

  async #load() {
    this.#keys = await keysOf(this.env);
    if (this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'ledger'").toArray().length === 0) return;
    const row = this.#sql.exec("SELECT handle, record, version, projected, hub FROM ledger").one();
    this.#row = { ...row, record: await openJson(this.#keys.storage, `ledger/${row.handle}/record`, row.record) };
  }

  // 1. A copy of a delivery that is known changes nothing.
  // 2. The event is applied to the record, and both are sealed.
  // 3. Row, delivery and alarm are written in one commit.
  async #write(entry, body) {
    const { handle, delivery, stamp, received, type } = entry;
    const known = this.#row;
    // 1.
    if (known && this.#sql.exec("SELECT 1 FROM deliveries WHERE id = ?", delivery).toArray().length > 0) return "duplicate";
    // 2.
    const record = applyEvent(known?.record, entry);
    const outcome = record === known?.record ? "stale" : "applied";
    const now = Date.now();
    const version = outcome === "stale" ? known.version : Math.max((known?.version ?? 0) + 1, now);
    const [sealedRecord, sealedBody] = await Promise.all([
      sealJson(this.#keys.storage, `ledger/${handle}/record`, record),
      seal(this.#keys.storage, `ledger/${handle}/delivery/${delivery}`, body),
    ]);
    const { projected, hub } = this.#row ?? { projected: 0, hub: null };
    // 3.
    this.ctx.storage.transactionSync(() => {
      if (!known) this.#sql.exec(SCHEMA);
      this.#sql.exec("INSERT OR REPLACE INTO ledger VALUES (1, ?, ?, ?, ?, ?)", handle, sealedRecord, version, projected, hub);
      this.#sql.exec("INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?)", delivery, received, stamp, type, outcome, sealedBody);
      this.#sql.exec("DELETE FROM deliveries WHERE rowid <= (SELECT max(rowid) FROM deliveries) - ?", MAX_DELIVERIES);
    });
    this.#row = { handle, record, version, projected, hub, wantedHub: entry.hub ?? known?.wantedHub ?? hub };
    if (this.#isDirty()) this.ctx.storage.setAlarm(now + RETRY);
    return outcome;
  }

  // Copies the newest record to KV and to the hub. One copy is under way at a time, and KV is written once a second at
  // most; what comes meanwhile is left to the alarm.
  async #project() {
    if (this.#projecting || Date.now() < this.#lastPut + PUT_GAP) return;
    this.#projecting = true;
    this.#lastPut = Date.now();
    const { version, record, hub, wantedHub = hub } = this.#row;
    try {
      await Promise.all([this.#putIntoKv(shown(record)), this.#updateHubs(shown(record), version, hub, wantedHub)]);
      this.#sql.exec("UPDATE ledger SET projected = ?, hub = ?", version, wantedHub);
      Object.assign(this.#row, { projected: version, hub: wantedHub });
      if (!this.#isDirty()) this.ctx.storage.setAlarm(Date.now() + DELIVERY_LIFE);
    } catch (error) {
      console.log(JSON.stringify({ level: "error", what: "project", error: String(error) }));
    } finally {
      this.#projecting = false;
    }
  }

  async #putIntoKv(record) {
    const key = `conn:${record.handle}`;
    const metadata = { status: record.status, updatedAt: record.updatedAt };
    await this.env.CONNECTIONS.put(key, await sealJson(this.#keys.storage, key, record), { metadata });
  }

  // A hub that knew of the connection hears first that it left.
  async #updateHubs(record, version, old, wanted) {
    if (old && old !== wanted) await this.env.HUB.getByName(old).update(old, record.handle, version, null);
    if (wanted) await this.env.HUB.getByName(wanted).update(wanted, record.handle, version, record);
  }

  #isDirty() {
    return this.#row !== undefined && this.#row.projected < this.#row.version;
  }
}

async function atMost(ms, promise) {
  let timer;
  const patience = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([promise, patience]);
  clearTimeout(timer);
}
