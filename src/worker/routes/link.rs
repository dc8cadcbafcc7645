//! `POST /v2/link/init` starts Link, OFAuth's login flow. The user's browser comes back to `callback.rs`.
//!
//! A server's call passes through, with a handle translated to an id. A session's call is restricted: it links for its
//! own user only, OFAuth sends the browser to the gateway's own callback, and the session never gets a `clientSecret`.
//! A server may ask for that callback too. The page to return to is stored in the user's hub until then. The rules are
//! in [`crate::core::gateway::link`].
//!
//! See the OFAuth documentation, Integration checklist: Implement Link Flow, and Connections API: Reconnecting Expired
//! Connections.

use worker::{Env, js_sys::Uint8Array};

use crate::{
    core::{
        config::Config,
        connection::Record,
        gateway::{
            Caller, EdgeError, Session,
            link::{self, HostedLink, InitRequest, MAX_INIT_BODY, PendingLink, RequestedConnection},
            origin::is_origin,
            permission,
        },
    },
    worker::{
        connections::{FoundConnection, confirm_in_ledger, find_by_name},
        http::{Body, Call, Reply, read_body},
        hub,
        platform::Failure,
        upstream::{self, CHANGE_DEADLINE, UpstreamRequest},
    },
};

/// Starts Link.
///
/// 1. The body is read. A session needs the permission `connections:link`, and an allowed page to return to. A server's
///    private Link needs such a page too, and must name its user.
/// 2. The connection to reconnect is found, if there is one.
/// 3. The request is sent to OFAuth. A server's body is unchanged except for `connectionId`, and `redirectUrl` of a
///    private Link; a session's is restricted.
/// 4. The Link session is stored in the user's hub until it ends.
/// 5. A server gets OFAuth's answer unchanged. A session gets only the URL of OFAuth's page and when it expires.
pub async fn init(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    let body = read_body(call, MAX_INIT_BODY).await?;
    let init = InitRequest::read(&body)?;
    let (session, reference, return_url) = match caller {
        Caller::Console => return Err(EdgeError::PermissionDenied.into()),
        Caller::Server if init.is_private() => {
            let nameless = EdgeError::BadRequest("a private Link must name its user as clientReferenceId");
            let return_url = init.return_url(&config.allowed_origins, config.app_return_url.as_deref())?;
            (None, Some(init.client_reference_id().ok_or(nameless)?), return_url)
        }
        Caller::Server => (None, init.client_reference_id(), None),
        Caller::Session(session) => {
            session.require(permission::LINK)?;
            let return_url = init.return_url(&config.allowed_origins, config.app_return_url.as_deref())?;
            (Some(session), Some(session.client_reference_id.clone()), return_url)
        }
    };
    // 2.
    let user_connections = match &reference {
        Some(reference) => hub::connections(reference, config, env).await?,
        None => Vec::new(),
    };
    let requested_id = match session {
        Some(session) => match link::requested_by_session(&init.connection, session, &user_connections)? {
            Some(record) => Some(confirm_in_ledger(record, session, env).await?.id),
            None => None,
        },
        None => requested_by_server(&init.connection, &user_connections, config, env).await?,
    };
    // 3.
    let upstream_request = match session {
        Some(session) => session_request(init, session, requested_id.as_deref(), callback_origin(call, config)?)?,
        None => server_request(init, body, requested_id.as_deref(), call, config)?,
    };
    let answer = upstream::send(&upstream_request, &call.upstream_ms, config).await?;
    match answer.status() {
        200..=299 => {}
        _ if session.is_some() => return answer.into_error_reply(caller, requested_id.as_deref(), call, config).await,
        _ => return answer.into_reply(),
    }
    // 4.
    let answer_body = answer.json().await.unwrap_or_default();
    let hosted = HostedLink::read(&answer_body);
    if session.is_some() && hosted.is_none() {
        return Err(Failure::upstream("the answer names no page to send the user to".into()));
    }
    if let Some(reference) = reference {
        let until = link::expires_at(&answer_body, call.started());
        let had = user_connections.into_iter().map(|record| record.handle).collect();
        let pending = PendingLink { return_url, requested_id, previous_handles: had, linked: None };
        hub::add_link(&reference, pending, until, config, env).await?;
    }
    // 5.
    match (session, hosted) {
        (Some(_), Some(hosted)) => Ok(Reply::json(&hosted)),
        _ => answer.into_reply(),
    }
}

/// The restricted request of a session. `requested_id` is OFAuth's id of the connection to reconnect.
fn session_request<'a>(
    init: InitRequest,
    session: &Session,
    requested_id: Option<&str>,
    origin: &str,
) -> Result<UpstreamRequest<'a>, Failure> {
    let upstream_request = UpstreamRequest::new("POST", link::INIT_PATH)?;
    upstream_request.headers.set("content-type", "application/json").map_err(Failure::upstream)?;
    let body = init.session_body(session, origin, requested_id);
    Ok(UpstreamRequest { body: Some(body.into()), ..upstream_request })
}

/// The gateway's own origin, to which OFAuth sends the browser back: PUBLIC_URL, or else the one that the caller addressed.
///
/// The latter is only used if it is https, or http on loopback. Whoever sends a plain http call chooses its header `Host`, and
/// the browser would be sent there with a connection id.
fn callback_origin<'a>(call: &'a Call, config: &'a Config) -> Result<&'a str, EdgeError> {
    let own = Some(call.own_origin()).filter(|origin| is_origin(origin));
    config.public_url.as_deref().or(own).ok_or(EdgeError::BadRequest("Link needs https, or PUBLIC_URL"))
}

/// A server's request. Its body is written anew only if the Link is private or the `connectionId` has to change.
fn server_request<'a>(
    init: InitRequest,
    body: Body,
    requested_id: Option<&str>,
    call: &'a Call,
    config: &Config,
) -> Result<UpstreamRequest<'a>, Failure> {
    let upstream_request =
        UpstreamRequest { timeout_ms: Some(CHANGE_DEADLINE), ..UpstreamRequest::forward(call, None, None) };
    upstream_request.headers.delete("content-length").map_err(Failure::upstream)?;
    let body = match init {
        _ if init.is_private() => init.private_body(callback_origin(call, config)?, requested_id),
        _ if init.connection.is_already(requested_id) => {
            return Ok(UpstreamRequest { body: Some(Uint8Array::from(&body[..]).into()), ..upstream_request });
        }
        _ => init.server_body(requested_id),
    };
    Ok(UpstreamRequest { body: Some(Uint8Array::from(body.as_bytes()).into()), ..upstream_request })
}

/// OFAuth's id of the connection that a server's call reconnects. An id without a record is passed on, and OFAuth
/// decides.
async fn requested_by_server(
    requested: &RequestedConnection,
    user_connections: &[Record],
    config: &Config,
    env: &Env,
) -> Result<Option<String>, Failure> {
    match requested {
        RequestedConnection::Named(name) => match find_by_name(name, &Caller::Server, config, env).await? {
            FoundConnection::Stored(record) => Ok(Some(record.id)),
            FoundConnection::NotStored(id) => Ok(Some(id)),
        },
        RequestedConnection::Unspecified => {
            Ok(link::connection_to_reconnect(user_connections).map(|record| record.id.clone()))
        }
        RequestedConnection::New => Ok(None),
    }
}
