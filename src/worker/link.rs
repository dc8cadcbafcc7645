//! `POST /v2/link/init` and `GET /link/callback`: a user's way to OFAuth's pages and back.

use std::{pin::pin, time::Duration};

use futures_util::future::select;
use worker::{Delay, Env, js_sys::Uint8Array};

use super::{
    body::read_capped,
    call::Call,
    connections::{Found, find_named, of_session},
    hub,
    ledger::{self, Entry},
    pending,
    reply::{Failure, Reply},
    upstream::{self, Outgoing},
};
use crate::{
    account::{CONNECTIONS, Item},
    api_error::EdgeError,
    config::Config,
    connection::{Changes, MISSING, Rank},
    link::{self, Asked, Callback, Ending, Hosted, Init, MAX_BODY, Pending, Told},
    session::{Caller, Session},
};

/// How long a webhook waits for what it means to Link sessions under way.
const PATIENCE: Duration = Duration::from_secs(1);
const PAGE: usize = 100;

/// 1. A session needs the permission, and a page to return to that is allowed.
/// 2. The connection to link again is found.
/// 3. The call goes up: a server's as it came, a session's for its own user and through the gateway's callback.
/// 4. The Link session is remembered until it ends.
/// 5. A session gets OFAuth's page to send the user to, and nothing else; a server the answer as it is.
pub async fn init(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    let body = read_capped(call.request.body(), MAX_BODY).await?;
    let init = Init::read(&body)?;
    let (session, reference, return_url) = match caller {
        Caller::Console => return Err(EdgeError::PermissionDenied.into()),
        Caller::Gateway => (None, init.client_reference_id(), None),
        Caller::Session(session) => {
            session.require(link::PERMISSION)?;
            let return_url = init.return_url(&config.allowed_origins, config.app_return_url.as_deref())?;
            (Some(session), Some(session.client_reference_id.clone()), return_url)
        }
    };
    // 2.
    let asked = match session {
        Some(session) => asked_by_session(&init.asked, session, caller, config, env).await?,
        None => asked_by_server(&init.asked, reference.as_deref(), caller, config, env).await?,
    };
    // 3.
    let outgoing = match session {
        Some(session) => session_call(init, session, asked.as_deref(), call)?,
        None => server_call(init, body, asked.as_deref(), call)?,
    };
    let answer = upstream::send(&outgoing, call, config).await?;
    if !(200..=299).contains(&answer.status()) {
        return answer.pass_back();
    }
    // 4.
    let said = answer.json().await.unwrap_or_default();
    let hosted = Hosted::read(&said);
    if session.is_some() && hosted.is_none() {
        return Err(Failure::upstream("no page of OFAuth's to send the user to".into()));
    }
    if let Some(reference) = reference {
        let until = link::ends_at(&said, call.started());
        let pending = Pending { return_url, asked, since: call.started() };
        pending::expect(&reference, pending, until, config, env).await?;
    }
    // 5.
    match (session, hosted) {
        (Some(_), Some(hosted)) => Ok(Reply::json(&hosted)),
        _ => answer.pass_back(),
    }
}

fn session_call<'a>(init: Init, session: &Session, asked: Option<&str>, call: &Call) -> Result<Outgoing<'a>, Failure> {
    let outgoing = Outgoing::own("POST", link::INIT)?;
    outgoing.headers.set("content-type", "application/json").map_err(Failure::upstream)?;
    let body = init.for_session(session, call.own_origin(), asked);
    Ok(Outgoing { body: Some(body.into()), ..outgoing })
}

fn server_call<'a>(init: Init, body: Vec<u8>, asked: Option<&str>, call: &'a Call) -> Result<Outgoing<'a>, Failure> {
    let outgoing = Outgoing::of(call, None, None)?;
    outgoing.headers.delete("content-length").map_err(Failure::upstream)?;
    let body = if init.asked.is(asked) { body } else { init.for_server(asked).into() };
    Ok(Outgoing { body: Some(Uint8Array::from(&body[..]).into()), ..outgoing })
}

/// A session links again one of its own, by handle. A token for one connection links no other.
async fn asked_by_session(
    asked: &Asked,
    session: &Session,
    caller: &Caller,
    config: &Config,
    env: &Env,
) -> Result<Option<String>, Failure> {
    let named = match (asked, &session.connection) {
        (Asked::Named(name), _) | (Asked::Any, Some(name)) => name,
        (Asked::New, Some(_)) => return Err(EdgeError::PermissionDenied.into()),
        (Asked::New, None) => return Ok(None),
        (Asked::Any, None) => {
            let theirs = of_session(session, config, env).await?;
            return Ok(link::to_reconnect(&theirs).map(|record| record.id.clone()));
        }
    };
    let record = find_named(named, caller, config, env).await?.record()?;
    if record.is_connected() { Ok(Some(record.id)) } else { Err(EdgeError::ConnectionNotFound.into()) }
}

/// A server names any, by handle or id; an id that is not known here is OFAuth's to judge.
async fn asked_by_server(
    asked: &Asked,
    reference: Option<&str>,
    caller: &Caller,
    config: &Config,
    env: &Env,
) -> Result<Option<String>, Failure> {
    match (asked, reference) {
        (Asked::Named(name), _) => match find_named(name, caller, config, env).await? {
            Found::Known(record) => Ok(Some(record.id)),
            Found::Unknown(id) => Ok(Some(id)),
        },
        (Asked::Any, Some(reference)) => {
            let theirs = hub::connections(reference, config, env).await?;
            Ok(link::to_reconnect(&theirs).map(|record| record.id.clone()))
        }
        (Asked::Any, None) | (Asked::New, _) => Ok(None),
    }
}

/// Where the user's browser comes back to. What it says is believed only as far as the ledger or OFAuth's own list
/// confirms it, and OFAuth is asked only while a Link session of that user is under way.
pub async fn callback(call: &Call, config: &Config, env: &Env) -> Result<Reply, Failure> {
    let Some(Callback { client_reference_id, ending }) = Callback::read(call.query()) else {
        return send_on(&Told::Unknown, None, config);
    };
    let pending = match &client_reference_id {
        Some(reference) => pending::newest(reference, config, env).await?,
        None => None,
    };
    let (told, pending) = match (ending, client_reference_id, pending) {
        (Ending::Cancelled(step), None, _) => (Told::Cancelled(step), None),
        (Ending::Failed(code), None, _) => (Told::Failed(code), None),
        (Ending::Cancelled(step), _, Some((_, pending))) => (Told::Cancelled(step), Some(pending)),
        (Ending::Failed(code), _, Some((_, pending))) => (Told::Failed(code), Some(pending)),
        (Ending::Success(id), Some(reference), Some((key, pending))) => {
            let told = match id {
                Some(id) if is_linked(&id, &reference, key, call, config, env).await? => {
                    note_missing(&pending, &id, call, config, env).await?;
                    pending::end(&reference, key, config, env).await?;
                    Told::Success(config.index.handle(&id))
                }
                _ => Told::Pending,
            };
            (told, Some(pending))
        }
        _ => (Told::Unknown, None),
    };
    send_on(&told, pending.and_then(|pending| pending.return_url).as_deref(), config)
}

/// A new connection of a user who was to link another one again: OFAuth did not know that one any more. Called once a
/// `connection.created` is durable; whether this succeeds changes nothing about that.
pub async fn settle(id: &str, reference: &str, stamp: i64, call: &Call, config: &Config, env: &Env) {
    let settle = async {
        match pending::newest(reference, config, env).await {
            Ok(Some((_, pending))) if pending.may_bring(stamp) => note_missing(&pending, id, call, config, env).await,
            _ => Ok(()),
        }
    };
    select(pin!(settle), pin!(Delay::from(PATIENCE))).await;
}

/// Whether that connection is that user's: the ledger knows, or OFAuth's list says so, whose item is entered then.
async fn is_linked(
    id: &str,
    reference: &str,
    key: i64,
    call: &Call,
    config: &Config,
    env: &Env,
) -> Result<bool, Failure> {
    match ledger::record(&config.index.handle(id), env).await? {
        Some(record) if !record.is_connected() => return Ok(false),
        Some(record) if record.client_reference_id.as_deref() == Some(reference) => return Ok(true),
        _ => {}
    }
    for page in 0.. {
        if !pending::take_page(reference, key, config, env).await? {
            break;
        }
        let offset = page * PAGE;
        let outgoing = Outgoing::own("GET", format!("{CONNECTIONS}?limit={PAGE}&offset={offset}"))?;
        let Some(listed) = upstream::send(&outgoing, call, config).await?.page().await else { break };
        let (items, more) = listed;
        let is_it = |item: &Item| item.id() == id && item.client_reference_id() == Some(reference);
        if let Some(item) = items.into_iter().find(is_it) {
            let entry = Entry::own(id, "listed", Rank::Listed, item.changes(), call);
            ledger::enter(&entry, b"", config, env).await?;
            return Ok(true);
        }
        if !more {
            break;
        }
    }
    Ok(false)
}

/// Marks the connection that was to be linked again as missing, if another one came of it.
async fn note_missing(pending: &Pending, id: &str, call: &Call, config: &Config, env: &Env) -> Result<(), Failure> {
    let Some(asked) = pending.asked.as_deref().filter(|asked| *asked != id) else { return Ok(()) };
    if ledger::record(&config.index.handle(asked), env).await?.is_none() {
        return Ok(());
    }
    let entry = Entry::own(asked, MISSING, Rank::Observed, Changes::status(MISSING), call);
    ledger::enter(&Entry { learned: true, ..entry }, b"", config, env).await.map(|_| ())
}

fn send_on(told: &Told, return_url: Option<&str>, config: &Config) -> Result<Reply, Failure> {
    let nowhere = EdgeError::BadRequest("there is no page to return to: APP_RETURN_URL is not set");
    let url = return_url.or(config.app_return_url.as_deref()).ok_or(nowhere)?;
    Ok(Reply::empty(303).header("location", &told.to(url)).header("referrer-policy", "no-referrer"))
}
