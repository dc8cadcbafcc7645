//! `DELETE /edge/users/{clientReferenceId}`: deletes a user's connections at OFAuth, and the user's data here.
//!
//! One encrypted id per connection stays in its ledger for 90 days, so that late webhooks are recognised.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde::{Serialize, de::DeserializeOwned};
use worker::Env;

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
        platform::{
            Failure,
            kv::{self, Kv},
        },
        upstream::{self, UpstreamAnswer, UpstreamRequest},
    },
};

/// How many keys one list request to KV returns: the most that KV allows.
const KEYS_PER_BATCH: u64 = 1_000;
/// How many pages of OFAuth's list are read at most: 10,000 connections.
const MAX_PAGES: usize = 100;

/// A connection that could not be deleted, and the error to answer with.
struct Undeleted {
    handle: String,
    /// The HTTP status.
    status: u16,
    /// The error's code: the `type` of the answer.
    code: String,
    verdict: Verdict,
    /// In seconds.
    retry_after: Option<u64>,
    /// For the log.
    detail: Option<String>,
}

/// Deletes a user.
///
/// 1. Each connection of the user that the gateway has a record of is deleted at OFAuth, then each that OFAuth lists.
/// 2. Stored events about the user or one of the deleted connections are deleted.
/// 3. Each deleted connection is erased here: in its ledger, in KV and in the hub. Pending Link sessions are deleted.
/// 4. If connections could not be deleted, the answer is the error of the first one, and names their handles.
///
/// The request can be repeated after an error. Of OFAuth's list only the first [`MAX_PAGES`] pages are read.
pub async fn delete(segment: &str, call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    if *caller != Caller::Server {
        return Err(EdgeError::PermissionDenied.into());
    }
    let reference =
        percent_decode_str(segment).decode_utf8().ok().filter(|reference| reference.len() <= MAX_TEXT_BYTES);
    let reference = reference.ok_or(EdgeError::BadRequest("clientReferenceId is UTF-8 of at most 4096 bytes"))?;
    // 1.
    let kv = Kv::open(env).map_err(kv::unavailable)?;
    let (mut deleted, mut undeleted) = (BTreeSet::new(), Vec::new());
    for record in stored_connections(&reference, &kv, config, env).await? {
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
    let listed = match listed_connection_ids(&reference, call, config).await? {
        Ok(listed) => listed,
        Err(refused) => return refused.into_reply(),
    };
    for id in listed {
        let handle = config.index.handle(&id);
        // OFAuth's list may be late: if the ledger says that the connection is another user's now, it stays.
        let owner = ledger::record(&handle, env).await?.and_then(|record| record.client_reference_id);
        let is_done = deleted.contains(&handle) || undeleted.iter().any(|one| one.handle == handle);
        if is_done || owner.is_some_and(|owner| owner != reference) {
            continue;
        }
        match delete_at_ofauth(&id, &reference, call, config, env).await {
            Ok(()) => _ = deleted.insert(handle),
            Err(error) => undeleted.push(error),
        }
    }
    // 2.
    let reference_hash = config.index.hash_client_reference_id(&reference);
    let is_about = |meta: &EventMeta| {
        let names_user = meta.reference.as_ref() == Some(&reference_hash);
        names_user || meta.handle.as_ref().is_some_and(|handle| deleted.contains(handle))
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
        None => Reply::success("The user has been deleted", Some(deleted.len())),
    })
}

/// The body of [`incomplete`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Incomplete<'a> {
    error: &'a str,
    r#type: &'a str,
    request_id: &'a str,
    deleted: usize,
    failed: &'a [&'a str],
}

/// The error reply when connections could not be deleted, step 4 of [`delete`].
fn incomplete(first: &Undeleted, all: &[Undeleted], deleted: usize, call: &Call) -> Reply {
    let handles: Vec<&str> = all.iter().map(|undeleted| undeleted.handle.as_str()).collect();
    let message = "some connections of the user could not be deleted; send the request again";
    let body = Incomplete { error: message, r#type: &first.code, request_id: &call.id, deleted, failed: &handles };
    let reply = Reply::json(&body).with_status(first.status).with_verdict(Some(first.verdict));
    let reply =
        reply.with_detail(first.detail.clone().or_else(|| Some(format!("{} not deleted: {}", all.len(), first.code))));
    match first.retry_after {
        Some(seconds) => reply.with_header("retry-after", &seconds.to_string()),
        None => reply,
    }
}

/// Deletes one connection at OFAuth and tells its ledger.
async fn delete_at_ofauth(id: &str, reference: &str, call: &Call, config: &Config, env: &Env) -> Result<(), Undeleted> {
    let handle = config.index.handle(id);
    let attempt = async {
        let answer = upstream::send(&UpstreamRequest::new("DELETE", connection_path(id, "")?)?, call, config).await?;
        if answer.is_deleted().await {
            connections::note_deleted(id, Some(reference), call, config, env).await?;
            return Ok(None);
        }
        // An answer that is neither a success nor an error of OFAuth's came from something in between.
        let is_foreign = matches!(answer.status(), 0..=399 | 401 | 403) && answer.refusal().is_none();
        let status = if is_foreign { 502 } else { answer.status() };
        let error = answer.error().await.filter(|_| !is_foreign);
        let error = error.unwrap_or_else(|| ApiError::read(status, RetryHeaders::default(), b""));
        Ok::<_, Failure>(Some((status, error)))
    };
    match attempt.await {
        Ok(None) => Ok(()),
        Ok(Some((status, error))) => Err(Undeleted {
            handle,
            status,
            code: error.code,
            verdict: error.verdict,
            retry_after: error.retry_after,
            detail: None,
        }),
        Err(Failure { error, detail }) => Err(Undeleted {
            handle,
            status: error.status(),
            code: error.code().to_owned(),
            verdict: error.verdict(),
            retry_after: None,
            detail,
        }),
    }
}

/// The records of a user's connections. The hub and KV name them; each may be late, so both are asked, and each
/// connection's ledger decides whether it belongs to the user.
async fn stored_connections(reference: &str, kv: &Kv, config: &Config, env: &Env) -> Result<Vec<Record>, Failure> {
    let reference_hash = config.index.hash_client_reference_id(reference);
    let is_users = |meta: &ConnectionMeta| meta.reference.as_ref() == Some(&reference_hash);
    let listed = find_keys(kv, CONNECTION_PREFIX, is_users).await?;
    let listed = listed.iter().filter_map(|key| key.strip_prefix(CONNECTION_PREFIX)).map(str::to_owned);
    let in_hub = hub::connections(reference, config, env).await?.into_iter().map(|record| record.handle);
    let mut records = Vec::new();
    for handle in in_hub.chain(listed).collect::<BTreeSet<_>>() {
        records.extend(ledger::record(&handle, env).await?.filter(|record| record.belongs_to(reference)));
    }
    Ok(records)
}

/// The ids of a user's connections in OFAuth's own list. The inner error is OFAuth's answer if it is not a 2xx.
///
/// The whole list is read before anything in it is deleted. Otherwise the items after a deleted one would move up, and
/// the next page would skip some of them.
async fn listed_connection_ids(
    reference: &str,
    call: &Call,
    config: &Config,
) -> Result<Result<Vec<String>, UpstreamAnswer>, Failure> {
    let mut ids = Vec::new();
    for page in 0..MAX_PAGES {
        let (items, more) = match upstream::list_connections(page, false, call, config).await? {
            Ok(listed) => listed,
            Err(refused) => return Ok(Err(refused)),
        };
        let of_user = items.iter().filter(|item| item.client_reference_id() == Some(reference));
        ids.extend(of_user.map(|item| item.id().to_owned()));
        if !more || items.is_empty() {
            break;
        }
    }
    Ok(Ok(ids))
}

/// All KV keys that begin with `prefix` and whose metadata match.
async fn find_keys<M: Default + DeserializeOwned>(
    kv: &Kv,
    prefix: &str,
    matches: impl Fn(&M) -> bool,
) -> Result<Vec<String>, Failure> {
    let (mut keys, mut cursor) = (Vec::new(), None);
    loop {
        let batch = kv.list::<M>(prefix, cursor.as_deref(), KEYS_PER_BATCH).await.map_err(kv::unavailable)?;
        keys.extend(batch.keys.into_iter().filter(|(_, meta)| matches(meta)).map(|(key, _)| key));
        cursor = batch.next_cursor;
        if cursor.is_none() {
            return Ok(keys);
        }
    }
}
