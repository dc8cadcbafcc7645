//! Hostile bodies: what is JSON, what is an event, and what must cause no error.
//!
//! 1. A body is INVALID_JSON if `JSON.parse` or strict UTF-8 refuses it. Any other refused body is INVALID_EVENT.
//! 2. One byte order mark is ignored, and no more.
//! 3. NUL and halves of surrogate pairs are text like any other. A half becomes one U+FFFD.
//! 4. A key that is read and occurs twice in one object is INVALID_EVENT. Any other key may occur twice.
//! 5. An array is not read as an object.
//! 6. No depth of nesting overflows the stack, and no bytes panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{CREATED, NOW, parse, signed};
use ofauth_edge::core::webhook::{ConnectionEvent, Delivery, Event, Payload};
use proptest::prelude::*;

fn code(body: impl AsRef<[u8]>) -> &'static str {
    parse(body).map_or_else(|error| error.code(), |_| "ok")
}

fn connection(body: &str) -> ConnectionEvent {
    match parse(body).unwrap().payload {
        Payload::Connection(connection) => *connection,
        other => panic!("{other:?} from {body}"),
    }
}

/// The documented `connection.created` with this JSON string as the name.
fn named(name: &str) -> String {
    CREATED.replace("\"Jane Doe\"", name)
}

#[test]
fn a_body_that_is_not_json_is_invalid_json() {
    let bodies = [
        "",
        " ",
        "\0",
        "{",
        "}",
        "nul",
        "undefined",
        "NaN",
        "'a'",
        r#"{'type':"x"}"#,
        r#"{"type":"x",}"#,
        r#"{"type":"x"} y"#,
        r#"{"type":"x"}{}"#,
        "{\"type\":\"a\nb\"}",
        r#"{"type":"x","n":01}"#,
        r#"{"type":"x","n":1.}"#,
        r#"{"type":"x","n":+1}"#,
        r#"{"type":"x","s":"\x"}"#,
        r#"{"type":"x","s":"\u12"}"#,
        r#"{"type":"x","s":"}"#,
        "\u{a0}{}",
        "\u{c}{}",
        "{}\0",
        "// no\n{}",
        "<html></html>",
    ];
    for body in bodies {
        assert_eq!(code(body), "INVALID_JSON", "{body:?}");
    }
}

#[test]
fn json_that_is_not_an_event_is_an_invalid_event() {
    for body in ["null", "true", "0", "-1e5", r#""connection.created""#, "[]", "{}", " { } ", r#"{"type":7}"#] {
        assert_eq!(code(body), "INVALID_EVENT", "{body:?}");
    }
}

#[test]
fn invalid_json_goes_before_an_invalid_event() {
    for body in [
        r#"{"type":7,"#,
        r#"{"type":7} x"#,
        r#"{"data":{},"data":{}"#,
        "[1,2",
        r#"{"type":"connection.created","data":{"connection":{"id":[}}"#,
    ] {
        assert_eq!(code(body), "INVALID_JSON", "{body:?}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_invalid_json() {
    let bodies: [&[u8]; 5] = [
        b"\xff",
        b"{\"type\":\"\xff\"}",
        b"{\"type\":\"x\",\"n\":\"\xed\xa0\x80\"}",
        b"\xff\xfe{\0}\0",
        b"{\"type\":\"x\"}\xc3",
    ];
    for body in bodies {
        assert_eq!(code(body), "INVALID_JSON", "{body:?}");
    }
}

#[test]
fn white_space_may_surround_an_event() {
    assert_eq!(code(format!(" \t\r\n{CREATED}\n ")), "ok");
}

#[test]
fn numbers_beyond_any_float_are_json() {
    assert_eq!(code(r#"{"type":"x","n":1e999,"data":{"n":-1E+400}}"#), "ok");
}

#[test]
fn one_byte_order_mark_is_ignored() {
    assert_eq!(parse(format!("\u{feff}{CREATED}")), parse(CREATED));
    assert_eq!(code(format!("\u{feff}\u{feff}{CREATED}")), "INVALID_JSON");
    assert_eq!(code("\u{feff}"), "INVALID_JSON");
}

#[test]
fn an_escaped_nul_is_text() {
    assert_eq!(connection(&named(r#""a\u0000b""#)).name.as_deref(), Some("a\0b"));
}

#[test]
fn a_pair_of_surrogates_is_one_character() {
    assert_eq!(connection(&named(r#""\ud83d\ude00 \u00e9 é \"\\""#)).name.as_deref(), Some("😀 é é \"\\"));
}

#[test]
fn half_of_a_surrogate_pair_in_a_name_becomes_one_replacement_character() {
    let names = [
        (r#""Jane \ud83d""#, "Jane \u{fffd}"),
        (r#""\ude00 Doe""#, "\u{fffd} Doe"),
        (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
        (r#""\ud83dx\ude00""#, "\u{fffd}x\u{fffd}"),
    ];
    for (json, text) in names {
        let event = connection(&named(json).replace("\"janedoe\"", json));
        assert_eq!((event.name.as_deref(), event.username.as_deref()), (Some(text), Some(text)), "{json}");
    }
}

#[test]
fn half_of_a_surrogate_pair_in_another_value_is_accepted() {
    assert_eq!(code(r#"{"type":"x","note":"\ud83d","data":{"text":"\ude00"}}"#), "ok");
    assert_eq!(code(CREATED.replace("\"status\"", r#""note": "\ud83d", "status""#)), "ok");
}

#[test]
fn half_of_a_surrogate_pair_in_a_key_of_an_object_that_is_read_is_an_invalid_event() {
    assert_eq!(code(r#"{"type":"x","data":{"\ud83d":1}}"#), "ok");
    assert_eq!(code(r#"{"type":"x","\ud83d":1}"#), "INVALID_EVENT");
    assert_eq!(code(CREATED.replace("\"status\"", r#""\ud83d": 1, "status""#)), "INVALID_EVENT");
}

/// Every key that is read, in an event where it stands once; `KEY` marks the place of a second.
const READ: [(&str, &str); 5] = [
    (
        "type eventType timestamp live data",
        r#"{"type":"x","eventType":"x","timestamp":"2024-01-15T10:30:00Z","live":true,"data":{}KEY}"#,
    ),
    (
        "clientReferenceId environment connection",
        r#"{"type":"connection.updated","data":{"clientReferenceId":"u","environment":"live","connection":{"id":"c"}KEY}}"#,
    ),
    (
        "id clientReferenceId status permissions platformUserId userData createdAt expiresAt lastCheckedAt imported metadata",
        r#"{"type":"connection.updated","data":{"connection":{"id":"c","clientReferenceId":"u","status":"s","permissions":[],"platformUserId":1,"userData":{},"createdAt":"t","expiresAt":"t","lastCheckedAt":"t","imported":true,"metadata":{} KEY}}}"#,
    ),
    (
        "username displayName lastActivity",
        r#"{"type":"connection.updated","data":{"connection":{"id":"c","metadata":{"username":"n","displayName":"n","lastActivity":"t"KEY}}}}"#,
    ),
    (
        "id userId name username avatar",
        r#"{"type":"connection.updated","data":{"connection":{"id":"c","userData":{"id":"u","userId":"u","name":"n","username":"n","avatar":"a"KEY}}}}"#,
    ),
];

fn value_of(key: &str) -> &'static str {
    match key {
        "data" | "userData" | "metadata" => "{}",
        "connection" => r#"{"id":"c"}"#,
        "live" | "imported" => "true",
        "permissions" => "[]",
        _ => r#""2""#,
    }
}

#[test]
fn a_key_that_is_read_and_occurs_twice_is_an_invalid_event() {
    for (keys, body) in READ {
        assert_eq!(code(body.replace("KEY", "")), "ok", "{body}");
        for key in keys.split(' ') {
            for value in [value_of(key), "null"] {
                let twice = body.replace("KEY", &format!(r#","{key}":{value}"#));
                assert_eq!(code(&twice), "INVALID_EVENT", "{twice}");
            }
        }
    }
}

#[test]
fn a_revision_that_occurs_twice_is_an_invalid_event() {
    assert_eq!(code(r#"{"type":"rules.updated","data":{"revision":"a","revision":"b"}}"#), "INVALID_EVENT");
}

#[test]
fn a_key_that_is_read_and_occurs_twice_with_different_escapes_is_an_invalid_event() {
    assert_eq!(code(r#"{"type":"x","\u0074ype":"y"}"#), "INVALID_EVENT");
    assert_eq!(code(CREATED.replace("\"status\"", r#""i\u0064": "conn_2", "status""#)), "INVALID_EVENT");
}

#[test]
fn a_key_that_is_not_read_may_occur_twice() {
    assert_eq!(code(r#"{"type":"x","a":1,"a":2,"data":{"id":1,"id":2,"type":1,"type":2}}"#), "ok");
    assert_eq!(code(CREATED.replace("\"status\"", r#""a": 1, "a": 2, "status""#)), "ok");
}

#[test]
fn the_same_key_in_two_objects_is_no_duplicate() {
    let body = r#"{"type":"connection.updated","data":{"clientReferenceId":"u","connection":{"id":"c","clientReferenceId":"u","userData":{"id":"c"}}}}"#;
    assert_eq!(code(body), "ok");
}

#[test]
fn an_array_in_place_of_the_body_is_an_invalid_event() {
    assert_eq!(code(r#"["x",null,null,null,null]"#), "INVALID_EVENT");
    let body = r#"["connection.created",null,"2024-01-15T10:30:00Z",true,{"connection":{"id":"conn_1"}}]"#;
    assert_eq!(code(body), "INVALID_EVENT");
}

#[test]
fn an_array_in_place_of_an_inner_object_is_an_invalid_event() {
    let connection = r#"["conn_1","user","active",[],1,{},"t","t",true]"#;
    let data = [r#"["user",{"id":"conn_1"}]"#.to_owned(), format!(r#"{{"connection":{connection}}}"#)];
    for data in data {
        assert_eq!(code(format!(r#"{{"type":"connection.updated","data":{data}}}"#)), "INVALID_EVENT", "{data}");
    }
}

/// 300,000 arrays in each other.
fn deep() -> String {
    let depth = 300_000;
    [&*"[".repeat(depth), &"]".repeat(depth)].concat()
}

#[test]
fn deep_nesting_in_other_members_is_accepted() {
    assert_eq!(code(format!(r#"{{"type":"x","data":{}}}"#, deep())), "ok");
    assert_eq!(code(format!(r#"{{"type":"rules.updated","data":{}}}"#, deep())), "ok");
    assert_eq!(code(CREATED.replace("\"status\"", &format!(r#""deep": {}, "status""#, deep()))), "ok");
    assert_eq!(code(format!(r#"{{"type":"x","data":{}}}"#, r#"{"a":"#.repeat(300_000))), "INVALID_JSON");
}

#[test]
fn deep_nesting_is_an_invalid_event_only_in_place_of_a_required_member() {
    let deep = deep();
    assert_eq!(code(&deep), "INVALID_EVENT");
    assert_eq!(code(format!(r#"{{"type":{deep}}}"#)), "INVALID_EVENT");
    assert_eq!(code(CREATED.replace("\"conn_abc123\"", &deep)), "INVALID_EVENT");
    for field in ["\"Jane Doe\"", "\"of_user_456\"", "\"user_456\"", "\"active\""] {
        assert_eq!(code(CREATED.replace(field, &deep)), "ok", "{field}");
    }
}

#[test]
fn deep_nesting_that_is_not_closed_is_invalid_json() {
    assert_eq!(code("[".repeat(300_000)), "INVALID_JSON");
    assert_eq!(code(r#"{"data":"#.repeat(300_000)), "INVALID_JSON");
}

/// Bytes, text, and pieces of events in any order.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"type\":",
        "\"connection.created\"",
        "\"rules.updated\"",
        "\"data\":",
        "\"connection\":",
        "\"id\":",
        "\"conn_1\"",
        "\"userData\":",
        "\"name\":",
        "\"\\ud83d\"",
        "null",
        "1e99",
        "\u{feff}",
        "\0",
        "\"timestamp\":",
        "\"2024-01-15T10:30:00+24:00\"",
    ]);
    prop_oneof![
        any::<Vec<u8>>(),
        any::<String>().prop_map(String::into_bytes),
        prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}

proptest! {
    #[test]
    fn no_verified_body_makes_the_parser_panic(body in body(), t in 0..1_u64 << 53) {
        let code = signed(&body, t, |verified| {
            let event = Event::parse(verified);
            let _ = Delivery::from_verified(verified, event.as_ref().ok());
            event.map_or_else(|error| error.code(), |_| "ok")
        });
        let is_json = std::str::from_utf8(&body)
            .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text.strip_prefix('\u{feff}').unwrap_or(text)).is_ok());
        prop_assert_eq!(code == "INVALID_JSON", !is_json);
    }

    #[test]
    fn an_event_with_one_byte_changed_never_panics(at in 0..CREATED.len(), byte: u8) {
        let mut body = CREATED.as_bytes().to_vec();
        body[at] = byte;
        prop_assert!(["ok", "INVALID_JSON", "INVALID_EVENT"].contains(&code(&body)));
    }
}

#[test]
fn the_parser_does_not_check_the_timestamp_of_the_event() {
    let event = signed(br#"{"type":"x","timestamp":"yesterday"}"#, NOW, Event::parse).unwrap();
    assert_eq!(event.timestamp.as_deref(), Some("yesterday"));
}
