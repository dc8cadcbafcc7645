//! Messages to the objects of the metrics.

use worker::Env;

use crate::{
    core::{
        gateway::EdgeError,
        monitor::{Counts, Minutes},
    },
    worker::platform::{self, Boxed, Failure, ObjectRequest, environment, on_heap},
};

/// How many objects store metrics. A batch goes to a random one, so that none gets all.
pub const SHARDS: u8 = 4;

/// Adds the counts of a batch to those of the present minute, at a random object. Does nothing if METRICS_STORE is not
/// bound.
pub async fn add(lines: &str, env: &Env) -> platform::Result<()> {
    if environment::metrics_namespace(env).is_err() {
        return Ok(());
    }
    let shard = platform::nonce().first().map_or(0, |random| random % SHARDS);
    ask(shard, &format!("add/{}", now()), lines, env).await.map(|_| ())
}

/// The counts of each of the last `count` minutes. NOT_CONFIGURED if METRICS_STORE is not bound.
pub async fn minutes(count: i64, env: &Env) -> Result<Minutes, Failure> {
    minutes_from(now() - count + 1, env).await
}

/// The counts of each of the last 60 minutes, of which `minute` is the last.
pub async fn hour_before(minute: i64, env: &Env) -> platform::Result<Minutes> {
    minutes_from(minute - 59, env).await.map_err(|failure| failure.detail.unwrap_or_default().into())
}

/// The counts of the last `count` minutes together. NOT_CONFIGURED if METRICS_STORE is not bound.
pub async fn sum(count: i64, env: &Env) -> Result<Counts, Failure> {
    let mut sum = Counts::default();
    for answer in ask_all("sum", now() - count + 1, env).await? {
        sum.add_text(&answer, 0);
    }
    Ok(sum)
}

async fn minutes_from(first: i64, env: &Env) -> Result<Minutes, Failure> {
    let mut minutes = Minutes::default();
    for answer in ask_all("read", first, env).await? {
        minutes.add_text(&answer);
    }
    Ok(minutes)
}

/// Asks the first object to watch.
pub async fn watch(env: &Env) -> platform::Result<()> {
    ask(0, &format!("watch/{}", now()), "", env).await.map(|_| ())
}

/// The answers of all objects about the minutes from `first` on.
///
/// This is on the heap, and so is [`ask`]: else each caller would have all of their code.
fn ask_all<'a>(what: &'a str, first: i64, env: &'a Env) -> Boxed<'a, Result<Vec<String>, Failure>> {
    on_heap(async move {
        if environment::metrics_namespace(env).is_err() {
            return Err(EdgeError::NotBound("METRICS_STORE is not bound to the Worker").into());
        }
        let (path, mut answers) = (format!("{what}/{first}"), Vec::new());
        for shard in 0..SHARDS {
            answers.push(ask(shard, &path, "", env).await.map_err(|error| Failure::storage("metrics", &error))?);
        }
        Ok(answers)
    })
}

/// Asks one object.
fn ask<'a>(shard: u8, path: &'a str, head: &'a str, env: &'a Env) -> Boxed<'a, platform::Result<String>> {
    on_heap(async move {
        let request = ObjectRequest { path, head, body: b"" };
        platform::call(&environment::metrics_namespace(env)?, &shard.to_string(), request).await
    })
}

/// The present minute, counted from 1970.
fn now() -> i64 {
    platform::now_ms() / 60_000
}
