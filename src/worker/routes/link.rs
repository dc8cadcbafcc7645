//! `POST /v2/link/init` starts Link, OFAuth's login flow, and `GET /link/callback` is where the user's browser comes
//! back.
//!
//! A server's call passes through, with a handle translated to an id. A session's call is restricted: it links for its
//! own user only, OFAuth sends the browser to the gateway's own callback, and the session never gets a `clientSecret`.
//! The page that the session wants to return to is stored in the user's hub until then. The rules are in
//! [`crate::core::gateway::link`].
//!
//! See the OFAuth documentation, Integration checklist: Implement Link Flow, and Connections API: Reconnecting Expired
//! Connections.

use worker::{Env, js_sys::Uint8Array};

use crate::{
    core::{
        config::Config,
        connection::{Rank, Record},
        gateway::{
            Caller, EdgeError, Session,
            account::ListedConnection,
            callback::{Callback, LinkEnding, ReturnStatus},
            link::{self, HostedLink, InitRequest, LinkMatch, MAX_INIT_BODY, PendingLink, RequestedConnection},
        },
    },
    worker::{
        connections::{FoundConnection, confirm_in_ledger, find_by_name, note_missing},
        http::{Body, Call, Reply, read_body},
        hub,
        ledger::{self, Entry},
        platform::Failure,
        upstream::{self, CHANGE_DEADLINE, UpstreamRequest},
    },
};

/// Starts Link.
///
/// 1. The body is read. A session needs the permission `connections:link`, and an allowed page to return to.
/// 2. The connection to reconnect is found, if there is one.
/// 3. The request is sent to OFAuth. A server's body is unchanged except for `connectionId`; a session's is restricted.
/// 4. The Link session is stored in the user's hub until it ends.
/// 5. A server gets OFAuth's answer unchanged. A session gets only the URL of OFAuth's page and when it expires.
pub async fn init(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    let body = read_body(call.request.body(), MAX_INIT_BODY).await?;
    let init = InitRequest::read(&body)?;
    let (session, reference, return_url) = match caller {
        Caller::Console => return Err(EdgeError::PermissionDenied.into()),
        Caller::Server => (None, init.client_reference_id(), None),
        Caller::Session(session) => {
            session.require(link::PERMISSION)?;
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
        Some(session) => session_request(init, session, requested_id.as_deref(), call)?,
        None => server_request(init, body, requested_id.as_deref(), call)?,
    };
    let answer = upstream::send(&upstream_request, call, config).await?;
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
        let pending = PendingLink { return_url, requested_id, previous_handles: had };
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
    call: &Call,
) -> Result<UpstreamRequest<'a>, Failure> {
    let upstream_request = UpstreamRequest::new("POST", link::INIT_PATH)?;
    upstream_request.headers.set("content-type", "application/json").map_err(Failure::upstream)?;
    let body = init.session_body(session, call.own_origin(), requested_id);
    Ok(UpstreamRequest { body: Some(body.into()), ..upstream_request })
}

/// A server's request. Its body is written anew only if the `connectionId` has to change.
fn server_request<'a>(
    init: InitRequest,
    body: Body,
    requested_id: Option<&str>,
    call: &'a Call,
) -> Result<UpstreamRequest<'a>, Failure> {
    let upstream_request = UpstreamRequest::forward(call, None, None)?;
    upstream_request.headers.delete("content-length").map_err(Failure::upstream)?;
    let body = if init.connection.is_already(requested_id) {
        Uint8Array::from(&body[..])
    } else {
        Uint8Array::from(init.server_body(requested_id).as_bytes())
    };
    Ok(UpstreamRequest { body: Some(body.into()), timeout_ms: Some(CHANGE_DEADLINE), ..upstream_request })
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

/// Sends the user's browser on to the app when it comes back from Link.
///
/// Anybody can open this address, so nothing in its query is believed until the ledger or OFAuth's own list confirms
/// it. If the user has no pending Link session, nothing is stored and OFAuth is not asked.
///
/// 1. The query is read.
/// 2. The user's pending Link sessions are read from the hub.
/// 3. After a success the connection is confirmed: see [`finish_link`].
/// 4. The browser is sent to the app's page with the status; `unknown` if nobody waits for it.
pub async fn callback(call: &Call, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    let Some(Callback { client_reference_id, ending }) = Callback::read(call.query()) else {
        return redirect_to_app(&ReturnStatus::Unknown, None, config);
    };
    // 2.
    let sessions = match &client_reference_id {
        Some(reference) => hub::links(reference, config, env).await?,
        None => Vec::new(),
    };
    let newest = sessions.first().map(|(_, pending)| pending);
    // Some of OFAuth's documents leave client_reference_id out unless Link succeeded.
    let is_expected = newest.is_some() || client_reference_id.is_none();
    // 3. and 4.
    match (ending, client_reference_id) {
        (LinkEnding::Cancelled(step), _) if is_expected => {
            redirect_to_app(&ReturnStatus::Cancelled(step), newest, config)
        }
        (LinkEnding::Failed(code), _) if is_expected => redirect_to_app(&ReturnStatus::Failed(code), newest, config),
        (LinkEnding::Success(Some(id)), Some(reference)) if newest.is_some() => {
            finish_link(&id, &reference, &sessions, call, config, env).await
        }
        (LinkEnding::Success(None), Some(_)) if newest.is_some() => {
            redirect_to_app(&ReturnStatus::Pending, newest, config)
        }
        _ => redirect_to_app(&ReturnStatus::Unknown, None, config),
    }
}

/// Handles a browser that reports a successful Link with the connection `id`, step 3 of [`callback`].
///
/// 1. The Link session that the connection most likely came from is found.
/// 2. The connection is confirmed; if that is not possible yet, the app gets the status `pending`.
/// 3. A connection that could not be reconnected is marked as missing.
/// 4. The Link session ends.
async fn finish_link(
    id: &str,
    reference: &str,
    sessions: &[(i64, PendingLink)],
    call: &Call,
    config: &Config,
    env: &Env,
) -> Result<Reply, Failure> {
    // 1.
    let handle = config.index.handle(id);
    let Some(LinkMatch { session: (key, pending), ended, missing }) = link::match_session(sessions, id, &handle) else {
        return redirect_to_app(&ReturnStatus::Unknown, None, config);
    };
    // 2.
    if !is_confirmed(id, &handle, reference, *key, call, config, env).await? {
        return redirect_to_app(&ReturnStatus::Pending, Some(pending), config);
    }
    // 3.
    note_missing(missing, call, config, env).await?;
    // 4.
    if ended {
        hub::remove_link(reference, *key, config, env).await?;
    }
    redirect_to_app(&ReturnStatus::Success(handle), Some(pending), config)
}

/// Whether the connection belongs to the user `reference`: its ledger says so, or an item of OFAuth's list, which is
/// then entered in the ledger.
///
/// The list is read for at most [`MAX_PAGES`](link::MAX_PAGES) pages per Link session, counted under `key`. If OFAuth
/// does not answer, the result is false and not an error: its webhook will bring the connection.
async fn is_confirmed(
    id: &str,
    handle: &str,
    reference: &str,
    key: i64,
    call: &Call,
    config: &Config,
    env: &Env,
) -> Result<bool, Failure> {
    let is_users = |record: &Record| record.is_connected() && record.belongs_to(reference);
    match ledger::record(handle, env).await? {
        Some(record) if is_users(&record) => return Ok(true),
        Some(record) if !record.is_connected() => return Ok(false),
        _ => {}
    }
    for page in 0.. {
        if !hub::count_page(reference, key, config, env).await? {
            break;
        }
        let Ok(Ok((items, more))) = upstream::list_connections(page, true, call, config).await else { break };
        let is_wanted = |item: &ListedConnection| item.id() == id && item.client_reference_id() == Some(reference);
        if let Some(item) = items.into_iter().find(is_wanted) {
            let entry = Entry::own(id, "listed", Rank::Listed, item.changes(), call.started(), &call.id);
            ledger::enter(&entry, b"", config, env).await?;
            // Read again, because an erased connection ignores what is entered.
            return Ok(ledger::record(handle, env).await?.is_some_and(|record| is_users(&record)));
        }
        if !more {
            break;
        }
    }
    Ok(false)
}

/// Sends the browser to the page that the Link session asked for, else to APP_RETURN_URL, with the status in the query.
/// BAD_REQUEST if there is neither.
fn redirect_to_app(status: &ReturnStatus, pending: Option<&PendingLink>, config: &Config) -> Result<Reply, Failure> {
    let no_page = EdgeError::BadRequest("there is no page to return to: APP_RETURN_URL is not set");
    let return_url = pending.and_then(|pending| pending.return_url.as_deref());
    let url = return_url.or(config.app_return_url.as_deref()).ok_or(no_page)?;
    Ok(Reply::empty(303).with_header("location", &status.add_to_url(url)).with_header("referrer-policy", "no-referrer"))
}
