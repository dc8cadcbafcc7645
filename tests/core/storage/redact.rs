//! Stored bodies for callers that may not see connection ids.
//!
//! 1. Every word that begins like an id is replaced by its handle, wherever it occurs.
//! 2. So is the id that a realtime event names, whatever its form and however it is written.
//! 3. All other text stays as it is, and no text panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{CREATED, DISCONNECTED, EXPIRED, REALTIME, SDK_CREATED, UPDATED, index};
use ofauth_edge::core::storage::without_ids;
use proptest::prelude::*;
use serde_json::{Value, json};

fn shown(text: &str) -> String {
    without_ids(text, &index())
}

fn handle(id: &str) -> String {
    index().handle(id)
}

/// A realtime event of this connection.
fn realtime(id: &str) -> Value {
    json!({ "type": "realtime.message", "data": { "connection": { "id": id, "name": "x" }, "about": format!("<{id}>") } })
}

#[test]
fn no_documented_event_shows_an_id() {
    for body in [CREATED, UPDATED, EXPIRED, DISCONNECTED, REALTIME, SDK_CREATED] {
        let shown = shown(body);
        assert!(!shown.contains("conn_") && shown.contains("acct_"), "{shown}");
        assert!(serde_json::from_str::<Value>(&shown).is_ok(), "{shown}");
    }
}

#[test]
fn an_id_is_replaced_by_its_handle_wherever_it_occurs() {
    let text = "conn_a,conn_B-9_x \"conn_a\" https://x/conn_a/conn_b?c=conn_a#";
    let expected = [("conn_a", "a"), ("conn_B-9_x", "b"), ("conn_b", "c")];
    let expected = format!(
        "{a},{b} \"{a}\" https://x/{a}/{c}?c={a}#",
        a = handle(expected[0].0),
        b = handle(expected[1].0),
        c = handle(expected[2].0)
    );
    assert_eq!(shown(text), expected);
}

#[test]
fn a_word_that_only_begins_like_an_id_is_replaced_too() {
    assert_eq!(shown("conn_"), handle("conn_"));
    assert_eq!(shown("conn_é conn"), format!("{}é conn", handle("conn_")));
}

#[test]
fn a_realtime_event_s_id_of_another_form_is_replaced_everywhere() {
    for id in ["7f3a-99", "c:1/2", "CONN.1", "x".repeat(256).as_str()] {
        let expected = realtime(&handle(id)).to_string();
        assert_eq!(shown(&realtime(id).to_string()), expected, "{id}");
    }
}

#[test]
fn without_the_shape_of_a_realtime_event_other_text_stays() {
    for text in [
        "",
        "{}",
        "null",
        "[1]",
        "text",
        r#"{"data":{"connection":{"id":null}}}"#,
        r#"{"data":{"connection":{"id":""}}}"#,
    ] {
        assert_eq!(shown(text), text);
    }
}

#[test]
fn an_id_that_begins_with_the_named_id_has_its_own_handle() {
    let body = json!({ "data": { "connection": { "id": "conn_ab" }, "other": "conn_abc" } }).to_string();
    let expected = json!({ "data": { "connection": { "id": handle("conn_ab") }, "other": handle("conn_abc") } });
    assert_eq!(shown(&body), expected.to_string());
}

#[test]
fn an_id_with_json_escapes_is_replaced() {
    for body in [
        r#"{"data":{"connection":{"id":"conn\u005fabc"}}}"#,
        r#"{"data":{"connection":{"id":"\u0063onn_abc"}}}"#,
        r#"{"data":{"connection":{"id":"7f\u002d99"}}}"#,
        r#"{"data":{"connection":{"id":"7f\/99"}}}"#,
    ] {
        let id = |body: &str| serde_json::from_str::<Value>(body).unwrap()["data"]["connection"]["id"].clone();
        assert_ne!(id(&shown(body)), id(body), "{body}");
    }
}

#[test]
fn an_id_after_a_byte_order_mark_is_found() {
    let body = format!("\u{feff}{}", realtime("7f3a-99"));
    assert!(!shown(&body).contains("7f3a-99"));
}

#[test]
fn json_after_a_byte_order_mark_is_returned_without_it() {
    assert_eq!(shown("\u{feff}0"), "0");
    assert_eq!(shown("\u{feff}no JSON"), "\u{feff}no JSON");
}

#[test]
fn replacing_an_id_that_is_a_number_leaves_valid_json() {
    let body = r#"{"data":{"connection":{"id":1705},"at":"1705314600"}}"#;
    let shown = shown(body);
    assert!(serde_json::from_str::<Value>(&shown).is_ok(), "{shown}");
}

proptest! {
    #[test]
    fn no_id_is_left(before in "\\PC*", id in "conn_[A-Za-z0-9_-]{0,24}", after in "[^A-Za-z0-9_-]\\PC*") {
        let shown = shown(&format!("{before}{id}{after}"));
        prop_assert!(!shown.contains("conn_"));
    }

    #[test]
    fn a_text_without_ids_stays(text in "[^_]*") {
        let json = text.strip_prefix('\u{feff}').unwrap_or(&text);
        prop_assume!(serde_json::from_str::<Value>(json).is_err());
        prop_assert_eq!(shown(&text), text);
    }

    #[test]
    fn no_id_of_a_realtime_event_is_left(id in "[!#-+./-\\[\\]-~]{8,64}") {
        prop_assume!(!handle(&id).contains(&id));
        let shown = shown(&realtime(&id).to_string());
        prop_assert!(!shown.contains(&id), "{}", shown);
    }

    #[test]
    fn no_text_panics(text: String, id: String) {
        let _ = (shown(&text), shown(&realtime(&id).to_string()), shown(&format!("conn_{text}conn_{id}")));
    }
}
