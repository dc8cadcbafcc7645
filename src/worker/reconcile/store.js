// The tables of the reconciler.
//
// - `state`, a row for each `key`, with its `value`: where the pass is, and what the last ones have found.
//   docs/reconciliation.md lists the keys that others may read.
// - `known`, a row for each connection in KV: `handle`, and `meta`, the metadata of its key as JSON. It is refreshed at the start
//   of each pass. A row that has not changed is not written again.
// - `pages`, a row for each page that the pass has read: `place` (its offset), and `handles`, a JSON list.
// - `disputed`: `handle` of each connection whose record disagrees with the list; `first` and `last`, the starts of the first and
//   of the last pass in a row that found it.
// - `absent`: `handle` of each connection that the list lacks, and `since`, the start of the first pass that missed it.
//
// Whatever is written without an await in between is one commit.

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS known (handle TEXT PRIMARY KEY, meta TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS pages (place INTEGER PRIMARY KEY, handles TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS disputed (handle TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS absent (handle TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID`;
/** The handles on all pages. */
const LISTED = "(SELECT item.value FROM pages, json_each(pages.handles) AS item)";
/** The connections that OFAuth should list. */
const EXPECTED = "known WHERE meta->>'status' NOT IN ('missing', 'disconnected')";

export class Store {
  constructor(sql) {
    this.sql = sql;
  }

  createTables() {
    this.sql.exec(SCHEMA);
  }

  rows(statement, ...bindings) {
    return this.sql.exec(statement, ...bindings).toArray();
  }

  /** All keys and values of `state`. Empty before the first tick. */
  state() {
    const [exists] = this.rows("SELECT 1 FROM sqlite_master WHERE name = 'state'");
    return exists ? Object.fromEntries(this.rows("SELECT key, value FROM state").map(({ key, value }) => [key, value])) : {};
  }

  set(values) {
    for (const [key, value] of Object.entries(values)) this.sql.exec("INSERT OR REPLACE INTO state VALUES (?, ?)", key, value);
  }

  add(key, count = 1) {
    this.sql.exec("INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = value + excluded.value", key, count);
  }

  /**
   * Refreshes `known` from a batch of KV's list. The batch has all keys after the handle `from`, up to the handle `to`.
   * @param {[string, object | undefined][]} batch   handles and metadata
   */
  refreshKnown(batch, from, to) {
    const json = JSON.stringify(batch);
    this.sql.exec(`INSERT INTO known SELECT value->>0, value->1 FROM json_each(?) WHERE true
      ON CONFLICT (handle) DO UPDATE SET meta = excluded.meta WHERE meta IS NOT excluded.meta`, json);
    this.sql.exec(`DELETE FROM known WHERE handle > ?2 AND handle <= ?3
      AND handle NOT IN (SELECT value->>0 FROM json_each(?1))`, json, from, to);
  }

  /** The first `limit` connections in KV after the handle `place`. */
  knownAfter(place, limit) {
    return this.rows("SELECT handle, meta FROM known WHERE handle > ? ORDER BY handle LIMIT ?", place, limit);
  }

  /** The first `limit` expired connections after the handle `place`. */
  expiredAfter(place, limit) {
    return this.rows("SELECT handle, meta FROM known WHERE meta->>'status' = 'expired' AND handle > ? ORDER BY handle LIMIT ?", place, limit);
  }

  /** The metadata of a connection's key in KV as JSON, and whether an earlier pass found that its record disagrees. */
  known(handle, started) {
    const [row] = this.rows(`SELECT (SELECT meta FROM known WHERE handle = ?1) AS meta,
      EXISTS (SELECT 1 FROM disputed WHERE handle = ?1 AND first < ?2) AS wasDisputed`, handle, started);
    return row;
  }

  /** Notes that the record disagrees with the list. The first pass stays noted, in case this one reads the page again. */
  dispute(handle, started) {
    this.sql.exec("INSERT INTO disputed VALUES (?1, ?2, ?2) ON CONFLICT (handle) DO UPDATE SET last = excluded.last", handle, started);
  }

  /** Stores a page of the list. Answers whether no other page has the same connections. */
  addPage(place, handles) {
    const json = JSON.stringify(handles);
    this.sql.exec("INSERT OR REPLACE INTO pages VALUES (?, ?)", place, json);
    return this.rows("SELECT 1 FROM pages WHERE handles = ?", json).length === 1;
  }

  /** How many connections the pages have, how many they lack, and how many they should have. */
  count() {
    const [counts] = this.rows(`SELECT (SELECT count(DISTINCT item.value) FROM pages, json_each(pages.handles) AS item) AS listed,
      count(*) FILTER (WHERE handle NOT IN ${LISTED}) AS absent, count(*) AS expected FROM ${EXPECTED}`);
    return counts;
  }

  /** Notes which connections the pages lack. The others are not absent any more. */
  noteAbsent(started) {
    const lacking = `SELECT handle FROM ${EXPECTED} AND handle NOT IN ${LISTED}`;
    this.sql.exec(`DELETE FROM absent WHERE handle NOT IN (${lacking})`);
    this.sql.exec(`INSERT OR IGNORE INTO absent SELECT handle, ? FROM (${lacking})`, started);
  }

  /** The first `limit` connections after the handle `place` that earlier passes missed too. */
  absentAfter(place, started, limit) {
    return this.rows(`SELECT handle, meta, since FROM absent JOIN known USING (handle)
      WHERE since < ? AND handle > ? ORDER BY handle LIMIT ?`, started, place, limit);
  }

  /** Counts the absence of a connection from `started` on. */
  restartAbsence(handle, started) {
    this.sql.exec("UPDATE absent SET since = ? WHERE handle = ?", started, handle);
  }

  /** Begins to count under which keys values are encrypted, in `walk.{key id}`. */
  clearKeyCounts() {
    this.sql.exec("DELETE FROM state WHERE key LIKE 'walk.%'");
  }

  /** Makes the counts those of a complete walk, `keys.{key id}`. Answers the ids. */
  takeKeyCounts() {
    this.sql.exec("DELETE FROM state WHERE key LIKE 'keys.%'");
    const set = "UPDATE state SET key = 'keys.' || substr(key, 6) WHERE key LIKE 'walk.%' RETURNING substr(key, 6) AS id";
    return this.rows(set).map(({ id }) => id);
  }

  /** Deletes what only this pass needs, and what earlier ones disputed. */
  clearPass(started) {
    this.sql.exec("DELETE FROM pages");
    this.sql.exec("DELETE FROM disputed WHERE last < ?", started);
  }
}
