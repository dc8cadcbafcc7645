//! A new `STORAGE_KEY`: seals again what a ledger has stored. Its alarm does this, and reconciliation wakes the ledgers that
//! are quiet.

use super::store::LedgerStore;
use crate::{
    core::config::Config,
    worker::platform::{self, Database},
};

/// Seals what is stored under the newest key, and returns whether the record was under another one.
pub fn reseal(store: &LedgerStore, database: &Database, config: &Config) -> platform::Result<bool> {
    if store.row(config)?.is_none() {
        return Ok(false);
    }
    let reseal = |table, column, place| platform::reseal(table, column, place, database, &config.sealer);
    reseal("deliveries", "body", "'ledger/' || (SELECT handle FROM ledger) || '/delivery/' || id")?;
    reseal("ledger", "record", "'ledger/' || handle || '/record'")
}

/// How many values are sealed under each key, as JSON.
pub fn count_keys(store: &LedgerStore, database: &Database, config: &Config) -> platform::Result<String> {
    if store.row(config)?.is_none() {
        return Ok("{}".to_owned());
    }
    platform::count_keys("SELECT record FROM ledger UNION ALL SELECT body FROM deliveries", vec![], database)
}
