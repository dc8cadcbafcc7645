//! The index of a user's connections: a page of the user's list is selected by it, and only the records of the page are
//! opened.
//!
//! Table `listing`: for each record in `connections`, its `handle` and `version`, and its `status` and `updated_at` in
//! clear.
//!
//! Older builds have no such table, and write `connections` alone. A newer build fills the table in the commit that
//! creates it, but an older one may run again. So the table is *complete* if each record has an entry of the same
//! version, and no entry is without a record. The first page after a wake-up checks this. If the table is not complete,
//! all records are opened, and the next update adds what is missing, in its own commit: no look-up writes.

use std::cell::Cell;

use super::{message::NULL, records};
use crate::{
    core::{
        config::Config,
        connection::{ACTIVE, DISCONNECTED, Record},
        json,
    },
    worker::platform::{self, Database, KEY_MISSING, Value, integer},
};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS listing (
        handle TEXT PRIMARY KEY, version INTEGER NOT NULL, status TEXT NOT NULL, updated_at TEXT NOT NULL) WITHOUT ROWID";

/// What is known about the table.
#[derive(Default)]
pub struct Listing {
    /// Whether the table is complete. `None` until that is checked.
    is_complete: Cell<Option<bool>>,
}

impl Listing {
    /// Creates the table, and fills it unless the hub is new.
    pub fn create_table(&self, is_new: bool, name: &str, database: &Database, config: &Config) -> platform::Result<()> {
        database.run(SCHEMA, vec![])?;
        self.is_complete.set(Some(is_new || complete(name, database, config)?));
        Ok(())
    }

    /// Notes that there is no table.
    pub fn set_missing(&self) {
        self.is_complete.set(Some(false));
    }

    /// Follows a write to `connections`, in the same commit.
    pub fn write(
        &self,
        handle: &str,
        version: i64,
        record: Option<&Record>,
        name: &str,
        database: &Database,
        config: &Config,
    ) -> platform::Result<()> {
        if let Some(record) = record {
            insert(version, record, database)?;
        } else {
            let delete = "DELETE FROM listing WHERE handle = ? AND version <= ?";
            database.run(delete, vec![handle.into(), version.into()])?;
        }
        if self.is_complete.get() == Some(false) {
            self.is_complete.set(Some(complete(name, database, config)?));
        }
        Ok(())
    }

    /// A page of the list, as JSON: the records and how many match, `[[...], 7]`. `null` if the table is not complete, or
    /// if a record of the page does not open.
    pub fn page(
        &self,
        (status, limit, offset): (Option<String>, i64, i64),
        name: &str,
        database: &Database,
        config: &Config,
    ) -> platform::Result<String> {
        let select = "SELECT handle, record FROM (SELECT handle, updated_at FROM listing \
            WHERE ?1 IS NULL OR status = ?1 COLLATE NOCASE ORDER BY updated_at DESC, handle LIMIT ?2 OFFSET ?3) AS page \
            JOIN connections USING (handle) ORDER BY page.updated_at DESC, handle";
        let status = Value::from(status);
        let bindings = vec![status.clone(), limit.into(), offset.into()];
        let rows = self.select(select, bindings, database)?;
        let Some(records) = rows.and_then(|rows| open_all(rows, name, config)) else { return Ok(NULL.to_owned()) };
        let count = "SELECT count(*) FROM listing WHERE ?1 IS NULL OR status = ?1 COLLATE NOCASE";
        let total = database.first_row(count, vec![status])?.first().and_then(integer).unwrap_or_default();
        Ok(format!("[{records},{total}]"))
    }

    /// At most two connections that are not disconnected, active ones first, as JSON: enough to choose the only one, or to
    /// see that there are several. `null` as for [`Listing::page`], and [`KEY_MISSING`] if none of them has a key that is
    /// configured.
    pub fn candidates(&self, name: &str, database: &Database, config: &Config) -> platform::Result<String> {
        let select = "SELECT handle, record FROM (SELECT handle FROM listing \
            WHERE status <> ? ORDER BY status <> ? LIMIT 2) JOIN connections USING (handle)";
        let bindings = vec![DISCONNECTED.into(), ACTIVE.into()];
        let rows = self.select(select, bindings, database)?;
        let lack_keys = |rows: &Vec<Vec<Value>>| rows.iter().all(|row| records::lacks_key(row, config));
        if rows.as_ref().is_some_and(|rows| !rows.is_empty() && lack_keys(rows)) {
            return Ok(KEY_MISSING.to_owned());
        }
        Ok(rows.and_then(|rows| open_all(rows, name, config)).unwrap_or_else(|| NULL.to_owned()))
    }

    /// The rows that a statement selects by the table. `None` if it is not complete.
    fn select(
        &self,
        statement: &str,
        bindings: Vec<Value>,
        database: &Database,
    ) -> platform::Result<Option<Vec<Vec<Value>>>> {
        if self.is_complete(database)? { database.rows(statement, bindings).map(Some) } else { Ok(None) }
    }

    fn is_complete(&self, database: &Database) -> platform::Result<bool> {
        if let Some(is_complete) = self.is_complete.get() {
            return Ok(is_complete);
        }
        let check = "SELECT (SELECT count(*) FROM listing) = (SELECT count(*) FROM connections WHERE record IS NOT NULL) \
            AND NOT EXISTS (SELECT 1 FROM connections AS c WHERE record IS NOT NULL AND NOT EXISTS ( \
                SELECT 1 FROM listing WHERE handle = c.handle AND version = c.version))";
        let is_complete = database.first_row(check, vec![])?.first().and_then(integer) == Some(1);
        self.is_complete.set(Some(is_complete));
        Ok(is_complete)
    }
}

/// The records in these rows, as JSON. `None` if one of them does not open.
fn open_all(rows: Vec<Vec<Value>>, name: &str, config: &Config) -> Option<String> {
    rows.into_iter().map(|row| records::open(name, row, config)).collect::<Option<_>>().map(records::json_array)
}

/// Writes the entry of a record, unless `connections` has a newer version of it.
fn insert(version: i64, record: &Record, database: &Database) -> platform::Result<()> {
    let insert = "INSERT OR REPLACE INTO listing \
        SELECT handle, version, ?, ? FROM connections WHERE handle = ? AND version = ?";
    let (status, updated_at) = (record.status.as_str().into(), record.updated_at.as_str().into());
    database.run(insert, vec![status, updated_at, record.handle.as_str().into(), version.into()])
}

/// Deletes entries without a record, and adds those that are missing. Returns whether the table is complete now: a record
/// that does not open gets no entry.
fn complete(name: &str, database: &Database, config: &Config) -> platform::Result<bool> {
    let delete = "DELETE FROM listing WHERE NOT EXISTS (SELECT 1 FROM connections AS c \
        WHERE c.handle = listing.handle AND c.version = listing.version AND record IS NOT NULL)";
    database.run(delete, vec![])?;
    let select = "SELECT version, handle, record FROM connections AS c \
        WHERE record IS NOT NULL AND NOT EXISTS (SELECT 1 FROM listing WHERE handle = c.handle)";
    let mut is_complete = true;
    for mut row in database.rows(select, vec![])? {
        let version = row.drain(..1).next().as_ref().and_then(integer);
        let record = records::open(name, row, config).and_then(|record| json::from_slice(record.as_bytes()).ok());
        match version.zip(record) {
            Some((version, record)) => insert(version, &record, database)?,
            None => is_complete = false,
        }
    }
    Ok(is_complete)
}
