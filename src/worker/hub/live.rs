//! Live updates, in the user's hub: the WebSockets of the user's pages, and the latest changes of the user's connections.
//!
//! A page gets one text frame of JSON for each change: `{seq, handle, status, updatedAt}`. The status of a connection that
//! left the user is null. A new WebSocket first gets the changes that its page has missed or, if they are not known,
//! `{resync: true, seq}` with the number of the newest change: then the page must read all anew.
//!
//! A quiet hub sleeps: the platform keeps the WebSockets and answers a `ping` itself
//! ([Durable Objects: WebSocket Hibernation](https://developers.cloudflare.com/durable-objects/best-practices/websockets/)).
//! So nothing about a WebSocket is in memory. Its attachment has the instant when its token expires and, if the token is for
//! one connection, its handle.
//!
//! A frame is sent right after its change was written, with no await between. The platform holds it back until the commit
//! is durable, as it holds back each answer of an object (in workerd's `web-socket.c++`, `send` and `close` wait for the
//! output gate). So no page sees a change that a crash could undo.
//!
//! Table `changes`:
//! - `seq`: the number of the change. SQLite gives each row the number after the largest one. The newest row is never
//!   deleted, so no number is given twice. `AUTOINCREMENT` would write a row in a second table.
//! - `told`: when its update came, unix ms
//! - `handle`; empty in a mark, which is no change. One is written when the table is created, and when the user was erased.
//! - `status`: null if the connection left the user
//! - `updated_at`: that of the record; if the connection left, the time of `told`
//!
//! A change is written before the hub's copy of the record, in the same commit, and only if the hub takes the update. If a
//! connection leaves that the user does not have, nothing has changed for the user. At least the last 200 rows stay. Older
//! ones are deleted with every 64th change.
//!
//! An older build has no such table and writes `connections` alone. So the changes after a row are known only if each
//! connection whose update came after it has a change that was written then.
//!
//! Most of this is JavaScript, because it only joins the platform's SQL and WebSockets. The events of WebSockets are in
//! `entry.js`. They need nothing of the hub, so they also work while it restarts.

use wasm_bindgen::prelude::*;

use crate::{
    core::connection::Record,
    worker::platform::{self, Database},
};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS changes (
        seq INTEGER PRIMARY KEY, told INTEGER NOT NULL, handle TEXT NOT NULL, status TEXT, updated_at TEXT)";
const MARK: &str = "INSERT INTO changes (told, handle) VALUES (?, '')";

/// The code of a WebSocket that is closed because its token has expired.
const EXPIRED: u16 = 4401;
/// The code of a WebSocket that is closed because its user was erased. Its page does not come back, so it is sent only after an
/// erasure that left nothing.
const ERASED: u16 = 4403;

#[wasm_bindgen(inline_js = r#"
const LIMIT = 20; // WebSockets of a user
const KEPT = 200; // changes

const openSockets = (context) => context.getWebSockets().filter((socket) => socket.readyState === WebSocket.OPEN);

export function writeChange({ storage: { sql } }, handle, version, status = null, updatedAt, now) {
  updatedAt ??= new Date(Number(now)).toISOString();
  const [row] = sql.exec(`
    INSERT INTO changes (told, handle, status, updated_at) SELECT ?1, ?2, ?3, ?4 WHERE ifnull(
      (SELECT version < ?5 AND (record IS NOT NULL OR ?3 IS NOT NULL) FROM connections WHERE handle = ?2), ?3 IS NOT NULL)
    RETURNING seq`, Number(now), handle, status, updatedAt, Number(version));
  if (!row) return;
  if (row.seq % 64 === 0) sql.exec("DELETE FROM changes WHERE seq <= ?", row.seq - KEPT);
  return JSON.stringify({ seq: row.seq, handle, status, updatedAt });
}

export function sendFrame(context, handle, frame, now) {
  for (const socket of openSockets(context)) {
    const [expiresAt, only] = socket.deserializeAttachment();
    if (expiresAt > now && (!only || only === handle)) socket.send(frame);
  }
}

export function openSocket(context, socket, request) {
  if (openSockets(context).length >= LIMIT) return;
  const [expiresAt, since, only] = request.split(" ");
  const frames = [...firstFrames(context.storage.sql, since, only)];
  context.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  context.acceptWebSocket(socket);
  socket.serializeAttachment([BigInt(expiresAt), only]);
  for (const frame of frames) socket.send(JSON.stringify(frame));
  return BigInt(expiresAt);
}

function firstFrames(sql, since, only) {
  const [{ seq }] = sql.exec("SELECT max(seq) AS seq FROM changes");
  const [isKnown] = sql.exec(`
    SELECT 1 FROM changes AS seen WHERE seq = ? AND seq >= ? AND NOT EXISTS (
      SELECT 1 FROM connections AS c WHERE told > seen.told AND NOT EXISTS (
        SELECT 1 FROM changes WHERE handle = c.handle AND told >= c.told))`, since, seq - KEPT);
  return isKnown ? sql.exec(`
    SELECT seq, handle, status, updated_at AS updatedAt FROM changes
    WHERE seq > ?1 AND handle <> '' AND ?2 IN ('', handle) ORDER BY seq`, since, only) : [{ resync: true, seq }];
}

export function closeSockets(context, until, code, reason) {
  let next;
  for (const socket of openSockets(context)) {
    const [expiresAt] = socket.deserializeAttachment();
    if (expiresAt <= until) socket.close(code, reason);
    else if (next === undefined || expiresAt < next) next = expiresAt;
  }
  return next;
}
"#)]
extern "C" {
    #[wasm_bindgen(catch, js_name = writeChange)]
    fn write_change(
        context: &JsValue,
        handle: &str,
        version: i64,
        status: Option<&str>,
        updated_at: Option<&str>,
        now: i64,
    ) -> Result<Option<String>, JsValue>;
    /// Sends a frame about the connection with this handle to all pages that may see it.
    #[wasm_bindgen(catch, js_name = sendFrame)]
    pub fn send(context: &JsValue, handle: &str, frame: &str, now: i64) -> Result<(), JsValue>;
    /// Opens a WebSocket as a [`Message::Live`](super::message::Message::Live) asks. Returns when its token expires, in unix ms,
    /// or nothing if the user has too many.
    #[wasm_bindgen(catch, js_name = openSocket)]
    pub fn open(context: &JsValue, socket: &JsValue, request: &str) -> Result<Option<i64>, JsValue>;
    #[wasm_bindgen(catch, js_name = closeSockets)]
    fn close(context: &JsValue, until: i64, code: u16, reason: &str) -> Result<Option<i64>, JsValue>;
}

pub fn create_table(database: &Database, now: i64) -> platform::Result<()> {
    database.run(SCHEMA, vec![])?;
    database.run(MARK, vec![now.into()])
}

/// Deletes all changes. Pages that have seen one of them read all anew.
pub fn clear(database: &Database, now: i64) -> platform::Result<()> {
    // An older build may have begun the erasure.
    if database.has_table("changes")? {
        database.run(MARK, vec![now.into()])?;
        database.run("DELETE FROM changes WHERE seq < (SELECT max(seq) FROM changes)", vec![])?;
    }
    Ok(())
}

/// Writes a change, before `connections` is written. Returns its frame, or `None` if it is no change.
pub fn note(
    context: &JsValue,
    handle: &str,
    version: i64,
    record: Option<&Record>,
    now: i64,
) -> Result<Option<String>, JsValue> {
    let status = record.map(|record| record.status.as_str());
    write_change(context, handle, version, status, record.map(|record| record.updated_at.as_str()), now)
}

/// Closes the WebSockets whose token has expired. Returns when the next token expires, in unix ms.
pub fn close_expired(context: &JsValue, now: i64) -> Result<Option<i64>, JsValue> {
    close(context, now, EXPIRED, "the session token has expired")
}

/// Closes all WebSockets, because the user was erased.
pub fn close_erased(context: &JsValue) -> Result<(), JsValue> {
    close(context, i64::MAX, ERASED, "the user was deleted").map(|_| ())
}
