//! One connection, managed: `DELETE /edge/connections/{handle or id}`, and `invalidate`, `health` and `events` under it.

use serde::Serialize;
use serde_json::json;
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
        },
    },
    worker::{
        connections::{self, FoundConnection, find, find_own, note_deleted, note_invalidated},
        http::{Call, Reply},
        ledger::{self, Delivered},
        platform::{self, Failure},
        upstream::{self, UpstreamRequest},
    },
};

/// What a session needs to end or invalidate a connection of its own.
const WRITE: &str = "connections:write";

/// Removes a connection at OFAuth and marks it as gone for good. May be repeated: that OFAuth does not know it any more
/// is as good as done.
pub async fn delete(segment: &str, call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    let found = may_write(segment, caller, config, env).await?;
    let upstream_request = UpstreamRequest::own("DELETE", connection_path(found.id(), "")?)?;
    let answer = upstream::send(&upstream_request, call, config).await?;
    match &found {
        _ if !answer.is_deleted().await => {
            return answer.into_error_reply(caller, Some(found.id()), call, config).await;
        }
        FoundConnection::Unknown(_) if answer.status() == 404 => return Err(EdgeError::ConnectionNotFound.into()),
        _ => note_deleted(found.id(), None, call, config, env).await?,
    }
    Ok(done(&found, caller, config, "has been successfully deleted"))
}

/// Marks a connection as expired, at OFAuth and here: the user has to link it again.
pub async fn invalidate(
    segment: &str,
    call: &Call,
    caller: &Caller,
    config: &Config,
    env: &Env,
) -> Result<Reply, Failure> {
    let found = may_write(segment, caller, config, env).await?;
    let upstream_request = UpstreamRequest::own("POST", connection_path(found.id(), "/invalidate")?)?;
    let answer = upstream::send(&upstream_request, call, config).await?;
    if !answer.is_success().await {
        return answer.into_error_reply(caller, Some(found.id()), call, config).await;
    }
    if let FoundConnection::Known(record) = &found {
        note_invalidated(&record.id, call, config, env).await?;
    }
    Ok(done(&found, caller, config, "has been invalidated"))
}

/// How a connection is: by its record, else by a call on it, of which the ledger hears.
pub async fn health(segment: &str, call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        verdict: Health,
        status: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    }
    let record = find(segment, caller, config, env).await?.record()?;
    let answer = |verdict, retry_after| {
        // What the call showed is the record's from now on.
        let status = match verdict {
            Health::Relink if health::from_record(&record).is_none() => EXPIRED.to_owned(),
            _ => record.status.clone(),
        };
        Ok(Reply::json(&Answer { verdict, status, retry_after }))
    };
    if let Some(health) = health::from_record(&record) {
        return answer(health, None);
    }
    let upstream_request =
        UpstreamRequest { connection: Some(&record.id), ..UpstreamRequest::own("GET", "/v2/access/self")? };
    let Ok(said) = upstream::send(&upstream_request, call, config).await else {
        return answer(Health::UpstreamDown, None);
    };
    if said.is_inconclusive("GET") {
        return answer(Health::UpstreamDown, None);
    }
    connections::learn(&record, &said, call, config, env).await;
    let error = said.error().await;
    answer(
        health::from_answer(said.status(), said.is_auth(), error.as_ref()),
        error.and_then(|error| error.retry_after),
    )
}

/// What was delivered about a connection, and what the gateway learned of it, newest first. Bodies are for servers and,
/// without ids, for the console.
pub async fn timeline(
    segment: &str,
    call: &Call,
    caller: &Caller,
    config: &Config,
    env: &Env,
) -> Result<Reply, Failure> {
    #[derive(Serialize)]
    struct Answer {
        list: Vec<Delivered>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    }
    let handle = find_own(segment, caller, config, env).await?.record()?.handle;
    let query = EventQuery::parse(call.query())?;
    let before = query.open_timeline_cursor(&handle, &config.sealer)?;
    let page = ledger::timeline(&handle, before, query.limit, env).await?;
    let list = page.list.into_iter().map(|delivered| Delivered {
        body: delivered
            .body
            .filter(|_| !matches!(caller, Caller::Session(_)))
            .map(|body| caller.view_body(body, &config.index)),
        ..delivered
    });
    let cursor =
        page.rest.map(|place| EventQuery::seal_timeline_cursor(&handle, place, &config.sealer, platform::nonce()));
    Ok(Reply::json(&Answer { list: list.collect(), cursor }))
}

async fn may_write(segment: &str, caller: &Caller, config: &Config, env: &Env) -> Result<FoundConnection, Failure> {
    if let Caller::Session(session) = caller {
        session.require(WRITE)?;
    }
    find_own(segment, caller, config, env).await
}

fn done(found: &FoundConnection, caller: &Caller, config: &Config, what: &str) -> Reply {
    let name = if *caller == Caller::Server { found.id().to_owned() } else { config.index.handle(found.id()) };
    Reply::json(&json!({ "success": true, "message": format!("Connection {name} {what}") }))
}
