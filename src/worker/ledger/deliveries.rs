//! The table of a ledger's deliveries.
//!
//! Table `deliveries`, one row per delivery:
//! - `id`
//! - `received` and `stamp`: when it was received and when it happened, in unix ms
//! - `type`: the event's type; `edge.…` for what the gateway learned itself
//! - `outcome`; for what the gateway learned itself, a space and who caused it follow, such as `applied key:app`. A column of its
//!   own would stop older builds, which insert by position.
//! - `body`: the raw body, encrypted for the place `ledger/{handle}/delivery/{id}`. It becomes null after EVENT_TTL_SECONDS, or
//!   later if the outbox needs it.
//!
//! Row ids grow in the order in which deliveries were received. So old deliveries are the first ones, and each search for
//! them stops at the first that is young enough. Deliveries are deleted after [`LIFETIME`], and beyond the newest
//! [`MAX_DELIVERIES`] of OFAuth's and [`MAX_OWN`] of the gateway's own. A caller can cause many of the gateway's own, so they
//! do not displace OFAuth's.

use std::cell::Cell;

use super::{
    entry::{Delivered, Timeline},
    outbox::{BODY_LIFETIME, Outbox},
    row::{body_lifetime, delivery_place},
};
use crate::{
    core::{
        config::Config,
        connection::Outcome,
        instant::iso_8601,
        storage::{PAGE_BYTES, StoredBody},
    },
    worker::platform::{self, Database, MAX_INTEGER, State, Value, integer},
};

/// How long a delivery is stored, in ms: 30 days.
const LIFETIME: i64 = 30 * 86_400_000;
/// How many deliveries of OFAuth's are stored at most.
const MAX_DELIVERIES: i64 = 1_000;
/// How many deliveries of the gateway's own (`edge.…`) are stored at most.
const MAX_OWN: i64 = 192;
/// After how many inserts the surplus is looked for. Both limits count it in, so that they are never exceeded.
const SURPLUS_GAP: i64 = 64;
/// The shortest time between two prunings while the object stays in memory, in ms. A body may stay this much longer.
const PRUNING_GAP: i64 = 3_600_000;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS deliveries (
    id TEXT PRIMARY KEY, received INTEGER NOT NULL, stamp INTEGER NOT NULL, type TEXT NOT NULL,
    outcome TEXT NOT NULL, body BLOB)";

/// The deliveries of one ledger.
pub struct Deliveries {
    database: Database,
    /// When the next body or delivery is too old, in unix ms; `i64::MAX` if there is none. `None` if it is not known.
    prune_at: Cell<Option<i64>>,
    /// When they were pruned last, in unix ms.
    pruned_at: Cell<i64>,
}

/// A delivery that is to be stored.
pub struct NewDelivery<'a> {
    pub id: String,
    pub received: i64,
    pub stamp: i64,
    pub kind: String,
    pub outcome: Outcome,
    /// Who caused what the gateway learned itself.
    pub actor: Option<String>,
    pub body: &'a [u8],
}

impl Deliveries {
    pub fn new(state: &State) -> Self {
        Self { database: Database::new(state), prune_at: Cell::new(None), pruned_at: Cell::new(0) }
    }

    pub fn create_table(&self) -> platform::Result<()> {
        self.database.run(SCHEMA, vec![])
    }

    pub fn contains(&self, id: &str) -> platform::Result<bool> {
        Ok(!self.database.first_row("SELECT 1 FROM deliveries WHERE id = ?", vec![id.into()])?.is_empty())
    }

    /// Stores a delivery, and deletes the oldest ones if there may be more than the limit.
    pub fn insert(&self, delivery: NewDelivery<'_>, handle: &str, config: &Config) -> platform::Result<()> {
        let NewDelivery { id, received, stamp, kind, outcome, actor, body } = delivery;
        let outcome =
            actor.map_or_else(|| outcome.as_str().to_owned(), |actor| format!("{} {actor}", outcome.as_str()));
        let body = config.sealer.seal(&delivery_place(handle, &id), body, platform::nonce());
        let values = vec![id.into(), received.into(), stamp.into(), kind.into(), outcome.into(), body.into()];
        let insert = "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?) RETURNING rowid";
        let place = self.database.first_row(insert, values)?.first().and_then(integer);
        if place.is_none_or(|place| place % SURPLUS_GAP == 0) { self.delete_surplus() } else { Ok(()) }
    }

    fn delete_surplus(&self) -> platform::Result<()> {
        for (is_own, limit) in [("type LIKE 'edge.%'", MAX_OWN), ("type NOT LIKE 'edge.%'", MAX_DELIVERIES)] {
            let surplus = format!(
                "DELETE FROM deliveries WHERE {is_own} AND rowid <= \
                (SELECT rowid FROM deliveries WHERE {is_own} ORDER BY rowid DESC LIMIT 1 OFFSET ?)"
            );
            self.database.run(&surplus, vec![(limit - SURPLUS_GAP).into()])?;
        }
        Ok(())
    }

    /// Deletes all deliveries.
    pub fn clear(&self) -> platform::Result<()> {
        self.database.run("DELETE FROM deliveries", vec![])
    }

    /// The newest deliveries before the place `before`, at most `limit`, or as many as [`PAGE_BYTES`] hold. A body that is
    /// too old at `now` (unix ms) is not shown, even if it was not pruned yet.
    pub fn page(&self, handle: &str, before: i64, limit: i64, config: &Config, now: i64) -> platform::Result<Timeline> {
        let select = "SELECT id, type, received, stamp, outcome, body, rowid FROM deliveries \
            WHERE rowid < ? ORDER BY rowid DESC LIMIT ?";
        let (mut page, mut bytes) = (Timeline { list: Vec::new(), rest: None }, 0);
        for columns in self.database.each_row(select, vec![before.into(), (limit + 1).into()])? {
            let (place, delivered) = read(handle, columns?, config, now)?;
            let is_full = i64::try_from(page.list.len()) == Ok(limit);
            if is_full || bytes >= PAGE_BYTES {
                page.rest = Some(place + 1);
                break;
            }
            bytes += delivered.body.as_ref().map_or(0, String::len);
            page.list.push(delivered);
        }
        Ok(page)
    }

    /// Deletes bodies and deliveries that are too old at `now` (unix ms), if there may be any. A body that the outbox needs
    /// stays for [`BODY_LIFETIME`] at least.
    pub fn prune(&self, outbox: &Outbox, config: &Config, now: i64) -> platform::Result<()> {
        if self.prune_at.get().is_some_and(|at| at > now) {
            return Ok(());
        }
        let first_young = "SELECT rowid FROM deliveries WHERE received > ? ORDER BY rowid LIMIT 1";
        let first_younger_than = |age: i64| -> platform::Result<i64> {
            let row = self.database.first_row(first_young, vec![(now - age).into()])?;
            Ok(row.first().and_then(integer).unwrap_or(MAX_INTEGER))
        };
        self.database.run("DELETE FROM deliveries WHERE rowid < ?", vec![first_younger_than(LIFETIME)?.into()])?;
        let bodies = "UPDATE deliveries SET body = NULL WHERE rowid < ? AND body IS NOT NULL";
        let young = first_younger_than(body_lifetime(config))?.into();
        if outbox.exists()? {
            outbox.prune()?;
            let bodies = format!("{bodies} AND (rowid < ? OR id NOT IN (SELECT id FROM outbox))");
            self.database.run(&bodies, vec![young, first_younger_than(BODY_LIFETIME)?.into()])?;
        } else {
            self.database.run(bodies, vec![young])?;
        }
        self.prune_at.set(None);
        self.pruned_at.set(now);
        Ok(())
    }

    /// When to prune next, in unix ms; `None` if nothing will be too old.
    pub fn next_pruning(&self, config: &Config) -> platform::Result<Option<i64>> {
        if self.prune_at.get().is_none() {
            let oldest = "SELECT received FROM deliveries ORDER BY rowid LIMIT 1";
            let oldest_body = "SELECT received FROM deliveries WHERE body IS NOT NULL ORDER BY rowid LIMIT 1";
            let expiry = |select: &str, lifetime: i64| -> platform::Result<Option<i64>> {
                Ok(self
                    .database
                    .first_row(select, vec![])?
                    .first()
                    .and_then(integer)
                    .map(|received| received + lifetime))
            };
            let expiries = [expiry(oldest, LIFETIME)?, expiry(oldest_body, body_lifetime(config))?];
            self.prune_at.set(Some(expiries.into_iter().flatten().min().unwrap_or(i64::MAX)));
        }
        let prune_at = self.prune_at.get().filter(|at| *at < i64::MAX);
        Ok(prune_at.map(|at| at.max(self.pruned_at.get() + PRUNING_GAP)))
    }

    /// When a delivery received at this instant (unix ms) is to be pruned.
    pub fn pruning_after(&self, received: i64, config: &Config) -> i64 {
        (received + body_lifetime(config).min(LIFETIME)).max(self.pruned_at.get() + PRUNING_GAP)
    }

    /// Notes that a delivery received at this instant (unix ms) will be too old.
    pub fn expect_pruning(&self, received: i64, config: &Config) {
        let expiry = received + body_lifetime(config).min(LIFETIME);
        self.prune_at.set(self.prune_at.get().map(|at| at.min(expiry)));
    }

    /// Notes when the next body or delivery is too old, in unix ms, if that is known.
    pub fn set_next_pruning(&self, at: Option<i64>) {
        self.prune_at.set(at);
    }

    /// Forgets what is known in memory.
    pub fn forget(&self) {
        self.prune_at.set(None);
        self.pruned_at.set(0);
    }
}

fn read(handle: &str, columns: Vec<Value>, config: &Config, now: i64) -> platform::Result<(i64, Delivered)> {
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
    let is_too_old = received <= now - body_lifetime(config);
    let sealed = if let Value::Blob(sealed) = sealed { Some(sealed).filter(|_| !is_too_old) } else { None };
    let body = sealed.and_then(|sealed| config.sealer.open(&delivery_place(handle, &id), &sealed).ok());
    let (received_at, stamp) = (iso_8601(received), iso_8601(stamp));
    let (outcome, actor) = match outcome.split_once(' ') {
        Some((outcome, actor)) => (outcome.to_owned(), Some(actor.to_owned())),
        None => (outcome, None),
    };
    let delivered = Delivered { id, kind, received_at, stamp, outcome, actor, encoding: None, body: None };
    Ok((place, delivered.with_body(body.map(StoredBody::new))))
}
