//! Counts in the isolate's memory, and hands the counts over about every 10 s, or at once for what a Durable Object counts.

use std::cell::{Cell, RefCell};

use wasm_bindgen::prelude::*;
use worker::{Env, js_sys::Promise};

use super::client;
use crate::{
    core::monitor::{Counts, name},
    worker::platform::{self, Boxed, log_error, on_heap, promise, wait},
};

/// How long counts are collected before they are handed over, in ms.
const BATCH_TIME: i64 = 10_000;
/// After this time the next request starts another batch, in ms: the one that has started was stopped with its request.
const LOST_AFTER: i64 = 60_000;
/// So many forwards that the app has taken are handed over by the ledger itself. Fewer wait for a batch of the isolate, so that
/// an event costs no further request.
const MANY: u64 = 20;

thread_local! {
    static COUNTS: RefCell<Counts> = RefCell::default();
    /// When the running batch started, in unix ms.
    static STARTED: Cell<Option<i64>> = const { Cell::new(None) };
}

// Analytics Engine takes at most 250 points for each invocation, which is more than a batch has kinds.
#[wasm_bindgen(inline_js = r#"
export function writePoints(env, lines) {
  for (const line of env.METRICS ? lines.trim().split("\n") : []) {
    const [name, code, count] = line.split(" ");
    env.METRICS.writeDataPoint({ indexes: [name], blobs: [name, code], doubles: [Number(count)] });
  }
}
"#)]
extern "C" {
    #[wasm_bindgen(catch, js_name = writePoints)]
    fn write_points(env: &JsValue, lines: &str) -> Result<(), JsValue>;
}

/// Counts something under one of the names of [`name`](crate::core::monitor::name).
pub fn count(name: &str, code: &str) {
    COUNTS.with_borrow_mut(|counts| counts.add(name, code, 1, 0));
}

/// The task that hands the counts over, [`BATCH_TIME`] from now. `None` if one is running, or nothing was counted.
pub fn hand_over_later(env: Env, now: i64) -> Option<Promise> {
    let is_running = STARTED.get().is_some_and(|started| now < started + LOST_AFTER);
    if is_running || COUNTS.with_borrow(|counts| *counts == Counts::default()) {
        return None;
    }
    STARTED.set(Some(now));
    Some(promise(async move {
        wait(BATCH_TIME).await;
        STARTED.set(None);
        hand_over(&env).await;
        Ok(JsValue::UNDEFINED)
    }))
}

/// Hands over what a ledger has counted about forwards, if an attempt has failed, or [`MANY`] have not.
pub async fn hand_over_forwards(env: &Env) {
    let is_due = |counts: &Counts| counts.under(name::FORWARD).any(|it| it.code != "taken" || it.count >= MANY);
    if COUNTS.with_borrow(is_due) {
        hand_over(env).await;
    }
}

/// Hands the counts over. If that fails, they are handed over with the next ones.
pub fn hand_over(env: &Env) -> Boxed<'_, ()> {
    on_heap(async move {
        let lines = COUNTS.take().to_text(false);
        if lines.is_empty() {
            return;
        }
        let points = write_points(env, &lines).map_err(platform::Error::from);
        let stored = client::add(&lines, env).await;
        if stored.is_err() {
            COUNTS.with_borrow_mut(|counts| counts.add_text(&lines, 0));
        }
        if let Err(error) = points.and(stored) {
            log_error("metrics", &error);
        }
    })
}
