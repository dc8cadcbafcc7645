//! Events: what is read of a verified body. Hostile bodies are in `event_json.rs`, deliveries in `delivery.rs`.
//!
//! 1. The documented payloads of the four connection events, of the older SDKs and of realtime events are read.
//! 2. `rules.updated` and its older name have a revision, or none.
//! 3. Unknown types are `Other`, whatever their data. Unknown fields are skipped.
//! 4. Ids are strings or numbers, and are read as they are written.
//! 5. Null counts as absent. Only a null avatar says that there is none.
//! 6. Each name is read where either of the two documents has it.
//! 7. A body without a type, a connection or a valid id is not an event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{CREATED, DISCONNECTED, EXPIRED, NOW, REALTIME, SDK_CREATED, UPDATED, parse, signed};
use ofauth_edge::core::webhook::{
    ConnectionChange, ConnectionEvent, Event, MAX_PERMISSIONS_BYTES, MAX_TEXT_BYTES, Payload, Subject,
};
use serde_json::{Value, json};

fn connection(body: &str) -> ConnectionEvent {
    match parse(body).unwrap().payload {
        Payload::Connection(connection) => *connection,
        other => panic!("{other:?} from {body}"),
    }
}

/// A `connection.updated` about `connection`, whose id may be left out.
fn updated(connection: Value) -> ConnectionEvent {
    let mut whole = json!({ "id": "conn_1" });
    whole.as_object_mut().unwrap().extend(connection.as_object().unwrap().clone());
    self::connection(&json!({ "type": "connection.updated", "data": { "connection": whole } }).to_string())
}

fn code(body: &str) -> &'static str {
    parse(body).map_or_else(|error| error.code(), |_| "ok")
}

#[expect(clippy::unnecessary_wraps, reason = "the fields it fills are optional")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Nothing but an id.
fn nothing(change: ConnectionChange, id: &str) -> ConnectionEvent {
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
