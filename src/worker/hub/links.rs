//! The Link sessions of a user that are under way, in the user's hub.
//!
//! Table `links`: `key`, `until` (when the session ends, unix ms), `pages` (how many pages of OFAuth's list were read for
//! it), `pending` (the encrypted [`PendingLink`], for the place `hub/{name}/link`).

use worker::SqlStorageValue as Value;

use super::message::{LinkRequest, NULL};
use crate::{
    core::{
        config::Config,
        gateway::link::{MAX_PAGES, MAX_PENDING, PendingLink},
        json,
    },
    worker::platform::{self, Database},
};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS links (
        key INTEGER PRIMARY KEY AUTOINCREMENT, until INTEGER NOT NULL, pages INTEGER NOT NULL, pending BLOB NOT NULL)";

pub fn create_table(database: &Database) -> worker::Result<()> {
    database.run(SCHEMA, vec![])
}

/// Deletes the sessions that have ended at `now` (unix ms).
pub fn prune(database: &Database, now: i64) -> worker::Result<()> {
    database.run("DELETE FROM links WHERE until <= ?", vec![now.into()])
}

/// The answer to a request to the hub of that name, as JSON.
pub fn answer(
    request: LinkRequest,
    name: &str,
    database: &Database,
    config: &Config,
    now: i64,
) -> worker::Result<Vec<u8>> {
    let place = format!("hub/{name}/link");
    match request {
        LinkRequest::Add(pending, until) => {
            let sealed = config.sealer.seal(&place, &serde_json::to_vec(&pending)?, platform::nonce());
            let insert = "INSERT INTO links (until, pages, pending) VALUES (?, 0, ?)";
            database.run(insert, vec![until.into(), sealed.into()])?;
            let surplus = "DELETE FROM links WHERE key <= (SELECT key FROM links ORDER BY key DESC LIMIT 1 OFFSET ?)";
            database.run(surplus, vec![MAX_PENDING.into()])?;
            Ok(NULL.to_vec())
        }
        LinkRequest::List => {
            let select = "SELECT key, pending FROM links WHERE until > ? ORDER BY key DESC";
            // A session whose key is not configured any more must not hide the others.
            let open = |row: Vec<Value>| match <[Value; 2]>::try_from(row) {
                Ok([Value::Integer(key), Value::Blob(sealed)]) => {
                    let plain = config.sealer.open(&place, &sealed).ok()?;
                    Some((key, json::from_slice::<PendingLink>(&plain).ok()?))
                }
                _ => None,
            };
            let rows = database.rows(select, vec![now.into()])?.into_iter();
            Ok(serde_json::to_vec(&rows.filter_map(open).collect::<Vec<_>>())?)
        }
        LinkRequest::CountPage(key) => {
            let count = "UPDATE links SET pages = pages + 1 WHERE key = ? AND pages < ? AND until > ? RETURNING key";
            let counted = database.first_row(count, vec![key.into(), MAX_PAGES.into(), now.into()])?;
            Ok(serde_json::to_vec(&!counted.is_empty())?)
        }
        LinkRequest::Remove(key) => {
            database.run("DELETE FROM links WHERE key = ?", vec![key.into()])?;
            Ok(NULL.to_vec())
        }
        LinkRequest::Clear => {
            database.run("DELETE FROM links", vec![])?;
            Ok(NULL.to_vec())
        }
    }
}
