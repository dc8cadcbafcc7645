//! The log: JSON lines on the console, which Workers Logs collects.

use serde::Serialize;
use worker::web_sys;

use super::error::Error;

/// Writes one JSON line.
pub fn log(line: &impl Serialize) {
    web_sys::console::log_1(&serde_json::to_string(line).unwrap_or_default().into());
}

/// Writes one line about an error that happened outside of a request, in `task`.
pub fn log_error(task: &str, error: &Error) {
    #[derive(Serialize)]
    struct Line<'a> {
        level: &'a str,
        what: &'a str,
        error: String,
    }
    log(&Line { level: "error", what: task, error: error.to_string() });
}
