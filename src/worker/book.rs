//! The ledger's tables and the one transaction that writes them.
//!
//! | table | columns |
//! |---|---|
//! | `ledger`, one row | handle; the sealed [`Connection`]; its version; the version that KV has; the hub that was told, and of which version; when the alarm is set for; how long to wait for the next try; when to delete everything |
//! | `deliveries` | id; received and stamp (unix ms); type; outcome; the sealed raw body |
//!
//! A value's place (see [`crate::seal`]) is `ledger/{handle}/record` or `ledger/{handle}/delivery/{id}`. The tables come
//! with the first write: a look-up on an empty object writes nothing. Bodies go after EVENT_TTL_SECONDS, deliveries after
//! [`DELIVERY_LIFE`] and beyond the newest [`MAX_DELIVERIES`], everything [`AFTERLIFE`] after `disconnected`.

use wasm_bindgen::prelude::*;
use worker::{SqlStorage, SqlStorageValue as Value, State};

use super::{ledger::Entry, platform};
use crate::{
    config::Config,
    connection::{Connection, Record},
    event::Outcome,
};

/// How long after a failure the first further try comes, in milliseconds; doubles up to [`MAX_RETRY`].
pub const MIN_RETRY: i64 = 2_000;
/// The longest wait between tries, in milliseconds: 5 minutes.
pub const MAX_RETRY: i64 = 300_000;

const DAY: i64 = 86_400_000;
const DELIVERY_LIFE: i64 = 30 * DAY;
const AFTERLIFE: i64 = 90 * DAY;
const MAX_DELIVERIES: i64 = 1_000;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS ledger (
        one INTEGER PRIMARY KEY CHECK (one = 1), handle TEXT NOT NULL, record BLOB NOT NULL, version INTEGER NOT NULL,
        projected INTEGER NOT NULL, hub TEXT, hub_version INTEGER NOT NULL, alarm_at INTEGER, retry_ms INTEGER NOT NULL, purge_at INTEGER);
    CREATE TABLE IF NOT EXISTS deliveries (
        id TEXT PRIMARY KEY, received INTEGER NOT NULL, stamp INTEGER NOT NULL, type TEXT NOT NULL,
        outcome TEXT NOT NULL, body BLOB)";

/// The tables of one ledger.
pub struct Book<'a> {
    storage: worker::Storage,
    sql: SqlStorage,
    config: &'a Config,
}

/// The one row.
#[derive(Debug)]
pub struct Row {
    pub handle: String,
    pub version: i64,
    pub projected: i64,
    pub hub: Option<String>,
    pub hub_version: i64,
    pub alarm_at: Option<i64>,
    pub retry_ms: i64,
    pub purge_at: Option<i64>,
    connection: Connection,
}

/// What entering a delivery came to.
#[derive(Debug)]
pub struct Entered {
    pub outcome: Outcome,
    /// The version that KV or the hub still lacks.
    pub dirty: Option<i64>,
    /// When to set the alarm for, if that is earlier than it is set.
    pub alarm: Option<i64>,
}

#[wasm_bindgen]
extern "C" {
    type Storage;
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(this: &Storage, run: &mut dyn FnMut() -> Result<(), JsValue>) -> Result<(), JsValue>;
}

impl Row {
    /// The record as shown.
    pub fn record(&self) -> Record {
        self.connection.record(self.handle.clone())
    }

    /// Whether KV or the hub lacks the newest version.
    pub fn is_dirty(&self) -> bool {
        self.projected.min(self.hub_version) < self.version
    }
}

impl<'a> Book<'a> {
    pub fn new(state: &State, config: &'a Config) -> Self {
        let storage = state.storage();
        Self { sql: storage.sql(), storage, config }
    }

    /// Reads the row; `None` before the first write.
    pub fn read(&self) -> worker::Result<Option<Row>> {
        let tables = self.rows("SELECT 1 FROM sqlite_master WHERE name = 'ledger'", vec![])?;
        if tables.is_empty() {
            return Ok(None);
        }
        let select = "SELECT handle, record, version, projected, hub, hub_version, alarm_at, retry_ms, \
            purge_at FROM ledger";
        let Some(row) = self.rows(select, vec![])?.pop() else { return Ok(None) };
        let Ok(
            [
                Value::String(handle),
                Value::Blob(sealed),
                Value::Integer(version),
                Value::Integer(projected),
                hub,
                Value::Integer(hub_version),
                alarm_at,
                Value::Integer(retry_ms),
                purge_at,
            ],
        ) = <[Value; 9]>::try_from(row)
        else {
            return Err("the ledger's row has another shape".into());
        };
        let plain = self.config.sealer.open(&record_place(&handle), &sealed).map_err(|error| error.to_string())?;
        Ok(Some(Row {
            handle,
            version,
            projected,
            hub: if let Value::String(hub) = hub { Some(hub) } else { None },
            hub_version,
            alarm_at: integer(&alarm_at),
            retry_ms,
            purge_at: integer(&purge_at),
            connection: serde_json::from_slice(&plain)?,
        }))
    }

    /// Enters a delivery, whole or not at all.
    pub fn enter(&self, entry: Entry, body: &[u8], now: i64) -> worker::Result<Entered> {
        let mut entry = Some(entry);
        let mut entered = None;
        let mut run = || {
            let Some(entry) = entry.take() else { return Ok(()) };
            entered = Some(self.write(entry, body, now)?);
            Ok(())
        };
        self.storage.as_raw().unchecked_ref::<Storage>().transaction_sync(&mut run)?;
        entered.ok_or_else(|| "the transaction did not run".into())
    }

    /// Notes that KV has `version`. An older version clears nothing.
    pub fn projected(&self, version: i64) -> worker::Result<()> {
        let update = "UPDATE ledger SET projected = max(projected, ?), retry_ms = ?";
        self.run(update, vec![version.into(), MIN_RETRY.into()])
    }

    /// Notes that KV may have any older version.
    pub fn unprojected(&self) -> worker::Result<()> {
        self.run("UPDATE ledger SET projected = 0", vec![])
    }

    /// Notes which hub knows of the connection, and which version it was told.
    pub fn told(&self, hub: Option<String>, version: i64) -> worker::Result<()> {
        self.run("UPDATE ledger SET hub = ?, hub_version = ?", vec![hub.into(), version.into()])
    }

    /// Notes when the alarm is set for and how long the wait after it will be.
    pub fn armed(&self, alarm_at: Option<i64>, retry_ms: i64) -> worker::Result<()> {
        self.run("UPDATE ledger SET alarm_at = ?, retry_ms = ?", vec![alarm_at.into(), retry_ms.into()])
    }

    /// Lets go of what has outlived its time.
    pub fn tidy(&self, now: i64) -> worker::Result<()> {
        let bodies = "UPDATE deliveries SET body = NULL WHERE body IS NOT NULL AND received <= ?";
        self.run(bodies, vec![(now - self.body_life()).into()])?;
        self.run("DELETE FROM deliveries WHERE received <= ?", vec![(now - DELIVERY_LIFE).into()])
    }

    /// When something will have outlived its time.
    pub fn next_tidying(&self, row: &Row) -> worker::Result<Option<i64>> {
        let oldest = "SELECT min(received) FILTER (WHERE body IS NOT NULL), min(received) FROM deliveries";
        let received = self.rows(oldest, vec![])?.pop().unwrap_or_default();
        let body = received.first().and_then(integer).map(|received| received + self.body_life());
        let delivery = received.get(1).and_then(integer).map(|received| received + DELIVERY_LIFE);
        Ok([body, delivery, row.purge_at].into_iter().flatten().min())
    }

    fn write(&self, entry: Entry, body: &[u8], now: i64) -> worker::Result<Entered> {
        let Entry { id, kind, received, fact, learned } = entry;
        let (delivery, stamp) = (fact.at.delivery.clone(), fact.at.stamp);
        self.run(SCHEMA, vec![])?;
        let known = self.rows("SELECT 1 FROM deliveries WHERE id = ?", vec![delivery.clone().into()])?;
        let row = self.read()?;
        if let (Some(row), false) = (&row, known.is_empty()) {
            let dirty = row.is_dirty().then_some(row.version);
            return Ok(Entered { outcome: Outcome::Duplicate, dirty, alarm: None });
        }
        let shown = fact.changes.status.as_deref().filter(|_| learned);
        if let Some(row) = row.as_ref().filter(|row| shown.is_some_and(|shown| !row.connection.is_news(shown))) {
            return Ok(Entered { outcome: Outcome::Stale, dirty: row.is_dirty().then_some(row.version), alarm: None });
        }
        let mut row = row.unwrap_or_else(|| Row {
            handle: self.config.index.handle(&id),
            version: 0,
            projected: 0,
            hub: None,
            hub_version: 0,
            alarm_at: None,
            retry_ms: MIN_RETRY,
            purge_at: None,
            connection: Connection::new(id),
        });
        let outcome = if row.connection.apply(fact) { Outcome::Applied } else { Outcome::Stale };
        if outcome == Outcome::Applied {
            row.version += 1;
        }
        if row.connection.disconnected_at().is_some() && row.purge_at.is_none() {
            row.purge_at = Some(now + AFTERLIFE);
        }
        let wanted = now + if row.is_dirty() { row.retry_ms } else { self.body_life() };
        // One that should have rung by now may never have been set.
        let alarm = row.alarm_at.is_none_or(|at| at > wanted || at <= now).then_some(wanted);
        row.alarm_at = alarm.or(row.alarm_at);

        let plain = serde_json::to_vec(&row.connection)?;
        let record = self.config.sealer.seal(&record_place(&row.handle), &plain, platform::nonce());
        let place = format!("ledger/{}/delivery/{delivery}", row.handle);
        let sealed_body = self.config.sealer.seal(&place, body, platform::nonce());
        let dirty = row.is_dirty().then_some(row.version);
        self.run(
            "INSERT OR REPLACE INTO ledger VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            vec![
                row.handle.into(),
                record.into(),
                row.version.into(),
                row.projected.into(),
                row.hub.into(),
                row.hub_version.into(),
                row.alarm_at.into(),
                row.retry_ms.into(),
                row.purge_at.into(),
            ],
        )?;
        self.run(
            "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?)",
            vec![
                delivery.into(),
                received.into(),
                stamp.into(),
                kind.into(),
                outcome.word().into(),
                sealed_body.into(),
            ],
        )?;
        let surplus = "DELETE FROM deliveries WHERE rowid <= \
            (SELECT rowid FROM deliveries ORDER BY rowid DESC LIMIT 1 OFFSET ?)";
        self.run(surplus, vec![MAX_DELIVERIES.into()])?;
        Ok(Entered { outcome, dirty, alarm })
    }

    fn body_life(&self) -> i64 {
        i64::try_from(self.config.event_ttl).unwrap_or(i64::MAX / 2_000).saturating_mul(1_000)
    }

    fn rows(&self, query: &str, bindings: Vec<Value>) -> worker::Result<Vec<Vec<Value>>> {
        self.sql.exec(query, bindings)?.raw().collect()
    }

    fn run(&self, query: &str, bindings: Vec<Value>) -> worker::Result<()> {
        self.sql.exec(query, bindings).map(|_| ())
    }
}

fn record_place(handle: &str) -> String {
    format!("ledger/{handle}/record")
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(integer) => Some(*integer),
        _ => None,
    }
}
