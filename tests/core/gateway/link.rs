//! The beginning of Link: the body of an init request, and the connection that is reconnected. OFAuth's answer is in
//! `link_answer.rs`. The way back is in `link_callback.rs` and `link_return.rs`.
//!
//! 1. A body is an object, empty or absent. `connectionId` is a name, null or absent.
//! 2. A session's body is forwarded with its own user and the gateway's callback, and little else of what it received.
//! 3. A server's body is forwarded as received, except for the connection.
//! 4. If no connection is named, the only expired one is reconnected, if none is active.
//! 5. A server's private Link returns through the gateway.
//! 6. No body of a request or of an answer makes a reader panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::one_in;
use ofauth_edge::core::{
    connection::{Changes, Connection, Fact, FactOrder, Rank, Record},
    gateway::{
        Session,
        link::{HostedLink, InitRequest, RequestedConnection, connection_to_reconnect, expires_at},
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};

const ORIGIN: &str = "https://edge.example.com";
const CALLBACK: &str = "https://edge.example.com/link/callback";
/// 2024-01-15T10:30:00Z
const NOW: i64 = 1_705_314_600_000;
const HOUR: i64 = 3_600_000;

fn init(body: &str) -> InitRequest {
    InitRequest::read(body.as_bytes()).unwrap()
}

fn asked(body: &str) -> RequestedConnection {
    init(body).connection
}

fn session() -> Session {
    Session { client_reference_id: "user_1".to_owned(), permissions: Vec::new(), connection: None, expires_at: 0 }
}

/// What goes up for a session.
fn for_session(body: &str, asked: Option<&str>) -> Value {
    serde_json::from_str(&init(body).session_body(&session(), ORIGIN, asked)).unwrap()
}

fn record(status: &str) -> Record {
    let mut connection = Connection::new(format!("conn_{status}"));
    let at = FactOrder { stamp: NOW, rank: Rank::Created, delivery: String::new() };
    connection.apply(Fact { at, changes: Changes::status(status) });
    connection.record(format!("acct_{status}"))
}

/// The id that a user with connections of these statuses links again.
fn reconnects(statuses: &[&str]) -> Option<String> {
    let theirs: Vec<_> = statuses.iter().map(|status| record(status)).collect();
    connection_to_reconnect(&theirs).map(|record| record.id.clone())
}

#[test]
fn a_body_may_be_absent_or_empty() {
    for body in ["", "{}", " { } \n"] {
        assert_eq!(asked(body), RequestedConnection::Unspecified, "{body:?}");
    }
    assert_eq!(for_session("", None), json!({ "clientReferenceId": "user_1", "redirectUrl": CALLBACK }));
}

#[test]
fn a_body_that_is_not_an_object_is_refused() {
    let bodies: [&[u8]; 14] = [
        b" ",
        b"null",
        b"[]",
        b"[{}]",
        b"\"x\"",
        b"1",
        b"{",
        b"{}{}",
        b"{} x",
        b"{'a':1}",
        b"{\"a\":}",
        b"{\"a\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        b"connectionId=conn_1",
    ];
    for body in bodies {
        assert_eq!(InitRequest::read(body).unwrap_err().code(), "BAD_REQUEST", "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn connection_id_names_a_connection_or_is_null_or_absent() {
    let named = |name: &str| RequestedConnection::Named(name.to_owned());
    assert_eq!(asked(r#"{"redirectUrl":"x"}"#), RequestedConnection::Unspecified);
    assert_eq!(asked(r#"{"connectionId": null }"#), RequestedConnection::New);
    assert_eq!(asked(r#"{"connectionId":"conn_1"}"#), named("conn_1"));
    assert_eq!(asked(r#"{"connection\u0049d":"conn\u005f1"}"#), named("conn_1"));
    assert_eq!(asked(r#"{"connectionid":"conn_1","connection_id":"conn_1"}"#), RequestedConnection::Unspecified);
    assert_eq!(asked(r#"{"connectionId":""}"#), named(""));
}

#[test]
fn connection_id_must_be_text_or_null() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for odd in [
        "1",
        "-1.5e3",
        "1e999",
        "true",
        "false",
        "[]",
        "{}",
        r#"["conn_1"]"#,
        r#"{"id":"conn_1"}"#,
        &deep,
        r#""\ud800""#,
    ] {
        let refused = InitRequest::read(format!(r#"{{"connectionId":{odd}}}"#).as_bytes()).unwrap_err();
        assert_eq!(refused.code(), "BAD_REQUEST", "{}", &odd[..odd.len().min(20)]);
    }
}

#[test]
fn if_a_key_occurs_twice_the_last_value_counts_everywhere() {
    let twice = r#"{"connectionId":"conn_1","connectionId":null,"clientReferenceId":"a","clientReferenceId":"b"}"#;
    assert_eq!(asked(twice), RequestedConnection::New);
    assert_eq!(init(twice).client_reference_id().as_deref(), Some("b"));
    let up = init(twice).server_body(None);
    assert_eq!(up, r#"{"clientReferenceId":"b"}"#);
}

#[test]
fn a_sessions_body_has_its_own_user_and_callback_and_few_received_fields() {
    let body = json!({
        "clientAppId": "app_1",
        "geolocation": { "country": "US", "state": "CA", "city": null },
        "clientReferenceId": "user_2",
        "redirectUrl": "https://evil.example/",
        "connectionId": "conn_2",
        "apikey": "sk_live_x",
        "permissions": ["everything"],
        "__proto__": {}
    });
    let expected = json!({
        "clientAppId": "app_1",
        "geolocation": { "country": "US", "state": "CA", "city": null },
        "clientReferenceId": "user_1",
        "redirectUrl": CALLBACK
    });
    assert_eq!(for_session(&body.to_string(), None), expected);
    let again = for_session(&body.to_string(), Some("conn_1"));
    assert_eq!((&again["connectionId"], &again["clientReferenceId"]), (&json!("conn_1"), &json!("user_1")));
}

#[test]
fn any_user_of_a_session_is_written_as_valid_json() {
    let odd = "a\"},\"clientReferenceId\":\"b\\\0é";
    let session = Session { client_reference_id: odd.to_owned(), ..session() };
    let up: Value = serde_json::from_str(&init("{}").session_body(&session, ORIGIN, Some("c\"d"))).unwrap();
    assert_eq!((&up["clientReferenceId"], &up["connectionId"]), (&json!(odd), &json!("c\"d")));
}

#[test]
fn a_servers_body_is_forwarded_as_received_except_for_the_connection() {
    let body = r#"{"a":1.50,"big":12345678901234567890123,"connectionId":"acct_1","redirectUrl":"https:\/\/x\u002f"}"#;
    let up = init(body).server_body(Some("conn_1"));
    assert_eq!(up, body.replace("acct_1", "conn_1"));
    assert_eq!(init(body).server_body(None), body.replace("\"connectionId\":\"acct_1\",", ""));
}

#[test]
fn a_body_that_already_names_the_connection_needs_no_change() {
    let named = |name: &str| RequestedConnection::Named(name.to_owned());
    assert!(RequestedConnection::Unspecified.is_already(None) && named("conn_1").is_already(Some("conn_1")));
    assert!(
        !RequestedConnection::Unspecified.is_already(Some("conn_1"))
            && !named("acct_1").is_already(Some("conn_1"))
            && !named("conn_1").is_already(None)
    );
    assert!(!RequestedConnection::New.is_already(None), "what asks for a new one does so with a null");
}

#[test]
fn a_server_names_the_user_with_text_of_1_to_4096_bytes() {
    let reference = |body: &str| init(body).client_reference_id();
    assert_eq!(reference(r#"{"clientReferenceId":"us\u0065r"}"#).as_deref(), Some("user"));
    for body in ["{}", r#"{"clientReferenceId":null}"#, r#"{"clientReferenceId":""}"#, r#"{"clientReferenceId":[]}"#] {
        assert_eq!(reference(body), None, "{body}");
    }
    let long = |length| format!(r#"{{"clientReferenceId":"{}"}}"#, "x".repeat(length));
    assert_eq!(reference(&long(4096)).map(|it| it.len()), Some(4096));
    assert_eq!(reference(&long(4097)), None);
}

#[test]
fn the_only_expired_connection_is_reconnected() {
    for others in [&[][..], &["disconnected"], &["pending", "awaiting_2fa"], &["failed", "missing", "revoked", "error"]]
    {
        let statuses = [others, &["expired"]].concat();
        assert_eq!(reconnects(&statuses).as_deref(), Some("conn_expired"), "{statuses:?}");
    }
}

#[test]
fn with_an_active_connection_or_several_expired_ones_a_new_account_is_linked() {
    let users: [&[&str]; 8] = [
        &[],
        &["active"],
        &["active", "expired"],
        &["expired", "active"],
        &["expired", "expired"],
        &["expired", "expired", "active"],
        &["missing", "disconnected", "failed"],
        &["Expired", "expired ", "unknown"],
    ];
    for statuses in users {
        assert_eq!(reconnects(statuses), None, "{statuses:?}");
    }
}

/// JSON of some depth, with the keys that mean something among the others.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key(), inner, 0..5).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    let known = ["clientAppId", "geolocation", "clientReferenceId", "redirectUrl", "connectionId", "mode", "url"];
    prop_oneof![prop::sample::select(known.to_vec()).prop_map(str::to_owned), any::<String>()]
}

#[test]
fn a_servers_private_link_returns_through_the_gateway() {
    let body = r#"{"mode":"private","redirectUrl":"https://app.example.com/","clientReferenceId":"u","x":1.50}"#;
    let private = |id| init(body).private_body(ORIGIN, id);
    assert!(init(body).is_private());
    let rest = format!(r#""redirectUrl":"{CALLBACK}","x":1.50}}"#);
    assert_eq!(private(None), format!(r#"{{"clientReferenceId":"u",{rest}"#));
    assert_eq!(private(Some("conn_1")), format!(r#"{{"clientReferenceId":"u","connectionId":"conn_1",{rest}"#));
}

#[test]
fn any_other_mode_is_forwarded_to_ofauth() {
    for mode in ["\"hosted\"", "\"whitelabel\"", "\"Private\"", "\"\"", "null", "true", "[\"private\"]", "{}"] {
        let body = format!(r#"{{"mode":{mode}}}"#);
        assert!(!init(&body).is_private(), "{mode}");
        assert_eq!(init(&body).server_body(None), body);
        assert_eq!(for_session(&body, None).get("mode"), None);
    }
    assert!(!init("").is_private() && !init("{}").is_private());
}

proptest! {
    #![proptest_config(one_in(4))]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>, value in value(), now in -NOW..2 * NOW) {
        for body in [&bytes[..], value.to_string().as_bytes()] {
            let _ = (InitRequest::read(body).is_ok(), HostedLink::read(body));
            prop_assert!(expires_at(body, now) <= now + HOUR);
        }
    }

    #[test]
    fn a_sessions_body_is_correct_for_any_received_body(
        fields in prop::collection::btree_map(key(), value(), 0..8),
        user: String,
        id in proptest::option::of(any::<String>()),
    ) {
        let mut body: Value = fields.clone().into_iter().collect();
        body["connectionId"] = Value::Null;
        let session = Session { client_reference_id: user.clone(), ..session() };
        let mut expected: Value =
            fields.into_iter().filter(|(key, _)| key == "clientAppId" || key == "geolocation").collect();
        expected["clientReferenceId"] = json!(user);
        expected["redirectUrl"] = json!(CALLBACK);
        if let Some(id) = &id {
            expected["connectionId"] = json!(id);
        }
        let up = init(&body.to_string()).session_body(&session, ORIGIN, id.as_deref());
        prop_assert_eq!(serde_json::from_str::<Value>(&up).unwrap(), expected);
    }

    #[test]
    fn a_servers_body_has_every_received_field_except_the_connection(
        fields in prop::collection::btree_map(key(), value(), 0..8),
        id in proptest::option::of(any::<String>()),
    ) {
        let mut body: Value = fields.into_iter().collect();
        body["connectionId"] = json!("acct_1");
        let up = init(&body.to_string()).server_body(id.as_deref());
        match id {
            Some(id) => body["connectionId"] = json!(id),
            None => drop(body.as_object_mut().unwrap().remove("connectionId")),
        }
        prop_assert_eq!(serde_json::from_str::<Value>(&up).unwrap(), body);
    }
}
