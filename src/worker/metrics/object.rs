//! The metrics as a Durable Object, one for each shard.
//!
//! | path | head | answer |
//! |---|---|---|
//! | `add/{minute}` | lines | nothing |
//! | `read/{minute}` | – | the lines of each minute from this one on |
//! | `sum/{minute}` | – | the lines of these minutes together, each with the minute in which it was counted last |
//!
//! [`core::monitor`](crate::core::monitor) says what lines are. A minute is counted from 1970.
//!
//! Table `minutes`, one row per minute: `minute`, `counts` (lines). Rows are deleted after 24 hours. The counts are of no
//! user and no connection, so they are not encrypted.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use worker::{Env, js_sys::Promise};

use crate::{
    core::monitor::{Counts, Minutes},
    worker::platform::{self, Database, State, Value, promise},
};

/// The Durable Object, as `entry.js` calls it.
#[wasm_bindgen]
pub struct Metrics(Rc<Database>);

#[wasm_bindgen]
impl Metrics {
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, _env: Env) -> Self {
        Self(Rc::new(Database::new(&state)))
    }

    /// Answers a request: see the head of this file.
    pub fn answer(&self, path: String, head: String, _body: JsValue) -> Promise {
        let database = Rc::clone(&self.0);
        promise(async move { Ok(answer(&path, &head, &database)?.into()) })
    }

    pub fn alarm(&self) -> Promise {
        promise(async { Ok(JsValue::UNDEFINED) })
    }
}

fn answer(path: &str, head: &str, database: &Database) -> platform::Result<String> {
    let (what, minute) = path.split_once('/').ok_or("no such path")?;
    let minute = minute.parse().map_err(|_| "no minute")?;
    match what {
        "add" => add(minute, head, database).map(|()| String::new()),
        "read" => Ok(rows(minute, database)?.iter().map(|(minute, counts)| format!("@{minute}\n{counts}")).collect()),
        "sum" => {
            let mut sum = Counts::default();
            for (minute, counts) in rows(minute, database)? {
                sum.add_text(&counts, minute);
            }
            Ok(sum.to_text(true))
        }
        _ => Err("no such path".into()),
    }
}

/// Adds counts to those of a minute, and deletes what is too old.
fn add(minute: i64, lines: &str, database: &Database) -> platform::Result<()> {
    let schema = "CREATE TABLE IF NOT EXISTS minutes (minute INTEGER PRIMARY KEY, counts TEXT NOT NULL)";
    database.run(schema, vec![])?;
    database.run("DELETE FROM minutes WHERE minute <= ?", vec![(minute - Minutes::MAX).into()])?;
    let stored = database.first_row("SELECT counts FROM minutes WHERE minute = ?", vec![minute.into()])?;
    let mut counts = Counts::default();
    if let Some(Value::String(stored)) = stored.first() {
        counts.add_text(stored, minute);
    }
    counts.add_text(lines, minute);
    let values = vec![minute.into(), counts.to_text(false).into()];
    database.run("INSERT OR REPLACE INTO minutes VALUES (?, ?)", values)
}

/// The minutes from `first` on, each with its lines.
fn rows(first: i64, database: &Database) -> platform::Result<Vec<(i64, String)>> {
    if !database.has_table("minutes")? {
        return Ok(Vec::new());
    }
    let select = "SELECT minute, counts FROM minutes WHERE minute >= ?";
    let rows = database.rows(select, vec![first.into()])?.into_iter();
    Ok(rows
        .filter_map(|row| match <[Value; 2]>::try_from(row) {
            Ok([Value::Integer(minute), Value::String(counts)]) => Some((minute, counts)),
            _ => None,
        })
        .collect())
}
