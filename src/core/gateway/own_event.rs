//! The events that the gateway itself makes: what it learned about a connection before OFAuth said so, or without OFAuth.
//!
//! They are forwarded as OFAuth's events are. One in JSON:
//!
//! ```json
//! {
//!   "type": "edge.connection.expired",
//!   "timestamp": "2026-11-28T07:56:45.000Z",
//!   "data": { "clientReferenceId": "user_456", "connection": { "id": "conn_abc123", "status": "expired" } }
//! }
//! ```
//!
//! | `type` | `status` | what the gateway has seen |
//! |---|---|---|
//! | `edge.connection.expired` | `expired` | a call was refused because the session is over, or the connection was invalidated through the gateway |
//! | `edge.connection.active` | `active` | a call succeeded on a connection that was expired or missing |
//! | `edge.connection.missing` | `missing` | OFAuth made a new connection where this one was to be linked again |
//! | `edge.connection.deleted` | `disconnected` | the connection was deleted through the gateway |
//!
//! `timestamp` is when the gateway's call began. `clientReferenceId` is null if it is not known.
//!
//! Two kinds have another form: [`account_changed_event`], which comes with the event or the list item that names another
//! account, and [`link_event`], which says how a user's Link session ended without a connection.

use crate::core::{
    connection::{ACTIVE, DISCONNECTED, EXPIRED, MISSING, Record},
    instant::iso_8601,
};

/// The type of the event that a connection's account became another one. Its delivery in the timeline has it too.
pub const ACCOUNT_CHANGED: &str = "edge.connection.account_changed";

/// An event of the gateway's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnEvent {
    /// Its type.
    pub kind: &'static str,
    /// The connection's status after it.
    status: &'static str,
}

impl OwnEvent {
    /// The event for a delivery of this type. `None` if the delivery is OFAuth's, or says nothing that an app must know at
    /// once.
    pub fn of_delivery(kind: &str) -> Option<Self> {
        let (kind, status) = match kind {
            "edge.expired" | "edge.invalidated" => ("edge.connection.expired", EXPIRED),
            "edge.active" => ("edge.connection.active", ACTIVE),
            "edge.missing" => ("edge.connection.missing", MISSING),
            "edge.deleted" => ("edge.connection.deleted", DISCONNECTED),
            _ => return None,
        };
        Some(Self { kind, status })
    }

    /// The body. `stamp` is in unix ms.
    pub fn body(self, stamp: i64, record: &Record) -> String {
        let Self { kind, status } = self;
        let [reference, id] = [record.client_reference_id.as_deref(), Some(record.id.as_str())]
            .map(|text| serde_json::to_string(&text).unwrap_or_default());
        let timestamp = iso_8601(stamp);
        format!(
            r#"{{"type":"{kind}","timestamp":"{timestamp}","data":{{"clientReferenceId":{reference},"connection":{{"id":{id},"status":"{status}"}}}}}}"#
        )
    }
}

/// The body of [`ACCOUNT_CHANGED`]. `former` is the OnlyFans user id that the connection had before, and `record` is the
/// connection's record afterwards.
///
/// It is stored with its delivery, because the account may change again before the event is sent.
pub fn account_changed_event(former: Option<&str>, record: &Record) -> String {
    let members = [
        (r#"{"type":"#, Some(ACCOUNT_CHANGED)),
        (r#","timestamp":"#, record.account_changed_at.as_deref()),
        (r#","data":{"clientReferenceId":"#, record.client_reference_id.as_deref()),
        (r#","connection":{"id":"#, Some(&record.id)),
        (r#","status":"#, Some(&record.status)),
        (r#","platformUserId":"#, record.platform_user_id.as_deref()),
        (r#","formerPlatformUserId":"#, former),
    ];
    let mut body = String::new();
    for (name, text) in members {
        body.push_str(name);
        body.push_str(&serde_json::to_string(&text).unwrap_or_default());
    }
    body + "}}}"
}

/// The type and the body of an event about a Link session that made no connection: `edge.link.cancelled`, with the `step` at which
/// the user gave up, or `edge.link.failed`, with the `errorCode`. `detail` is the step or the code, which the user's browser
/// brought. `reference` is the user's clientReferenceId, and `stamp` is in unix ms.
pub fn link_event(has_failed: bool, detail: Option<&str>, reference: &str, stamp: i64) -> (&'static str, String) {
    let (kind, name) = if has_failed { ("edge.link.failed", "errorCode") } else { ("edge.link.cancelled", "step") };
    let [reference, detail] = [Some(reference), detail].map(|text| serde_json::to_string(&text).unwrap_or_default());
    let timestamp = iso_8601(stamp);
    let body = format!(
        r#"{{"type":"{kind}","timestamp":"{timestamp}","data":{{"clientReferenceId":{reference},"{name}":{detail}}}}}"#
    );
    (kind, body)
}

/// Whether this is the type of an event that [`link_event`] writes.
pub fn is_link_event(kind: &str) -> bool {
    kind.starts_with("edge.link.")
}
