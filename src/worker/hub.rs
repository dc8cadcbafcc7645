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
//! | `links` | Link sessions under way: see [`super::pending`] |
//!
//! A record's place (see [`crate::seal`]) is `hub/{name}/{handle}`. The tables come with the first write.

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use worker::{
    DurableObject, Env, Method, Request, RequestInit, Response, SqlStorage, SqlStorageValue as Value, State,
    durable_object,
};

use super::{env, pending::Question, platform, reply::Failure};
use crate::core::{config::Config, connection::Record};

const MEMORY: i64 = 30 * 86_400_000;
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS connections (
        handle TEXT PRIMARY KEY, version INTEGER NOT NULL, told INTEGER NOT NULL, record BLOB);
    CREATE TABLE IF NOT EXISTS links (
        key INTEGER PRIMARY KEY AUTOINCREMENT, until INTEGER NOT NULL, pages INTEGER NOT NULL, pending BLOB NOT NULL)";

/// What a hub is told or asked. It carries the hub's own name: an object may not know it.
#[derive(Debug, Serialize, Deserialize)]
pub enum Message {
    /// By a ledger.
    Told(Told),
    /// All connections of the user.
    List,
    /// About Link sessions.
    Link(Question),
}

/// What a ledger tells a hub about one connection.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    /// The connection.
    pub handle: String,
    /// The ledger's version.
    pub version: i64,
    /// What it looks like, or `None` once it belongs to another user, to none, or is no more.
    pub record: Option<Record>,
}

/// The Durable Object.
#[durable_object(alarm)]
pub struct Hub {
    state: State,
    env: Env,
}

/// Sends a message to the hub of that name.
pub async fn send<T: DeserializeOwned>(name: &str, message: Message, env: &Env) -> worker::Result<T> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(serde_json::to_string(&(name, message))?.into()));
    let request = Request::new_with_init("https://hub/", &init)?;
    let mut answer = env::hubs(env)?.get_by_name(name)?.fetch_with_request(request).await?;
    if answer.status_code() == 200 { answer.json().await } else { Err("the hub refused".into()) }
}

/// All connections of a user, the newest `updatedAt` first.
pub async fn connections(reference: &str, config: &Config, env: &Env) -> Result<Vec<Record>, Failure> {
    let listed = send::<Vec<Record>>(&config.index.reference(reference), Message::List, env).await;
    let mut records = listed.map_err(|error| Failure::storage("hub", &error))?;
    records.sort_by(|a, b| b.updated_at.cmp(&a.updated_at).then_with(|| a.handle.cmp(&b.handle)));
    Ok(records)
}

impl DurableObject for Hub {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let config = env::config(&self.env).map_err(|_| "not configured")?;
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
        let Some(Value::Integer(at)) = first(sql, ends, vec![MEMORY.into()])?.pop() else { return Ok(()) };
        let storage = self.state.storage();
        if storage.get_alarm().await?.is_none_or(|set| set > at) {
            storage.set_alarm(Duration::from_millis((at - now).max(0).unsigned_abs())).await?;
        }
        Ok(())
    }
}

impl Message {
    fn is_write(&self) -> bool {
        matches!(self, Self::Told(_) | Self::Link(Question::Expect(..)))
    }
}

/// The first row of what a statement gives; empty if it gives none.
pub fn first(sql: &SqlStorage, statement: &str, bindings: Vec<Value>) -> worker::Result<Vec<Value>> {
    Ok(sql.exec(statement, bindings)?.raw().next().transpose()?.unwrap_or_default())
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
