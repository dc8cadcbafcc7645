//! `DELETE /edge/users/{clientReferenceId}`: a user's connections at OFAuth, and all that is kept of them here.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::json;
use worker::{Env, kv::KvStore};

use crate::{
    core::{
        config::Config,
        connection::Record,
        gateway::{ApiError, Caller, EdgeError, RetryHeaders, Verdict, account::connection_path},
        id::is_connection_id,
        storage::{CONNECTION_PREFIX, ConnectionMeta, EVENT_PREFIX, EventMeta},
        webhook::MAX_TEXT_BYTES,
    },
    worker::{
        connections,
        http::{Call, Reply},
        hub, ledger,
        platform::{Failure, kv},
        upstream::{self, Answer, UpstreamRequest},
    },
};

const BATCH: u64 = 1_000;
/// How many pages of OFAuth's list are looked through: 10,000 connections.
const MAX_PAGES: usize = 100;

/// A connection that could not be deleted.
struct Undeleted {
    handle: String,
    status: u16,
    kind: String,
    verdict: Verdict,
    retry_after: Option<u64>,
    detail: Option<String>,
}

/// 1. Each connection that is known here is deleted at OFAuth, then each that OFAuth lists as the user's.
/// 2. Kept events about the user or one of the deleted connections are deleted.
/// 3. Each deleted connection is erased here: ledger, KV and hub. Link sessions under way are forgotten.
/// 4. If connections could not be deleted, the answer is the error of the first one, and names their handles.
///
/// The request may be repeated. Of OFAuth's list the newest [`MAX_PAGES`] pages are looked through.
pub async fn delete(segment: &str, call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    if *caller != Caller::Server {
        return Err(EdgeError::PermissionDenied.into());
    }
    let reference =
        percent_decode_str(segment).decode_utf8().ok().filter(|reference| reference.len() <= MAX_TEXT_BYTES);
    let reference = reference.ok_or(EdgeError::BadRequest("clientReferenceId is UTF-8 of at most 4096 bytes"))?;
    // 1.
    let kv = kv::open(env)?;
    let (mut deleted, mut undeleted) = (BTreeSet::new(), Vec::new());
    for record in known_of(&reference, &kv, config, env).await? {
        if record.is_connected()
            && let Err(error) = delete_at_ofauth(&record.id, &reference, call, config, env).await
        {
            undeleted.push(error);
            // OFAuth can never be asked about an id that no path carries, so asking again would not help.
            if is_connection_id(&record.id) {
                continue;
            }
        }
        deleted.insert(record.handle);
    }
    let listed = match listed_for(&reference, call, config).await? {
        Ok(listed) => listed,
        Err(refused) => return refused.into_reply(),
    };
    for id in listed {
        let handle = config.index.handle(&id);
        // One that a ledger knows to be another user's by now is that user's.
        let known = ledger::record(&handle, env).await?.and_then(|record| record.client_reference_id);
        let is_done = deleted.contains(&handle) || undeleted.iter().any(|one| one.handle == handle);
        if is_done || known.is_some_and(|known| known != reference) {
            continue;
        }
        match delete_at_ofauth(&id, &reference, call, config, env).await {
            Ok(()) => _ = deleted.insert(handle),
            Err(error) => undeleted.push(error),
        }
    }
    // 2.
    let name = config.index.hash_client_reference_id(&reference);
    let is_about = |meta: &EventMeta| {
        let of_user = meta.reference.as_ref() == Some(&name);
        of_user || meta.handle.as_ref().is_some_and(|handle| deleted.contains(handle))
    };
    for key in find_keys(&kv, EVENT_PREFIX, is_about).await? {
        kv.delete(&key).await.map_err(kv::unavailable)?;
    }
    // 3.
    for handle in &deleted {
        ledger::erase(handle, env).await?;
    }
    hub::clear_links(&reference, config, env).await?;
    // 4.
    Ok(match undeleted.first() {
        Some(first) => incomplete(first, &undeleted, deleted.len(), call),
        None => {
            Reply::json(&json!({ "success": true, "message": "The user has been deleted", "deleted": deleted.len() }))
        }
    })
}

/// The answer of step 4 of [`delete`].
fn incomplete(first: &Undeleted, all: &[Undeleted], deleted: usize, call: &Call) -> Reply {
    let handles: Vec<&str> = all.iter().map(|undeleted| undeleted.handle.as_str()).collect();
    let message = "some connections of the user could not be deleted; send the request again";
    let body = json!({
        "error": message,
        "type": first.kind,
        "requestId": call.id,
        "deleted": deleted,
        "failed": handles,
    });
    let reply = Reply::json(&body).status(first.status).verdict(Some(first.verdict));
    let reply =
        reply.detail(first.detail.clone().or_else(|| Some(format!("{} not deleted: {}", all.len(), first.kind))));
    match first.retry_after {
        Some(seconds) => reply.header("retry-after", &seconds.to_string()),
        None => reply,
    }
}

/// Deletes one connection at OFAuth and enters that in its ledger.
async fn delete_at_ofauth(id: &str, reference: &str, call: &Call, config: &Config, env: &Env) -> Result<(), Undeleted> {
    let handle = config.index.handle(id);
    let attempt = async {
        let answer = upstream::send(&UpstreamRequest::own("DELETE", connection_path(id, "")?)?, call, config).await?;
        if answer.is_deleted().await {
            connections::note_deleted(id, Some(reference), call, config, env).await?;
            return Ok(None);
        }
        let error = answer.error().await.unwrap_or_else(|| ApiError::read(502, RetryHeaders::default(), b""));
        Ok::<_, Failure>(Some((answer.status().max(400), error)))
    };
    match attempt.await {
        Ok(None) => Ok(()),
        Ok(Some((status, error))) => Err(Undeleted {
            handle,
            status,
            kind: error.code,
            verdict: error.verdict,
            retry_after: error.retry_after,
            detail: None,
        }),
        Err(Failure { error, detail }) => Err(Undeleted {
            handle,
            status: error.status(),
            kind: error.code().to_owned(),
            verdict: error.verdict(),
            retry_after: None,
            detail,
        }),
    }
}

/// The connections of a user that are known here: the hub or KV names them, either of which may be late; the ledger of
/// each decides.
async fn known_of(reference: &str, kv: &KvStore, config: &Config, env: &Env) -> Result<Vec<Record>, Failure> {
    let name = config.index.hash_client_reference_id(reference);
    let of_user = |meta: &ConnectionMeta| meta.reference.as_ref() == Some(&name);
    let listed = find_keys(kv, CONNECTION_PREFIX, of_user).await?;
    let listed = listed.iter().filter_map(|key| key.strip_prefix(CONNECTION_PREFIX)).map(str::to_owned);
    let hub = hub::connections(reference, config, env).await?.into_iter().map(|record| record.handle);
    let mut records = Vec::new();
    for handle in hub.chain(listed).collect::<BTreeSet<_>>() {
        records.extend(ledger::record(&handle, env).await?.filter(|record| record.belongs_to(reference)));
    }
    Ok(records)
}

/// The ids of a user's connections in OFAuth's own list; or the answer that is none. It is read whole before anything in
/// it is deleted: a list that is shorter by then would hide what moved up.
async fn listed_for(reference: &str, call: &Call, config: &Config) -> Result<Result<Vec<String>, Answer>, Failure> {
    let mut ids = Vec::new();
    for page in 0..MAX_PAGES {
        let (items, more) = match upstream::list(page, false, call, config).await? {
            Ok(listed) => listed,
            Err(refused) => return Ok(Err(refused)),
        };
        let theirs = items.iter().filter(|item| item.client_reference_id() == Some(reference));
        ids.extend(theirs.map(|item| item.id().to_owned()));
        if !more || items.is_empty() {
            break;
        }
    }
    Ok(Ok(ids))
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
