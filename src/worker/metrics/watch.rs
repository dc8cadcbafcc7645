//! Sends alerts to ALERT_URL. The core decides which are due ([`core::monitor`](crate::core::monitor)). This file reads the counts
//! for it, sends the alerts, and remembers them.
//!
//! Table `told`, one row per cause that is not over: `cause`, `minute` (when its last alert was sent). A row is written before the
//! alert is sent, so that an object that stops meanwhile does not send it twice. If sending fails, the row is set back, and the
//! next watch sends the alert.

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

/// Sends the alerts that are due in this minute. Returns whether another watch is needed even without new counts: if an alert could
/// not be sent, or if a cause is not over that ends after an hour without it. Any other cause ends with something that is counted,
/// so it needs no alarm.
pub async fn watch(minute: i64, database: &Database, env: &Env) -> platform::Result<bool> {
    let config = environment::config(env).map_err(|_| "not configured")?;
    let Some(url) = &config.alert_url else { return Ok(false) };
    let hour = client::hour_before(minute, env).await?;
    database.run("CREATE TABLE IF NOT EXISTS told (cause TEXT PRIMARY KEY, minute INTEGER NOT NULL)", vec![])?;
    // There is no await from here until all rows are written, so that no other watch decides the same.
    let mut due = Vec::new();
    for alert in alerts(&hour, |cause| alerted_at(cause, database), config.alert_expirations, minute) {
        due.push((alerted_at(alert.cause, database), alert.clone()));
        set_alerted_at(alert.cause, (!alert.is_over).then_some(minute), database)?;
    }
    let mut has_failed = false;
    for (before, alert) in due {
        if let Err(error) = JsFuture::from(post_text(url.reveal(), &alert.text)).await {
            log_error("alert", &error.into());
            set_alerted_at(alert.cause, before, database)?;
            has_failed = true;
        }
    }
    let waits = "SELECT 1 FROM told WHERE cause IN ('expirations', 'parked')";
    Ok(has_failed || !database.first_row(waits, vec![])?.is_empty())
}

/// The minute in which the last alert about a cause was sent, if the cause is not over.
fn alerted_at(cause: &str, database: &Database) -> Option<i64> {
    database.first_row("SELECT minute FROM told WHERE cause = ?", vec![cause.into()]).ok()?.first().and_then(integer)
}

fn set_alerted_at(cause: &str, minute: Option<i64>, database: &Database) -> platform::Result<()> {
    match minute {
        Some(minute) => {
            let values: Vec<Value> = vec![cause.into(), minute.into()];
            database.run("INSERT OR REPLACE INTO told VALUES (?, ?)", values)
        }
        None => database.run("DELETE FROM told WHERE cause = ?", vec![cause.into()]),
    }
}
