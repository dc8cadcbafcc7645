//! `DELETE /edge/users/{clientReferenceId}`: a user's connections at OFAuth, and all that is kept of them here.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::json;
use worker::{Env, kv::KvStore};

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
    connection::Record,
    event::MAX_TEXT,
    session::Caller,
    store::{CONNECTION_PREFIX, ConnectionMeta, EVENT_PREFIX, EventMeta},
};

const BATCH: u64 = 1_000;

/// 1. Each connection is deleted at OFAuth.
/// 2. Kept events about the user or one of the connections are deleted.
/// 3. Each connection is erased here: ledger, KV and hub. Link sessions under way are forgotten.
///
/// What fails stops it there; repeated, it goes on.
pub async fn delete(segment: &str, call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    if *caller != Caller::Gateway {
        return Err(EdgeError::PermissionDenied.into());
    }
    let reference = percent_decode_str(segment).decode_utf8().ok().filter(|reference| reference.len() <= MAX_TEXT);
    let reference = reference.ok_or(EdgeError::BadRequest("clientReferenceId is UTF-8 of at most 4096 bytes"))?;
    // 1.
    let kv = kv::open(env)?;
    let records = all_of(&reference, &kv, config, env).await?;
    for record in records.iter().filter(|record| record.is_connected()) {
        let outgoing = Outgoing::own("DELETE", connection_path(&record.id, "")?)?;
        let answer = upstream::send(&outgoing, call, config).await?;
        if !matches!(answer.status(), 200..=299 | 404) {
            return answer.pass_back();
        }
    }
    // 2.
    let name = config.index.reference(&reference);
    let is_about = |meta: &EventMeta| {
        let of_user = meta.reference.as_ref() == Some(&name);
        of_user || records.iter().any(|record| meta.handle.as_ref() == Some(&record.handle))
    };
    for key in find_keys(&kv, EVENT_PREFIX, is_about).await? {
        kv.delete(&key).await.map_err(kv::unavailable)?;
    }
    // 3.
    for record in &records {
        ledger::erase(&record.handle, env).await?;
    }
    pending::forget(&reference, config, env).await?;
    Ok(Reply::json(&json!({ "success": true, "message": "The user has been deleted", "deleted": records.len() })))
}

/// All connections of a user: those of the hub, and those that only KV knows to be theirs, since the hub could not be told
/// yet. Their ledgers decide.
async fn all_of(reference: &str, kv: &KvStore, config: &Config, env: &Env) -> Result<Vec<Record>, Failure> {
    let mut records = hub::connections(reference, config, env).await?;
    let name = config.index.reference(reference);
    let known: BTreeSet<_> = records.iter().map(|record| record.handle.clone()).collect();
    for key in find_keys(kv, CONNECTION_PREFIX, |meta: &ConnectionMeta| meta.reference.as_ref() == Some(&name)).await? {
        let Some(handle) = key.strip_prefix(CONNECTION_PREFIX).filter(|handle| !known.contains(*handle)) else {
            continue;
        };
        let record = ledger::record(handle, env).await?;
        records.extend(record.filter(|record| record.client_reference_id.as_deref() == Some(reference)));
    }
    Ok(records)
}

async fn find_keys<M: Default + DeserializeOwned>(
    kv: &KvStore,
    prefix: &str,
    wanted: impl Fn(&M) -> bool,
) -> Result<Vec<String>, Failure> {
    let (mut keys, mut rest) = (Vec::new(), None);
    loop {
        let batch = kv::list::<M>(kv, prefix, rest.as_deref(), BATCH).await.map_err(kv::unavailable)?;
        keys.extend(batch.keys.into_iter().filter(|(_, meta)| wanted(meta)).map(|(key, _)| key));
        rest = batch.rest;
        if rest.is_none() {
            return Ok(keys);
        }
    }
}
