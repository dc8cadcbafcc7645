//! The messages that a hub takes.
//!
//! During a roll-out, an older build may send or receive them. So their names in JSON are a contract, and some differ from
//! the names here.

use serde::{Deserialize, Serialize};

use crate::core::{connection::Record, gateway::link::PendingLink};

/// The answer to a message that asks for nothing, and to one that asks for what is not there.
pub(super) const NULL: &str = "null";

/// A message to a hub. It is sent together with the hub's name, because an object may not know its own.
#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "most messages are the largest variant")]
pub enum Message {
    /// From a ledger: a connection of the user has changed or left.
    #[serde(rename = "Told")]
    Update(HubUpdate),
    /// Answers all records of the user.
    List,
    /// Answers a page of the user's list and how many connections match. It has only connections with this status, if one
    /// is given, at most as many as the first number, after as many as the second. The answer is null if the hub cannot
    /// select by an index; then all records must be asked for.
    Page((Option<String>, i64, i64)),
    /// Answers at most two records, among which the user's default connection can be chosen as among all. The answer is
    /// null as for a page.
    Candidates,
    /// Answers the record with this handle, or null.
    Get(String),
    /// Seals all records under the newest key. Answers how many values of this handle are sealed under each key.
    Reseal(String),
    /// About the user's Link sessions.
    Link(LinkRequest),
    /// Asks how far the erasure of this number is. Without a number, joins the one that runs, or starts one. The answer is an
    /// [`ErasureProgress`](super::erasure_message::ErasureProgress).
    Erase(Option<i64>),
    /// Comes with a WebSocket. Answers whether it was opened, which it is unless the user has too many. The text has three parts
    /// with spaces between: when the token expires, in unix ms; the number of the last change that the page has seen, or
    /// nothing; and the handle of the only connection that the token is for, or nothing.
    Live(String),
}

/// A change of one connection.
#[derive(Debug, Serialize, Deserialize)]
pub struct HubUpdate {
    pub handle: String,
    /// The ledger's version. An older one than the hub has is ignored.
    pub version: i64,
    /// `None` if the connection belongs to another user now, or to nobody, or was erased.
    pub record: Option<Record>,
}

/// A request about Link sessions.
#[derive(Debug, Serialize, Deserialize)]
pub enum LinkRequest {
    /// Stores a session until an instant in unix ms.
    #[serde(rename = "Expect")]
    Add(PendingLink, i64),
    /// Answers the pending sessions, the newest first, each with its key.
    #[serde(rename = "All")]
    List,
    /// Notes that the session with this key has ended with the connection of this handle.
    Settle(i64, String),
    /// Asks whether OFAuth's list may be read for the session with this key now, and notes that it is.
    LookUp(i64),
    /// Only older builds send it. The answer is always no.
    #[serde(rename = "TakePage")]
    CountPage(i64),
    /// Deletes the session with this key.
    #[serde(rename = "End")]
    Remove(i64),
    /// Only older builds send it. Deletes all sessions.
    #[serde(rename = "Forget")]
    Clear,
}

impl Message {
    /// Whether a hub without tables must create them.
    pub(super) fn needs_tables(&self) -> bool {
        matches!(self, Self::Update(_) | Self::Link(LinkRequest::Add(..)) | Self::Erase(_) | Self::Live(_))
    }
}
