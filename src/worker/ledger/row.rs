//! The ledger's one row: the state of a connection, of its copies in KV and the hub, and of the alarm.

use crate::core::connection::{Connection, Fact, Outcome, Record};

/// How long after a failure the first further try comes, in milliseconds; doubles up to [`MAX_RETRY`].
pub const MIN_RETRY: i64 = 2_000;
/// The longest wait between tries, in milliseconds: 5 minutes.
pub const MAX_RETRY: i64 = 300_000;
/// How long a ledger outlives its connection, in milliseconds: 90 days.
pub const AFTERLIFE: i64 = 90 * 86_400_000;

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
    pub connection: Connection,
}

impl Row {
    /// The row of a connection of which nothing is known.
    pub fn new(handle: String, id: String) -> Self {
        Self {
            handle,
            version: 0,
            projected: 0,
            hub: None,
            hub_version: 0,
            alarm_at: None,
            retry_ms: MIN_RETRY,
            purge_at: None,
            connection: Connection::new(id),
        }
    }

    /// The record as shown; `None` if nothing is known, or nothing any more.
    pub fn record(&self) -> Option<Record> {
        (self.version > 0 && !self.is_erased()).then(|| self.connection.record(self.handle.clone()))
    }

    /// Whether nothing is left but the id.
    pub fn is_erased(&self) -> bool {
        self.connection.is_erased()
    }

    /// Folds a fact in.
    pub fn fold(&mut self, fact: Fact, now: i64) -> Outcome {
        let changed = self.connection.apply(fact);
        if changed {
            self.version = (self.version + 1).max(now);
        }
        if self.connection.is_disconnected() && self.purge_at.is_none() {
            self.purge_at = Some(now + AFTERLIFE);
        }
        if changed { Outcome::Applied } else { Outcome::Stale }
    }

    /// Lets go of everything but the id.
    pub fn erase(&mut self, now: i64) {
        self.connection.erase();
        self.version = (self.version + 1).max(now);
        self.purge_at.get_or_insert(now + AFTERLIFE);
    }

    /// Sets the alarm for what is to be done next, if it is not set for something earlier; says when.
    pub fn alarm(&mut self, now: i64, idle: i64) -> Option<i64> {
        let wanted = now + if self.is_dirty() { self.retry_ms } else { idle };
        // One that should have rung by now may never have been set.
        let alarm = self.alarm_at.is_none_or(|at| at > wanted || at <= now).then_some(wanted);
        self.alarm_at = alarm.or(self.alarm_at);
        alarm
    }

    /// Whether KV or the hub lacks the newest version.
    pub fn is_dirty(&self) -> bool {
        self.projected.min(self.hub_version) < self.version
    }
}
