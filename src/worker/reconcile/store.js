// The tables of the reconciler.
//
// - `state`, a row for each `key`, with its `value`: where the pass is, and what the last ones have found.
//   docs/reconciliation.md lists the keys that others may read.
// - `known`, a row for each connection in KV: `handle`, and `meta`, the metadata of its key as JSON. It is refreshed at the start
//   of each pass. A row that has not changed is not written again.
// - `elsewhere`: `handle` of each connection in KV that is of another environment than the API key. OFAuth cannot list it.
// - `pages`, a row for each page that the pass has read: `place` (its offset), and `handles`, a JSON list.
// - `disputed`: `handle` of each connection whose record disagrees with the list; `first` and `last`, the starts of the first and
//   of the last pass in a row that found it.
// - `absent`: `handle` of each connection that the list lacks, and `since`, the start of the first pass that missed it.
//
// Whatever is written without an await in between is one commit.

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS known (handle TEXT PRIMARY KEY, meta TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS elsewhere (handle TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS pages (place INTEGER PRIMARY KEY, handles TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS disputed (handle TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS absent (handle TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID`;
/** The handles on all pages. */
const LISTED = "(SELECT item.value FROM pages, json_each(pages.handles) AS item)";
/** The connections that OFAuth should list. */
const EXPECTED = "known WHERE meta->>'status' NOT IN ('missing', 'disconnected') AND handle NOT IN elsewhere";

export function createTables(sql) {
  sql.exec(SCHEMA);
}

function rows(sql, statement, ...bindings) {
  return sql.exec(statement, ...bindings).toArray();
}

/** All keys and values of `state`. Empty before the first tick. */
export function readState(sql) {
  const [exists] = rows(sql, "SELECT 1 FROM sqlite_master WHERE name = 'state'");
  return exists ? Object.fromEntries(rows(sql, "SELECT key, value FROM state").map(({ key, value }) => [key, value])) : {};
}

export function set(sql, values) {
  for (const [key, value] of Object.entries(values)) sql.exec("INSERT OR REPLACE INTO state VALUES (?, ?)", key, value);
}

export function add(sql, key, count = 1) {
  sql.exec("INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = value + excluded.value", key, count);
}

/**
 * Refreshes `known` from a batch of KV's list. The batch has all keys after the handle `from`, up to the handle `to`.
 * @param {[string, object | undefined][]} batch   handles and metadata
 * @param {(handle: string, meta: object) => boolean} isElsewhere   whether it is of another environment
 */
export function refreshKnown(sql, batch, from, to, isElsewhere) {
  const json = JSON.stringify(batch);
  const elsewhere = JSON.stringify(batch.filter((item) => isElsewhere(...item)));
  sql.exec(`INSERT INTO known SELECT value->>0, value->1 FROM json_each(?) WHERE true
    ON CONFLICT (handle) DO UPDATE SET meta = excluded.meta WHERE meta IS NOT excluded.meta`, json);
  sql.exec("INSERT OR IGNORE INTO elsewhere SELECT value->>0 FROM json_each(?)", elsewhere);
  for (const [table, kept] of [["known", json], ["elsewhere", elsewhere]]) {
    sql.exec(`DELETE FROM ${table} WHERE handle > ?2 AND handle <= ?3
      AND handle NOT IN (SELECT value->>0 FROM json_each(?1))`, kept, from, to);
  }
}

/** The first `limit` connections in KV after the handle `place`. */
export function knownAfter(sql, place, limit) {
  return rows(sql, "SELECT handle, meta FROM known WHERE handle > ? ORDER BY handle LIMIT ?", place, limit);
}

/** The first `limit` expired connections after the handle `place`. */
export function expiredAfter(sql, place, limit) {
  return rows(sql, `SELECT handle, meta FROM ${EXPECTED} AND meta->>'status' = 'expired' AND handle > ? ORDER BY handle LIMIT ?`, place, limit);
}

/** The metadata of a connection's key in KV as JSON, and whether an earlier pass found that its record disagrees. */
export function knownOf(sql, handle, started) {
  const [row] = rows(sql, `SELECT (SELECT meta FROM known WHERE handle = ?1) AS meta,
    EXISTS (SELECT 1 FROM disputed WHERE handle = ?1 AND first < ?2) AS wasDisputed`, handle, started);
  return row;
}

/** Notes that the record disagrees with the list. The first pass stays noted, in case this one reads the page again. */
export function dispute(sql, handle, started) {
  sql.exec("INSERT INTO disputed VALUES (?1, ?2, ?2) ON CONFLICT (handle) DO UPDATE SET last = excluded.last", handle, started);
}

/** Stores a page of the list. Answers whether no other page has the same connections. */
export function addPage(sql, place, handles) {
  const json = JSON.stringify(handles);
  sql.exec("INSERT OR REPLACE INTO pages VALUES (?, ?)", place, json);
  return rows(sql, "SELECT 1 FROM pages WHERE handles = ?", json).length === 1;
}

/** How many connections the pages have, how many they lack, and how many they should have. */
export function countListed(sql) {
  const [counts] = rows(sql, `SELECT (SELECT count(DISTINCT item.value) FROM pages, json_each(pages.handles) AS item) AS listed,
    count(*) FILTER (WHERE handle NOT IN ${LISTED}) AS absent, count(*) AS expected FROM ${EXPECTED}`);
  return counts;
}

/** Notes which connections the pages lack. The others are not absent any more. */
export function noteAbsent(sql, started) {
  const lacking = `SELECT handle FROM ${EXPECTED} AND handle NOT IN ${LISTED}`;
  sql.exec(`DELETE FROM absent WHERE handle NOT IN (${lacking})`);
  sql.exec(`INSERT OR IGNORE INTO absent SELECT handle, ? FROM (${lacking})`, started);
}

/** The first `limit` connections after the handle `place` that earlier passes missed too. */
export function absentAfter(sql, place, started, limit) {
  return rows(sql, `SELECT handle, meta, since FROM absent JOIN known USING (handle)
    WHERE since < ? AND handle > ? ORDER BY handle LIMIT ?`, started, place, limit);
}

/** Counts the absence of a connection from `started` on. */
export function restartAbsence(sql, handle, started) {
  sql.exec("UPDATE absent SET since = ? WHERE handle = ?", started, handle);
}

/** Counts values that are encrypted under a key. */
export function addKeyCount(sql, id, count) {
  add(sql, `walk.${id}`, count);
}

/** Begins to count under which keys values are encrypted, in `walk.{key id}`. */
export function clearKeyCounts(sql) {
  sql.exec("DELETE FROM state WHERE key LIKE 'walk.%'");
}

/** Makes the counts those of a complete walk, `keys.{key id}`. Answers the ids. */
export function takeKeyCounts(sql) {
  sql.exec("DELETE FROM state WHERE key LIKE 'keys.%'");
  const set = "UPDATE state SET key = 'keys.' || substr(key, 6) WHERE key LIKE 'walk.%' RETURNING substr(key, 6) AS id";
  return rows(sql, set).map(({ id }) => id);
}

/** Deletes what only this pass needs, and what earlier ones disputed. */
export function clearPass(sql, started) {
  sql.exec("DELETE FROM pages");
  sql.exec("DELETE FROM disputed WHERE last < ?", started);
}
