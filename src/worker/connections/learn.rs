//! Learning from an answer.

use std::{pin::pin, time::Duration};

use futures_util::future::select;
use worker::{Delay, Env};

use crate::{
    core::{
        config::Config,
        connection::{Changes, Rank, Record},
        gateway::access,
    },
    worker::{
        http::Call,
        ledger::{self, Entry},
        upstream::Answer,
    },
};

/// How long an answer waits for its ledger to hear what it showed.
const PATIENCE: Duration = Duration::from_secs(2);

/// Enters what an answer shows of the connection's status.
pub async fn learn(known: &Record, answer: &Answer, call: &Call, config: &Config, env: &Env) {
    let Some(status) = access::observed_status(&known.status, answer.status(), answer.refusal(), answer.is_auth())
    else {
        return;
    };
    let entry = Entry::own(&known.id, status, Rank::Observed, Changes::status(status), call.started(), &call.id);
    let entry = Entry { learned: true, ..entry };
    // The caller's answer neither depends on it nor waits long for it; the next call will show the same.
    select(pin!(ledger::enter(&entry, b"", config, env)), pin!(Delay::from(PATIENCE))).await;
}
