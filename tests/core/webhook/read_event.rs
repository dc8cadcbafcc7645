//! Reads events for the tests of what a body says.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::common::parse;
use ofauth_edge::core::webhook::{ConnectionChange, ConnectionEvent, Payload};

pub fn connection(body: &str) -> ConnectionEvent {
    match parse(body).unwrap().payload {
        Payload::Connection(connection) => *connection,
        other => panic!("{other:?} from {body}"),
    }
}

pub fn code(body: &str) -> &'static str {
    parse(body).map_or_else(|error| error.code(), |_| "ok")
}

#[expect(clippy::unnecessary_wraps, reason = "the fields it fills are optional")]
pub fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Nothing but an id.
pub fn nothing(change: ConnectionChange, id: &str) -> ConnectionEvent {
    ConnectionEvent {
        change,
        id: id.to_owned(),
        status: None,
        permissions: None,
        client_reference_id: None,
        platform_user_id: None,
        user_id: None,
        created_at: None,
        expires_at: None,
        last_checked_at: None,
        imported: None,
        name: None,
        username: None,
        avatar: None,
    }
}
