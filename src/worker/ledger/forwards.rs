//! The index of all events that the app has not taken at the first attempt, so that an operator finds them without asking
//! every ledger. It is one Durable Object of the ledgers' class, named [`NAME`].
//!
//! A ledger updates the index with the result of an attempt *before* it notes the result itself. If the index does not answer,
//! the ledger notes no end. So the index has every parked event, also after a crash. An event that the app takes at the first
//! attempt never has a row.
//!
//! Table `forwards`, one row per event: `handle` and `id`, `state`, `item` (JSON, as `GET /edge/deliveries` lists it), and
//! `noted`, when it was updated last, in unix ms. A row is deleted after [`LIFETIME`], when the ledger has deleted the event. A lane
//! deletes itself without an update. So before the index answers, it deletes the rows of parked events whose lanes are gone by then.
//!
//! | path | head | answer |
//! |---|---|---|
//! | `forwards/note/{handle}/{id}` | the item, or nothing: then the row is deleted, or without an id all rows of the handle | nothing |
//! | `forwards/list/{state}/{before}` | how many at most | the place before which the next page begins, or nothing; and on the next line the items, newest first |
//! | `forwards/count` | – | how many are pending, and how many are parked, as two numbers |
//! | `forwards/find/{id}` | – | the handles of the connections that have it, with a line break after each; an event of a lane has an empty one |

use worker::Env;

use crate::worker::platform::{
    self, Boxed, Database, Failure, ObjectRequest, State, Value, call_ledger, integer, on_heap, text_of,
};

/// The object's name. It is not a handle, so it is no connection's ledger.
const NAME: &str = "forwards";
/// How long a row stays after its last update, in ms: as long as a ledger stores a delivery.
const LIFETIME: i64 = 30 * 86_400_000;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS forwards (
    handle TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, item TEXT NOT NULL, noted INTEGER NOT NULL,
    UNIQUE (handle, id))";

/// Asks the index. `path` and `head` are those of the table above.
///
/// This is on the heap: else each caller would have all of its code.
pub fn ask<'a>(path: &'a str, head: &'a str, env: &'a Env) -> Boxed<'a, Result<String, Failure>> {
    on_heap(async move {
        call_ledger(NAME, ObjectRequest { path: &format!("forwards/{path}"), head, body: b"" }, env).await
    })
}

/// Answers as the index. `path` is without `forwards/`. `lane_lifetime` is how long a lane stays after its event was parked, in ms.
// So that it is not part of the ledger's largest function, which most requests run.
#[inline(never)]
pub fn answer(path: &str, head: &str, state: &State, lane_lifetime: i64) -> platform::Result<String> {
    let database = Database::new(state);
    let mut parts = path.splitn(3, '/');
    let [action, first, second] = [(); 3].map(|()| parts.next().unwrap_or_default());
    if action == "note" {
        note(first, second, head, &database)?;
        return Ok(String::new());
    }
    let has_table = database.has_table("forwards")?;
    let rows = |statement: &str, bindings: Vec<Value>| {
        if has_table { database.rows(statement, bindings) } else { Ok(Vec::new()) }
    };
    if action == "find" {
        // An id may have slashes.
        let id = path.get("find/".len()..).unwrap_or_default();
        let found = rows("SELECT handle FROM forwards WHERE id = ?", vec![id.into()])?;
        return Ok(found.into_iter().flatten().filter_map(text_of).map(|handle| handle + "\n").collect());
    }
    let left = "DELETE FROM forwards WHERE handle = '' AND state = 'parked' AND noted < ?";
    rows(left, vec![(platform::now_ms() - lane_lifetime).into()])?;
    if action == "count" {
        let counts = "SELECT count(*) FILTER (WHERE state = 'pending') || ' ' || count(*) FILTER (WHERE state = 'parked') \
            FROM forwards";
        let counted = rows(counts, vec![])?.into_iter().flatten().next().and_then(text_of);
        return Ok(counted.unwrap_or_else(|| "0 0".to_owned()));
    }
    let (before, limit) = (second.parse().unwrap_or(0_i64), head.parse().unwrap_or(0_usize));
    let select = "SELECT rowid, item FROM forwards WHERE state = ? AND rowid < ? ORDER BY rowid DESC LIMIT ?";
    let more = i64::try_from(limit + 1).unwrap_or_default();
    let mut found = rows(select, vec![first.into(), before.into(), more.into()])?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().and_then(|row| row.first()).and_then(integer).filter(|_| has_more);
    let items = found.into_iter().filter_map(|mut row| row.pop().and_then(text_of)).collect::<Vec<_>>().join(",");
    Ok(format!("{}\n{items}", last.map_or_else(String::new, |last| last.to_string())))
}

fn note(handle: &str, id: &str, item: &str, database: &Database) -> platform::Result<()> {
    database.run(SCHEMA, vec![])?;
    if item.is_empty() {
        let delete = "DELETE FROM forwards WHERE handle = ? AND ? IN ('', id)";
        return database.run(delete, vec![handle.into(), id.into()]);
    }
    let now = platform::now_ms();
    let upsert = "INSERT INTO forwards VALUES (?1, ?2, json_extract(?3, '$.state'), ?3, ?4) \
        ON CONFLICT DO UPDATE SET state = excluded.state, item = excluded.item, noted = excluded.noted";
    database.run(upsert, vec![handle.into(), id.into(), item.into(), now.into()])?;
    // An erased connection may have left some.
    if now % 64 == 0 {
        database.run("DELETE FROM forwards WHERE noted < ?", vec![(now - LIFETIME).into()])?;
    }
    Ok(())
}
