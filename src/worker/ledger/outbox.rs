//! The outbox of a ledger: which of its deliveries are to be forwarded to the app.
//!
//! Table `outbox`, one row per delivery that the app has not taken:
//! - `id`: the delivery's. Its body stays in the table `deliveries`.
//! - `version`: that of the record after the delivery
//! - `due_at`: when it is to be sent next, in unix ms
//! - `attempts`: how many have failed, and `unanswered`: how many of them without an answer
//! - `first_at`: when the first of them ended
//! - `refused_at`: when the app refused it for the first time
//! - `parked_at`: when it was given up. It is not sent any more.
//! - `replay`: 1 if somebody asked to send it again
//!
//! Row ids grow in the order in which deliveries were received. Only the first row that is not parked is ever sent.
//!
//! Which crash each durable mark is for:
//! - the row: the object stops between the acceptance of the delivery and the app's answer. It is written with the delivery,
//!   and deleted after the answer. If the object stops before that, the event is sent again under the same id.
//! - `due_at`, `attempts`, `unanswered`, `first_at`, `refused_at`: the object stops between two attempts. The waits keep growing,
//!   and the time limits hold.
//! - `parked_at`: the object stops afterwards. The event is not sent again, and can still be found.
//! - `replay`: the object stops between the answer to the caller who asked and the app's answer.
//!
//! The table is created by the first delivery that is forwarded. An older build does not know it. It may delete a delivery or
//! its body, and set the alarm later: the event then waits for the next call of the object.

use std::cell::Cell;

use super::row::{body_lifetime, delivery_place};
use crate::{
    core::{
        config::Config,
        gateway::forward::{LIFETIME, TIMEOUT, Waiting},
    },
    worker::platform::{self, Database, State, Value, integer},
};

/// How long the body of a delivery is kept for the outbox, in ms. The last attempt is at [`LIFETIME`], or soon after it.
pub const BODY_LIFETIME: i64 = LIFETIME + 3_600_000;
/// While an event is being sent, the alarm rings after so many ms, in case that the object stops.
const ALARM_WHILE_SENDING: i64 = TIMEOUT + 5_000;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS outbox (
    id TEXT PRIMARY KEY, version INTEGER NOT NULL, due_at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    unanswered INTEGER NOT NULL DEFAULT 0, first_at INTEGER, refused_at INTEGER, parked_at INTEGER,
    replay INTEGER NOT NULL DEFAULT 0)";

/// The outbox of one ledger.
pub struct Outbox {
    database: Database,
    has_table: Cell<bool>,
    /// When the alarm rings, in unix ms, if an event is being sent.
    sending_until: Cell<Option<i64>>,
}

/// The event to be sent next.
pub struct Unsent {
    pub id: String,
    /// The event's type.
    pub kind: String,
    pub version: i64,
    pub is_replay: bool,
    /// The time of the event, in unix ms.
    pub stamp: i64,
    /// The raw body. `None` if it cannot be decrypted.
    pub body: Option<Vec<u8>>,
    pub waiting: Waiting,
}

/// What [`Outbox::first_due`] finds.
pub enum FirstDue {
    /// Nothing is due.
    Nothing,
    Unsent(Unsent),
    /// The delivery of that id was deleted, or its body was.
    Lost(String),
}

impl Outbox {
    pub fn new(state: &State) -> Self {
        Self { database: Database::new(state), has_table: Cell::new(false), sending_until: Cell::new(None) }
    }

    /// Whether the table exists. Other functions expect it, unless they say otherwise.
    pub fn exists(&self) -> platform::Result<bool> {
        if !self.has_table.get() {
            self.has_table.set(self.database.has_table("outbox")?);
        }
        Ok(self.has_table.get())
    }

    /// Adds a delivery that is due at `now` (unix ms). Creates the table if there is none.
    pub fn insert(&self, id: &str, version: i64, now: i64) -> platform::Result<()> {
        if !self.has_table.get() {
            self.database.run(SCHEMA, vec![])?;
        }
        let insert = "INSERT OR REPLACE INTO outbox (id, version, due_at) VALUES (?, ?, ?)";
        self.database.run(insert, vec![id.into(), version.into(), now.into()])
    }

    /// The first event, if it is due at `now` (unix ms). There may be no table.
    pub fn first_due(&self, handle: &str, now: i64, config: &Config) -> platform::Result<FirstDue> {
        if !self.exists()? {
            return Ok(FirstDue::Nothing);
        }
        let select = "SELECT o.id, o.version, o.attempts, o.unanswered, o.replay, o.first_at, o.refused_at, d.received, d.stamp, \
            d.type, d.body \
            FROM outbox o LEFT JOIN deliveries d ON d.id = o.id WHERE o.due_at <= ? AND o.rowid = \
            (SELECT rowid FROM outbox WHERE parked_at IS NULL ORDER BY rowid LIMIT 1)";
        let Ok(
            [
                Value::String(id),
                Value::Integer(version),
                Value::Integer(attempts),
                Value::Integer(unanswered),
                Value::Integer(replay),
                first_at,
                refused_at,
                received,
                stamp,
                kind,
                body,
            ],
        ) = <[Value; 11]>::try_from(self.database.first_row(select, vec![now.into()])?)
        else {
            return Ok(FirstDue::Nothing);
        };
        let (Value::Integer(received), Value::Integer(stamp), Value::String(kind), Value::Blob(sealed)) =
            (received, stamp, kind, body)
        else {
            return Ok(FirstDue::Lost(id));
        };
        let (first_at, refused_at) = (integer(&first_at), integer(&refused_at));
        let waiting = Waiting { received, attempts, unanswered, first_at, refused_at };
        let body = config.sealer.open(&delivery_place(handle, &id), &sealed).ok();
        Ok(FirstDue::Unsent(Unsent { id, kind, version, is_replay: replay == 1, stamp, body, waiting }))
    }

    /// When the alarm must ring for the outbox, in unix ms. `None` if nothing waits, or if events are not forwarded.
    pub fn next_alarm(&self, config: &Config) -> platform::Result<Option<i64>> {
        if config.forward.is_none() || !self.exists()? {
            return Ok(None);
        }
        let select = "SELECT due_at FROM outbox WHERE parked_at IS NULL ORDER BY rowid LIMIT 1";
        let due_at = self.database.first_row(select, vec![])?.first().and_then(integer);
        Ok(due_at.map(|due_at| self.sending_until.get().unwrap_or(due_at)))
    }

    /// Sets the alarm of a lane, which has no row that notes it: to the next attempt, else to the lane's end.
    pub fn set_lane_alarm(&self, config: &Config, now: i64) -> platform::Result<()> {
        let next = self.next_alarm(config)?.unwrap_or(now + body_lifetime(config));
        self.database.set_alarm(Some(next))
    }

    /// Whether a lane has nothing to send at `now` (unix ms), and its event was parked long ago.
    pub fn is_lane_over(&self, config: &Config, now: i64) -> platform::Result<bool> {
        let young = "SELECT 1 FROM outbox WHERE due_at > ?";
        let oldest = now - body_lifetime(config);
        Ok(self.next_alarm(config)?.is_none() && self.database.first_row(young, vec![oldest.into()])?.is_empty())
    }

    /// Notes in memory that an event is being sent from `now` (unix ms) on, if one is due. So an alarm that is set meanwhile
    /// is not in the past.
    pub fn expect_sending(&self, config: &Config, now: i64) -> platform::Result<()> {
        if self.next_alarm(config)?.is_some_and(|at| at <= now) {
            self.set_sending(Some(now));
        }
        Ok(())
    }

    /// Notes in memory that an event is being sent from `now` (unix ms) on, or that none is.
    pub fn set_sending(&self, now: Option<i64>) {
        self.sending_until.set(now.map(|now| now + ALARM_WHILE_SENDING));
    }

    /// Notes an attempt that failed. The event is sent again at `due_at`, or was given up at `parked_at` (both unix ms). If
    /// somebody asked during the attempt to send it again, it stays due.
    pub fn note(&self, unsent: &Unsent, waiting: Waiting, due_at: i64, parked_at: Option<i64>) -> platform::Result<()> {
        let update = "UPDATE outbox SET due_at = ?, parked_at = ?, attempts = ?, unanswered = ?, first_at = ?, \
            refused_at = ? WHERE replay = ? AND id = ?";
        let Waiting { attempts, unanswered, first_at, refused_at, .. } = waiting;
        let replay = Some(i64::from(unsent.is_replay));
        let numbers = [Some(due_at), parked_at, Some(attempts), Some(unanswered), first_at, refused_at, replay];
        self.database.run(update, numbers.into_iter().map(Value::from).chain([unsent.id.clone().into()]).collect())
    }

    /// Whether an event is there. It is not if the connection was erased while the event was sent.
    pub fn contains(&self, id: &str) -> platform::Result<bool> {
        Ok(!self.database.first_row("SELECT 1 FROM outbox WHERE id = ?", vec![id.into()])?.is_empty())
    }

    /// Makes an event due at `now` (unix ms) that waits or is parked, and gives it the time for refusals anew. Returns whether
    /// there is such an event with a body. There may be no table.
    pub fn replay(&self, id: &str, now: i64) -> platform::Result<bool> {
        let update = "UPDATE outbox SET due_at = ?, refused_at = NULL, parked_at = NULL, replay = 1 \
            WHERE id = (SELECT id FROM deliveries WHERE id = ? AND body IS NOT NULL) RETURNING 1";
        Ok(self.exists()? && !self.database.first_row(update, vec![now.into(), id.into()])?.is_empty())
    }

    /// Removes an event.
    pub fn remove(&self, id: &str) -> platform::Result<()> {
        self.database.run("DELETE FROM outbox WHERE id = ?", vec![id.into()])
    }

    /// Removes all events. There may be no table.
    pub fn clear(&self) -> platform::Result<()> {
        if self.exists()? { self.database.run("DELETE FROM outbox", vec![]) } else { Ok(()) }
    }

    /// Removes the parked events whose delivery was deleted.
    pub fn prune(&self) -> platform::Result<()> {
        let prune = "DELETE FROM outbox WHERE parked_at IS NOT NULL AND id NOT IN (SELECT id FROM deliveries)";
        self.database.run(prune, vec![])
    }

    /// Forgets what is known in memory, after the whole storage was deleted.
    pub fn forget(&self) {
        self.has_table.set(false);
    }
}
