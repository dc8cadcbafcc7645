//! The metrics as a Durable Object, one for each shard.
//!
//! | path | head | answer |
//! |---|---|---|
//! | `add/{minute}` | lines | nothing |
//! | `read/{minute}` | – | the lines of each minute from this one on |
//! | `sum/{minute}` | – | the lines of these minutes together, each with the minute in which it was counted last |
//! | `watch/{minute}` | – | nothing; only the first object is asked: see `watch.rs` |
//!
//! [`core::monitor`](crate::core::monitor) says what lines are. A minute is counted from 1970.
//!
//! Table `minutes`, one row per minute: `minute`, `counts` (lines). Rows are deleted after 24 hours. The counts are of no
//! user and no connection, so they are not encrypted.
//!
//! If ALERT_URL is set, the alarm of an object that has got counts asks for a watch a minute later.

use std::{cell::Cell, rc::Rc};

use wasm_bindgen::prelude::*;
use worker::{Env, js_sys::Promise};

use super::{client, watch};
use crate::{
    core::monitor::{Counts, Minutes},
    worker::platform::{self, Database, State, Value, environment, log_error, now_ms, on_heap, promise},
};

/// How long after new counts a watch is asked for, in ms.
const WATCH_AFTER: i64 = 60_000;

/// The Durable Object, as `entry.js` calls it.
#[wasm_bindgen]
pub struct Metrics(Rc<MetricsObject>);

struct MetricsObject {
    database: Database,
    env: Env,
    /// Whether the alarm is known to be set.
    has_alarm: Cell<bool>,
    /// The minute of the last watch.
    watched: Cell<i64>,
}

#[wasm_bindgen]
impl Metrics {
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, env: Env) -> Self {
        let database = Database::new(&state);
        Self(Rc::new(MetricsObject { database, env, has_alarm: Cell::new(false), watched: Cell::new(0) }))
    }

    /// Answers a request: see the head of this file.
    pub fn answer(&self, path: String, head: String, _body: JsValue) -> Promise {
        let object = Rc::clone(&self.0);
        promise(async move { Ok(object.answer(&path, &head).await?.into()) })
    }

    pub fn alarm(&self) -> Promise {
        let object = Rc::clone(&self.0);
        promise(async move {
            object.has_alarm.set(false);
            if let Err(error) = client::watch(&object.env).await {
                log_error("alert", &error);
                object.wake_later()?;
            }
            Ok(JsValue::UNDEFINED)
        })
    }
}

impl MetricsObject {
    async fn answer(&self, path: &str, head: &str) -> platform::Result<String> {
        let (what, minute) = path.split_once('/').ok_or("no such path")?;
        let (database, minute) = (&self.database, minute.parse().map_err(|_| "no minute")?);
        match what {
            "add" => {
                add(minute, head, database)?;
                self.wake_later()?;
                Ok(String::new())
            }
            "read" => {
                let texts = rows(minute, database)?
                    .into_iter()
                    .flat_map(|(minute, counts)| ["@".to_owned(), minute.to_string(), "\n".to_owned(), counts]);
                Ok(texts.collect())
            }
            "sum" => {
                let mut sum = Counts::default();
                for (minute, counts) in rows(minute, database)? {
                    sum.add_text(&counts, minute);
                }
                Ok(sum.to_text(true))
            }
            // All objects ask the first one. It watches once in each minute.
            _ => {
                if self.watched.replace(minute) != minute && on_heap(watch::watch(minute, database, &self.env)).await? {
                    self.wake_later()?;
                }
                Ok(String::new())
            }
        }
    }

    /// Sets the alarm, if alerts are to be sent.
    fn wake_later(&self) -> platform::Result<()> {
        let has_url = environment::config(&self.env).is_ok_and(|config| config.alert_url.is_some());
        if has_url && !self.has_alarm.replace(true) {
            self.database.set_alarm(Some(now_ms() + WATCH_AFTER))?;
        }
        Ok(())
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
