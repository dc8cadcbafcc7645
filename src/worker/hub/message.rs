//! What a hub is told and asked.

use serde::{Deserialize, Serialize};

use crate::core::{connection::Record, gateway::link::PendingLink};

/// What a hub is told or asked. It carries the hub's own name: an object may not know it.
#[derive(Debug, Serialize, Deserialize)]
pub enum Message {
    /// By a ledger.
    Told(Told),
    /// All connections of the user.
    List,
    /// About Link sessions.
    Link(Question),
}

/// What a ledger tells a hub about one connection.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    /// The connection.
    pub handle: String,
    /// The ledger's version.
    pub version: i64,
    /// What it looks like, or `None` once it belongs to another user, to none, or is no more.
    pub record: Option<Record>,
}

impl Message {
    pub(super) fn is_write(&self) -> bool {
        matches!(self, Self::Told(_) | Self::Link(Question::Expect(..)))
    }
}

/// What a hub is asked about Link sessions.
#[derive(Debug, Serialize, Deserialize)]
pub enum Question {
    /// Remember this one until then.
    Expect(PendingLink, i64),
    /// Which are under way?
    All,
    /// May it cost one more page?
    TakePage(i64),
    /// It has ended.
    End(i64),
    /// Forget them all.
    Forget,
}
