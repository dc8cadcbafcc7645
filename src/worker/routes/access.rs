//! Any method on `/v2/access/*`: forwards the call to OFAuth's Access API with the API key and the connection's id, and
//! passes the answer back. Bodies are streamed in both directions.
//!
//! The rules are in [`crate::core::gateway::access`]. The headers that OFAuth needs are in the OFAuth documentation,
//! Integration checklist: Quick Reference.

use worker::Env;

use crate::{
    core::{
        config::Config,
        gateway::{
            Caller, EdgeError, Session,
            access::{self, ConnectionSelector},
            permission,
        },
    },
    worker::{
        connections::{
            ConnectionTarget, learn_from_answer, record_from_kv, record_of_session, target_by_handle, target_by_id,
        },
        http::{Call, Reply, refuse_websocket},
        hub,
        platform::Failure,
        upstream::{self, UpstreamRequest},
    },
};

/// Forwards a call to OFAuth.
///
/// 1. A path that could be read as another path is refused, and so are a WebSocket and a GET or HEAD with a body.
/// 2. A session needs the route's permission.
/// 3. The connection is found. With REFUSE_CHANGED_ACCOUNT, its account must be the one that it had or that was accepted.
/// 4. The call is sent to OFAuth.
/// 5. The connection's ledger learns the status that the answer shows.
/// 6. The answer is passed back.
pub async fn forward(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    access::check_path(call.path())?;
    refuse_websocket(call)?;
    let body = upstream::request_body(call).await?;
    // 2. and 3.
    let header = call.header("x-connection-id");
    let target = match caller {
        Caller::Console => return Err(EdgeError::PermissionDenied.into()),
        Caller::Session(session) => {
            session.require(permission::required(&call.method, call.path()))?;
            target_of_session(session, header.as_deref(), config, env).await?
        }
        Caller::Server => target_of_server(header.as_deref(), config, env).await?,
    };
    if config.refuse_changed_account && target.record.as_ref().is_some_and(|record| record.account_changed_at.is_some())
    {
        return Err(EdgeError::AccountChanged.into());
    }
    // 4.
    let upstream_request = UpstreamRequest::forward(call, body, Some(&target.id));
    let answer = upstream::send(&upstream_request, &call.upstream_ms, config).await?;
    // 5.
    if let Some(record) = target.record.as_ref().filter(|_| !answer.is_inconclusive(&call.method)) {
        learn_from_answer(record, &answer, call, config, env).await;
    }
    // 6.
    answer.into_reply()
}

/// The connection that a session's call is for: the one it names, else the one that [`access::choose_connection`]
/// chooses among the user's.
///
/// It is read from the user's hub, because KV may show for a minute that a connection still belongs to the user or is
/// not disconnected yet. If the hub fails and the call names a connection, KV is read after all: a late answer is
/// better than none.
async fn target_of_session(
    session: &Session,
    header: Option<&str>,
    config: &Config,
    env: &Env,
) -> Result<ConnectionTarget, Failure> {
    let named = access::select_for_session(header, session)?;
    let records = match named {
        Some(handle) => {
            record_of_session(session, handle, config, env).await.map(|record| record.into_iter().collect())
        }
        None => hub::candidates(&session.client_reference_id, config, env).await,
    };
    let failure = match records {
        Ok(records) => return Ok(access::choose_connection(named, &records)?.clone().into()),
        Err(failure) => failure,
    };
    let Some(handle) = named else { return Err(failure) };
    let record = record_from_kv(handle, config, env).await?;
    let record = record.filter(|record| record.belongs_to(&session.client_reference_id) && record.is_connected());
    record.map(ConnectionTarget::from).ok_or(failure)
}

/// The connection that a server names in `x-connection-id`, by handle or by OFAuth's id.
async fn target_of_server(header: Option<&str>, config: &Config, env: &Env) -> Result<ConnectionTarget, Failure> {
    match access::select_for_server(header)? {
        ConnectionSelector::Handle(handle) => target_by_handle(handle, config, env).await,
        ConnectionSelector::Id(id) => target_by_id(id, config, env).await,
    }
}
