//! The ledger's tables and the one transaction that writes them.
//!
//! | table | columns |
//! |---|---|
//! | `ledger`, one row | handle; the sealed [`Connection`](crate::core::connection::Connection); its version; the version that KV has; the hub that was told, and of which version; when the alarm is set for; how long to wait for the next try; when to delete everything |
//! | `deliveries` | id; received and stamp (unix ms); type; outcome; the sealed raw body |
//!
//! A version is never older than the clock, in unix ms: that of a ledger born again after its end follows the last one's.
//! A value's place (see [`crate::core::storage`]) is `ledger/{handle}/record` or `ledger/{handle}/delivery/{id}`. The tables come
//! with the first write: a look-up on an empty object writes nothing. Bodies go after EVENT_TTL_SECONDS, deliveries after
//! [`DELIVERY_LIFE`] and beyond the newest [`MAX_DELIVERIES`], everything [`AFTERLIFE`] after `disconnected`.

use wasm_bindgen::prelude::*;
use worker::{SqlStorage, SqlStorageValue as Value, State};

use super::{
    entry::{Delivered, Entry, Timeline},
    row::{AFTERLIFE, MIN_RETRY, Row},
};
use crate::{
    core::{
        config::Config,
        connection::Outcome,
        instant::iso_8601,
        storage::{PAGE_BYTES, StoredBody},
    },
    worker::platform,
};

const DAY: i64 = 86_400_000;
const DELIVERY_LIFE: i64 = 30 * DAY;
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
        self.transaction(|| self.write(entry, body, now))
    }

    /// Erases everything but the id, so that what is still to come of this connection is known to come too late.
    /// `None` if there is nothing; else the version that KV and the hub lack.
    pub fn erase(&self, now: i64) -> worker::Result<Option<Entered>> {
        let Some(mut row) = self.read()? else { return Ok(None) };
        self.transaction(|| {
            self.run("DELETE FROM deliveries", vec![])?;
            if !row.is_erased() {
                row.erase(now);
            }
            let alarm = row.alarm(now, AFTERLIFE);
            self.keep(&row)?;
            Ok(Some(Entered { outcome: Outcome::Applied, dirty: row.is_dirty().then_some(row.version), alarm }))
        })
    }

    /// The newest deliveries before the place `before`, at most `limit`, or as many as [`PAGE_BYTES`] hold.
    pub fn timeline(&self, before: i64, limit: i64) -> worker::Result<Timeline> {
        let mut page = Timeline { list: Vec::new(), rest: None };
        let Some(row) = self.read()? else { return Ok(page) };
        let select = "SELECT id, type, received, stamp, outcome, body, rowid FROM deliveries \
            WHERE rowid < ? ORDER BY rowid DESC LIMIT ?";
        let mut bytes = 0;
        for columns in self.sql.exec(select, vec![Value::Integer(before), Value::Integer(limit + 1)])?.raw() {
            let (place, delivered) = self.delivered(&row.handle, columns?)?;
            let full = i64::try_from(page.list.len()) == Ok(limit);
            if full || bytes >= PAGE_BYTES {
                page.rest = Some(place + 1);
                break;
            }
            bytes += delivered.body.as_ref().map_or(0, StoredBody::len);
            page.list.push(delivered);
        }
        Ok(page)
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

    /// 1. A copy of what is known, or what is no news, changes nothing.
    /// 2. The fact is folded in.
    /// 3. Row and delivery are written, and the oldest deliveries beyond the limit let go of.
    fn write(&self, entry: Entry, body: &[u8], now: i64) -> worker::Result<Entered> {
        let Entry { id, kind, received, fact, learned } = entry;
        // 1.
        self.run(SCHEMA, vec![])?;
        let known = self.read()?;
        let shown = fact.changes.status.as_deref().filter(|_| learned);
        let unheard = match &known {
            Some(_) if self.has_delivery(&fact.at.delivery)? => Some(Outcome::Duplicate),
            Some(row) if !row.connection.is_news(shown) => Some(Outcome::Stale),
            _ => None,
        };
        if let Some(outcome) = unheard {
            let dirty = known.filter(Row::is_dirty).map(|row| row.version);
            return Ok(Entered { outcome, dirty, alarm: None });
        }
        // 2.
        let mut row = known.unwrap_or_else(|| Row::new(self.config.index.handle(&id), id));
        let (delivery, stamp) = (fact.at.delivery.clone(), fact.at.stamp);
        let outcome = row.fold(fact, now);
        let alarm = row.alarm(now, self.body_life());
        // 3.
        self.keep(&row)?;
        let body = self.config.sealer.seal(&delivery_place(&row.handle, &delivery), body, platform::nonce());
        let values =
            vec![delivery.into(), received.into(), stamp.into(), kind.into(), outcome.as_str().into(), body.into()];
        self.run("INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?)", values)?;
        let surplus = "DELETE FROM deliveries WHERE rowid <= \
            (SELECT rowid FROM deliveries ORDER BY rowid DESC LIMIT 1 OFFSET ?)";
        self.run(surplus, vec![MAX_DELIVERIES.into()])?;
        Ok(Entered { outcome, dirty: row.is_dirty().then_some(row.version), alarm })
    }

    fn keep(&self, row: &Row) -> worker::Result<()> {
        let plain = serde_json::to_vec(&row.connection)?;
        let record = self.config.sealer.seal(&record_place(&row.handle), &plain, platform::nonce());
        let values = vec![
            row.handle.clone().into(),
            record.into(),
            row.version.into(),
            row.projected.into(),
            row.hub.clone().into(),
            row.hub_version.into(),
            row.alarm_at.into(),
            row.retry_ms.into(),
            row.purge_at.into(),
        ];
        self.run("INSERT OR REPLACE INTO ledger VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    }

    fn delivered(&self, handle: &str, columns: Vec<Value>) -> worker::Result<(i64, Delivered)> {
        let Ok(
            [
                Value::String(id),
                Value::String(kind),
                Value::Integer(received),
                Value::Integer(stamp),
                Value::String(outcome),
                sealed,
                Value::Integer(place),
            ],
        ) = <[Value; 7]>::try_from(columns)
        else {
            return Err("a delivery has another shape".into());
        };
        let sealed = if let Value::Blob(sealed) = sealed { Some(sealed) } else { None };
        let body = sealed.and_then(|sealed| self.config.sealer.open(&delivery_place(handle, &id), &sealed).ok());
        let (received_at, stamp) = (iso_8601(received), iso_8601(stamp));
        Ok((place, Delivered { id, kind, received_at, stamp, outcome, body: body.map(StoredBody::new) }))
    }

    fn has_delivery(&self, id: &str) -> worker::Result<bool> {
        let found = self.rows("SELECT 1 FROM deliveries WHERE id = ?", vec![id.into()])?;
        Ok(!found.is_empty())
    }

    /// Runs `work` whole or not at all.
    fn transaction<T>(&self, work: impl FnOnce() -> worker::Result<T>) -> worker::Result<T> {
        let (mut work, mut done) = (Some(work), None);
        let mut run = || {
            let Some(work) = work.take() else { return Ok(()) };
            done = Some(work()?);
            Ok(())
        };
        self.storage.as_raw().unchecked_ref::<Storage>().transaction_sync(&mut run)?;
        done.ok_or_else(|| "the transaction did not run".into())
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

fn delivery_place(handle: &str, id: &str) -> String {
    format!("ledger/{handle}/delivery/{id}")
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(integer) => Some(*integer),
        _ => None,
    }
}
