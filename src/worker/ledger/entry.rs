//! Deliveries on their way into a ledger, and the timeline that comes out of it.
//!
//! During a roll-out, an older build may send or receive these. So their names in JSON are a contract.

use serde::{Deserialize, Serialize};

use crate::core::{
    connection::{Changes, Fact, FactOrder, Outcome, Rank},
    gateway::OwnEvent,
    storage::{Encoding, StoredBody},
};

/// A delivery for a ledger. The raw body is sent beside it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    /// OFAuth's connection id.
    pub id: String,
    /// The event's type; `edge.…` for what the gateway learned itself.
    pub kind: String,
    /// When it was received, in unix ms.
    pub received: i64,
    /// What it says about the connection.
    pub fact: Fact,
    /// Whether it was only observed, such as in the answer to a call. It is then stored only if it is news: see
    /// [`Connection::is_news`](crate::core::connection::Connection::is_news).
    pub learned: bool,
    /// Who caused what the gateway learned itself: see [`Call::actor`](crate::worker::http::Call::actor). Older builds do not
    /// send it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The OnlyFans user id that somebody accepts as the connection's. Older builds do not know it: they do nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepts: Option<String>,
}

impl Entry {
    /// Whether the gateway learned this itself, and not by a webhook.
    pub fn is_own(&self) -> bool {
        self.kind.starts_with("edge.")
    }

    /// Whether it is an event for the app: OFAuth's, or one of the gateway's own.
    pub fn is_event(&self) -> bool {
        !self.is_own() || OwnEvent::of_delivery(&self.kind).is_some()
    }

    /// What the gateway learned about a connection itself. `at` is when it began to learn this, such as the start of a call, in
    /// unix ms. So a late answer does not undo what happened meanwhile. `delivery` is the delivery's id, such as the call's.
    pub fn own(id: &str, what: &str, rank: Rank, changes: Changes, at: i64, delivery: &str) -> Self {
        let order = FactOrder { stamp: at, rank, delivery: delivery.to_owned() };
        let kind = format!("edge.{what}");
        Self {
            id: id.to_owned(),
            kind,
            received: at,
            fact: Fact { at: order, changes },
            learned: false,
            actor: Some("gateway".to_owned()),
            accepts: None,
        }
    }

    /// Sets who caused it. Without this it is the gateway itself.
    #[must_use]
    pub fn by(self, actor: &str) -> Self {
        Self { actor: Some(actor.to_owned()), ..self }
    }
}

/// The result of a write to a ledger.
#[derive(Debug)]
pub struct Entered {
    pub outcome: Outcome,
    /// The version that KV or the hub lacks.
    pub dirty_version: Option<i64>,
}

/// A page of deliveries, the newest first.
#[derive(Debug, Serialize, Deserialize)]
pub struct Timeline {
    pub list: Vec<Delivered>,
    /// The place before which the next page begins, if there is one.
    pub rest: Option<i64>,
}

/// A stored delivery. Times are ISO 8601.
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
    /// Who caused what the gateway learned itself, unless an older build stored it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// How `body` stands for the raw body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// The raw body, for EVENT_TTL_SECONDS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl Delivered {
    /// Removes the raw body and returns it.
    pub fn take_body(&mut self) -> Option<StoredBody> {
        let (encoding, body) = self.encoding.take().zip(self.body.take())?;
        Some(StoredBody { encoding, body })
    }

    /// Sets the raw body.
    #[must_use]
    pub fn with_body(self, body: Option<StoredBody>) -> Self {
        let (encoding, body) = body.map(|StoredBody { encoding, body }| (encoding, body)).unzip();
        Self { encoding, body, ..self }
    }
}
