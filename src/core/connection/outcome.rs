//! What became of a delivery.

use serde::{Deserialize, Serialize};

/// What became of a delivery: the `outcome` of a webhook's 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Some register of the connection changed.
    Applied,
    /// A new delivery that changed nothing: a newer one came before it.
    Stale,
    /// Another copy of this delivery came before it.
    Duplicate,
    /// Not about a connection, and kept.
    Kept,
    /// Not about a connection, and of a type that is not kept.
    Ignored,
}

impl Outcome {
    /// The word itself.
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
