//! Any `/v2/access/*`: the call goes up with the key and the connection id, the answer comes back, bodies are streamed.

use worker::Env;

use crate::{
    core::{
        config::Config,
        gateway::{
            Caller, EdgeError, Session,
            access::{self, Named},
        },
    },
    worker::{
        connections::{Target, by_handle, by_id, from_kv, learn},
        http::{Call, Reply},
        hub,
        platform::Failure,
        upstream::{self, Outgoing},
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
    let body = upstream::body_of(call).await?;
    // 2. and 3.
    let header = call.header("x-connection-id");
    let target = match caller {
        Caller::Console => return Err(EdgeError::PermissionDenied.into()),
        Caller::Session(session) => {
            session.require(access::permission(&call.method, call.path()))?;
            own_or_meant(session, header.as_deref(), config, env).await?
        }
        Caller::Gateway => named(header.as_deref(), config, env).await?,
    };
    // 4.
    let outgoing = Outgoing::of(call, body, Some(&target.id))?;
    let answer = upstream::send(&outgoing, call, config).await?;
    // 5.
    if let Some(known) = target.known.as_ref().filter(|_| !answer.is_silent(&call.method)) {
        learn(known, &answer, call, config, env).await;
    }
    // 6.
    answer.pass_back()
}

/// A session's own connection, named or meant. It comes from the user's hub: KV may still show for a minute that a
/// connection is theirs which is another's now, or disconnected. Only with the hub failing, KV is asked for a named one.
async fn own_or_meant(session: &Session, header: Option<&str>, config: &Config, env: &Env) -> Result<Target, Failure> {
    let named = access::named_by_session(header, session)?;
    let failure = match hub::connections(&session.client_reference_id, config, env).await {
        Ok(records) => return Ok(access::choose(named, &records)?.clone().into()),
        Err(failure) => failure,
    };
    let Some(handle) = named else { return Err(failure) };
    let record = from_kv(handle, config, env).await?;
    let record = record.filter(|record| record.is_of(&session.client_reference_id) && record.is_connected());
    record.map(Target::from).ok_or(failure)
}

/// The connection that a server names.
async fn named(header: Option<&str>, config: &Config, env: &Env) -> Result<Target, Failure> {
    match access::named(header)? {
        Named::Handle(handle) => by_handle(handle, config, env).await,
        Named::Id(id) => by_id(id, config, env).await,
    }
}
