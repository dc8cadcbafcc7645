//! Messages to ledgers.

use serde::{Serialize, de::DeserializeOwned};
use worker::Env;

use super::{
    entry::{Entry, Timeline},
    lease::{CallResult, Lease},
    rules::{self, Rules},
};
use crate::{
    core::{
        config::Config,
        connection::{Outcome, Record},
        json,
    },
    worker::platform::{self, Failure, environment},
};

/// Hands a delivery to its ledger. When this returns, the delivery is durable.
pub async fn enter(entry: &Entry, body: &[u8], config: &Config, env: &Env) -> Result<Outcome, Failure> {
    read(&call(&config.index.handle(&entry.id), "enter", Some(message(entry, body)), env).await?)
}

/// Hands a rules event to the object that knows the newest rules. When this returns, KV has these rules or newer ones.
pub async fn enter_rules(rules: &Rules, body: &[u8], env: &Env) -> Result<(), Failure> {
    call(rules::NAME, "rules", Some(message(rules, body)), env).await.map(|_| ())
}

/// The record of a connection, strongly consistent; `None` if there is none.
pub async fn record(handle: &str, env: &Env) -> Result<Option<Record>, Failure> {
    read(&call(handle, "record", None, env).await?)
}

/// Takes the lease of a call that changes the connection, or waits for the result of the caller that has it.
pub async fn take_lease(handle: &str, change: &str, env: &Env) -> Result<Lease, Failure> {
    read(&call(handle, "lease", Some(message(&change, b"")), env).await?)
}

/// Ends a lease. `result` is what those who wait for it share.
pub async fn end_lease(handle: &str, change: &str, result: Option<CallResult>, env: &Env) -> Result<(), Failure> {
    call(handle, "lease-end", Some(message(&(change, result), b"")), env).await.map(|_| ())
}

/// Erases everything about a connection except its id.
pub async fn erase(handle: &str, env: &Env) -> Result<(), Failure> {
    call(handle, "erase", Some(message(&(), b"")), env).await.map(|_| ())
}

/// The newest deliveries before the place `before`, at most `limit`.
pub async fn timeline(handle: &str, before: i64, limit: usize, env: &Env) -> Result<Timeline, Failure> {
    read(&call(handle, &format!("timeline/{before}/{limit}"), None, env).await?)
}

/// One line of JSON, then the raw body.
fn message(head: &impl Serialize, body: &[u8]) -> Vec<u8> {
    let mut message = serde_json::to_vec(head).unwrap_or_default();
    message.push(b'\n');
    message.extend_from_slice(body);
    message
}

async fn call(handle: &str, path: &str, message: Option<Vec<u8>>, env: &Env) -> Result<Vec<u8>, Failure> {
    let ledgers = environment::ledger_namespace(env).map_err(unavailable)?;
    let url = format!("https://ledger/{path}");
    platform::call(&ledgers, handle, &url, message.as_deref()).await.map_err(unavailable)
}

fn read<T: DeserializeOwned>(answer: &[u8]) -> Result<T, Failure> {
    json::from_slice(answer).map_err(|error| unavailable(error.into()))
}

fn unavailable(error: worker::Error) -> Failure {
    Failure::storage("ledger", &error)
}
