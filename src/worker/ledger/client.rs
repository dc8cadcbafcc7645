//! Messages to ledgers.

use serde::{Serialize, de::DeserializeOwned};
use worker::Env;

use super::{
    entry::{Entry, Timeline},
    lease::{CallResult, Lease},
    object::KEY_MISSING,
    rules::{self, Rules},
};
use crate::{
    core::{
        config::Config,
        connection::{Outcome, Record},
        gateway::EdgeError,
        json,
    },
    worker::platform::{self, Failure, Question, environment},
};

/// Hands a delivery to its ledger. When this returns, the delivery is durable.
pub async fn enter(entry: &Entry, body: &[u8], config: &Config, env: &Env) -> Result<Outcome, Failure> {
    read(&call(&config.index.handle(&entry.id), Question { path: "enter", head: &head(entry), body }, env).await?)
}

/// Hands a rules event to the object that knows the newest rules. When this returns, KV has these rules or newer ones.
pub async fn enter_rules(rules: &Rules, body: &[u8], env: &Env) -> Result<(), Failure> {
    call(rules::NAME, Question { path: "rules", head: &head(rules), body }, env).await.map(|_| ())
}

/// The record of a connection, strongly consistent; `None` if there is none.
pub async fn record(handle: &str, env: &Env) -> Result<Option<Record>, Failure> {
    read(&call(handle, Question { path: "record", head: "", body: b"" }, env).await?)
}

/// Takes the lease of a call that changes the connection, or waits for the result of the caller that has it.
pub async fn take_lease(handle: &str, change: &str, env: &Env) -> Result<Lease, Failure> {
    read(&call(handle, Question { path: "lease", head: &head(&change), body: b"" }, env).await?)
}

/// Ends a lease. `result` is what those who wait for it share.
pub async fn end_lease(handle: &str, change: &str, result: Option<CallResult>, env: &Env) -> Result<(), Failure> {
    let question = Question { path: "lease-end", head: &head(&(change, result)), body: b"" };
    call(handle, question, env).await.map(|_| ())
}

/// The newest deliveries before the place `before`, at most `limit`.
pub async fn timeline(handle: &str, before: i64, limit: usize, env: &Env) -> Result<Timeline, Failure> {
    read(&call(handle, Question { path: &format!("timeline/{before}/{limit}"), head: "", body: b"" }, env).await?)
}

fn head(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

async fn call(handle: &str, question: Question<'_>, env: &Env) -> Result<String, Failure> {
    let ledgers = environment::ledger_namespace(env).map_err(unavailable)?;
    let answer = platform::call(&ledgers, handle, question).await.map_err(unavailable)?;
    if answer == KEY_MISSING { Err(EdgeError::StorageKeyMissing.into()) } else { Ok(answer) }
}

fn read<T: DeserializeOwned>(answer: &str) -> Result<T, Failure> {
    json::from_slice(answer.as_bytes()).map_err(|error| unavailable(error.into()))
}

fn unavailable(error: worker::Error) -> Failure {
    Failure::storage("ledger", &error)
}
