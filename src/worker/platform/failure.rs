//! Failures: what the caller is told, and what only the log says.

use std::fmt::Display;

use wasm_bindgen::JsValue;

use crate::core::gateway::EdgeError;

/// An error to answer with, and what only the log may say of it.
pub struct Failure {
    pub error: EdgeError,
    pub detail: Option<String>,
}

impl Failure {
    /// Storage did not answer; `what` and its own words go to the log.
    pub fn storage(what: &str, error: &dyn Display) -> Self {
        Self { error: EdgeError::StorageUnavailable, detail: Some(format!("{what}: {error}")) }
    }

    /// OFAuth did not answer; the platform's words go to the log.
    pub fn upstream(error: JsValue) -> Self {
        let detail = worker::Error::from(error).to_string();
        Self { error: EdgeError::UpstreamUnreachable, detail: Some(detail) }
    }
}

impl From<EdgeError> for Failure {
    fn from(error: EdgeError) -> Self {
        Self { error, detail: None }
    }
}
