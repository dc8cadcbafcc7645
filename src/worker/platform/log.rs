//! The log: JSON lines on the console.

use serde_json::json;
use worker::web_sys;

/// One JSON line.
pub fn log(line: &serde_json::Value) {
    web_sys::console::log_1(&line.to_string().into());
}

/// One line about an error that no request can be answered with.
pub fn log_error(what: &str, error: &worker::Error) {
    log(&json!({ "level": "error", "what": what, "error": error.to_string() }));
}
