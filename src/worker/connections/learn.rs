//! Learns a connection's status from OFAuth's answer to an Access call.
//!
//! OFAuth's SESSION_EXPIRED shows that a connection has expired, often before a webhook says so (OFAuth documentation,
//! Integration checklist: Session Expiration Flow). A success shows that a connection with the status `expired` or
//! `missing` is active again.

use std::pin::pin;

use futures_util::future::select;
use worker::Env;

use crate::{
    core::{
        config::Config,
        connection::{Changes, EXPIRED, Outcome, Rank, Record},
        gateway::access,
        monitor::name,
    },
    worker::{
        http::Call,
        ledger::{self, Entry},
        metrics,
        platform::wait,
        upstream::UpstreamAnswer,
    },
};

/// How long the caller's answer waits for the ledger at most, in ms.
const LEDGER_TIMEOUT: i64 = 2_000;

/// Tells the connection's ledger the status that `answer` shows, if it shows one that matters. `record` is the
/// connection's record as the caller found it.
///
/// The fact is dated to the start of the call, so that a late refusal does not undo a reconnect. A failure is ignored:
/// the caller's answer does not depend on it, and the next call will show the same status.
pub async fn learn_from_answer(record: &Record, answer: &UpstreamAnswer, call: &Call, config: &Config, env: &Env) {
    let Some(status) = access::observed_status(&record.status, answer.status(), answer.refusal(), answer.is_auth())
    else {
        return;
    };
    let entry = Entry::own(&record.id, status, Rank::Observed, Changes::status(status), call.started(), &call.id);
    let entry = Entry { learned: true, ..entry.by(call.actor()) };
    let enter = async {
        let outcome = ledger::enter(&entry, b"", config, env).await;
        if status == EXPIRED && matches!(outcome, Ok(Outcome::Applied)) {
            metrics::count(name::EXPIRED, "call");
        }
    };
    select(pin!(enter), pin!(wait(LEDGER_TIMEOUT))).await;
}
