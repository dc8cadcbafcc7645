//! The clock: the one place that reads it, and waiting.

use std::time::Duration;

use js_sys::Date;
use worker::Delay;

/// Unix milliseconds. No request and no variable can set it.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
#[expect(clippy::cast_possible_truncation, reason = "a JavaScript date is a safe integer")]
pub fn now_ms() -> i64 {
    Date::now() as i64
}

/// Resolves after so many milliseconds; at once for a negative number.
pub fn wait(ms: i64) -> Delay {
    Delay::from(Duration::from_millis(ms.max(0).unsigned_abs()))
}
