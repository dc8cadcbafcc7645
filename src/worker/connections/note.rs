//! Tells a connection's ledger what the gateway itself did to the connection, or what Link showed about it.
//!
//! The functions that return a result fail with STORAGE_UNAVAILABLE if the ledger does not answer. `id` is always
//! OFAuth's id.

use std::pin::pin;

use futures_util::future::select;
use worker::Env;

use crate::{
    core::{
        config::Config,
        connection::{ACTIVE, Changes, DISCONNECTED, EXPIRED, MISSING, Outcome, Rank},
        gateway::link,
    },
    worker::{
        http::Call,
        hub,
        ledger::{self, Entry},
        platform::{Failure, wait},
    },
};

/// How long the answer to a webhook waits for [`note_replaced`] at most, in ms.
const REPLACED_TIMEOUT: i64 = 1_000;

/// Stores that a connection was deleted at OFAuth; `reference` is the user it belonged to, if known. When this returns
/// `Ok`, the ledger has stored it durably.
pub async fn note_deleted(
    id: &str,
    reference: Option<&str>,
    call: &Call,
    config: &Config,
    env: &Env,
) -> Result<(), Failure> {
    let client_reference_id = reference.map(str::to_owned);
    let changes = Changes { client_reference_id, ..Changes::status(DISCONNECTED) };
    let entry = Entry::own(id, "deleted", Rank::Disconnected, changes, call.started(), &call.id);
    ledger::enter(&entry.by(call.actor()), b"", config, env).await.map(|_| ())
}

/// Stores that a connection was invalidated at OFAuth: its status is now `expired`.
pub async fn note_invalidated(id: &str, call: &Call, config: &Config, env: &Env) -> Result<(), Failure> {
    let entry = Entry::own(id, "invalidated", Rank::Observed, Changes::status(EXPIRED), call.started(), &call.id);
    ledger::enter(&entry.by(call.actor()), b"", config, env).await.map(|_| ())
}

/// Stores that the account of a connection was accepted, which became this OnlyFans user. Returns whether the ledger awaited it.
pub async fn note_accepted(id: &str, account: &str, call: &Call, config: &Config, env: &Env) -> Result<bool, Failure> {
    let entry = Entry::own(id, "account_accepted", Rank::Observed, Changes::default(), call.started(), &call.id);
    let entry = Entry { accepts: Some(account.to_owned()), ..entry.by(call.actor()) };
    Ok(ledger::enter(&entry, b"", config, env).await? == Outcome::Applied)
}

/// Marks the connection that the new connection `id` replaces as missing, if it replaces one. Called after a
/// `connection.created` event for the user `reference` has been stored.
///
/// If the user was reconnecting another connection, OFAuth made a new one because it does not know the other one any
/// more (OFAuth documentation, Connections API: Reconnecting Expired Connections). A failure is ignored: the event is
/// stored already.
pub async fn note_replaced(id: &str, reference: &str, call: &Call, config: &Config, env: &Env) {
    let note = async {
        let sessions = hub::links(reference, config, env).await.unwrap_or_default();
        let missing = link::match_session(&sessions, id, &config.index.handle(id)).and_then(|settled| settled.missing);
        note_missing(missing, call, config, env).await
    };
    select(pin!(note), pin!(wait(REPLACED_TIMEOUT))).await;
}

/// Marks a connection that OFAuth does not know any more as missing. Does nothing without an `id`, or if the gateway
/// has no record of the connection.
///
/// An active connection is not marked. The user may have reconnected it in the meantime; and if it is really gone, the
/// next call on it shows that.
pub async fn note_missing(id: Option<&str>, call: &Call, config: &Config, env: &Env) -> Result<(), Failure> {
    let Some(id) = id else { return Ok(()) };
    let record = ledger::record(&config.index.handle(id), env).await?;
    if record.is_none_or(|record| record.status == ACTIVE) {
        return Ok(());
    }
    let entry = Entry::own(id, MISSING, Rank::Observed, Changes::status(MISSING), call.started(), &call.id);
    ledger::enter(&Entry { learned: true, ..entry.by(call.actor()) }, b"", config, env).await.map(|_| ())
}
