//! What goes into a ledger, and what comes out of its timeline.

use serde::{Deserialize, Serialize};

use crate::core::{
    connection::{Changes, Fact, FactOrder, Rank},
    storage::StoredBody,
};

/// One delivery, on its way into the ledger.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    /// OFAuth's connection id.
    pub id: String,
    /// The event's type.
    pub kind: String,
    /// When it came, in unix milliseconds.
    pub received: i64,
    /// What it asserts.
    pub fact: Fact,
    /// Whether a call showed it: then it is no news if the record says the same.
    pub learned: bool,
}

impl Entry {
    /// What the gateway learned of a connection by a call, dated to the call's start: a late answer never undoes what
    /// happened meanwhile.
    pub fn own(id: &str, what: &str, rank: Rank, changes: Changes, at: i64, request_id: &str) -> Self {
        let order = FactOrder { stamp: at, rank, delivery: request_id.to_owned() };
        let kind = format!("edge.{what}");
        Self { id: id.to_owned(), kind, received: at, fact: Fact { at: order, changes }, learned: false }
    }
}

/// A page of what was delivered, newest first.
#[derive(Debug, Serialize, Deserialize)]
pub struct Timeline {
    pub list: Vec<Delivered>,
    /// The place before which the next page begins, if there is one.
    pub rest: Option<i64>,
}

/// A delivery as it is kept. Times are ISO 8601.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivered {
    pub id: String,
    /// The event's type; `edge.…` for what the gateway learned itself.
    #[serde(rename = "type")]
    pub kind: String,
    pub received_at: String,
    pub stamp: String,
    pub outcome: String,
    /// The raw body, as long as it is kept.
    #[serde(flatten)]
    pub body: Option<StoredBody>,
}
