//! Explanations of JSON that was written again after it was signed. Values are random. `serde_json` and replacements in its
//! output write them as JavaScript, Python and PHP do, not the code under test.
//!
//! 1. Another layout or other escapes are found, and pretty-printing has a cause of its own.
//! 2. Another value is unknown, whatever its layout.
//! 3. The evidence names the layout and the escapes that were signed.
//! 4. A body that is not JSON, cut off, deeply nested or too long is unknown, and costs little memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io;

use crate::common::sender::{Sender, sender};
use ofauth_edge::core::webhook::{Cause, MAX_JSON_BYTES};
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{
    Serializer, Value,
    ser::{Formatter, PrettyFormatter},
};

const LAYOUTS: [&str; 5] = ["compact", "spaced", "indent_2", "indent_4", "indent_tab"];
const ESCAPES: [&str; 3] = ["none", "ascii", "ascii_and_slash"];

/// Separators as in Python's `json.dumps`.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.begin_array_value(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

fn with(formatter: impl Formatter, value: &Value) -> String {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, formatter)).unwrap();
    String::from_utf8(out).unwrap()
}

fn write(value: &Value, layout: &str, escapes: &str) -> String {
    let json = match layout {
        "compact" => value.to_string(),
        "spaced" => with(Spaced, value),
        "indent_2" => with(PrettyFormatter::with_indent(b"  "), value),
        "indent_4" => with(PrettyFormatter::with_indent(b"    "), value),
        _ => with(PrettyFormatter::with_indent(b"\t"), value),
    };
    // Only strings have slashes and other characters than printable ASCII and line breaks.
    let json = if escapes == "ascii_and_slash" { json.replace('/', "\\/") } else { json };
    if escapes == "none" {
        return json;
    }
    let escape = |unit: &u16| format!("\\u{unit:04x}");
    let ascii = |char: char| match char {
        '\0'..='~' => char.to_string(),
        _ => char.encode_utf16(&mut [0; 2]).iter().map(escape).collect(),
    };
    json.chars().map(ascii).collect()
}

/// An object or an array, with strings that are escaped here and there.
fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![any::<String>(), "[a-z/\"\\\\\u{7f}é€😀\u{2028}\n\t\u{1}]{0,8}", "[{}\\[\\]:, ]{0,8}"];
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    let nested = scalar.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    });
    prop::collection::btree_map("[a-z]{1,8}", nested, 1..4).prop_map(|map| map.into_iter().collect())
}

fn form() -> impl Strategy<Value = (&'static str, &'static str)> {
    (prop::sample::select(&LAYOUTS[..]), prop::sample::select(&ESCAPES[..]))
}

proptest! {
    #[test]
    fn json_that_was_written_again_is_found(sender in sender(), value in value(), before in form(), after in form()) {
        let (signed, received) = (write(&value, before.0, before.1), write(&value, after.0, after.1));
        prop_assume!(signed != received);
        let cause = match (signed.contains('\n'), received.contains('\n')) {
            (false, true) => Cause::JsonPrettyPrinted,
            _ => Cause::JsonReserialised,
        };
        let evidence = sender.expect(received.as_bytes(), &sender.sign(signed.as_bytes()), cause).evidence;
        prop_assert_eq!(evidence.signed_bytes, Some(signed.len()));
        let layout = evidence.layout.unwrap();
        prop_assert_eq!(write(&value, layout, before.1), signed);
    }
}

// These try every millisecond of a second.
proptest! {
    #![proptest_config(crate::common::one_in(8))]

    #[test]
    fn another_value_is_unknown(sender in sender(), value in value(), before in form(), after in form()) {
        let signed = write(&value, before.0, before.1);
        let received = write(&serde_json::json!({ "was": value }), after.0, after.1);
        prop_assert_eq!(sender.explain(received.as_bytes(), &sender.sign(signed.as_bytes())).cause, Cause::Unknown);
    }

    #[test]
    fn a_body_that_is_cut_off_or_not_json_is_unknown(sender in sender(), text in "[{\\[][\\[\\]{}:,\"\\\\u0d8é/ \n]{0,40}") {
        let list = sender.sign(b"something else");
        prop_assert_eq!(sender.explain(text.as_bytes(), &list).cause, Cause::Unknown);
    }
}

fn explained(signed: &str, received: &str) -> (Cause, Option<&'static str>, Option<&'static str>) {
    let sender = Sender::plain();
    let diagnosis = sender.explain(received.as_bytes(), &sender.sign(signed.as_bytes()));
    (diagnosis.cause, diagnosis.evidence.layout, diagnosis.evidence.escapes)
}

#[test]
fn the_evidence_names_the_layout_and_the_escapes_that_were_signed() {
    let python = r#"{"a": [1, "\u00e9\ud83d\ude00/"], "b": {}}"#;
    let php = r#"{"a":[1,"\u00e9\ud83d\ude00\/"],"b":{}}"#;
    let js = r#"{"a":[1,"é😀/"],"b":{}}"#;
    let go = "{\n\t\"a\": [\n\t\t1,\n\t\t\"é😀/\"\n\t],\n\t\"b\": {}\n}";
    assert_eq!(explained(python, js), (Cause::JsonReserialised, Some("spaced"), Some("ascii")));
    assert_eq!(explained(php, go), (Cause::JsonPrettyPrinted, Some("compact"), Some("ascii_and_slash")));
    assert_eq!(explained(js, php), (Cause::JsonReserialised, Some("compact"), Some("none")));
    assert_eq!(explained(go, js), (Cause::JsonReserialised, Some("indent_tab"), Some("kept")));
}

#[test]
fn a_line_break_at_the_end_of_what_was_signed_may_be_lost_too() {
    let (compact, pretty) = (r#"{"a":[1]}"#, "{\n  \"a\": [\n    1\n  ]\n}\n");
    assert_eq!(explained(pretty, compact), (Cause::JsonReserialised, Some("indent_2"), Some("kept")));
    assert_eq!(
        explained(&format!("{compact}\n"), pretty.trim_ascii()),
        (Cause::JsonPrettyPrinted, Some("compact"), Some("kept"))
    );
}

#[test]
fn scalars_stay_as_they_are_written() {
    let (signed, received) = (r#"{"a":1.50,"b":1e+2,"b":-0}"#, r#"{ "a" : 1.50, "b" : 1e+2, "b" : -0 }"#);
    assert_eq!(explained(signed, received), (Cause::JsonReserialised, Some("compact"), Some("kept")));
    assert_eq!(explained(signed, &received.replace("1.50", "1.5")).0, Cause::Unknown);
}

#[test]
fn half_a_surrogate_pair_and_needed_escapes_stay_escaped() {
    let (signed, received) = (r#"["\ud83d","\u0022\u005c\u0000é"]"#, r#"["\ud83d", "\u0022\u005c\u0000\u00e9"]"#);
    assert_eq!(explained(signed, received), (Cause::JsonReserialised, Some("compact"), Some("none")));
}

#[test]
fn json_forms_are_tried_up_to_one_mebibyte() {
    let long = |bytes: usize| format!("[1,\"{}\"]", "x".repeat(bytes - 6));
    let signed = |bytes: usize| explained(&long(bytes).replace(',', ", "), &long(bytes)).0;
    assert_eq!(signed(MAX_JSON_BYTES), Cause::JsonReserialised);
    assert_eq!(signed(MAX_JSON_BYTES + 1), Cause::Unknown);
}

#[test]
fn deep_nesting_does_not_use_up_memory() {
    let deep = "[1,".repeat(MAX_JSON_BYTES / 3);
    assert_eq!(explained("something else", &deep).0, Cause::Unknown);
}
