//! The clock. No other file reads it, and the core takes the time as an argument.

use std::time::Duration;

use js_sys::Date;
use worker::Delay;

/// The current time in unix milliseconds.
///
/// It stands still while code runs and moves on after each I/O
/// ([Cloudflare Workers: Security model](https://developers.cloudflare.com/workers/reference/security-model/)), so it
/// cannot measure CPU time. Neither a request nor a variable can set it.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
#[expect(clippy::cast_possible_truncation, reason = "a JavaScript date is a safe integer")]
pub fn now_ms() -> i64 {
    Date::now() as i64
}

/// Resolves after `ms` milliseconds. A negative number counts as 0.
pub fn wait(ms: i64) -> Delay {
    Delay::from(Duration::from_millis(ms.max(0).unsigned_abs()))
}
