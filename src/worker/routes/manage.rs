//! Manages one connection: `DELETE /edge/connections/{handle or id}`, and `invalidate`, `accept-account`, `health` and `events`
//! below it.
//!
//! A server and the console may manage every connection, a session those of its user: CONNECTION_NOT_FOUND for any
//! other.

use percent_encoding::percent_decode_str;
use serde::Serialize;
use worker::Env;

use crate::{
    core::{
        config::Config,
        connection::EXPIRED,
        gateway::{
            Caller, EdgeError,
            account::connection_path,
            health::{self, Health},
            list::EventQuery,
            permission,
        },
    },
    worker::{
        connections::{
            self, FoundConnection, find_by_segment, find_confirmed, note_accepted, note_deleted, note_invalidated,
        },
        http::{Call, Reply},
        ledger::{self, Delivered, Lease},
        platform::{self, Failure},
        upstream::{self, UpstreamRequest},
    },
};

/// Deletes a connection at OFAuth for good (OFAuth documentation, SDK: Connections, `delete`): `{success, message}`.
///
/// 1. The connection is found, and a session's permission checked.
/// 2. OFAuth is asked to delete it, once for all equal calls at the same time: see [`once`]. A 404 counts as done if the
///    gateway has a record of the connection, so the request can be repeated.
/// 3. Its ledger stores that it is disconnected, before the caller gets the answer.
pub async fn delete(segment: &str, call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    let found = find_writable(segment, caller, config, env).await?;
    once("delete", &found, call, caller, config, env, delete_found(&found, call, caller, config, env)).await
}

async fn delete_found(
    found: &FoundConnection,
    call: &Call,
    caller: &Caller,
    config: &Config,
    env: &Env,
) -> Result<Reply, Failure> {
    // 2.
    let upstream_request = UpstreamRequest::new("DELETE", connection_path(found.id(), "")?)?;
    let answer = upstream::send(&upstream_request, &call.upstream_ms, config).await?;
    match found {
        _ if !answer.is_deleted().await => {
            return answer.into_error_reply(caller, Some(found.id()), call, config).await;
        }
        FoundConnection::NotStored(_) if answer.status() == 404 => return Err(EdgeError::ConnectionNotFound.into()),
        // 3.
        _ => note_deleted(found.id(), None, call, config, env).await?,
    }
    Ok(success(found, caller, config, "has been successfully deleted"))
}

/// Makes a connection expire, so that the user has to link it again: `{success, message}`.
///
/// 1. The connection is found, and a session's permission checked.
/// 2. OFAuth is asked to invalidate it, once for all equal calls at the same time: see [`once`].
/// 3. Its ledger stores that it has expired, if the gateway has a record of it.
pub async fn invalidate(
    segment: &str,
    call: &Call,
    caller: &Caller,
    config: &Config,
    env: &Env,
) -> Result<Reply, Failure> {
    // 1.
    let found = find_writable(segment, caller, config, env).await?;
    once("invalidate", &found, call, caller, config, env, invalidate_found(&found, call, caller, config, env)).await
}

async fn invalidate_found(
    found: &FoundConnection,
    call: &Call,
    caller: &Caller,
    config: &Config,
    env: &Env,
) -> Result<Reply, Failure> {
    // 2.
    let upstream_request = UpstreamRequest::new("POST", connection_path(found.id(), "/invalidate")?)?;
    let answer = upstream::send(&upstream_request, &call.upstream_ms, config).await?;
    if !answer.is_success().await {
        return answer.into_error_reply(caller, Some(found.id()), call, config).await;
    }
    // 3.
    if let FoundConnection::Stored(record) = found {
        note_invalidated(&record.id, call, config, env).await?;
    }
    Ok(success(found, caller, config, "has been invalidated"))
}

/// Accepts the account with which a connection is now: `{success, message}`.
///
/// 1. Only a server may do this. The query names the account, so that nobody accepts one that became yet another one.
/// 2. The connection is found. If its account did not change, nothing is to do.
/// 3. Its ledger stores that the account was accepted. If the ledger does not await that, another call has just accepted the account,
///    or the account has just changed again: the connection is looked at once more.
pub async fn accept_account(
    segment: &str,
    call: &Call,
    caller: &Caller,
    config: &Config,
    env: &Env,
) -> Result<Reply, Failure> {
    const OTHER_ACCOUNT: EdgeError = EdgeError::BadRequest("the query must have the connection's platformUserId");
    // 1.
    caller.require_server()?;
    let account = call.query().strip_prefix("platformUserId=").ok_or(OTHER_ACCOUNT)?;
    let account = percent_decode_str(account).decode_utf8().map_err(|_| OTHER_ACCOUNT)?;
    for _ in 0..2 {
        // 2.
        let found = find_by_segment(segment, caller, config, env).await?;
        let FoundConnection::Stored(record) = &found else { return Err(EdgeError::ConnectionNotFound.into()) };
        if record.platform_user_id.as_deref() != Some(&*account) {
            return Err(OTHER_ACCOUNT.into());
        }
        // 3.
        if record.account_changed_at.is_none() || note_accepted(&record.id, &account, call, config, env).await? {
            return Ok(success(&found, caller, config, "may be used with its account"));
        }
    }
    Err(EdgeError::StorageUnavailable.into())
}

/// Checks whether a connection works: `{verdict, status, retryAfter?}`, with `retryAfter` in seconds.
///
/// 1. The connection is found.
/// 2. Its record decides, if its status rules out that it works.
/// 3. Else `GET /v2/access/self` is sent to OFAuth for the connection. An outage gives the verdict `upstream_down`.
/// 4. The ledger learns the status that the answer shows, and the answer decides.
pub async fn health(segment: &str, call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct HealthBody {
        verdict: Health,
        status: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    }
    // 1.
    let record = find_by_segment(segment, caller, config, env).await?.record()?;
    let reply = |verdict, retry_after| {
        // The call showed that the connection has expired, which the record does not say yet.
        let status = match verdict {
            Health::Relink if health::from_record(&record).is_none() => EXPIRED.to_owned(),
            _ => record.status.clone(),
        };
        Ok(Reply::json(&HealthBody { verdict, status, retry_after }))
    };
    // 2.
    if let Some(health) = health::from_record(&record) {
        return reply(health, None);
    }
    // 3.
    let upstream_request = UpstreamRequest::session_check(&record.id)?;
    let Ok(answer) = upstream::send(&upstream_request, &call.upstream_ms, config).await else {
        return reply(Health::UpstreamDown, None);
    };
    if answer.is_inconclusive("GET") {
        return reply(Health::UpstreamDown, None);
    }
    // 4.
    connections::learn_from_answer(&record, &answer, call, config, env).await;
    let error = answer.error().await;
    let health = health::from_answer(answer.status(), answer.is_auth(), error.as_ref());
    reply(health, error.and_then(|error| error.retry_after))
}

/// Lists the deliveries about a connection and what the gateway learned about it, newest first: `{list, cursor?}`.
///
/// 1. The connection is found.
/// 2. The query and its cursor are read.
/// 3. One page of deliveries is read from the ledger.
/// 4. A session gets them without bodies and without the names of gateway keys. The console gets bodies with handles in the place of ids.
/// 5. The cursor of the next page is sealed.
pub async fn timeline(
    segment: &str,
    call: &Call,
    caller: &Caller,
    config: &Config,
    env: &Env,
) -> Result<Reply, Failure> {
    #[derive(Serialize)]
    struct Timeline {
        list: Vec<Delivered>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    }
    // 1.
    let handle = find_confirmed(segment, caller, config, env).await?.record()?.handle;
    // 2.
    let query = EventQuery::parse(call.query())?;
    let before = query.open_timeline_cursor(&handle, &config.sealer)?;
    // 3.
    let page = ledger::timeline(&handle, before, query.limit, env).await?;
    // 4.
    let is_session = matches!(caller, Caller::Session(_));
    let list = page.list.into_iter().map(|mut delivered| {
        let body = delivered.take_body().filter(|_| !is_session);
        if let Some(actor) = delivered.actor.as_mut().filter(|_| is_session) {
            actor.truncate(actor.find(':').unwrap_or(actor.len()));
        }
        delivered.with_body(body.map(|body| caller.view_body(body, &config.index)))
    });
    // 5.
    let cursor =
        page.rest.map(|place| EventQuery::seal_timeline_cursor(&handle, place, &config.sealer, platform::nonce()));
    Ok(Reply::json(&Timeline { list: list.collect(), cursor }))
}

/// Finds the connection that a caller may delete or invalidate. PERMISSION_DENIED for a session without
/// [`WRITE`](permission::WRITE).
async fn find_writable(segment: &str, caller: &Caller, config: &Config, env: &Env) -> Result<FoundConnection, Failure> {
    if let Caller::Session(session) = caller {
        session.require(permission::WRITE)?;
    }
    find_confirmed(segment, caller, config, env).await
}

/// Makes a change, unless an equal call is making it: then its reply is shared.
///
/// Servers share with servers only, because their replies name OFAuth's id. If the ledger does not know leases, because it
/// runs an older build, or does not answer, the change is made without one.
async fn once(
    change: &str,
    found: &FoundConnection,
    call: &Call,
    caller: &Caller,
    config: &Config,
    env: &Env,
    make: impl Future<Output = Result<Reply, Failure>>,
) -> Result<Reply, Failure> {
    let handle = config.index.handle(found.id());
    let change = format!("{change} {}", if *caller == Caller::Server { "by id" } else { "by handle" });
    loop {
        match ledger::take_lease(&handle, &change, env).await {
            Ok(Lease::Shared(reply)) => return Ok(Reply::from_shared(reply)),
            Ok(Lease::Ended) => {}
            Ok(Lease::Granted) | Err(_) => break,
        }
    }
    let reply = make.await.unwrap_or_else(Reply::from);
    // If this fails, the lease expires.
    let _ = ledger::end_lease(&handle, &change, reply.to_shared(call), env).await;
    Ok(reply)
}

/// `{success: true, message}`. The message names the connection by id for a server, and by handle for anybody else.
fn success(found: &FoundConnection, caller: &Caller, config: &Config, what: &str) -> Reply {
    let name = if *caller == Caller::Server { found.id().to_owned() } else { config.index.handle(found.id()) };
    Reply::success(&format!("Connection {name} {what}"), None)
}
