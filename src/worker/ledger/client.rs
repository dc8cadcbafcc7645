//! Messages to ledgers.

use serde::Serialize;
use worker::{Env, Method, Request, RequestInit, Response, js_sys::Uint8Array};

use super::{
    entry::{Entry, Timeline},
    rules::{self, Rules},
};
use crate::{
    core::{
        config::Config,
        connection::{Outcome, Record},
    },
    worker::platform::{Failure, environment},
};

/// Hands a delivery to its ledger. The outcome means that it is durable there.
pub async fn enter(entry: &Entry, body: &[u8], config: &Config, env: &Env) -> Result<Outcome, Failure> {
    let mut answer = ask(&config.index.handle(&entry.id), message("enter", entry, body), env).await?;
    answer.json().await.map_err(unavailable)
}

/// Hands rules to whoever knows which are the newest. Once it returns they are in KV, or newer ones are.
pub async fn enter_rules(rules: &Rules, body: &[u8], env: &Env) -> Result<(), Failure> {
    ask(rules::NAME, message("rules", rules, body), env).await.map(|_| ())
}

/// Asks the ledger for its record; `None` if it has none. Strongly consistent.
pub async fn record(handle: &str, env: &Env) -> Result<Option<Record>, Failure> {
    let request = Request::new("https://ledger/record", Method::Get);
    ask(handle, request, env).await?.json().await.map_err(unavailable)
}

/// Erases all that is kept of a connection but its id, for good.
pub async fn erase(handle: &str, env: &Env) -> Result<(), Failure> {
    ask(handle, message("erase", &(), b""), env).await.map(|_| ())
}

/// The newest deliveries before the place `before`, at most `limit`.
pub async fn timeline(handle: &str, before: i64, limit: usize, env: &Env) -> Result<Timeline, Failure> {
    let request = Request::new(&format!("https://ledger/timeline/{before}/{limit}"), Method::Get);
    ask(handle, request, env).await?.json().await.map_err(unavailable)
}

fn message(path: &str, head: &impl Serialize, body: &[u8]) -> worker::Result<Request> {
    let message = [&serde_json::to_vec(head)?, &b"\n"[..], body].concat();
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(Uint8Array::from(&message[..]).into()));
    Request::new_with_init(&format!("https://ledger/{path}"), &init)
}

async fn ask(handle: &str, request: worker::Result<Request>, env: &Env) -> Result<Response, Failure> {
    let stub =
        environment::ledger_namespace(env).and_then(|ledgers| ledgers.get_by_name(handle)).map_err(unavailable)?;
    let answer = stub.fetch_with_request(request.map_err(unavailable)?).await.map_err(unavailable)?;
    if (200..300).contains(&answer.status_code()) { Ok(answer) } else { Err(unavailable("it refused".into())) }
}

fn unavailable(error: worker::Error) -> Failure {
    Failure::storage("ledger", &error)
}
