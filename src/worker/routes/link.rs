//! `POST /v2/link/init` and `GET /link/callback`: a user's way to OFAuth's pages and back.

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
        connections::{FoundConnection, confirm, find_named, note_missing},
        http::{Call, Reply, read_capped},
        hub,
        ledger::{self, Entry},
        platform::Failure,
        upstream::{self, UpstreamRequest},
    },
};

/// 1. A session needs the permission, and a page to return to that is allowed.
/// 2. The connection to link again is found.
/// 3. The call goes up: a server's as it came, a session's for its own user and through the gateway's callback.
/// 4. The Link session is remembered until it ends.
/// 5. A session gets OFAuth's page to send the user to, and nothing else; a server the answer as it is.
pub async fn init(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    let body = read_capped(call.request.body(), MAX_INIT_BODY).await?;
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
    let theirs = match &reference {
        Some(reference) => hub::connections(reference, config, env).await?,
        None => Vec::new(),
    };
    let asked = match session {
        Some(session) => match link::requested_by_session(&init.connection, session, &theirs)? {
            Some(record) => Some(confirm(record, session, env).await?.id),
            None => None,
        },
        None => asked_by_server(&init.connection, &theirs, config, env).await?,
    };
    // 3.
    let upstream_request = match session {
        Some(session) => session_call(init, session, asked.as_deref(), call)?,
        None => server_call(init, body, asked.as_deref(), call)?,
    };
    let answer = upstream::send(&upstream_request, call, config).await?;
    match answer.status() {
        200..=299 => {}
        _ if session.is_some() => return answer.into_error_reply(caller, asked.as_deref(), call, config).await,
        _ => return answer.into_reply(),
    }
    // 4.
    let said = answer.json().await.unwrap_or_default();
    let hosted = HostedLink::read(&said);
    if session.is_some() && hosted.is_none() {
        return Err(Failure::upstream("no page of OFAuth's to send the user to".into()));
    }
    if let Some(reference) = reference {
        let until = link::expires_at(&said, call.started());
        let had = theirs.into_iter().map(|record| record.handle).collect();
        let pending = PendingLink { return_url, requested_id: asked, previous_handles: had };
        hub::add_link(&reference, pending, until, config, env).await?;
    }
    // 5.
    match (session, hosted) {
        (Some(_), Some(hosted)) => Ok(Reply::json(&hosted)),
        _ => answer.into_reply(),
    }
}

fn session_call<'a>(
    init: InitRequest,
    session: &Session,
    asked: Option<&str>,
    call: &Call,
) -> Result<UpstreamRequest<'a>, Failure> {
    let upstream_request = UpstreamRequest::own("POST", link::INIT_PATH)?;
    upstream_request.headers.set("content-type", "application/json").map_err(Failure::upstream)?;
    let body = init.session_body(session, call.own_origin(), asked);
    Ok(UpstreamRequest { body: Some(body.into()), ..upstream_request })
}

fn server_call<'a>(
    init: InitRequest,
    body: Vec<u8>,
    asked: Option<&str>,
    call: &'a Call,
) -> Result<UpstreamRequest<'a>, Failure> {
    let upstream_request = UpstreamRequest::of(call, None, None)?;
    upstream_request.headers.delete("content-length").map_err(Failure::upstream)?;
    let body = if init.connection.is_already(asked) { body } else { init.server_body(asked).into() };
    Ok(UpstreamRequest { body: Some(Uint8Array::from(&body[..]).into()), ..upstream_request })
}

/// A server names any, by handle or id; an id that is not known here is OFAuth's to judge.
async fn asked_by_server(
    asked: &RequestedConnection,
    theirs: &[Record],
    config: &Config,
    env: &Env,
) -> Result<Option<String>, Failure> {
    match asked {
        RequestedConnection::Named(name) => match find_named(name, &Caller::Server, config, env).await? {
            FoundConnection::Known(record) => Ok(Some(record.id)),
            FoundConnection::Unknown(id) => Ok(Some(id)),
        },
        RequestedConnection::Unspecified => Ok(link::connection_to_reconnect(theirs).map(|record| record.id.clone())),
        RequestedConnection::New => Ok(None),
    }
}

/// Where the user's browser comes back to. What it says is believed only as far as the ledger or OFAuth's own list
/// confirms it, and OFAuth is asked only while a Link session of that user is under way.
pub async fn callback(call: &Call, config: &Config, env: &Env) -> Result<Reply, Failure> {
    let Some(Callback { client_reference_id, ending }) = Callback::read(call.query()) else {
        return send_on(&ReturnStatus::Unknown, None, config);
    };
    let sessions = match &client_reference_id {
        Some(reference) => hub::links(reference, config, env).await?,
        None => Vec::new(),
    };
    let newest = sessions.first().map(|(_, pending)| pending);
    let known = newest.is_some() || client_reference_id.is_none();
    match (ending, client_reference_id) {
        (LinkEnding::Cancelled(step), _) if known => send_on(&ReturnStatus::Cancelled(step), newest, config),
        (LinkEnding::Failed(code), _) if known => send_on(&ReturnStatus::Failed(code), newest, config),
        (LinkEnding::Success(Some(id)), Some(reference)) if newest.is_some() => {
            linked(&id, &reference, &sessions, call, config, env).await
        }
        (LinkEnding::Success(None), Some(_)) if newest.is_some() => send_on(&ReturnStatus::Pending, newest, config),
        _ => send_on(&ReturnStatus::Unknown, None, config),
    }
}

/// A user who says that Link ended well, with this connection.
async fn linked(
    id: &str,
    reference: &str,
    sessions: &[(i64, PendingLink)],
    call: &Call,
    config: &Config,
    env: &Env,
) -> Result<Reply, Failure> {
    let handle = config.index.handle(id);
    let Some(LinkMatch { session: (key, pending), ended, missing }) = link::match_session(sessions, id, &handle) else {
        return send_on(&ReturnStatus::Unknown, None, config);
    };
    if !is_linked(id, &handle, reference, *key, call, config, env).await? {
        return send_on(&ReturnStatus::Pending, Some(pending), config);
    }
    note_missing(missing, call, config, env).await?;
    if ended {
        hub::remove_link(reference, *key, config, env).await?;
    }
    send_on(&ReturnStatus::Success(handle), Some(pending), config)
}

/// Whether that connection is that user's: the ledger knows, or OFAuth's list says so, whose item is entered then. OFAuth
/// not answering is no failure: its webhook will tell.
async fn is_linked(
    id: &str,
    handle: &str,
    reference: &str,
    key: i64,
    call: &Call,
    config: &Config,
    env: &Env,
) -> Result<bool, Failure> {
    let theirs = |record: &Record| record.is_connected() && record.belongs_to(reference);
    match ledger::record(handle, env).await? {
        Some(record) if theirs(&record) => return Ok(true),
        Some(record) if !record.is_connected() => return Ok(false),
        _ => {}
    }
    for page in 0.. {
        if !hub::count_page(reference, key, config, env).await? {
            break;
        }
        let Ok(Ok((items, more))) = upstream::list(page, true, call, config).await else { break };
        let is_it = |item: &ListedConnection| item.id() == id && item.client_reference_id() == Some(reference);
        if let Some(item) = items.into_iter().find(is_it) {
            let entry = Entry::own(id, "listed", Rank::Listed, item.changes(), call.started(), &call.id);
            ledger::enter(&entry, b"", config, env).await?;
            // One that was erased hears nothing.
            return Ok(ledger::record(handle, env).await?.is_some_and(|record| theirs(&record)));
        }
        if !more {
            break;
        }
    }
    Ok(false)
}

fn send_on(told: &ReturnStatus, pending: Option<&PendingLink>, config: &Config) -> Result<Reply, Failure> {
    let nowhere = EdgeError::BadRequest("there is no page to return to: APP_RETURN_URL is not set");
    let wished = pending.and_then(|pending| pending.return_url.as_deref());
    let url = wished.or(config.app_return_url.as_deref()).ok_or(nowhere)?;
    Ok(Reply::empty(303).header("location", &told.add_to_url(url)).header("referrer-policy", "no-referrer"))
}
