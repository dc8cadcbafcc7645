//! Tells the operator what must be known at once, at ALERT_URL. The core decides what that is
//! ([`core::monitor`](crate::core::monitor)); this reads the counts, remembers what was told, and tells it.
//!
//! Table `told`, one row per cause that is not over: `cause`, `minute` (when it was told last). A row is written before the
//! cause is told, so that an object that stops meanwhile does not tell it twice. If telling fails, the row is set back, and
//! the next watch tells it.

use wasm_bindgen::prelude::*;
use worker::{
    Env,
    js_sys::{Promise, futures::JsFuture},
};

use super::client;
use crate::{
    core::monitor::alerts,
    worker::platform::{self, Database, Value, environment, integer, log_error},
};

#[wasm_bindgen(inline_js = r#"
export async function postText(url, text) {
  const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ text }) };
  const { ok, status } = await fetch(url, { ...request, redirect: "manual", signal: AbortSignal.timeout(10_000) });
  if (!ok) throw new Error("ALERT_URL answered " + status);
}
"#)]
extern "C" {
    #[wasm_bindgen(js_name = postText)]
    fn post_text(url: &str, text: &str) -> Promise;
}

/// Watches once, in this minute. Returns whether another watch is needed without new counts: a cause ends when an hour without
/// it is over, or somebody was not told. The other causes end with something that is counted, so nothing rings while they wait
/// for it.
pub async fn watch(minute: i64, database: &Database, env: &Env) -> platform::Result<bool> {
    let config = environment::config(env).map_err(|_| "not configured")?;
    let Some(url) = &config.alert_url else { return Ok(false) };
    let hour = client::hour_before(minute, env).await?;
    database.run("CREATE TABLE IF NOT EXISTS told (cause TEXT PRIMARY KEY, minute INTEGER NOT NULL)", vec![])?;
    // There is no await from here until all rows are written, so that no other watch decides the same.
    let mut due = Vec::new();
    for alert in alerts(&hour, |cause| told(cause, database), config.alert_expirations, minute) {
        due.push((told(alert.cause, database), alert.clone()));
        set_told(alert.cause, (!alert.is_over).then_some(minute), database)?;
    }
    let mut has_failed = false;
    for (before, alert) in due {
        if let Err(error) = JsFuture::from(post_text(url.reveal(), &alert.text)).await {
            log_error("alert", &error.into());
            set_told(alert.cause, before, database)?;
            has_failed = true;
        }
    }
    let waits = "SELECT 1 FROM told WHERE cause IN ('expirations', 'parked')";
    Ok(has_failed || !database.first_row(waits, vec![])?.is_empty())
}

/// The minute in which a cause was told last, if it is not over.
fn told(cause: &str, database: &Database) -> Option<i64> {
    database.first_row("SELECT minute FROM told WHERE cause = ?", vec![cause.into()]).ok()?.first().and_then(integer)
}

fn set_told(cause: &str, minute: Option<i64>, database: &Database) -> platform::Result<()> {
    match minute {
        Some(minute) => {
            let values: Vec<Value> = vec![cause.into(), minute.into()];
            database.run("INSERT OR REPLACE INTO told VALUES (?, ?)", values)
        }
        None => database.run("DELETE FROM told WHERE cause = ?", vec![cause.into()]),
    }
}
