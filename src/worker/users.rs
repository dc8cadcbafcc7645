//! `DELETE /edge/users/{clientReferenceId}`: a user's connections at OFAuth, and all that is kept of them here.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::json;
use worker::{Env, kv::KvStore};

use super::{
    call::Call,
    hub, kv, ledger, manage, pending,
    reply::{Failure, Reply},
    upstream::{self, Outgoing},
};
use crate::{
    account::{CONNECTIONS, connection_path},
    api_error::EdgeError,
    config::Config,
    connection::Record,
    event::MAX_TEXT,
    session::Caller,
    store::{CONNECTION_PREFIX, ConnectionMeta, EVENT_PREFIX, EventMeta},
};

const BATCH: u64 = 1_000;
/// How many items of OFAuth's list are asked for at once.
const PAGE: usize = 100;

/// 1. Each connection that is known here, or that OFAuth lists as the user's, is deleted at OFAuth.
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
    let known = all_of(&reference, &kv, config, env).await?;
    let mut handles: BTreeSet<_> = known.iter().map(|record| record.handle.clone()).collect();
    let listed = listed_for(&reference, call, config, env).await?;
    let connected = known.iter().filter(|record| record.is_connected()).map(|record| record.id.clone());
    for id in connected.chain(listed).collect::<BTreeSet<_>>() {
        let outgoing = Outgoing::own("DELETE", connection_path(&id, "")?)?;
        let answer = upstream::send(&outgoing, call, config).await?;
        if !answer.is_gone().await {
            return answer.pass_back_to(caller, config).await;
        }
        manage::note_deleted(&id, call, config, env).await?;
        handles.insert(config.index.handle(&id));
    }
    // 2.
    let name = config.index.reference(&reference);
    let is_about = |meta: &EventMeta| {
        let of_user = meta.reference.as_ref() == Some(&name);
        of_user || meta.handle.as_ref().is_some_and(|handle| handles.contains(handle))
    };
    for key in find_keys(&kv, EVENT_PREFIX, is_about).await? {
        kv.delete(&key).await.map_err(kv::unavailable)?;
    }
    // 3.
    for handle in &handles {
        ledger::erase(handle, env).await?;
    }
    pending::forget(&reference, config, env).await?;
    Ok(Reply::json(&json!({ "success": true, "message": "The user has been deleted", "deleted": handles.len() })))
}

/// The connections of a user that are known here: the hub or KV names them, either of which may be late; the ledger of
/// each decides.
async fn all_of(reference: &str, kv: &KvStore, config: &Config, env: &Env) -> Result<Vec<Record>, Failure> {
    let name = config.index.reference(reference);
    let of_user = |meta: &ConnectionMeta| meta.reference.as_ref() == Some(&name);
    let listed = find_keys(kv, CONNECTION_PREFIX, of_user).await?;
    let listed = listed.iter().filter_map(|key| key.strip_prefix(CONNECTION_PREFIX)).map(str::to_owned);
    let hub = hub::connections(reference, config, env).await?.into_iter().map(|record| record.handle);
    let mut records = Vec::new();
    for handle in hub.chain(listed).collect::<BTreeSet<_>>() {
        records.extend(ledger::record(&handle, env).await?.filter(|record| record.is_of(reference)));
    }
    Ok(records)
}

/// The ids of a user's connections in OFAuth's own list, all pages of it, but for those that a ledger knows to be another
/// user's by now.
async fn listed_for(reference: &str, call: &Call, config: &Config, env: &Env) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    for page in 0.. {
        let target = format!("{CONNECTIONS}?limit={PAGE}&offset={}", page * PAGE);
        let answer = upstream::send(&Outgoing::own("GET", target)?, call, config).await?;
        let unread = || Failure::upstream("no page of the list of connections".into());
        let (items, more) = answer.page().await.ok_or_else(unread)?;
        for item in items.iter().filter(|item| item.client_reference_id() == Some(reference)) {
            let known = ledger::record(&config.index.handle(item.id()), env).await?;
            if known.is_none_or(|record| record.client_reference_id.is_none() || record.is_of(reference)) {
                ids.push(item.id().to_owned());
            }
        }
        if !more || items.is_empty() {
            break;
        }
    }
    Ok(ids)
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
