//! The records of a user's connections, in the user's hub.
//!
//! Table `connections`: `handle`, `version`, `told` (when the update came, unix ms), `record` (its JSON, encrypted for the
//! place `hub/{name}/{handle}`; null after the connection left). Older builds insert by position, so it gets no more
//! columns.
//!
//! The hub answers with the JSON as it was stored, and does not parse it.

use super::message::NULL;
use crate::{
    core::{config::Config, connection::Record, storage::SealError},
    worker::platform::{self, Database, KEY_MISSING, Value},
};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS connections (
        handle TEXT PRIMARY KEY, version INTEGER NOT NULL, told INTEGER NOT NULL, record BLOB)";

pub fn create_table(database: &Database) -> platform::Result<()> {
    database.run(SCHEMA, vec![])
}

/// Stores a record, or a mark if the connection left. Does nothing if this version or a newer one is stored.
pub fn write(
    handle: &str,
    version: i64,
    record: Option<&Record>,
    name: &str,
    database: &Database,
    config: &Config,
    now: i64,
) -> platform::Result<()> {
    let record = record.map(serde_json::to_vec).transpose()?;
    let record = record.map(|record| config.sealer.seal(&place(name, handle), &record, platform::nonce()));
    let upsert = "INSERT INTO connections VALUES (?, ?, ?, ?) ON CONFLICT (handle) DO UPDATE \
        SET version = excluded.version, told = excluded.told, record = excluded.record \
        WHERE version < excluded.version";
    database.run(upsert, vec![handle.into(), version.into(), now.into(), record.into()])
}

/// All records that open. A row whose key is not configured any more must not hide the others.
pub fn list(name: &str, database: &Database, config: &Config) -> platform::Result<String> {
    let select = "SELECT handle, record FROM connections WHERE record IS NOT NULL";
    let rows = database.rows(select, vec![])?.into_iter();
    Ok(json_array(rows.filter_map(|row| open(name, row, config)).collect()))
}

/// One record, or `null`, or [`KEY_MISSING`].
pub fn get(name: &str, handle: &str, database: &Database, config: &Config) -> platform::Result<String> {
    let select = "SELECT handle, record FROM connections WHERE handle = ?";
    let row = database.first_row(select, vec![handle.into()])?;
    let otherwise = if lacks_key(&row, config) { KEY_MISSING } else { NULL };
    Ok(open(name, row, config).unwrap_or_else(|| otherwise.to_owned()))
}

/// Seals all records under the newest key. Returns how many values of this handle are sealed under each key, as JSON.
pub fn reseal(name: &str, handle: &str, database: &Database, config: &Config) -> platform::Result<String> {
    let place = format!("'{}' || handle", place(name, ""));
    platform::reseal("connections", "record", &place, database, &config.sealer)?;
    platform::count_keys("SELECT record FROM connections WHERE handle = ?", vec![handle.into()], database)
}

/// Whether the record in a row of `handle` and `record` was sealed under a key that is not configured.
pub fn lacks_key(row: &[Value], config: &Config) -> bool {
    // The key is looked for before the place is checked.
    matches!(row, [_, Value::Blob(sealed)] if matches!(config.sealer.open("", sealed), Err(SealError::UnknownKey(_))))
}

/// The record in a row of `handle` and `record`, or `None` if it left or does not open.
pub fn open(name: &str, row: Vec<Value>, config: &Config) -> Option<String> {
    match <[Value; 2]>::try_from(row) {
        Ok([Value::String(handle), Value::Blob(sealed)]) => {
            String::from_utf8(config.sealer.open(&place(name, &handle), &sealed).ok()?).ok()
        }
        _ => None,
    }
}

pub fn json_array(records: Vec<String>) -> String {
    format!("[{}]", records.join(","))
}

fn place(name: &str, handle: &str) -> String {
    format!("hub/{name}/{handle}")
}
