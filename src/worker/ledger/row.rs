//! The state of a ledger: the connection, the versions of its copies in KV and in the hub, and the alarm.
//!
//! Every change of the connection gets a new *version*. A version is at least the time of the change in unix ms, so a
//! ledger that starts again after its purge never has a smaller version than before. Always `projected <= version` and
//! `hub_version <= version`.

use std::cell::Cell;

use super::entry::Entry;
use crate::{
    core::{
        config::Config,
        connection::{Connection, Fact, Outcome, Record},
        json,
        storage::{BlindIndex, NONCE_LEN, SealError},
    },
    worker::platform::{self, Value, integer, text_of},
};

/// The wait before the first retry of a failed copy, in ms. Each further wait is twice as long, up to [`MAX_RETRY`].
pub const MIN_RETRY: i64 = 2_000;
/// The longest wait between two retries, in ms: 5 minutes.
pub const MAX_RETRY: i64 = 300_000;
/// The longest wait before the next retry while the key of the row is not configured, in ms: an hour. Only a deployment can
/// bring the key back.
pub const MAX_KEYLESS_RETRY: i64 = 3_600_000;
/// How long a ledger stays after its connection was disconnected, in ms: 90 days.
pub const AFTERLIFE: i64 = 90 * 86_400_000;

/// The state of one ledger.
#[derive(Clone, Debug)]
pub struct LedgerRow {
    pub handle: String,
    pub connection: Connection,
    pub version: i64,
    /// The version that KV has.
    pub projected: i64,
    /// The hub that has the connection, or is to get it next.
    pub hub: Option<String>,
    /// The version that this hub has.
    pub hub_version: i64,
    /// Other hubs that may still have the connection. They get an update that it left.
    pub former_hubs: Vec<String>,
    /// When the alarm rings, in unix ms.
    pub alarm_at: Option<i64>,
    /// The wait before the next retry, in ms.
    pub retry_ms: i64,
    /// When the ledger deletes itself, in unix ms.
    pub purge_at: Option<i64>,
}

impl LedgerRow {
    /// The state of a connection of which only the id is known.
    pub fn new(handle: String, id: String) -> Self {
        Self {
            handle,
            connection: Connection::new(id),
            version: 0,
            projected: 0,
            hub: None,
            hub_version: 0,
            former_hubs: Vec::new(),
            alarm_at: None,
            retry_ms: MIN_RETRY,
            purge_at: None,
        }
    }

    /// Reads the columns of the table. `lacks_key` is set to whether they were sealed under a key that is not configured.
    pub fn read(columns: Vec<Value>, config: &Config, lacks_key: &Cell<bool>) -> platform::Result<Self> {
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
        ) = <[Value; 9]>::try_from(columns)
        else {
            return Err("the ledger's row has another shape".into());
        };
        let opened = config.sealer.open(&record_place(&handle), &sealed);
        lacks_key.set(matches!(opened, Err(SealError::UnknownKey(_))));
        let plain = opened.map_err(|error| error.to_string())?;
        Ok(Self {
            handle,
            connection: json::from_slice(&plain)?,
            version,
            projected,
            hub: text_of(hub),
            hub_version,
            former_hubs: Vec::new(),
            alarm_at: integer(&alarm_at),
            // A longer wait is from the time when the key of the row was not configured, and says nothing about the copies.
            retry_ms: if retry_ms > MAX_RETRY { MIN_RETRY } else { retry_ms },
            purge_at: integer(&purge_at),
        })
    }

    /// The columns of the table, sealed with a fresh nonce.
    pub fn columns(&self, config: &Config, nonce: [u8; NONCE_LEN]) -> platform::Result<Vec<Value>> {
        let plain = serde_json::to_vec(&self.connection)?;
        Ok(vec![
            self.handle.clone().into(),
            config.sealer.seal(&record_place(&self.handle), &plain, nonce).into(),
            self.version.into(),
            self.projected.into(),
            self.hub.clone().into(),
            self.hub_version.into(),
            self.alarm_at.into(),
            self.retry_ms.into(),
            self.purge_at.into(),
        ])
    }

    /// The record that callers see; `None` if nothing is known or the connection was erased.
    pub fn record(&self) -> Option<Record> {
        (self.version > 0 && !self.is_erased()).then(|| self.connection.record(self.handle.clone()))
    }

    /// Whether only the id is left.
    pub fn is_erased(&self) -> bool {
        self.connection.is_erased()
    }

    /// Whether KV or the hub lacks the newest version.
    pub fn is_dirty(&self) -> bool {
        self.projected.min(self.hub_version) < self.version
    }

    /// Whether an entry is no news. What the gateway learned itself is no news if it only asserts what already holds. The
    /// acceptance of an account is no news unless it is awaited.
    pub fn knows(&self, entry: &Entry) -> bool {
        let Entry { fact, learned, accepts, .. } = entry;
        let connection = &self.connection;
        let observed = fact.changes.status.as_deref().filter(|_| *learned);
        !connection.is_news(observed)
            || match accepts {
                Some(account) => !connection.awaits_acceptance_of(account),
                None => entry.is_own() && connection.holds(fact),
            }
    }

    /// Applies a fact of a delivery of this type at `now` (unix ms), or accepts an account if there is one. Returns also whether
    /// the account became another one.
    pub fn apply(
        &mut self,
        fact: Fact,
        kind: &str,
        accepts: Option<&str>,
        now: i64,
        index: &BlindIndex,
    ) -> (Outcome, bool) {
        let (is_changed, is_other_account) = match accepts {
            Some(account) => (self.connection.accept_account(account), false),
            None => self.connection.receive(fact, kind),
        };
        if is_changed {
            self.version = (self.version + 1).max(now);
            self.choose_hub(index);
        }
        if self.connection.is_disconnected() && self.purge_at.is_none() {
            self.purge_at = Some(now + AFTERLIFE);
        }
        (if is_changed { Outcome::Applied } else { Outcome::Stale }, is_other_account)
    }

    /// Removes everything except the id, at `now` (unix ms).
    pub fn erase(&mut self, now: i64, index: &BlindIndex) {
        self.connection.erase();
        self.version = (self.version + 1).max(now);
        self.purge_at.get_or_insert(now + AFTERLIFE);
        self.choose_hub(index);
    }

    /// Names the hub of the connection's user. If that is another one than before, the former hub must get an update that
    /// the connection left.
    pub fn choose_hub(&mut self, index: &BlindIndex) {
        let record = self.record();
        let user = record.and_then(|record| record.client_reference_id);
        let hub = user.map(|user| index.hash_client_reference_id(&user));
        if hub == self.hub {
            return;
        }
        self.former_hubs.retain(|former| Some(former) != hub.as_ref());
        self.former_hubs.extend(self.hub.take());
        self.hub = hub;
        self.hub_version = 0;
    }

    /// Chooses the alarm for a row that was just written, if it must ring earlier than it is set to. `idle` is the
    /// instant of the next pruning. Returns the new alarm.
    pub fn advance_alarm(&mut self, now: i64, idle: i64) -> Option<i64> {
        let wanted = if self.is_dirty() { now + self.retry_ms } else { idle };
        // An alarm that should have rung by now may never have been set.
        let alarm = self.alarm_at.is_none_or(|at| at > wanted || at <= now).then_some(wanted);
        self.alarm_at = alarm.or(self.alarm_at);
        alarm
    }
}

/// The place for which the record of a ledger is sealed.
fn record_place(handle: &str) -> String {
    format!("ledger/{handle}/record")
}

/// The place for which the body of a delivery is sealed.
pub fn delivery_place(handle: &str, id: &str) -> String {
    format!("ledger/{handle}/delivery/{id}")
}

/// How long the body of a delivery is stored, in ms: `EVENT_TTL_SECONDS`.
// A copy in each of its callers would be larger.
#[inline(never)]
pub fn body_lifetime(config: &Config) -> i64 {
    i64::try_from(config.event_ttl).unwrap_or(i64::MAX / 2_000).saturating_mul(1_000)
}
