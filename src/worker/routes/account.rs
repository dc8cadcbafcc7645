//! OFAuth's other routes for servers: `/v2/account/*`, `/v2/dynamic-rules/*`, `/v2/vault-plus/*`, `/v2/vault/*`,
//! `/v2/link/{clientSecret}`, and `/v2/connections`, which is in OFAuth's older documents. The calls are passed
//! through, and the ledgers learn what some of them do to a connection. The rules are in
//! [`crate::core::gateway::account`]. See the OFAuth documentation, Connections API.

use percent_encoding::percent_decode_str;
use worker::Env;

use crate::{
    core::{
        config::Config,
        connection::Rank,
        gateway::{
            Caller, EdgeError,
            access::{self, ConnectionSelector},
            account::{AccountCall, AccountEffect, ListedConnection},
        },
        id::{is_connection_id, is_handle},
    },
    worker::{
        connections,
        http::{Call, Reply, refuse_websocket},
        ledger::{self, Entry},
        platform::Failure,
        upstream::{self, UpstreamAnswer, UpstreamRequest},
    },
};

/// Passes a server's call through.
///
/// 1. Only a server may call. A path that could be read as another path is refused, and so are a WebSocket and a GET or
///    HEAD with a body.
/// 2. A handle in the path or in `x-connection-id` is replaced by OFAuth's id.
/// 3. The call is sent to OFAuth. Its body is never read or stored: that of an import is a raw session.
/// 4. The connection's ledger learns that OFAuth deleted, invalidated or imported the connection.
/// 5. The answer is passed back.
pub async fn forward(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    caller.require_server()?;
    access::check_segments(call.path())?;
    refuse_websocket(call)?;
    let body = upstream::request_body(call).await?;
    // 2.
    let account_call = AccountCall::read(&call.method, call.path());
    let named = match account_call.connection {
        Some(segment) => Some(connection_in_path(segment, config, env).await?),
        None => None,
    };
    let header = call.header("x-connection-id").filter(|header| !header.is_empty());
    let connection_id = match header.as_deref().map(|header| access::select_for_server(Some(header))).transpose()? {
        Some(ConnectionSelector::Handle(handle)) => Some(connections::target_by_handle(handle, config, env).await?.id),
        Some(ConnectionSelector::Id(id)) => Some(id.to_owned()),
        None => None,
    };
    // 3.
    let translated_id = named.as_ref().and_then(|named| named.is_handle.then_some(named.id.as_str()));
    let path = account_call.upstream_path(translated_id);
    access::check_segments(&path)?;
    let query = call.path_and_query().strip_prefix(call.path()).unwrap_or_default();
    let path_and_query = format!("{path}{query}");
    let upstream_request = UpstreamRequest::forward(call, body, connection_id.as_deref());
    let answer = upstream::send(
        &UpstreamRequest { target: path_and_query.into(), ..upstream_request },
        &call.upstream_ms,
        config,
    )
    .await?;
    // 4.
    note_effect(account_call.effect, named.as_ref().map(|named| named.id.as_str()), &answer, call, config, env).await?;
    // 5.
    answer.into_reply()
}

/// The connection that a path names.
struct PathConnection {
    /// OFAuth's id.
    id: String,
    /// Whether the path names it by handle.
    is_handle: bool,
}

/// Finds the connection that a segment of the path names. CONNECTION_NOT_FOUND if it is a handle without a record.
async fn connection_in_path(segment: &str, config: &Config, env: &Env) -> Result<PathConnection, Failure> {
    let name = percent_decode_str(segment).decode_utf8().map_err(|_| EdgeError::ConnectionNotFound)?;
    if !is_handle(&name) {
        return Ok(PathConnection { id: name.into_owned(), is_handle: false });
    }
    let record = connections::record_by_handle(&name, config, env).await?.ok_or(EdgeError::ConnectionNotFound)?;
    Ok(PathConnection { id: record.id, is_handle: true })
}

/// Tells the ledger what a call did to the connection `id`, step 4 of [`forward`].
///
/// A DELETE that OFAuth answers with 404 counts as done. But nothing is stored then if the gateway has no record of the
/// connection either.
async fn note_effect(
    effect: AccountEffect,
    id: Option<&str>,
    answer: &UpstreamAnswer,
    call: &Call,
    config: &Config,
    env: &Env,
) -> Result<(), Failure> {
    let id = id.filter(|id| is_connection_id(id));
    match (effect, id) {
        (AccountEffect::Delete, Some(id)) if answer.is_deleted().await => {
            let existed = answer.status() != 404 || has_record(id, config, env).await?;
            if existed { connections::note_deleted(id, None, call, config, env).await } else { Ok(()) }
        }
        (AccountEffect::Invalidate, Some(id)) if answer.is_success().await && has_record(id, config, env).await? => {
            connections::note_invalidated(id, call, config, env).await
        }
        (AccountEffect::Import, _) if answer.is_success().await => {
            if let Some(item) = answer.json().await.as_deref().and_then(ListedConnection::read) {
                let id = item.id().to_owned();
                let entry = Entry::own(&id, "imported", Rank::Listed, item.changes(), call.started(), &call.id);
                // A failure is ignored. The server would repeat the import, and OFAuth would refuse it as a duplicate;
                // its webhook will bring the same facts.
                let _ = ledger::enter(&entry.by(call.actor()), b"", config, env).await;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn has_record(id: &str, config: &Config, env: &Env) -> Result<bool, Failure> {
    Ok(ledger::record(&config.index.handle(id), env).await?.is_some())
}
