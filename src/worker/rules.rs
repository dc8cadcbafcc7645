//! The newest rules, under one key of KV. KV shows a write within a minute, so it cannot say which are the newest: one
//! Durable Object of the ledgers' class, named [`NAME`], lets one after the other through.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use worker::{Env, State};

use super::{env, kv, platform};
use crate::{config::Config, store};

/// The object's name: no handle, so no connection's.
pub const NAME: &str = "rules";
const NEWEST: &str = "newest";

/// A rules event on its way, followed by its raw body.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rules {
    /// Unix milliseconds.
    pub stamp: i64,
    /// The revision, if the event names one.
    pub revision: Option<String>,
}

/// Writes the rules unless newer ones were written. Nothing else happens in the object meanwhile.
pub async fn enter(rules: Rules, body: &[u8], state: &State, config: Rc<Config>, env: &Env) -> worker::Result<()> {
    let (storage, kv) = (state.storage(), env::connections(env)?);
    let put = store::put_rules(rules.stamp, rules.revision.as_deref(), body, &config.sealer, platform::nonce());
    let write = async move {
        if storage.get::<i64>(NEWEST).await?.is_some_and(|newest| newest > rules.stamp) {
            return Ok(());
        }
        kv::put(&kv, put).await?;
        storage.put(NEWEST, rules.stamp).await
    };
    // An error of the block itself would reset the object.
    state.block_concurrency_while(async move { Ok(write.await) }).await?
}
