//! Writes the newest dynamic rules to the KV key `rules`.
//!
//! A read of KV can be a minute old, so KV cannot tell which rules are the newest. One Durable Object of the ledgers'
//! class, named [`NAME`], remembers that, and writes one rules event after the other.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use worker::Env;

use crate::{
    core::{config::Config, json, storage},
    worker::platform::{
        self, Database, State,
        kv::{Kv, PUT_GAP},
    },
};

/// The object's name. It is not a handle, so it is no connection's ledger.
pub const NAME: &str = "rules";
const NEWEST: &str = "newest";

/// A rules event. The raw body is sent beside it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rules {
    /// When it happened, in unix ms.
    pub stamp: i64,
    /// Decides between events of the same stamp.
    pub delivery: String,
    /// The revision, if the event names one.
    pub revision: Option<String>,
}

/// The rules that were written last.
#[derive(Serialize, Deserialize)]
struct Newest {
    at: (i64, String),
    put: i64,
}

/// Writes the rules to KV, unless newer ones were written. The object handles nothing else meanwhile.
pub async fn enter(rules: Rules, body: &[u8], state: &State, config: Rc<Config>, env: &Env) -> platform::Result<()> {
    let (database, kv) = (Database::new(state), Kv::open(env)?);
    let put = storage::put_rules(rules.revision.as_deref(), body, &config.sealer, platform::nonce());
    let at = (rules.stamp, rules.delivery);
    let write = async move {
        if let Some(newest) = database.value(NEWEST).await? {
            let newest: Newest = json::from_slice(newest.as_bytes())?;
            if newest.at > at {
                return Ok(());
            }
            let gap = newest.put + PUT_GAP - platform::now_ms();
            if gap > 0 {
                platform::wait(gap.min(PUT_GAP)).await;
            }
        }
        kv.put(put).await?;
        let newest = Newest { at, put: platform::now_ms() };
        database.set_value(NEWEST, &serde_json::to_string(&newest)?).await
    };
    state.block_concurrency_while(write).await
}
