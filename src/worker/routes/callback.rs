//! `GET /link/callback`: the user's browser comes back from Link, and is sent on to the app.
//!
//! See the OFAuth documentation, Integration checklist: Implement Link Flow. The rules are in
//! [`crate::core::gateway::callback`].

use worker::Env;

use crate::{
    core::{
        config::Config,
        connection::{Rank, Record},
        gateway::{
            EdgeError,
            callback::{Callback, LinkEnding, ReturnStatus},
            link::{self, LOOK_UP_GAP, LinkMatch, MAX_PAGES, PendingLink},
            link_event,
        },
    },
    worker::{
        connections::note_missing,
        http::{Call, Reply},
        hub,
        ledger::{self, Entry, LaneEvent},
        platform::{self, Failure, log_error},
        upstream,
    },
};

/// How long a visit waits before it checks again whether a connection has been confirmed, in ms.
const CHECK_GAP: i64 = LOOK_UP_GAP / 2 + 100;
/// How many times a visit checks. The last time is more than [`LOOK_UP_GAP`] after the first, so it may do a look-up.
const CHECKS: u32 = 3;
/// How many connections of a user one look-up enters at most.
const MAX_ENTERED: usize = 10;

/// Sends the user's browser on to the app when it comes back from Link.
///
/// Anybody can open this address, so nothing in its query is believed until the ledger or OFAuth's own list confirms
/// it. If the user has no pending Link session, nothing is stored and OFAuth is not asked.
///
/// 1. A browser that fetches the page in advance is no visit: 204.
/// 2. The query is read.
/// 3. The user's Link sessions are read from the hub.
///    If events are forwarded and Link did not succeed, the app gets an event: see [`forward_ending`].
/// 4. A repeated visit gets the answer of the first one.
/// 5. After a success the connection is confirmed: see [`finish_link`].
/// 6. The browser is sent to the app's page with the status; `unknown` if nobody waits for it.
pub async fn receive(call: &Call, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    if ["sec-purpose", "purpose"].iter().any(|name| call.header(name).is_some_and(|value| value.contains("prefetch"))) {
        return Ok(Reply::empty(204));
    }
    // 2.
    let Some(Callback { client_reference_id, ending }) = Callback::read(call.query()) else {
        return redirect_to_app(&ReturnStatus::Unknown, None, config);
    };
    // 3.
    let sessions = match &client_reference_id {
        Some(reference) => hub::links(reference, config, env).await?,
        None => Vec::new(),
    };
    let newest = sessions.first().map(|(_, pending)| pending);
    // Some of OFAuth's documents leave client_reference_id out unless Link succeeded.
    let is_expected = newest.is_some() || client_reference_id.is_none();
    if let (Some((key, _)), Some(reference)) = (sessions.first(), &client_reference_id) {
        forward_ending(&ending, *key, reference, call, config, env).await;
    }
    match (ending, client_reference_id) {
        (LinkEnding::Cancelled(step), _) if is_expected => {
            redirect_to_app(&ReturnStatus::Cancelled(step), newest, config)
        }
        (LinkEnding::Failed(code), _) if is_expected => redirect_to_app(&ReturnStatus::Failed(code), newest, config),
        (LinkEnding::Success(Some(id)), Some(reference)) if newest.is_some() => {
            // 4.
            let handle = config.index.handle(&id);
            let repeated = sessions.iter().find(|(_, pending)| pending.linked.as_ref() == Some(&handle));
            if let Some((_, pending)) = repeated {
                return redirect_to_app(&ReturnStatus::Success(handle), Some(pending), config);
            }
            // 5. and 6.
            finish_link(&id, handle, &reference, &sessions, call, config, env).await
        }
        (LinkEnding::Success(None), Some(_)) if newest.is_some() => {
            redirect_to_app(&ReturnStatus::Pending, newest, config)
        }
        _ => redirect_to_app(&ReturnStatus::Unknown, None, config),
    }
}

/// Forwards to the app that a Link session was cancelled or has failed, as the user's browser says. Repeated visits for one
/// session have one id, whose lane remembers that the app has taken it. A failure is only logged, because the browser is to be
/// sent on.
async fn forward_ending(ending: &LinkEnding, key: i64, reference: &str, call: &Call, config: &Config, env: &Env) {
    let (has_failed, detail) = match ending {
        LinkEnding::Cancelled(step) => (false, step),
        LinkEnding::Failed(code) => (true, code),
        LinkEnding::Success(_) => return,
    };
    if config.forward.is_none() {
        return;
    }
    let stamp = call.started();
    let (kind, body) = link_event(has_failed, detail.as_deref(), reference, stamp);
    let id = format!("{kind}-{}-{key}", config.index.hash_client_reference_id(reference));
    let event = LaneEvent { id, kind: kind.to_owned(), stamp };
    if let Err(failure) = ledger::enter_lane(&event, body.as_bytes(), config, env).await {
        log_error("forward", &failure.detail.unwrap_or_default().into());
    }
}

/// Handles a browser that reports a successful Link with the connection `id`, step 5 of [`receive`].
///
/// 1. The Link session that the connection most likely came from is found.
/// 2. The connection is confirmed; if that is not possible yet, the app gets the status `pending`.
/// 3. A connection that could not be reconnected is marked as missing.
/// 4. The Link session ends.
async fn finish_link(
    id: &str,
    handle: String,
    reference: &str,
    sessions: &[(i64, PendingLink)],
    call: &Call,
    config: &Config,
    env: &Env,
) -> Result<Reply, Failure> {
    // 1.
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
        hub::settle_link(reference, *key, &handle, config, env).await?;
    }
    redirect_to_app(&ReturnStatus::Success(handle), Some(pending), config)
}

/// Whether the connection belongs to the user `reference`: its ledger says so.
///
/// The ledger learns it from OFAuth's webhook, or from a look-up in OFAuth's list. Of all visits for one Link session, one
/// in [`LOOK_UP_GAP`] does the look-up, and the others wait for what it enters. If OFAuth does not answer, the result is
/// false and not an error: its webhook will bring the connection.
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
    for check in 0..CHECKS {
        if check > 0 {
            platform::wait(CHECK_GAP).await;
        }
        match ledger::record(handle, env).await? {
            Some(record) if is_users(&record) => return Ok(true),
            Some(record) if !record.is_connected() => return Ok(false),
            _ => {}
        }
        if hub::may_look_up(reference, key, config, env).await {
            look_up(id, reference, call, config, env).await?;
            // Read again, because an erased connection ignores what is entered.
            return Ok(ledger::record(handle, env).await?.is_some_and(|record| is_users(&record)));
        }
    }
    Ok(false)
}

/// Enters what OFAuth's list says about the connection `id`, and about other connections of the user that the hub does not
/// have: another visit may be waiting for one of them. An item counts only if it names the user's reference itself.
async fn look_up(id: &str, reference: &str, call: &Call, config: &Config, env: &Env) -> Result<(), Failure> {
    let known = hub::connections(reference, config, env).await?;
    let known: Vec<String> = known.into_iter().filter(Record::is_connected).map(|record| record.id).collect();
    let mut entered = 0;
    for page in 0..MAX_PAGES {
        let Ok(Ok((items, more))) = upstream::list_connections(page, true, &call.upstream_ms, config).await else {
            break;
        };
        for item in items.into_iter().filter(|item| item.client_reference_id() == Some(reference)) {
            if item.id() == id || (entered < MAX_ENTERED && !known.iter().any(|known| known == item.id())) {
                let id = item.id().to_owned();
                let entry = Entry::own(&id, "listed", Rank::Listed, item.changes(), call.started(), &call.id);
                ledger::enter(&entry, b"", config, env).await?;
                entered += 1;
            }
        }
        if !more {
            break;
        }
    }
    Ok(())
}

/// Sends the browser to the page that the Link session asked for, else to APP_RETURN_URL, with the status in the query.
/// BAD_REQUEST if there is neither.
fn redirect_to_app(status: &ReturnStatus, pending: Option<&PendingLink>, config: &Config) -> Result<Reply, Failure> {
    let no_page = EdgeError::BadRequest("there is no page to return to: APP_RETURN_URL is not set");
    let return_url = pending.and_then(|pending| pending.return_url.as_deref());
    let url = return_url.or(config.app_return_url.as_deref()).ok_or(no_page)?;
    Ok(Reply::empty(303).with_header("location", &status.add_to_url(url)).with_header("referrer-policy", "no-referrer"))
}
