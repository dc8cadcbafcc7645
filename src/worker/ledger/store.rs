//! The tables of a ledger, and its state in memory.
//!
//! The state is read and decrypted once per wake-up of the object. It changes in memory only after its transaction has
//! returned, so memory never has what the tables lack.
//!
//! Table `ledger`, one row:
//! - `handle`, `record` (the encrypted [`Connection`](crate::core::connection::Connection)), `version`
//! - `projected`: the version that KV has
//! - `hub`, `hub_version`: the user's hub, and the version that it has
//! - `alarm_at`, `retry_ms`, `purge_at`: see [`LedgerRow`]
//!
//! Table `former_hubs`: `name` of each hub that may still have the connection of another user. Tables `deliveries` and
//! `outbox`: see `deliveries.rs` and `outbox.rs`. A lane has only these two: see `lane.rs`.
//!
//! Which crash each durable mark is for:
//! - `projected`, `hub_version`: the object stops between the acceptance of a delivery and its copies. They are written
//!   when both copies are done. If the object stops before, both copies are made again, which does no harm.
//! - `hub`, `former_hubs`: the object stops after a hub got an update, and the connection then moves to another user.
//!   Both are written with the delivery, before any update is sent. So no hub is forgotten, and no user keeps a connection
//!   that is another user's now.
//! - `alarm_at`: the object stops at any time. The alarm is written with the delivery, so the object is called again.
//! - `retry_ms`: the object stops between two retries. The waits keep growing.
//!
//! The record is encrypted for the place `ledger/{handle}/record`. The first write creates the tables; reading writes nothing.

use std::cell::{Cell, Ref, RefCell};

use super::{
    account::AccountChange,
    deliveries::{Deliveries, NewDelivery},
    entry::{Entered, Entry, Timeline},
    outbox::Outbox,
    row::{AFTERLIFE, LedgerRow, MAX_KEYLESS_RETRY, MAX_RETRY, MIN_RETRY},
};
use crate::{
    core::{config::Config, connection::Outcome},
    worker::platform::{self, Database, State, integer, text_of},
};

/// The tables. A later version only adds tables: an older build inserts by position, so a column more would stop it.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS ledger (
        one INTEGER PRIMARY KEY CHECK (one = 1), handle TEXT NOT NULL, record BLOB NOT NULL, version INTEGER NOT NULL,
        projected INTEGER NOT NULL, hub TEXT, hub_version INTEGER NOT NULL, alarm_at INTEGER, retry_ms INTEGER NOT NULL,
        purge_at INTEGER);
    CREATE TABLE IF NOT EXISTS former_hubs (name TEXT PRIMARY KEY) WITHOUT ROWID";

/// The tables of one ledger, and their state in memory.
pub struct LedgerStore {
    database: Database,
    pub deliveries: Deliveries,
    /// Changes of its table go through [`LedgerStore::change_outbox`].
    pub outbox: Outbox,
    /// Whether `row` is what the tables have.
    is_loaded: Cell<bool>,
    row: RefCell<Option<LedgerRow>>,
    has_tables: Cell<bool>,
    has_former_hubs: Cell<bool>,
    /// Whether the row was sealed under a key that is not configured.
    lacks_key: Cell<bool>,
}

impl LedgerStore {
    pub fn new(state: &State) -> Self {
        Self {
            database: Database::new(state),
            deliveries: Deliveries::new(state),
            outbox: Outbox::new(state),
            is_loaded: Cell::new(false),
            row: RefCell::new(None),
            has_tables: Cell::new(false),
            has_former_hubs: Cell::new(false),
            lacks_key: Cell::new(false),
        }
    }

    /// The state, or `None` before the first write.
    pub fn row(&self, config: &Config) -> platform::Result<Option<Ref<'_, LedgerRow>>> {
        if !self.is_loaded.get() {
            let row = self.load(config)?;
            self.row.replace(row);
            self.is_loaded.set(true);
        }
        Ok(Ref::filter_map(self.row.borrow(), Option::as_ref).ok())
    }

    /// Stores a delivery and applies its fact, as a whole.
    ///
    /// 1. A copy of a stored delivery changes nothing, nor does one that is no news.
    /// 2. The fact is applied to a copy of the state. If the account becomes another one, one more delivery is about that.
    /// 3. State, deliveries, their places in the outbox and the alarm are written in one commit.
    /// 4. The copy becomes the state.
    pub fn enter(&self, entry: Entry, body: &[u8], config: &Config, now: i64) -> platform::Result<Entered> {
        // 1.
        let stored = self.row(config)?.map(|row| row.clone());
        let unchanged = match &stored {
            Some(_) if self.deliveries.contains(&entry.fact.at.delivery)? => Some(Outcome::Duplicate),
            Some(row) if row.knows(&entry) => Some(Outcome::Stale),
            _ => None,
        };
        if let Some(outcome) = unchanged {
            return Ok(Entered { outcome, dirty_version: stored.filter(LedgerRow::is_dirty).map(|row| row.version) });
        }
        // 2.
        let is_event = entry.is_event();
        let Entry { id, kind, received, fact, actor, accepts, .. } = entry;
        let mut row = stored.unwrap_or_else(|| LedgerRow::new(config.index.handle(&id), id));
        let (id, stamp, former_hubs) = (fact.at.delivery.clone(), fact.at.stamp, row.former_hubs.clone());
        let (outcome, is_other_account) = row.apply(fact, &kind, accepts.as_deref(), now, &config.index);
        let version = row.version;
        let account_changed = is_other_account.then(|| AccountChange::new(&id, stamp, &mut row));
        let alarm = row.advance_alarm(now, self.deliveries.pruning_after(received, config));
        let forwarded = (is_event && outcome == Outcome::Applied && config.forward.is_some()).then(|| id.clone());
        // 3.
        let delivery = NewDelivery { id, received, stamp, kind, outcome, actor, body };
        self.database.transaction(|| {
            self.create_tables()?;
            self.write(&row, config)?;
            self.write_former_hubs(&former_hubs, &row.former_hubs)?;
            self.deliveries.insert(delivery, &row.handle, config)?;
            forwarded.map_or(Ok(()), |id| self.outbox.insert(&id, version, now))?;
            account_changed
                .map_or(Ok(()), |change| change.store(received, &row, &self.deliveries, &self.outbox, config, now))
        })?;
        if alarm.is_some() {
            self.database.set_alarm(alarm)?;
        }
        // 4.
        self.deliveries.expect_pruning(received, config);
        Ok(self.replace(row, outcome))
    }

    /// Erases everything except the id, so that later deliveries are recognised as too late. Returns `None` if there is
    /// nothing to erase.
    pub fn erase(&self, config: &Config, now: i64) -> platform::Result<Option<Entered>> {
        let Some(mut row) = self.row(config)?.map(|row| row.clone()) else { return Ok(None) };
        let former_hubs = row.former_hubs.clone();
        if !row.is_erased() {
            row.erase(now, &config.index);
        }
        let alarm = row.advance_alarm(now, now + AFTERLIFE);
        self.database.transaction(|| {
            self.create_tables()?;
            self.deliveries.clear()?;
            self.outbox.clear()?;
            self.write_former_hubs(&former_hubs, &row.former_hubs)?;
            self.write(&row, config)
        })?;
        if alarm.is_some() {
            self.database.set_alarm(alarm)?;
        }
        self.deliveries.set_next_pruning(Some(i64::MAX));
        Ok(Some(self.replace(row, Outcome::Applied)))
    }

    /// Writes that KV and the hub have `version`, and sets the alarm to what is next: one commit. Does nothing if the state
    /// has a newer version by now.
    pub fn settle(&self, version: i64, config: &Config) -> platform::Result<()> {
        let Some(mut row) = self.row(config)?.filter(|row| row.version == version).map(|row| row.clone()) else {
            return Ok(());
        };
        let alarm = self.idle_alarm(&row, config)?;
        let is_same =
            (row.projected, row.hub_version, row.alarm_at, row.retry_ms) == (version, version, alarm, MIN_RETRY);
        if is_same && row.former_hubs.is_empty() {
            return Ok(());
        }
        if !row.former_hubs.is_empty() {
            self.write_former_hubs(&row.former_hubs, &[])?;
        }
        let update = "UPDATE ledger SET projected = ?, hub_version = ?, alarm_at = ?, retry_ms = ?";
        self.database.run(update, vec![version.into(), version.into(), alarm.into(), MIN_RETRY.into()])?;
        if alarm != row.alarm_at {
            self.database.set_alarm(alarm)?;
        }
        row.former_hubs.clear();
        (row.projected, row.hub_version, row.alarm_at, row.retry_ms) = (version, version, alarm, MIN_RETRY);
        self.row.replace(Some(row));
        Ok(())
    }

    /// Changes the outbox, and sets the alarm to what is next: one commit.
    pub fn change_outbox(
        &self,
        config: &Config,
        change: &dyn Fn(&Outbox) -> platform::Result<()>,
    ) -> platform::Result<()> {
        if self.outbox.exists()? {
            change(&self.outbox)?;
        }
        let Some(mut row) = self.row(config)?.map(|row| row.clone()) else {
            return self.outbox.set_lane_alarm(config, platform::now_ms());
        };
        let alarm = match row.alarm_at.filter(|_| row.is_dirty()) {
            Some(at) => Some(self.outbox.next_alarm(config)?.map_or(at, |next| next.min(at))),
            None => self.idle_alarm(&row, config)?,
        };
        if alarm != row.alarm_at {
            row.alarm_at = alarm;
            self.database.run("UPDATE ledger SET alarm_at = ?", vec![alarm.into()])?;
            self.database.set_alarm(alarm)?;
            self.row.replace(Some(row));
        }
        Ok(())
    }

    /// Sets the alarm to `at` (unix ms) or to the next event that is to be forwarded, and the wait before the next retry.
    pub fn postpone(&self, at: i64, retry_ms: i64, config: &Config) -> platform::Result<()> {
        let Some(mut row) = self.row(config)?.map(|row| row.clone()) else { return Ok(()) };
        let at = self.outbox.next_alarm(config)?.map_or(at, |next| next.min(at));
        (row.alarm_at, row.retry_ms) = (Some(at), retry_ms);
        self.database.run("UPDATE ledger SET alarm_at = ?, retry_ms = ?", vec![at.into(), retry_ms.into()])?;
        self.database.set_alarm(Some(at))?;
        self.row.replace(Some(row));
        Ok(())
    }

    /// Notes in memory that the alarm has rung, so that the next one is set even if it is for the same instant.
    pub fn forget_alarm(&self) {
        if let Some(row) = self.row.borrow_mut().as_mut() {
            row.alarm_at = None;
        }
    }

    /// Whether the row was sealed under a key that is not configured, as the last attempt to read it showed.
    pub fn lacks_key(&self) -> bool {
        self.lacks_key.get()
    }

    /// Sets the alarm later and later, up to [`MAX_KEYLESS_RETRY`], while the row cannot be opened. Returns whether this is
    /// the first time.
    pub fn back_off(&self, now: i64) -> platform::Result<bool> {
        let retry_ms = self.database.first_row("SELECT retry_ms FROM ledger", vec![])?.first().and_then(integer);
        let retry_ms = retry_ms.unwrap_or(MIN_RETRY);
        let next = (retry_ms.max(MAX_RETRY) * 2).min(MAX_KEYLESS_RETRY);
        let update = "UPDATE ledger SET alarm_at = ?, retry_ms = ?";
        self.database.run(update, vec![(now + next).into(), next.into()])?;
        self.database.set_alarm(Some(now + next))?;
        Ok(retry_ms <= MAX_RETRY)
    }

    /// Sets the alarm to `at` (unix ms) without noting it.
    pub fn set_alarm(&self, at: i64) -> platform::Result<()> {
        self.database.set_alarm(Some(at))
    }

    /// Writes that KV may have any older version, and sets the alarm to `at` (unix ms).
    pub fn unproject(&self, at: i64, config: &Config) -> platform::Result<()> {
        let Some(mut row) = self.row(config)?.map(|row| row.clone()) else { return Ok(()) };
        row.projected = 0;
        self.database.run("UPDATE ledger SET projected = 0", vec![])?;
        self.row.replace(Some(row));
        self.postpone(at, MIN_RETRY, config)
    }

    /// The newest deliveries before the place `before`, at most `limit`, or as many as fit a page.
    pub fn timeline(&self, before: i64, limit: i64, config: &Config, now: i64) -> platform::Result<Timeline> {
        match self.row(config)? {
            Some(row) => self.deliveries.page(&row.handle, before, limit, config, now),
            None => Ok(Timeline { list: Vec::new(), rest: None }),
        }
    }

    /// Deletes bodies and deliveries that are too old at `now` (unix ms).
    pub fn prune(&self, config: &Config, now: i64) -> platform::Result<()> {
        if self.has_tables.get() { self.deliveries.prune(&self.outbox, config, now) } else { Ok(()) }
    }

    /// Forgets the state in memory, after the whole storage was deleted.
    pub fn forget(&self) {
        self.is_loaded.set(false);
        self.has_tables.set(false);
        self.has_former_hubs.set(false);
        self.deliveries.forget();
        self.outbox.forget();
    }

    /// What the alarm is for while nothing is to be copied: the purge, the next pruning, or the next event to forward.
    fn idle_alarm(&self, row: &LedgerRow, config: &Config) -> platform::Result<Option<i64>> {
        let times = [row.purge_at, self.deliveries.next_pruning(config)?, self.outbox.next_alarm(config)?];
        Ok(times.into_iter().flatten().min())
    }

    fn load(&self, config: &Config) -> platform::Result<Option<LedgerRow>> {
        self.has_tables.set(self.database.has_table("ledger")?);
        if !self.has_tables.get() {
            return Ok(None);
        }
        self.has_former_hubs.set(self.database.has_table("former_hubs")?);
        let select =
            "SELECT handle, record, version, projected, hub, hub_version, alarm_at, retry_ms, purge_at FROM ledger";
        let columns = self.database.first_row(select, vec![])?;
        if columns.is_empty() {
            return Ok(None);
        }
        let mut row = LedgerRow::read(columns, config, &self.lacks_key)?;
        if self.has_former_hubs.get() {
            let names = self.database.rows("SELECT name FROM former_hubs", vec![])?;
            row.former_hubs = names.into_iter().flatten().filter_map(text_of).collect();
        }
        // While nothing is to be copied, the alarm is set to the next pruning.
        let is_settled = !row.is_dirty() && row.former_hubs.is_empty();
        self.deliveries.set_next_pruning(row.alarm_at.filter(|_| is_settled));
        let hub = row.hub.clone();
        row.choose_hub(&config.index);
        if row.hub != hub {
            // An older build notes the hub later than this one does.
            self.database.transaction(|| {
                self.create_tables()?;
                self.write_former_hubs(&[], &row.former_hubs)?;
                self.write(&row, config)
            })?;
            self.has_former_hubs.set(true);
        }
        Ok(Some(row))
    }

    fn create_tables(&self) -> platform::Result<()> {
        if !(self.has_tables.get() && self.has_former_hubs.get()) {
            self.database.run(SCHEMA, vec![])?;
            self.deliveries.create_table()?;
        }
        Ok(())
    }

    fn write(&self, row: &LedgerRow, config: &Config) -> platform::Result<()> {
        let insert = "INSERT OR REPLACE INTO ledger VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        self.database.run(insert, row.columns(config, platform::nonce())?)
    }

    fn write_former_hubs(&self, before: &[String], after: &[String]) -> platform::Result<()> {
        for name in before.iter().filter(|name| !after.contains(name)) {
            self.database.run("DELETE FROM former_hubs WHERE name = ?", vec![name.clone().into()])?;
        }
        for name in after {
            self.database.run("INSERT OR IGNORE INTO former_hubs VALUES (?)", vec![name.clone().into()])?;
        }
        Ok(())
    }

    /// Makes a row that was written the state.
    fn replace(&self, row: LedgerRow, outcome: Outcome) -> Entered {
        let dirty_version = row.is_dirty().then_some(row.version);
        self.has_tables.set(true);
        self.has_former_hubs.set(true);
        self.row.replace(Some(row));
        Entered { outcome, dirty_version }
    }
}
