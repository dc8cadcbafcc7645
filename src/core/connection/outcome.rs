//! How the gateway handled a webhook.

use serde::{Deserialize, Serialize};

/// How the gateway handled a webhook. This is the `outcome` in its answer, `{"outcome":"applied"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A connection event changed at least one field of the connection.
    Applied,
    /// A connection event arrived for the first time and changed nothing, usually because a newer one came before it.
    Stale,
    /// A connection event arrived again: its delivery id is already stored.
    Duplicate,
    /// The webhook is not a connection event, and it was stored.
    Kept,
    /// The webhook is not a connection event, and `EVENT_KEEP` does not select its type.
    Ignored,
}

impl Outcome {
    /// The outcome as JSON and the log write it, such as `applied`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Stale => "stale",
            Self::Duplicate => "duplicate",
            Self::Kept => "kept",
            Self::Ignored => "ignored",
        }
    }
}
