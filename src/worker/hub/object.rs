//! The hub as a Durable Object: one per user, named by the keyed hash of the clientReferenceId.
//!
//! Ledgers send updates, and may repeat them or be late: each carries the ledger's version, and one that is older than
//! the stored one is ignored. A connection that left stays as a mark for [`MARK_LIFETIME`], so that a late update cannot
//! bring it back.
//!
//! - Table `connections`: `handle`, `version`, `told` (when the update came, unix ms), `record` (encrypted; null after
//!   the connection left). A record is encrypted for the place `hub/{name}/{handle}`.
//! - Table `links`: see `links.rs`.
//!
//! The first write creates the tables. The alarm deletes marks and Link sessions whose time is over, and is set only
//! while there are any.

use std::cell::Cell;

use worker::{DurableObject, Env, Request, Response, SqlStorageValue as Value, State, durable_object};

use super::{
    links,
    message::{HubUpdate, LinkRequest, Message},
};
use crate::{
    core::{config::Config, connection::Record, json},
    worker::platform::{self, Database, environment, integer, on_heap},
};

/// How long a connection that left stays as a mark, in ms: 30 days.
const MARK_LIFETIME: i64 = 30 * 86_400_000;
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS connections (
        handle TEXT PRIMARY KEY, version INTEGER NOT NULL, told INTEGER NOT NULL, record BLOB)";

/// The Durable Object.
#[durable_object(alarm)]
pub struct Hub {
    state: State,
    env: Env,
    database: Database,
    has_tables: Cell<bool>,
    /// Whether `alarm_at` is known.
    is_alarm_known: Cell<bool>,
    /// When the alarm rings, in unix ms.
    alarm_at: Cell<Option<i64>>,
}

impl DurableObject for Hub {
    fn new(state: State, env: Env) -> Self {
        let database = Database::new(&state);
        Self {
            state,
            env,
            database,
            has_tables: Cell::new(false),
            is_alarm_known: Cell::new(false),
            alarm_at: Cell::new(None),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        on_heap(self.answer(request)).await
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.wake()
    }
}

impl Hub {
    async fn answer(&self, mut request: Request) -> worker::Result<Response> {
        let config = environment::config(&self.env).map_err(|_| "not configured")?;
        let (name, message): (String, Message) = json::from_slice(&request.bytes().await?)?;
        self.load_alarm().await?;
        // From here on there is no await, so all writes are one commit.
        let now = platform::now_ms();
        if !self.prepare(message.needs_tables())? {
            return answer_empty(&message);
        }
        match message {
            Message::List => Response::from_json(&self.list(&name, &config)?),
            Message::Get(handle) => Response::from_json(&self.get(&name, &handle, &config)?),
            Message::Update(update) => Response::from_json(&self.apply_update(&name, update, &config, now)?),
            Message::Link(request) => {
                if let LinkRequest::Add(_, until) = &request {
                    self.advance_alarm(*until)?;
                }
                links::answer(request, &name, &self.database, &config, now)
            }
        }
    }

    /// Deletes marks and Link sessions whose time is over, and sets the next alarm.
    fn wake(&self) -> worker::Result<Response> {
        let now = platform::now_ms();
        if self.prepare(false)? {
            let marks = "DELETE FROM connections WHERE record IS NULL AND told <= ?";
            self.database.run(marks, vec![(now - MARK_LIFETIME).into()])?;
            links::prune(&self.database, now)?;
            let ends = "SELECT min(ends) FROM (SELECT told + ? AS ends FROM connections WHERE record IS NULL \
                UNION ALL SELECT until FROM links)";
            let next = self.database.first_row(ends, vec![MARK_LIFETIME.into()])?.first().and_then(integer);
            self.alarm_at.set(next);
            self.is_alarm_known.set(true);
            if next.is_some() {
                self.database.set_alarm(next)?;
            }
        }
        Response::empty()
    }

    /// Looks whether the tables exist, once per wake-up, and creates them if a write needs them. Returns whether they
    /// exist.
    fn prepare(&self, needs_tables: bool) -> worker::Result<bool> {
        if !self.has_tables.get() {
            if needs_tables {
                self.database.run(SCHEMA, vec![])?;
                links::create_table(&self.database)?;
            }
            self.has_tables.set(needs_tables || self.database.has_table("links")?);
        }
        Ok(self.has_tables.get())
    }

    /// Reads when the alarm rings, once per wake-up.
    async fn load_alarm(&self) -> worker::Result<()> {
        if !self.is_alarm_known.get() {
            self.alarm_at.set(self.state.storage().get_alarm().await?);
            self.is_alarm_known.set(true);
        }
        Ok(())
    }

    /// Sets the alarm to `at` (unix ms) if it would ring later, or not at all.
    fn advance_alarm(&self, at: i64) -> worker::Result<()> {
        if self.alarm_at.get().is_none_or(|alarm| alarm > at) {
            self.database.set_alarm(Some(at))?;
            self.alarm_at.set(Some(at));
        }
        Ok(())
    }

    fn list(&self, name: &str, config: &Config) -> worker::Result<Vec<Record>> {
        let select = "SELECT handle, record FROM connections WHERE record IS NOT NULL";
        let rows = self.database.rows(select, vec![])?.into_iter();
        Ok(rows.filter_map(|row| open(name, row, config)).collect())
    }

    fn get(&self, name: &str, handle: &str, config: &Config) -> worker::Result<Option<Record>> {
        let select = "SELECT handle, record FROM connections WHERE handle = ?";
        Ok(open(name, self.database.first_row(select, vec![handle.into()])?, config))
    }

    fn apply_update(&self, name: &str, update: HubUpdate, config: &Config, now: i64) -> worker::Result<()> {
        let HubUpdate { handle, version, record } = update;
        if record.is_none() {
            self.advance_alarm(now + MARK_LIFETIME)?;
        }
        let record = record.map(|record| serde_json::to_vec(&record)).transpose()?;
        let record = record.map(|record| config.sealer.seal(&place(name, &handle), &record, platform::nonce()));
        let upsert = "INSERT INTO connections VALUES (?, ?, ?, ?) ON CONFLICT (handle) DO UPDATE \
            SET version = excluded.version, told = excluded.told, record = excluded.record \
            WHERE version <= excluded.version";
        self.database.run(upsert, vec![handle.into(), version.into(), now.into(), record.into()])
    }
}

/// The answer of a hub without tables.
fn answer_empty(message: &Message) -> worker::Result<Response> {
    match message {
        Message::List | Message::Link(LinkRequest::List) => Response::from_json(&[(); 0]),
        Message::Link(LinkRequest::CountPage(_)) => Response::from_json(&false),
        Message::Get(_) | Message::Update(_) | Message::Link(_) => Response::from_json(&()),
    }
}

/// The record in a row, or `None` if it left or does not open. A row whose key is not configured any more must not hide
/// the others.
fn open(name: &str, row: Vec<Value>, config: &Config) -> Option<Record> {
    match <[Value; 2]>::try_from(row) {
        Ok([Value::String(handle), Value::Blob(sealed)]) => {
            json::from_slice(&config.sealer.open(&place(name, &handle), &sealed).ok()?).ok()
        }
        _ => None,
    }
}

fn place(name: &str, handle: &str) -> String {
    format!("hub/{name}/{handle}")
}
