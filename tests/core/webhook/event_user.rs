//! The user that a verified body names, whether or not it is an event. Deleting a user finds the user's events by it.
//!
//! 1. `data` names the user, or its connection does. `data` goes first.
//! 2. An id is text or a number, and is read as it is written. Any other value names no user.
//! 3. A body that is not an event may name a user. A body that is not an object names none.
//! 4. The metadata of a stored event have a keyed hash of the user, and never the user.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{CREATED, DISCONNECTED, EXPIRED, NOW, REALTIME, SDK_CREATED, index, signed, svix_signed};
use ofauth_edge::core::{
    storage::EventMeta,
    webhook::{Event, Payload, Subject, Verified},
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn client_reference_id(verified: &Verified) -> Option<String> {
    Subject::read(verified).client_reference_id
}

fn user(body: impl AsRef<[u8]>) -> Option<String> {
    signed(body.as_ref(), NOW, client_reference_id)
}

/// The user that `data` names.
fn user_of(data: &Value) -> Option<String> {
    user(json!({ "type": "x", "data": data }).to_string())
}

#[test]
fn the_documented_events_name_their_user() {
    for body in [CREATED, EXPIRED, DISCONNECTED] {
        assert_eq!(user(body).as_deref(), Some("user_456"));
        assert_eq!(svix_signed(body.as_bytes(), "msg_1", NOW, client_reference_id).as_deref(), Some("user_456"));
    }
    for body in [SDK_CREATED, REALTIME] {
        let json: Value = serde_json::from_str(body).unwrap();
        let named = [&json["data"], &json["data"]["connection"]].map(|at| at["clientReferenceId"].as_str());
        assert_eq!(user(body).as_deref(), named[0].or(named[1]), "{body}");
    }
}

#[test]
fn the_user_is_named_in_data_or_in_its_connection() {
    assert_eq!(user_of(&json!({ "clientReferenceId": "a" })).as_deref(), Some("a"));
    assert_eq!(user_of(&json!({ "connection": { "clientReferenceId": "b" } })).as_deref(), Some("b"));
    let both = json!({ "clientReferenceId": "a", "connection": { "clientReferenceId": "b" } });
    assert_eq!(user_of(&both).as_deref(), Some("a"));
    for nobody in [Value::Null, json!([]), json!({}), json!(true), json!("")] {
        let data = json!({ "clientReferenceId": nobody, "connection": { "clientReferenceId": "b" } });
        assert_eq!(user_of(&data).as_deref(), Some("b"), "{nobody}");
    }
}

#[test]
fn an_id_that_is_a_number_is_read_as_written() {
    for id in ["7", "-1", "1.50", "123456789012345678901234567890", "1e400"] {
        assert_eq!(user(format!(r#"{{"data":{{"clientReferenceId":{id}}}}}"#)).as_deref(), Some(id));
    }
}

#[test]
fn the_user_is_the_one_in_the_fact_of_the_event() {
    for data in [
        json!({ "clientReferenceId": 7, "connection": { "id": "c" } }),
        json!({ "clientReferenceId": null, "connection": { "id": "c", "clientReferenceId": "u" } }),
        json!({ "clientReferenceId": "", "connection": { "id": "c", "clientReferenceId": "u" } }),
        json!({ "clientReferenceId": "x".repeat(4097), "connection": { "id": "c", "clientReferenceId": "u" } }),
        json!({ "connection": { "id": "c", "clientReferenceId": ["u"] } }),
        json!({ "connection": { "id": "c" } }),
    ] {
        let body = json!({ "type": "connection.updated", "data": data }).to_string();
        let Payload::Connection(event) = crate::common::parse(&body).unwrap().payload else { panic!("{body}") };
        assert_eq!(user(&body), event.client_reference_id, "{}", &body[..body.len().min(200)]);
    }
}

#[test]
fn a_body_that_is_not_an_event_may_name_a_user() {
    for body in [
        r#"{"data":{"clientReferenceId":"u"}}"#,
        r#"{"type":7,"data":{"clientReferenceId":"u"}}"#,
        r#"{"type":"connection.created","data":{"clientReferenceId":"u","connection":{"id":null}}}"#,
        r#"{"type":"connection.created","data":{"clientReferenceId":"u","connection":"conn_1"}}"#,
        r#"{"type":"a","type":"b","data":{"clientReferenceId":"u"}}"#,
    ] {
        assert!(signed(body.as_bytes(), NOW, Event::parse).is_err(), "{body}");
        assert_eq!(user(body).as_deref(), Some("u"), "{body}");
    }
}

#[test]
fn a_body_without_data_names_no_user() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "x",
        r#"{"clientReferenceId":"u"}"#,
        r#"{"data":null}"#,
        r#"{"data":"u"}"#,
        r#"{"data":[{"clientReferenceId":"u"}]}"#,
        r#"{"data":[{"clientReferenceId":"u"},null]}"#,
        r#"[{"clientReferenceId":"u"}]"#,
        r#"{"data":{"client_reference_id":"u"}}"#,
        r#"{"data":{"user":{"clientReferenceId":"u"}}}"#,
        r#"{"data":{"connection":[{"clientReferenceId":"u"}]}}"#,
        r#"{"data":{"clientReferenceId":"u"}"#,
    ] {
        assert_eq!(user(body), None, "{body}");
    }
    assert_eq!(user(b"{\"data\":{\"clientReferenceId\":\"u\xff\"}}"), None);
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(user(format!(r#"{{"x":{deep},"data":{{"clientReferenceId":"u","x":{deep}}}}}"#)).as_deref(), Some("u"));
    assert_eq!(user(format!(r#"{{"data":{{"clientReferenceId":{deep},"connection":{deep}}}}}"#)), None);
}

#[test]
fn the_metadata_of_a_stored_event_have_a_keyed_hash_of_the_user() {
    let reference = user(CREATED).map(|user| index().hash_client_reference_id(&user));
    let meta = EventMeta { reference: reference.clone(), ..EventMeta::default() };
    let json = serde_json::to_value(&meta).unwrap();
    assert_eq!(json["reference"].as_str(), reference.as_deref());
    assert!(!json.to_string().contains("user_456"));
    assert_eq!(serde_json::from_value::<EventMeta>(json).unwrap(), meta);
}

#[test]
fn the_metadata_of_a_stored_event_without_a_user_have_no_hash() {
    let json = serde_json::to_value(EventMeta::default()).unwrap();
    assert!(json.get("reference").is_none(), "{json}");
    let older = json!({ "type": "rules.updated", "receivedAt": "2024-01-15T10:30:00.000Z" });
    assert_eq!(serde_json::from_value::<EventMeta>(older).unwrap().reference, None);
}

proptest! {
    #[test]
    fn any_text_of_a_valid_length_is_read_as_written(reference in ".{1,200}") {
        let named = user_of(&json!({ "clientReferenceId": reference }));
        prop_assert_eq!(named, Some(reference));
    }

    #[test]
    fn no_body_makes_the_reader_panic(bytes: Vec<u8>, text in r#"(\{|\}|\[|\]|"(data|connection|clientReferenceId)"|:|,|"u"|null|7){0,20}"#) {
        let _ = (user(bytes), user(text));
    }
}

#[test]
fn the_connection_of_a_body_is_its_id() {
    let connection = |body: &str| signed(body.as_bytes(), NOW, |verified| Subject::read(verified).connection_id);
    assert_eq!(connection(r#"{"data":{"connection":{"id":"conn_1"}}}"#).as_deref(), Some("conn_1"));
    assert_eq!(connection(r#"{"data":{"connection":{"id":7}}}"#).as_deref(), Some("7"));
    for nothing in [r#"{"data":{"connection":{"id":null}}}"#, r#"{"data":{"connection":"conn_1"}}"#, r#"{"data":[]}"#] {
        assert_eq!(connection(nothing), None, "{nothing}");
    }
}
