//! The log: JSON lines on the console, which Workers Logs collects.

use serde_json::json;
use worker::web_sys;

/// Writes one JSON line.
pub fn log(line: &serde_json::Value) {
    web_sys::console::log_1(&line.to_string().into());
}

/// Writes one line about an error that happened outside of a request, in `task`.
pub fn log_error(task: &str, error: &worker::Error) {
    log(&json!({ "level": "error", "what": task, "error": error.to_string() }));
}
