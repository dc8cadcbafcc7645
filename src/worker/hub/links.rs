//! The Link sessions of a user that are under way, in the user's hub.
//!
//! Table `links`: `key`, `until` (when the session ends, unix ms), `pages` (when OFAuth's list was read last for it, unix
//! ms; older builds counted pages here), `pending` (the encrypted [`PendingLink`], for the place `hub/{name}/link`).

use super::message::{LinkRequest, NULL};
use crate::{
    core::{
        config::Config,
        gateway::link::{LOOK_UP_GAP, MAX_PENDING, PendingLink},
        json,
    },
    worker::platform::{self, Database, Value},
};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS links (
        key INTEGER PRIMARY KEY AUTOINCREMENT, until INTEGER NOT NULL, pages INTEGER NOT NULL, pending BLOB NOT NULL)";

pub fn create_table(database: &Database) -> platform::Result<()> {
    database.run(SCHEMA, vec![])
}

/// Deletes the sessions that have ended at `now` (unix ms).
pub fn prune(database: &Database, now: i64) -> platform::Result<()> {
    database.run("DELETE FROM links WHERE until <= ?", vec![now.into()])
}

/// Deletes all sessions.
pub fn clear(database: &Database) -> platform::Result<()> {
    database.run("DELETE FROM links", vec![])
}

/// The answer to a request to the hub of that name, as JSON.
pub fn answer(
    request: LinkRequest,
    name: &str,
    database: &Database,
    config: &Config,
    now: i64,
) -> platform::Result<String> {
    let place = format!("hub/{name}/link");
    let seal = |pending: &PendingLink| {
        serde_json::to_vec(pending).map(|plain| config.sealer.seal(&place, &plain, platform::nonce()))
    };
    // A session whose key is not configured any more must not hide the others.
    let open = |row: Vec<Value>| match <[Value; 2]>::try_from(row) {
        Ok([Value::Integer(key), Value::Blob(sealed)]) => {
            let plain = config.sealer.open(&place, &sealed).ok()?;
            Some((key, json::from_slice::<PendingLink>(&plain).ok()?))
        }
        _ => None,
    };
    match request {
        LinkRequest::Add(pending, until) => {
            let insert = "INSERT INTO links (until, pages, pending) VALUES (?, 0, ?)";
            database.run(insert, vec![until.into(), seal(&pending)?.into()])?;
            let surplus = "DELETE FROM links WHERE key <= (SELECT key FROM links ORDER BY key DESC LIMIT 1 OFFSET ?)";
            database.run(surplus, vec![MAX_PENDING.into()])?;
            Ok(NULL.to_owned())
        }
        LinkRequest::List => {
            let select = "SELECT key, pending FROM links WHERE until > ? ORDER BY key DESC";
            let rows = database.rows(select, vec![now.into()])?.into_iter();
            Ok(serde_json::to_string(&rows.filter_map(open).collect::<Vec<_>>())?)
        }
        LinkRequest::Settle(key, handle) => {
            let row = database.first_row("SELECT key, pending FROM links WHERE key = ?", vec![key.into()])?;
            if let Some((_, pending)) = open(row) {
                let pending = PendingLink { linked: Some(handle), ..pending };
                let update = "UPDATE links SET pending = ? WHERE key = ?";
                database.run(update, vec![seal(&pending)?.into(), key.into()])?;
            }
            Ok(NULL.to_owned())
        }
        LinkRequest::LookUp(key) => {
            let note = "UPDATE links SET pages = ? WHERE key = ? AND pages <= ? AND until > ? RETURNING key";
            let bindings = vec![now.into(), key.into(), (now - LOOK_UP_GAP).into(), now.into()];
            Ok((!database.first_row(note, bindings)?.is_empty()).to_string())
        }
        LinkRequest::CountPage(_) => Ok("false".to_owned()),
        LinkRequest::Remove(key) => {
            database.run("DELETE FROM links WHERE key = ?", vec![key.into()])?;
            Ok(NULL.to_owned())
        }
        LinkRequest::Clear => {
            clear(database)?;
            Ok(NULL.to_owned())
        }
    }
}
