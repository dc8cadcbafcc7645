//! The newest rules, under one key of KV. KV shows a write within a minute, so it cannot say which are the newest: one
//! Durable Object of the ledgers' class, named [`NAME`], lets one after the other through.

use std::{rc::Rc, time::Duration};

use serde::{Deserialize, Serialize};
use worker::{Delay, Env, State};

use crate::{
    core::{config::Config, storage},
    worker::platform::{self, environment, kv},
};

/// The object's name: no handle, so no connection's.
pub const NAME: &str = "rules";
const NEWEST: &str = "newest";
/// KV takes one write a second of a key, in milliseconds.
const PUT_GAP: i64 = 1_000;

/// A rules event on its way, followed by its raw body.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rules {
    /// Unix milliseconds.
    pub stamp: i64,
    /// Breaks ties of the stamp.
    pub delivery: String,
    /// The revision, if the event names one.
    pub revision: Option<String>,
}

/// What was written last.
#[derive(Serialize, Deserialize)]
struct Newest {
    at: (i64, String),
    put: i64,
}

/// Writes the rules unless newer ones were written. Nothing else happens in the object meanwhile.
pub async fn enter(rules: Rules, body: &[u8], state: &State, config: Rc<Config>, env: &Env) -> worker::Result<()> {
    let (storage, kv) = (state.storage(), environment::kv_namespace(env)?);
    let put = storage::put_rules(rules.revision.as_deref(), body, &config.sealer, platform::nonce());
    let at = (rules.stamp, rules.delivery);
    let write = async move {
        if let Some(newest) = storage.get::<Newest>(NEWEST).await? {
            if newest.at > at {
                return Ok(());
            }
            let gap = newest.put + PUT_GAP - platform::now_ms();
            if let Ok(gap @ 1..) = u64::try_from(gap) {
                Delay::from(Duration::from_millis(gap.min(PUT_GAP.unsigned_abs()))).await;
            }
        }
        kv::put(&kv, put).await?;
        storage.put(NEWEST, Newest { at, put: platform::now_ms() }).await
    };
    // An error of the block itself would reset the object.
    state.block_concurrency_while(async move { Ok(write.await) }).await?
}
