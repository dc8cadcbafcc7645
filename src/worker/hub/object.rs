//! The hub: a Durable Object per clientReferenceId, named by its keyed hash, that holds a sealed copy of the record of
//! each of that user's connections. What a user sees as theirs is read here, strongly consistent.
//!
//! Ledgers tell it, and may repeat themselves or be late: every message carries the ledger's version, and one that is
//! older than what is known is ignored. A connection that left is remembered for [`MEMORY`], so that a late message cannot
//! bring it back.
//!
//! | table | columns |
//! |---|---|
//! | `connections` | handle; the version told last; when that was (unix ms); the sealed record, or NULL once it left |
//! | `links` | Link sessions under way: see [`links`](mod@super::links) |
//!
//! A record's place (see [`crate::core::storage`]) is `hub/{name}/{handle}`. The tables come with the first write.

use std::time::Duration;

use worker::{DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue as Value, State, durable_object};

use super::message::{Message, Told};
use crate::{
    core::{config::Config, connection::Record},
    worker::platform::{self, environment, first_row},
};

const MEMORY: i64 = 30 * 86_400_000;
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS connections (
        handle TEXT PRIMARY KEY, version INTEGER NOT NULL, told INTEGER NOT NULL, record BLOB);
    CREATE TABLE IF NOT EXISTS links (
        key INTEGER PRIMARY KEY AUTOINCREMENT, until INTEGER NOT NULL, pages INTEGER NOT NULL, pending BLOB NOT NULL)";

/// The Durable Object.
#[durable_object(alarm)]
pub struct Hub {
    state: State,
    env: Env,
}

impl DurableObject for Hub {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let config = environment::config(&self.env).map_err(|_| "not configured")?;
        let (sql, now) = (self.state.storage().sql(), platform::now_ms());
        let (name, message): (String, Message) = request.json().await?;
        if message.is_write() {
            sql.exec(SCHEMA, None)?;
        }
        let empty = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'links'", None)?.raw().next().is_none();
        let answer = match message {
            Message::List if empty => Response::from_json(&Vec::<Record>::new()),
            Message::List => Response::from_json(&list(&name, &sql, &config)?),
            Message::Told(told) => Response::from_json(&hear(&name, told, &sql, &config, now)?),
            Message::Link(question) if empty => question.answer_empty(),
            Message::Link(question) => question.answer(&name, &sql, &config, now),
        };
        if !empty {
            self.set_alarm(&sql, now).await?;
        }
        answer
    }

    /// Forgets what has outlived its time.
    async fn alarm(&self) -> worker::Result<Response> {
        let (sql, now) = (self.state.storage().sql(), platform::now_ms());
        sql.exec("DELETE FROM connections WHERE record IS NULL AND told <= ?", vec![(now - MEMORY).into()])?;
        sql.exec("DELETE FROM links WHERE until <= ?", vec![now.into()])?;
        self.set_alarm(&sql, now).await?;
        Response::empty()
    }
}

impl Hub {
    /// Sets the alarm for when something will have outlived its time, if anything will.
    async fn set_alarm(&self, sql: &SqlStorage, now: i64) -> worker::Result<()> {
        let ends = "SELECT min(ends) FROM (SELECT told + ? AS ends FROM connections WHERE record IS NULL \
            UNION ALL SELECT until FROM links)";
        let Some(Value::Integer(at)) = first_row(sql, ends, vec![MEMORY.into()])?.pop() else { return Ok(()) };
        let storage = self.state.storage();
        if storage.get_alarm().await?.is_none_or(|set| set > at) {
            storage.set_alarm(Duration::from_millis((at - now).max(0).unsigned_abs())).await?;
        }
        Ok(())
    }
}

fn list(name: &str, sql: &SqlStorage, config: &Config) -> worker::Result<Vec<Record>> {
    let rows = sql.exec("SELECT handle, record FROM connections WHERE record IS NOT NULL", None)?;
    // A row that does not open, since its key is not configured any more, does not hide the others.
    let open = |row: Vec<Value>| match <[Value; 2]>::try_from(row) {
        Ok([Value::String(handle), Value::Blob(sealed)]) => {
            serde_json::from_slice(&config.sealer.open(&place(name, &handle), &sealed).ok()?).ok()
        }
        _ => None,
    };
    rows.raw().filter_map(|row| row.map(open).transpose()).collect()
}

fn hear(name: &str, told: Told, sql: &SqlStorage, config: &Config, now: i64) -> worker::Result<()> {
    let Told { handle, version, record } = told;
    let record = record.map(|record| serde_json::to_vec(&record)).transpose()?;
    let record = record.map(|record| config.sealer.seal(&place(name, &handle), &record, platform::nonce()));
    sql.exec(
        "INSERT INTO connections VALUES (?, ?, ?, ?) ON CONFLICT (handle) DO UPDATE \
            SET version = excluded.version, told = excluded.told, record = excluded.record \
            WHERE version <= excluded.version",
        vec![handle.into(), version.into(), now.into(), record.into()],
    )
    .map(|_| ())
}

fn place(name: &str, handle: &str) -> String {
    format!("hub/{name}/{handle}")
}
