//! Events: what is read of a verified body. The fields of a connection are in `event_fields.rs`, hostile bodies in
//! `event_json.rs`, deliveries in `delivery.rs`.
//!
//! 1. The documented payloads of the four connection events, of the older SDKs and of realtime events are read.
//! 2. `rules.updated` and its older name have a revision, or none.
//! 3. Unknown types are `Other`, whatever their data. Unknown fields are skipped.
//! 4. A body without a type or a connection is not an event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::{
    common::{CREATED, DISCONNECTED, EXPIRED, NOW, REALTIME, SDK_CREATED, UPDATED, parse, signed},
    read_event::{code, connection, nothing, some},
};
use ofauth_edge::core::webhook::{ConnectionChange, ConnectionEvent, Event, Payload, Subject};
use serde_json::{Value, json};

fn documented(change: ConnectionChange, status: &str) -> ConnectionEvent {
    ConnectionEvent { status: some(status), client_reference_id: some("user_456"), ..nothing(change, "conn_abc123") }
}

fn with_person(event: ConnectionEvent, permissions: &[&str]) -> ConnectionEvent {
    ConnectionEvent {
        permissions: Some(permissions.iter().map(|&permission| permission.to_owned()).collect()),
        platform_user_id: some("of_user_456"),
        user_id: some("of_user_456"),
        name: some("Jane Doe"),
        username: some("janedoe"),
        avatar: Some(some("https://cdn.onlyfans.com/avatar.jpg")),
        ..event
    }
}

#[test]
fn all_fields_of_the_documented_created_event_are_read() {
    let expected = documented(ConnectionChange::Created, "active");
    assert_eq!(connection(CREATED), with_person(expected, &["profile:read", "posts:read"]));
    let Event { kind, timestamp, live, .. } = parse(CREATED).unwrap();
    assert_eq!((&*kind, timestamp.as_deref(), live), ("connection.created", Some("2024-01-15T10:30:00Z"), None));
}

#[test]
fn all_fields_of_the_documented_updated_event_are_read() {
    let expected = documented(ConnectionChange::Updated, "active");
    assert_eq!(connection(UPDATED), with_person(expected, &["profile:read", "posts:read", "messages:read"]));
}

#[test]
fn the_documented_expired_event_has_no_profile_and_no_permissions() {
    assert_eq!(connection(EXPIRED), documented(ConnectionChange::Expired, "expired"));
}

#[test]
fn the_documented_disconnected_event_has_no_profile_and_no_permissions() {
    assert_eq!(connection(DISCONNECTED), documented(ConnectionChange::Disconnected, "disconnected"));
}

#[test]
fn a_connection_event_needs_no_profile() {
    let body = r#"{"type":"connection.created","timestamp":"2024-01-15T10:30:00Z","data":{"clientReferenceId":"user_456","connection":{"id":"conn_abc123","status":"active"}}}"#;
    assert_eq!(connection(body), documented(ConnectionChange::Created, "active"));
}

#[test]
fn the_envelope_of_the_older_sdks_is_read() {
    let event = parse(SDK_CREATED).unwrap();
    assert_eq!((&*event.kind, event.timestamp, event.live), ("connection.created", None, Some(true)));
    let expected = ConnectionEvent {
        status: some("active"),
        client_reference_id: some("user_456"),
        platform_user_id: some("123456789"),
        user_id: some("123456789"),
        name: some("Example User"),
        username: some("example_user"),
        avatar: Some(None),
        ..nothing(ConnectionChange::Created, "conn_123456789")
    };
    assert_eq!(connection(SDK_CREATED), expected);
}

#[test]
fn live_is_true_false_or_absent() {
    let live = |live: &str| parse(format!(r#"{{"eventType":"x"{live},"data":{{}}}}"#)).unwrap().live;
    assert_eq!(live(r#","live":true"#), Some(true));
    assert_eq!(live(r#","live":false"#), Some(false));
    assert_eq!(live(r#","live":null"#), None);
    assert_eq!(live(""), None);
}

#[test]
fn without_live_the_environment_decides() {
    for (environment, live) in [
        (json!("live"), Some(true)),
        (json!("test"), Some(false)),
        (json!("sandbox"), Some(false)),
        (json!("Live"), None),
        (json!(""), None),
        (json!(null), None),
        (json!(true), None),
    ] {
        let connection = json!({ "id": "conn_1" });
        let data = json!({ "environment": environment, "connection": connection });
        for kind in ["connection.updated", "realtime.chat_message.received", "of.websocket.event.received"] {
            assert_eq!(parse(json!({ "type": kind, "data": data }).to_string()).unwrap().live, live, "{environment}");
        }
        let both = json!({ "eventType": "connection.updated", "live": true, "data": data }).to_string();
        assert_eq!(parse(both).unwrap().live, Some(true), "{environment}");
    }
}

#[test]
fn a_translated_realtime_event_is_an_event_and_names_its_user_and_connection() {
    for kind in ["realtime.chat_message.received", "realtime.chat_typing.updated", "realtime.system_messages.updated"] {
        let body = json!({ "type": kind, "timestamp": "2026-04-23T14:30:15.143Z", "data": {
            "connection": { "id": "conn_1", "clientReferenceId": "user_1" },
            "environment": "sandbox",
            "receivedAt": "2026-04-23T14:30:13.435435299Z",
            "eventBody": { "id": 9_372_017_685_098_i64, "text": "<p>hello</p>" },
        } })
        .to_string();
        let event = parse(&body).unwrap();
        assert_eq!((&*event.kind, event.live, event.payload), (kind, Some(false), Payload::Other));
        let subject = signed(body.as_bytes(), NOW, Subject::read);
        assert_eq!((subject.client_reference_id, subject.connection_id), (some("user_1"), some("conn_1")), "{kind}");
    }
}

#[test]
fn a_realtime_event_has_no_payload_and_has_its_timestamp() {
    let event = parse(REALTIME).unwrap();
    assert_eq!((&*event.kind, event.payload), ("of.websocket.event.received", Payload::Other));
    assert_eq!(event.timestamp.as_deref(), Some("2026-04-23T14:30:15.143Z"));
}

#[test]
fn rules_events_have_their_revision_under_both_type_names() {
    for kind in ["rules.updated", "rules.update"] {
        let revision = |data: Value| parse(json!({ "type": kind, "data": data }).to_string()).unwrap().payload;
        assert_eq!(revision(json!({ "revision": "rev-1" })), Payload::Rules(some("rev-1")));
        assert_eq!(revision(json!({ "revision": 42, "more": [] })), Payload::Rules(some("42")));
    }
}

#[test]
fn rules_events_may_have_no_revision() {
    for body in [r#"{"type":"rules.updated"}"#, r#"{"type":"rules.updated","data":{}}"#] {
        assert_eq!(parse(body).unwrap().payload, Payload::Rules(None), "{body}");
    }
}

#[test]
fn events_of_unknown_types_are_accepted_with_any_data() {
    let kinds = [
        "connection.paused",
        "Connection.Created",
        "connection.created ",
        "connection",
        "realtime.typing",
        "x",
        "payout.é",
    ];
    for kind in kinds {
        for data in ["null", "1", "[]", r#""text""#, r#"{"connection":1,"connection":2}"#] {
            let event = parse(format!(r#"{{"type":"{kind}","data":{data}}}"#)).unwrap();
            assert_eq!((&*event.kind, event.payload), (kind, Payload::Other), "{data}");
        }
        assert_eq!(parse(json!({ "type": kind }).to_string()).unwrap().payload, Payload::Other);
    }
}

#[test]
fn unknown_fields_are_skipped_everywhere() {
    let body = r#"{"v":2,"type":"connection.updated","data":{"x":[],"connection":{"id":"conn_1","mood":{"a":1},"status":"active","userData":{"age":30}}},"z":null}"#;
    let expected = ConnectionEvent { status: some("active"), ..nothing(ConnectionChange::Updated, "conn_1") };
    assert_eq!(connection(body), expected);
}

#[test]
fn type_goes_before_event_type() {
    assert_eq!(parse(r#"{"eventType":"b","type":"a"}"#).unwrap().kind, "a");
    assert_eq!(parse(r#"{"eventType":"b","type":null}"#).unwrap().kind, "b");
}

#[test]
fn a_body_without_a_valid_type_is_not_an_event() {
    for kind in ["null", "1", "[]", "{}", r#""""#, r#""a\u0000b""#, r#""a\nb""#] {
        assert_eq!(code(&format!(r#"{{"type":{kind}}}"#)), "INVALID_EVENT", "{kind}");
    }
    assert_eq!(code("{}"), "INVALID_EVENT");
    assert_eq!(code(r#"{"Type":"a"}"#), "INVALID_EVENT");
}

#[test]
fn a_type_has_at_most_128_bytes() {
    assert_eq!(code(&json!({ "type": "t".repeat(128) }).to_string()), "ok");
    assert_eq!(code(&json!({ "type": "t".repeat(129) }).to_string()), "INVALID_EVENT");
}

#[test]
fn a_connection_event_without_a_connection_is_not_an_event() {
    for data in ["null", "{}", "1", r#"{"connection":null}"#, r#"{"connection":{}}"#, r#"{"connection":"conn_1"}"#] {
        assert_eq!(code(&format!(r#"{{"type":"connection.created","data":{data}}}"#)), "INVALID_EVENT", "{data}");
    }
    assert_eq!(code(r#"{"type":"connection.expired"}"#), "INVALID_EVENT");
}
