//! What Link and management note.

use std::{pin::pin, time::Duration};

use futures_util::future::select;
use worker::{Delay, Env};

use crate::{
    core::{
        config::Config,
        connection::{ACTIVE, Changes, DISCONNECTED, EXPIRED, MISSING, Rank},
        gateway::link,
    },
    worker::{
        http::Call,
        hub,
        ledger::{self, Entry},
        platform::Failure,
    },
};

/// Enters that a connection, of that user's if one is named, is no more. The caller is not told it is done before the
/// ledger knows.
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
    ledger::enter(&entry, b"", config, env).await.map(|_| ())
}

/// Enters that a connection has expired.
pub async fn note_invalidated(id: &str, call: &Call, config: &Config, env: &Env) -> Result<(), Failure> {
    let entry = Entry::own(id, "invalidated", Rank::Observed, Changes::status(EXPIRED), call.started(), &call.id);
    ledger::enter(&entry, b"", config, env).await.map(|_| ())
}

/// How long a webhook waits for what it means to Link sessions under way.
const PATIENCE: Duration = Duration::from_secs(1);

/// A new connection of a user who was to link another one again: OFAuth did not know that one any more. Called once a
/// `connection.created` is durable; whether this succeeds changes nothing about that.
pub async fn settle(id: &str, reference: &str, call: &Call, config: &Config, env: &Env) {
    let settle = async {
        let sessions = hub::links(reference, config, env).await.unwrap_or_default();
        let missing = link::match_session(&sessions, id, &config.index.handle(id)).and_then(|settled| settled.missing);
        note_missing(missing, call, config, env).await
    };
    select(pin!(settle), pin!(Delay::from(PATIENCE))).await;
}

/// Marks a connection that was to be linked again as missing, if it is known. One that is active has been linked meanwhile,
/// or is not OFAuth's to replace; were it gone, the next call on it would show that.
pub async fn note_missing(asked: Option<&str>, call: &Call, config: &Config, env: &Env) -> Result<(), Failure> {
    let Some(asked) = asked else { return Ok(()) };
    let known = ledger::record(&config.index.handle(asked), env).await?;
    if known.is_none_or(|record| record.status == ACTIVE) {
        return Ok(());
    }
    let entry = Entry::own(asked, MISSING, Rank::Observed, Changes::status(MISSING), call.started(), &call.id);
    ledger::enter(&Entry { learned: true, ..entry }, b"", config, env).await.map(|_| ())
}
