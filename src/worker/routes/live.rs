//! `GET /edge/live`: opens a WebSocket on which a page gets each change of its user's connections.
//!
//! What a page sends is described in [`crate::core::gateway::live`], and what it gets in `hub/live.rs`.

use worker::Env;

use crate::{
    core::{
        config::Config,
        gateway::{Caller, EdgeError, live},
    },
    worker::{
        http::{Call, Reply},
        hub,
        platform::Failure,
    },
};

/// Opens a WebSocket.
///
/// 1. Only a session may open one. As for its list of connections, it needs no permission.
/// 2. The page's origin is checked. CORS does not cover WebSockets, so a browser lets any page open one.
/// 3. The subprotocols and the query are read.
/// 4. The hub of the session's user opens it.
pub async fn open(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    let Caller::Session(session) = caller else { return Err(EdgeError::PermissionDenied.into()) };
    // 2.
    if let Some(origin) = call.header("origin")
        && origin != call.own_origin()
        && !config.allowed_origins.allows(&origin)
    {
        return Ok(Reply::origin_denied(&origin));
    }
    // 3.
    let protocols = call.header(live::HEADER).unwrap_or_default();
    let since = live::read_since(&protocols, call.query())?;
    // 4.
    Ok(Reply::websocket(hub::open_socket(session, since, config, env).await?))
}
