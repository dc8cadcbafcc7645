//! Link sessions under way, in the hub of the user they are for, until they end.
//!
//! The table `links` holds for each: a key; until when it lives (unix ms); how many pages of OFAuth's list it has cost; the
//! sealed [`PendingLink`], whose place (see [`crate::core::storage`]) is `hub/{name}/link`.

use worker::{Response, SqlStorage, SqlStorageValue as Value};

use super::message::Question;
use crate::{
    core::{
        config::Config,
        gateway::link::{MAX_PAGES, MAX_PENDING, PendingLink},
    },
    worker::platform::{self, first_row},
};

impl Question {
    /// The answer of a hub that has no tables.
    pub fn answer_empty(self) -> worker::Result<Response> {
        match self {
            Self::All => Response::from_json(&[(); 0]),
            Self::TakePage(_) => Response::from_json(&false),
            Self::Expect(..) | Self::End(_) | Self::Forget => Response::from_json(&()),
        }
    }

    /// The answer of the hub of that name.
    pub fn answer(self, name: &str, sql: &SqlStorage, config: &Config, now: i64) -> worker::Result<Response> {
        let place = format!("hub/{name}/link");
        match self {
            Self::Expect(pending, until) => {
                let sealed = config.sealer.seal(&place, &serde_json::to_vec(&pending)?, platform::nonce());
                let insert = "INSERT INTO links (until, pages, pending) VALUES (?, 0, ?)";
                sql.exec(insert, vec![until.into(), sealed.into()])?;
                let surplus =
                    "DELETE FROM links WHERE key <= (SELECT key FROM links ORDER BY key DESC LIMIT 1 OFFSET ?)";
                sql.exec(surplus, vec![MAX_PENDING.into()])?;
                Response::from_json(&())
            }
            Self::All => {
                let select = "SELECT key, pending FROM links WHERE until > ? ORDER BY key DESC";
                // One that does not open, since its key is not configured any more, does not hide the others.
                let open = |row: Vec<Value>| match <[Value; 2]>::try_from(row) {
                    Ok([Value::Integer(key), Value::Blob(sealed)]) => {
                        let plain = config.sealer.open(&place, &sealed).ok()?;
                        Some((key, serde_json::from_slice::<PendingLink>(&plain).ok()?))
                    }
                    _ => None,
                };
                let rows = sql.exec(select, vec![now.into()])?.raw();
                let all: Vec<_> = rows.filter_map(|row| row.map(open).transpose()).collect::<worker::Result<_>>()?;
                Response::from_json(&all)
            }
            Self::TakePage(key) => {
                let take = "UPDATE links SET pages = pages + 1 WHERE key = ? AND pages < ? AND until > ? RETURNING key";
                let taken = first_row(sql, take, vec![key.into(), MAX_PAGES.into(), now.into()])?;
                Response::from_json(&!taken.is_empty())
            }
            Self::End(key) => {
                sql.exec("DELETE FROM links WHERE key = ?", vec![key.into()])?;
                Response::from_json(&())
            }
            Self::Forget => {
                sql.exec("DELETE FROM links", None)?;
                Response::from_json(&())
            }
        }
    }
}
