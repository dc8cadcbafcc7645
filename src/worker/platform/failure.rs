//! Failures of storage and of OFAuth: the caller gets the gateway's error, and only the log gets the detail.

use std::fmt::Display;

use wasm_bindgen::JsValue;

use super::error::Error;
use crate::core::gateway::EdgeError;

/// An error for the caller, with a detail for the log.
pub struct Failure {
    /// What the caller gets.
    pub error: EdgeError,
    /// What went wrong inside. The caller never sees it, because it may name internals.
    pub detail: Option<String>,
}

impl Failure {
    /// STORAGE_UNAVAILABLE (503): a storage failed. `store` says which: `kv`, `hub` or `ledger`.
    pub fn storage(store: &str, error: &dyn Display) -> Self {
        Self { error: EdgeError::StorageUnavailable, detail: Some(format!("{store}: {error}")) }
    }

    /// UPSTREAM_UNREACHABLE (502): OFAuth gave no answer, or none that can be understood.
    pub fn upstream(error: JsValue) -> Self {
        let detail = Error::from(error).to_string();
        Self { error: EdgeError::UpstreamUnreachable, detail: Some(detail) }
    }
}

impl From<EdgeError> for Failure {
    fn from(error: EdgeError) -> Self {
        Self { error, detail: None }
    }
}
