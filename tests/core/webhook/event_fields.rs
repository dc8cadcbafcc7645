//! The fields of a connection in an event.
//!
//! 1. Ids are strings or numbers, and are read as they are written. Statuses and times are read as they are written.
//! 2. Null counts as absent, and so does a field of another type, a text that is too long, and an empty id of a user. Only a
//!    null avatar says that there is none.
//! 3. Each name is read where either of the two documents has it.
//! 4. A body without a valid id of a connection is not an event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::{
    common::{CREATED, parse},
    read_event::{code, connection, nothing, some},
};
use ofauth_edge::core::webhook::{ConnectionChange, ConnectionEvent, MAX_PERMISSIONS_BYTES, MAX_TEXT_BYTES, Payload};
use serde_json::{Value, json};

/// A `connection.updated` about `connection`, whose id may be left out.
fn updated(connection: Value) -> ConnectionEvent {
    let mut whole = json!({ "id": "conn_1" });
    whole.as_object_mut().unwrap().extend(connection.as_object().unwrap().clone());
    self::connection(&json!({ "type": "connection.updated", "data": { "connection": whole } }).to_string())
}

#[test]
fn an_unknown_status_is_read_as_written() {
    for status in ["awaiting_2fa", "revoked", "Zzz", ""] {
        assert_eq!(updated(json!({ "status": status })).status, some(status));
    }
}

#[test]
fn ids_may_be_numbers_and_are_read_as_written() {
    for id in ["0", "123456789", "9007199254740993", "123456789012345678901234567890", "-5", "1.50", "1e3"] {
        let body = format!(
            r#"{{"type":"connection.updated","data":{{"clientReferenceId":{id},"connection":{{"id":{id},"platformUserId":{id},"userData":{{"id":{id}}}}}}}}}"#
        );
        let event = connection(&body);
        let ids = [Some(event.id), event.client_reference_id, event.platform_user_id, event.user_id];
        assert_eq!(ids, [some(id), some(id), some(id), some(id)]);
    }
}

#[test]
fn ids_may_be_escaped_strings() {
    assert_eq!(updated(json!({ "platformUserId": "a\"\u{e9}\n" })).platform_user_id, some("a\"\u{e9}\n"));
    assert_eq!(connection(&CREATED.replace("conn_abc123", r"conn\u005fabc123")).id, "conn_abc123");
}

#[test]
fn a_connection_event_needs_an_id_that_is_text_or_a_number() {
    for id in ["true", "[]", "{}", "[1]", "null"] {
        let body = format!(r#"{{"type":"connection.disconnected","data":{{"connection":{{"id":{id}}}}}}}"#);
        assert_eq!(code(&body), "INVALID_EVENT", "{id}");
    }
}

#[test]
fn a_field_of_another_type_is_absent_and_the_others_are_read() {
    let odd = [
        ("clientReferenceId", json!({})),
        ("status", json!(["active"])),
        ("permissions", json!(["a", null])),
        ("permissions", json!("a")),
        ("platformUserId", json!(true)),
        ("createdAt", json!(5)),
        ("expiresAt", json!(1_760_000_000)),
        ("imported", json!("true")),
        ("userData", json!("x")),
        ("userData", json!({ "id": [], "name": 5, "username": {}, "avatar": 7 })),
    ];
    let nothing = updated(json!({}));
    for (field, value) in odd {
        let event = updated(json!({ field: value }));
        assert_eq!(event, nothing, "{field}");
    }
}

#[test]
fn a_text_that_is_too_long_counts_as_absent() {
    for (bytes, taken) in [(MAX_TEXT_BYTES, true), (MAX_TEXT_BYTES + 1, false)] {
        let event = updated(json!({ "status": "x".repeat(bytes), "userData": { "name": "x".repeat(bytes) } }));
        assert_eq!((event.status.is_some(), event.name.is_some()), (taken, taken));
    }
    let permissions = |count| updated(json!({ "permissions": vec!["xxxxx"; count] })).permissions;
    assert!(permissions(MAX_PERMISSIONS_BYTES / 8).is_some());
    assert!(permissions(MAX_PERMISSIONS_BYTES / 8 + 1).is_none());
}

#[test]
fn null_counts_as_absent() {
    let nulls = json!({
        "clientReferenceId": null, "status": null, "permissions": null, "platformUserId": null, "createdAt": null,
        "expiresAt": null, "imported": null, "userData": null,
    });
    assert_eq!(updated(nulls), nothing(ConnectionChange::Updated, "conn_1"));
    let nulls = json!({ "userData": { "id": null, "userId": null, "name": null, "username": null } });
    assert_eq!(updated(nulls), nothing(ConnectionChange::Updated, "conn_1"));
    let body = r#"{"type":"connection.updated","timestamp":null,"data":{"clientReferenceId":null,"connection":{"id":"conn_1"}}}"#;
    assert_eq!(connection(body), nothing(ConnectionChange::Updated, "conn_1"));
    assert_eq!(parse(body).unwrap().timestamp, None);
}

#[test]
fn a_null_avatar_says_that_there_is_none() {
    assert_eq!(updated(json!({ "userData": { "avatar": null } })).avatar, Some(None));
    assert_eq!(updated(json!({ "userData": { "avatar": "a.jpg" } })).avatar, Some(some("a.jpg")));
    assert_eq!(updated(json!({ "userData": {} })).avatar, None);
}

#[test]
fn the_client_reference_id_is_read_from_data_or_from_the_connection() {
    let reference = |data: Value| {
        connection(&json!({ "type": "connection.updated", "data": data }).to_string()).client_reference_id
    };
    assert_eq!(reference(json!({ "clientReferenceId": "a", "connection": { "id": "c" } })), some("a"));
    assert_eq!(reference(json!({ "connection": { "id": "c", "clientReferenceId": "b" } })), some("b"));
}

#[test]
fn the_user_id_is_read_under_either_name() {
    assert_eq!(updated(json!({ "userData": { "id": 1 } })).user_id, some("1"));
    assert_eq!(updated(json!({ "userData": { "userId": 2 } })).user_id, some("2"));
    assert_eq!(updated(json!({ "platformUserId": 3 })).platform_user_id, some("3"));
    assert_eq!(updated(json!({ "userData": { "userId": 2 } })).platform_user_id, some("2"));
}

#[test]
fn times_and_imported_are_read_as_written() {
    let event =
        updated(json!({ "createdAt": "2024-01-15T10:30:00Z", "expiresAt": "2024-02-15T10:30:00Z", "imported": true }));
    let times = (event.created_at.as_deref(), event.expires_at.as_deref(), event.imported);
    assert_eq!(times, (Some("2024-01-15T10:30:00Z"), Some("2024-02-15T10:30:00Z"), Some(true)));
}

#[test]
fn expired_at_is_not_read_as_expires_at() {
    assert_eq!(updated(json!({ "expiredAt": "2024-01-15T10:30:00Z" })).expires_at, None);
}

#[test]
fn an_id_that_cannot_be_a_segment_of_a_path_is_not_a_connection_id() {
    for id in [".", "..", "conn/slash", "conn%2e", "conn%2F", "conn\"\\x", "../self", "a%5cb", "%252e"] {
        let body = json!({ "type": "connection.created", "data": { "connection": { "id": id } } }).to_string();
        assert_eq!(code(&body), "INVALID_EVENT", "{id:?}");
    }
    for id in ["conn\"x", "conn?a=b#c", "100%", "conn%zz", "a.b", "acct_00112233445566778899aabbccddeeff"] {
        assert_eq!(updated(json!({ "id": id })).id, id);
    }
}

#[test]
fn an_empty_id_of_a_user_counts_as_absent() {
    let event =
        updated(json!({ "id": "conn_1", "clientReferenceId": "", "platformUserId": "", "userData": { "id": "" } }));
    assert_eq!((event.client_reference_id, event.platform_user_id, event.user_id), (None, None, None));
    let data = json!({ "clientReferenceId": "", "connection": { "id": "conn_1", "clientReferenceId": "user_1" } });
    let body = json!({ "type": "connection.updated", "data": data }).to_string();
    let Payload::Connection(event) = parse(&body).unwrap().payload else { panic!("{body}") };
    assert_eq!(event.client_reference_id.as_deref(), Some("user_1"));
}

#[test]
fn an_id_that_cannot_be_a_header_value_is_not_a_connection_id() {
    let long = "c".repeat(257);
    for id in ["", " ", "conn 1", "conn_1,conn_2", "conn_\u{e9}", "conn_1\n", "conn_1\0", "conn_1\u{7f}", &long] {
        let body = json!({ "type": "connection.created", "data": { "connection": { "id": id } } }).to_string();
        assert_eq!(code(&body), "INVALID_EVENT", "{id:?}");
    }
    assert_eq!(updated(json!({ "id": &long[1..] })).id, long[1..]);
}
