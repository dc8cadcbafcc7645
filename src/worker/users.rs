//! `DELETE /edge/users/{clientReferenceId}`: a user's connections at OFAuth, and all that is kept of them here.

use percent_encoding::percent_decode_str;
use serde_json::json;
use worker::Env;

use super::{
    call::Call,
    hub, kv, ledger, pending,
    reply::{Failure, Reply},
    upstream::{self, Outgoing},
};
use crate::{
    account::connection_path,
    api_error::EdgeError,
    config::Config,
    event::MAX_TEXT,
    session::Caller,
    store::{EVENT_PREFIX, EventMeta},
};

const BATCH: u64 = 1_000;

/// 1. Each connection is deleted at OFAuth, then erased here: ledger, KV and hub.
/// 2. Kept events of the user are deleted.
/// 3. Link sessions under way are forgotten.
///
/// What fails stops it there; repeated, it goes on.
pub async fn delete(segment: &str, call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    if *caller != Caller::Gateway {
        return Err(EdgeError::PermissionDenied.into());
    }
    let reference = percent_decode_str(segment).decode_utf8().ok().filter(|reference| reference.len() <= MAX_TEXT);
    let reference = reference.ok_or(EdgeError::BadRequest("clientReferenceId is UTF-8 of at most 4096 bytes"))?;
    // 1.
    let records = hub::connections(&reference, config, env).await?;
    for record in &records {
        if record.is_connected() {
            let outgoing = Outgoing::own("DELETE", connection_path(&record.id, ""))?;
            let answer = upstream::send(&outgoing, call, config).await?;
            if !matches!(answer.status(), 200..=299 | 404) {
                return answer.pass_back();
            }
        }
        ledger::erase(&record.handle, env).await?;
    }
    // 2.
    forget_events(&config.index.reference(&reference), env).await?;
    // 3.
    pending::forget(&reference, config, env).await?;
    Ok(Reply::json(&json!({ "success": true, "message": "The user has been deleted", "deleted": records.len() })))
}

async fn forget_events(reference: &str, env: &Env) -> Result<(), Failure> {
    let kv = kv::open(env)?;
    let mut rest = None;
    loop {
        let batch = kv::list::<EventMeta>(&kv, EVENT_PREFIX, rest.as_deref(), BATCH).await.map_err(kv::unavailable)?;
        for (key, _) in batch.keys.iter().filter(|(_, meta)| meta.reference.as_deref() == Some(reference)) {
            kv.delete(key).await.map_err(kv::unavailable)?;
        }
        rest = batch.rest;
        if rest.is_none() {
            return Ok(());
        }
    }
}
