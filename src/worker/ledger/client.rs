//! Messages to ledgers.

use serde::Serialize;
use worker::Env;

use super::{
    entry::{Entry, Timeline},
    lane,
    lease::Lease,
    rules::{self, Rules},
};
use crate::{
    core::{
        config::Config,
        connection::{Outcome, Record},
    },
    worker::{
        http::SharedReply,
        platform::{Failure, ObjectRequest, call_ledger, read_ledger_answer},
    },
};

/// Hands a delivery to its ledger. When this returns, the delivery is durable.
pub async fn enter(entry: &Entry, body: &[u8], config: &Config, env: &Env) -> Result<Outcome, Failure> {
    read_ledger_answer(
        &call_ledger(&config.index.handle(&entry.id), ObjectRequest { path: "enter", head: &head(entry), body }, env)
            .await?,
    )
}

/// Hands a rules event to the object that knows the newest rules. When this returns, KV has these rules or newer ones.
pub async fn enter_rules(rules: &Rules, body: &[u8], env: &Env) -> Result<(), Failure> {
    call_ledger(rules::NAME, ObjectRequest { path: "rules", head: &head(rules), body }, env).await.map(|_| ())
}

/// The record of a connection, strongly consistent; `None` if there is none.
pub async fn record(handle: &str, env: &Env) -> Result<Option<Record>, Failure> {
    read_ledger_answer(&call_ledger(handle, ObjectRequest { path: "record", head: "", body: b"" }, env).await?)
}

/// Takes the lease of a change of the connection, or waits for the reply of the caller that has it.
pub async fn take_lease(handle: &str, change: &str, env: &Env) -> Result<Lease, Failure> {
    read_ledger_answer(
        &call_ledger(handle, ObjectRequest { path: "lease", head: &head(&change), body: b"" }, env).await?,
    )
}

/// Ends a lease. `reply` is what those who wait for it share.
pub async fn end_lease(handle: &str, change: &str, reply: Option<SharedReply>, env: &Env) -> Result<(), Failure> {
    let request = ObjectRequest { path: "lease-end", head: &head(&(change, reply)), body: b"" };
    call_ledger(handle, request, env).await.map(|_| ())
}

/// The newest deliveries before the place `before`, at most `limit`.
pub async fn timeline(handle: &str, before: i64, limit: usize, env: &Env) -> Result<Timeline, Failure> {
    read_ledger_answer(
        &call_ledger(handle, ObjectRequest { path: &format!("timeline/{before}/{limit}"), head: "", body: b"" }, env)
            .await?,
    )
}

/// Sends an event to the app again that waits or is parked. Returns whether there is one.
/// An event that is not about a connection has no handle.
pub async fn replay(handle: &str, id: &str, config: &Config, env: &Env) -> Result<bool, Failure> {
    let request = ObjectRequest { path: &format!("replay/{id}"), head: "", body: b"" };
    let lane = handle.is_empty().then(|| lane::name(id, config));
    Ok(call_ledger(lane.as_deref().unwrap_or(handle), request, env).await? == "true")
}

fn head(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
