//! Any `/v2/access/*`: the call goes up with the key and the connection id, the answer comes back, bodies are streamed.

use worker::Env;

use crate::{
    core::{
        config::Config,
        gateway::{
            Caller, EdgeError, Session,
            access::{self, ConnectionSelector},
        },
    },
    worker::{
        connections::{Target, by_handle, by_id, from_kv, learn},
        http::{Call, Reply},
        hub,
        platform::Failure,
        upstream::{self, UpstreamRequest},
    },
};

/// 1. The path is judged.
/// 2. A session needs the route's permission.
/// 3. The connection is found.
/// 4. The call is sent to the configured origin, redirects not followed: they would carry the key to another host.
/// 5. What the answer shows of the connection is entered in its ledger.
/// 6. The answer is passed back.
pub async fn forward(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    access::check_path(call.path())?;
    let body = upstream::request_body(call).await?;
    // 2. and 3.
    let header = call.header("x-connection-id");
    let target = match caller {
        Caller::Console => return Err(EdgeError::PermissionDenied.into()),
        Caller::Session(session) => {
            session.require(access::required_permission(&call.method, call.path()))?;
            target_of_session(session, header.as_deref(), config, env).await?
        }
        Caller::Server => target_of_server(header.as_deref(), config, env).await?,
    };
    // 4.
    let upstream_request = UpstreamRequest::of(call, body, Some(&target.id))?;
    let answer = upstream::send(&upstream_request, call, config).await?;
    // 5.
    if let Some(known) = target.known.as_ref().filter(|_| !answer.is_inconclusive(&call.method)) {
        learn(known, &answer, call, config, env).await;
    }
    // 6.
    answer.into_reply()
}

/// A session's own connection, named or meant. It comes from the user's hub: KV may still show for a minute that a
/// connection is theirs which is another's now, or disconnected. Only with the hub failing, KV is asked for a named one.
async fn target_of_session(
    session: &Session,
    header: Option<&str>,
    config: &Config,
    env: &Env,
) -> Result<Target, Failure> {
    let named = access::select_for_session(header, session)?;
    let failure = match hub::connections(&session.client_reference_id, config, env).await {
        Ok(records) => return Ok(access::choose_connection(named, &records)?.clone().into()),
        Err(failure) => failure,
    };
    let Some(handle) = named else { return Err(failure) };
    let record = from_kv(handle, config, env).await?;
    let record = record.filter(|record| record.belongs_to(&session.client_reference_id) && record.is_connected());
    record.map(Target::from).ok_or(failure)
}

/// The connection that a server names.
async fn target_of_server(header: Option<&str>, config: &Config, env: &Env) -> Result<Target, Failure> {
    match access::select_for_server(header)? {
        ConnectionSelector::Handle(handle) => by_handle(handle, config, env).await,
        ConnectionSelector::Id(id) => by_id(id, config, env).await,
    }
}
