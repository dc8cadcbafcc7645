//! Deletes connections at OFAuth: for the erasure of a user, whose connections are also found here in OFAuth's list (see
//! `hub/erasure.rs`), and for the clean-up of those that expired long ago.

use std::{cell::Cell, rc::Rc};

use super::{entry::Entry, forward::update_index, projector::Projector, row::LedgerRow};
use crate::{
    core::{
        config::Config,
        connection::{ACTIVE, Changes, DISCONNECTED, EXPIRED, Outcome, Rank, Record},
        gateway::{ApiError, RetryHeaders, access::observed_status, account::connection_path},
        id::is_connection_id,
        reconcile::is_due_for_cleanup,
    },
    worker::{
        hub::{ALREADY_ERASED, ERASED, ErasureError, ForgetRequest, ForgetResult, KEPT, ListedOfUser},
        platform,
        upstream::{self, UpstreamAnswer, UpstreamRequest},
    },
};

/// Deletes the ledger's connection at OFAuth and erases the ledger, if the connection belongs to the user of that hub.
///
/// 1. The ledger says whose connection it is. One without an owner here, or unknown here, is the user's if OFAuth's list says
///    so.
/// 2. OFAuth is asked to delete it, unless it is disconnected. If OFAuth refuses, it stays. But OFAuth can never be asked
///    about an id that no path carries, so such a connection is erased.
/// 3. All but its id is erased. The answer waits for the first attempt to erase the copies too, at most a second.
pub async fn forget(
    request: ForgetRequest,
    projector: &Rc<Projector>,
    config: &Config,
) -> platform::Result<ForgetResult> {
    let store = projector.store();
    let kept = |error| Ok(ForgetResult { fate: KEPT, error });
    // 1.
    let row = store.row(config)?.map(|row| row.clone());
    let (id, is_connected) = match (row.as_ref().and_then(LedgerRow::record), request.id) {
        (Some(record), listed) => {
            let hub = row.and_then(|row| row.hub);
            if hub.map_or(listed.is_none(), |hub| hub != request.hub) {
                return kept(None);
            }
            (record.id.clone(), record.is_connected())
        }
        (None, Some(id)) => (id, true),
        (None, None) if row.is_some_and(|row| row.is_erased()) => {
            return Ok(ForgetResult { fate: ALREADY_ERASED, error: None });
        }
        (None, None) => return kept(None),
    };
    // 2.
    let deleted = if is_connected { delete_at_ofauth(&id, config).await } else { Ok(()) };
    if deleted.is_err() && is_connection_id(&id) {
        return kept(deleted.err());
    }
    // 3.
    let now = platform::now_ms();
    if store.row(config)?.is_none() {
        let changes = Changes::status(DISCONNECTED);
        let entry = Entry::own(&id, "deleted", Rank::Disconnected, changes, now, &platform::request_id());
        store.enter(entry, b"", config, now)?;
    }
    if store.outbox.exists()? && !update_index(&config.index.handle(&id), "", "", &projector.env).await {
        return Err("the index of forwards did not answer".into());
    }
    if let Some(version) = store.erase(config, now)?.and_then(|entered| entered.dirty_version) {
        projector.attempt(version, true).await;
    }
    Ok(ForgetResult { fate: ERASED, error: deleted.err() })
}

/// Deletes the ledger's connection at OFAuth if it has been expired for CLEANUP_EXPIRED_AFTER_DAYS.
///
/// 1. The record decides whether it is due.
/// 2. OFAuth is asked whether the session is dead. If it is not, the connection is active.
/// 3. OFAuth is asked to delete it, unless a webhook meanwhile said that the user has linked again. If OFAuth refuses, or has not
///    answered clearly before, the connection stays.
/// 4. The ledger stores what it has learned.
pub async fn clean_up(projector: &Rc<Projector>, config: &Config) -> platform::Result<Outcome> {
    let (store, now) = (projector.store(), platform::now_ms());
    // 1.
    let is_due = |record: &Record| {
        !config.is_other_environment(record.live) && is_due_for_cleanup(record, config.cleanup_after_days, now)
    };
    let due_record = || Ok::<_, platform::Error>(store.row(config)?.and_then(|row| row.record()).filter(is_due));
    let Some(Record { id, .. }) = due_record()? else { return Ok(Outcome::Stale) };
    // 2.
    let check = async { upstream::send(&UpstreamRequest::session_check(&id)?, &Cell::default(), config).await };
    let answer = check.await.ok().filter(|answer| !answer.is_inconclusive("GET"));
    let status = answer.and_then(|it| observed_status(EXPIRED, it.status(), it.refusal(), it.is_auth()));
    let (what, status, rank) = match status {
        Some(ACTIVE) => (ACTIVE, ACTIVE, Rank::Observed),
        // 3.
        Some(_) if due_record()?.is_some() && delete_at_ofauth(&id, config).await.is_ok() => {
            ("deleted", DISCONNECTED, Rank::Disconnected)
        }
        _ => return Ok(Outcome::Stale),
    };
    // 4.
    let entry = Entry::own(&id, what, rank, Changes::status(status), now, &platform::request_id());
    let entered = store.enter(entry, b"", config, platform::now_ms())?;
    if let Some(version) = entered.dirty_version {
        projector.attempt(version, true).await;
    }
    Ok(entered.outcome)
}

/// Reads the user's connections on one page of OFAuth's list. `place` is `{hub}/{page}`.
pub async fn listed(place: &str, config: &Config) -> platform::Result<ListedOfUser> {
    let (hub, page) = place.split_once('/').ok_or("no page")?;
    let page = page.parse().map_err(|_| "no page")?;
    let failed = |error| Ok(ListedOfUser { connections: Vec::new(), has_more: false, error: Some(error) });
    let (items, more) = match upstream::list_connections(page, false, &Cell::default(), config).await {
        Ok(Ok(listed)) => listed,
        Ok(Err(refused)) => return failed(erasure_error(&refused).await),
        Err(failure) => return failed(failure.into()),
    };
    let hash = |reference| config.index.hash_client_reference_id(reference);
    let of_user = items.iter().filter(|item| item.client_reference_id().map(hash).as_deref() == Some(hub));
    let connections = of_user.map(|item| (config.index.handle(item.id()), item.id().to_owned())).collect();
    Ok(ListedOfUser { connections, has_more: more && !items.is_empty(), error: None })
}

/// Deletes a connection at OFAuth. That OFAuth does not know it any more is a success.
async fn delete_at_ofauth(id: &str, config: &Config) -> Result<(), ErasureError> {
    let attempt = async {
        upstream::send(&UpstreamRequest::new("DELETE", connection_path(id, "")?)?, &Cell::default(), config).await
    };
    match attempt.await {
        Ok(answer) if answer.is_deleted().await => Ok(()),
        Ok(answer) => Err(erasure_error(&answer).await),
        Err(failure) => Err(failure.into()),
    }
}

/// The error in an answer that is not the wanted one.
async fn erasure_error(answer: &UpstreamAnswer) -> ErasureError {
    // An answer that is neither a success nor an error of OFAuth's came from something in between.
    let is_foreign = matches!(answer.status(), 0..=399 | 401 | 403) && answer.refusal().is_none();
    let status = if is_foreign { 502 } else { answer.status() };
    let error = answer.error().await.filter(|_| !is_foreign);
    let error = error.unwrap_or_else(|| ApiError::read(status, RetryHeaders::default(), b""));
    ErasureError { retry_after: error.retry_after, ..ErasureError::new(status, &error.code, error.verdict) }
}
