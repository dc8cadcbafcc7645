//! The scanner, compared with `serde_json`, which builds a tree.
//!
//! 1. Both accept the same texts as JSON, complete or damaged.
//! 2. A wanted member is found at any place, as it is written, and its strings decode to the same text.
//! 3. A key that occurs twice, or has half of a surrogate pair, is reported. In text for people, U+FFFD replaces the half.
//! 4. Any depth of nesting is read, below and above 64 levels.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::json::{Field, Members, decode_string, decode_string_lossy, elements, is_number, read};
use proptest::prelude::*;
use serde_json::{Map, Value, value::RawValue};

/// The whole in slot 0, its `a` in 1, its `b` in 2, the `c` of `b` in 3.
const WHOLE: Field = Field {
    name: "",
    slot: 0,
    inner: &[
        Field { name: "a", slot: 1, inner: &[] },
        Field { name: "b", slot: 2, inner: &[Field { name: "c", slot: 3, inner: &[] }] },
    ],
};

fn scan(json: &str) -> Option<Members<'_, 4>> {
    read(json, &WHOLE)
}

fn is_json(json: &str) -> bool {
    // A raw value is checked, and not built: no depth is too much for it.
    serde_json::from_str::<&RawValue>(json).is_ok()
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

/// JSON values, whose keys are often those that are wanted.
fn values() -> impl Strategy<Value = Value> {
    let strings = prop_oneof!["[a-c]", ".{0,20}", "[ -~]{0,40}", r#"[\\"/\x00-\x20\u{7f}-\u{ffff}]{0,20}"#];
    let leaves = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        strings.clone().prop_map(Value::from),
    ];
    leaves.prop_recursive(6, 60, 6, move |inner| {
        let members = prop::collection::vec((prop_oneof!["[a-c]", ".{0,9}"], inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::from),
            members.prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// A value as text: compact, or with white space of all four kinds between tokens; strings as they are, or all escaped.
fn texts() -> impl Strategy<Value = String> {
    (values(), any::<bool>(), any::<bool>()).prop_map(|(value, spaced, escaped)| {
        let json = if spaced { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let json = if spaced { format!("\t{}\r\n", json.replace("\n  ", "\r\n\t ")) } else { json };
        if !escaped {
            return json;
        }
        let units = json.encode_utf16().map(|unit| match u8::try_from(unit) {
            Ok(ascii) if ascii.is_ascii() => char::from(ascii).to_string(),
            _ => format!("\\u{unit:04x}"),
        });
        units.collect()
    })
}

/// A text with a byte or two removed, doubled, or replaced by one that means something.
fn damaged() -> impl Strategy<Value = String> {
    let damage = (
        any::<prop::sample::Index>(),
        0..3,
        prop::sample::select(b"{}[]\",:\\0123456789-+.eEtrufalsn \n\x00\x1f\x7fx".to_vec()),
    );
    (texts(), prop::collection::vec(damage, 1..3)).prop_filter_map("not UTF-8", |(text, damages)| {
        let mut bytes = text.into_bytes();
        for (at, kind, byte) in damages {
            let at = at.index(bytes.len().max(1));
            match kind {
                0 if at < bytes.len() => drop(bytes.remove(at)),
                1 if at < bytes.len() => bytes[at] = byte,
                _ => bytes.insert(at, byte),
            }
        }
        String::from_utf8(bytes).ok()
    })
}

fn assert_found(json: &str, found: Option<&str>, expected: Option<&Value>) {
    assert_eq!(found.map(value).as_ref(), expected, "{json}");
    let Some(written) = found else { return };
    assert_eq!(written.trim_ascii(), written, "{json}");
    assert_eq!(decode_string(written).as_deref(), expected.and_then(Value::as_str), "{json}");
    assert_eq!(decode_string_lossy(written).as_deref(), expected.and_then(Value::as_str), "{json}");
    assert_eq!(is_number(written), expected.is_some_and(Value::is_number), "{json}");
    let elements = elements(written).map(|elements| elements.into_iter().map(value).collect::<Vec<_>>());
    assert_eq!(elements.as_ref(), expected.and_then(Value::as_array), "{json}");
}

fn assert_agrees(json: &str) {
    let Some(Members { values: [whole, a, b, c], duplicates, .. }) = scan(json) else {
        return assert!(!is_json(json), "{json:?}");
    };
    assert!(is_json(json), "{json:?}");
    assert_eq!(whole, Some(json.trim_matches([' ', '\t', '\r', '\n'])));
    // What it cannot build: a number that is too large, half of a surrogate pair.
    let Ok(value) = serde_json::from_str::<Value>(json) else { return };
    assert_found(json, whole, Some(&value));
    if duplicates == 0 {
        assert_found(json, a, value.get("a"));
        assert_found(json, b, value.get("b"));
        assert_found(json, c, value.get("b").and_then(|b| b.get("c")));
    }
}

fn nested(depth: usize, seed: u64) -> String {
    let objects: Vec<bool> =
        (0..depth).map(|level| seed.rotate_left(u32::try_from(level % 64).unwrap()) & 1 == 1).collect();
    let open: String = objects.iter().map(|object| if *object { "{\"k\":" } else { "[" }).collect();
    let close: String = objects.iter().rev().map(|object| if *object { '}' } else { ']' }).collect();
    format!("{open}0{close}")
}

#[test]
fn only_json_numbers_are_numbers() {
    for number in ["0", "-0", "10", "1.0", "-1.50e+3", "1E9", "0e0", "1e400"] {
        assert!(scan(number).is_some(), "{number}");
    }
    for other in ["", "-", "+1", "01", "-01", "1.", ".5", "1.e1", "1e", "1e+", "0x1", "1_0", "Infinity", "- 1"] {
        assert!(scan(other).is_none(), "{other}");
    }
}

#[test]
fn a_special_character_is_found_at_every_position_of_a_long_string() {
    for length in 0..40 {
        for at in 0..=length {
            let with = |special: &str| format!("\"{}{special}{}\"", "é".repeat(at), "x".repeat(length - at));
            for bad in ["\"", "\\", "\n", "\0", "\u{1f}", "\\x", "\\u12g4"] {
                assert!(scan(&with(bad)).is_none(), "{bad:?} {at} {length}");
            }
            for good in [" ", "!", "#", "[", "]", "\u{7f}", "\u{80}", "\u{ffff}", "\\n", "\\\"", "\\u00e9", "😀"] {
                assert!(scan(&with(good)).is_some(), "{good:?} {at} {length}");
            }
        }
    }
}

#[test]
fn a_key_that_occurs_twice_is_reported_if_it_is_wanted() {
    let twice = |json| scan(json).unwrap().duplicates;
    assert_eq!(twice(r#"{"a":1,"a":2}"#), 0b0010);
    assert_eq!(twice(r#"{"a":1,"\u0061":2}"#), 0b0010);
    assert_eq!(twice(r#"{"b":{"c":1,"c":1}}"#), 0b1000);
    assert_eq!(twice(r#"{"x":1,"x":2,"b":{"a":1},"y":{"a":1,"a":2}}"#), 0);
}

#[test]
fn half_of_a_surrogate_pair_is_reported_in_keys_and_read_only_in_text_for_people() {
    let halves = |json| scan(json).unwrap().lone_surrogates;
    assert_eq!(halves(r#"{"\ud83d":1,"b":{"c":1}}"#), 0b0001);
    assert_eq!(halves(r#"{"b":{"\udc00":1},"x":{"\ud83d":1}}"#), 0b0100);
    for (half, read) in [
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""a\ude00b""#, "a\u{fffd}b"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
        (r#""\ud83d\n""#, "\u{fffd}\n"),
        (r#""\ud83d\u0041""#, "\u{fffd}A"),
    ] {
        assert_eq!((decode_string(half), decode_string_lossy(half).as_deref()), (None, Some(read)), "{half}");
    }
}

#[test]
fn brackets_must_match_at_any_depth() {
    for depth in [1, 2, 63, 64, 65, 127, 128, 129, 200] {
        for seed in [0, u64::MAX, 0xA5A5_F00F_1234_8001] {
            let json = nested(depth, seed);
            assert!(scan(&json).is_some(), "{depth}");
            for at in json.len() - depth..json.len() {
                let mut wrong = json.clone().into_bytes();
                wrong[at] ^= b']' ^ b'}';
                assert!(scan(std::str::from_utf8(&wrong).unwrap()).is_none(), "{depth} {at}");
            }
            assert!(scan(&json[..json.len() - 1]).is_none() && scan(&format!("{json}]")).is_none());
        }
    }
    assert!(scan(&nested(1_000_000, 0x5555_1111_FFFF_0001)).is_some());
}

proptest! {
    #[test]
    fn json_is_read_as_serde_json_reads_it(json in texts()) {
        prop_assert!(is_json(&json));
        assert_agrees(&json);
    }

    #[test]
    fn damaged_json_is_accepted_exactly_if_serde_json_accepts_it(json in damaged()) {
        assert_agrees(&json);
    }

    #[test]
    fn any_sequence_of_tokens_is_accepted_exactly_if_serde_json_accepts_it(json in r#"(\{|\}|\[|\]|"[abc]"|"\\u[0-9a-f]{4}"|"\\.?"|:|,|[-+]?[0-9]{1,2}(\.[0-9]?)?([eE]-?[0-9]?)?|true|null|fals|[ \t\r\n\x0b\u{a0}]){0,16}"#) {
        assert_agrees(&json);
    }

    #[test]
    fn any_text_is_accepted_exactly_if_serde_json_accepts_it(json in ".{0,40}") {
        assert_agrees(&json);
    }
}
