//! `from_slice`, compared with `serde_json`, which reads the same types.
//!
//! 1. Both read the same values from the same texts, complete or damaged, with white space anywhere.
//! 2. `from_slice` refuses an array for a struct, which `serde_json` accepts. Both refuse a fraction for an integer, a member
//!    that occurs twice, half of a surrogate pair, and anything after the value.
//! 3. A raw value is the text as it is written.
//! 4. A skipped value may be nested to any depth.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;

use ofauth_edge::core::json::{Raw, from_slice};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
    number: Option<i64>,
    flag: Option<bool>,
    #[serde(rename = "pair")]
    tuple: Option<(i64, String)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Nothing,
    One(u64),
    Two(String, Option<i64>),
    Fields { part: Part },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Whole {
    parts: Vec<Part>,
    choices: Vec<Choice>,
    named: BTreeMap<String, Vec<Option<String>>>,
    unit: (),
}

fn both(json: &str) -> Option<Whole> {
    let ours = from_slice::<Whole>(json.as_bytes()).ok();
    assert_eq!(ours, serde_json::from_str::<Whole>(json).ok(), "{json}");
    ours
}

fn parts() -> impl Strategy<Value = Part> {
    let text = prop_oneof!["[a-c]{0,3}", ".{0,12}", r#"[\\"/\x00-\x20\u{7f}-\u{ffff}]{0,8}"#];
    let tuple = proptest::option::of((any::<i64>(), ".{0,4}"));
    let rest = (proptest::option::of(any::<i64>()), proptest::option::of(any::<bool>()), tuple);
    (text, rest).prop_map(|(text, (number, flag, tuple))| Part { text, number, flag, tuple })
}

fn choices() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Nothing),
        any::<u64>().prop_map(Choice::One),
        (".{0,6}", proptest::option::of(any::<i64>())).prop_map(|(text, number)| Choice::Two(text, number)),
        parts().prop_map(|part| Choice::Fields { part }),
    ]
}

fn wholes() -> impl Strategy<Value = Whole> {
    let texts = proptest::collection::vec(proptest::option::of(".{0,6}"), 0..3);
    let named = proptest::collection::btree_map(".{0,6}", texts, 0..3);
    let lists = (proptest::collection::vec(parts(), 0..3), proptest::collection::vec(choices(), 0..3));
    (lists, named).prop_map(|((parts, choices), named)| Whole { parts, choices, named, unit: () })
}

proptest! {
    #[test]
    fn a_written_value_reads_back(whole in wholes(), pretty: bool) {
        let json = if pretty { serde_json::to_string_pretty(&whole) } else { serde_json::to_string(&whole) }.unwrap();
        prop_assert_eq!(both(&json), Some(whole));
    }

    #[test]
    fn a_damaged_text_is_read_or_refused_as_serde_json_does(
        whole in wholes(),
        at: prop::sample::Index,
        cut in 0..3_usize,
        put in prop_oneof![r#"[]{}\[,:"0-9eE.+ntf\\ -]{0,2}"#, ".{0,2}"],
    ) {
        let mut chars: Vec<char> = serde_json::to_string(&whole).unwrap().chars().collect();
        let at = at.index(chars.len());
        let end = (at + cut).min(chars.len());
        chars.splice(at..end, put.chars());
        let json: String = chars.into_iter().collect();
        let ours = from_slice::<Whole>(json.as_bytes()).ok();
        let theirs = serde_json::from_str::<Whole>(&json).ok();
        // An array for a struct, and `{"Nothing":null}` for a variant without content, are `serde_json`'s alone.
        if ours.is_some() || !json.contains('[') {
            prop_assert_eq!(ours, theirs, "{}", json);
        }
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = from_slice::<Whole>(&bytes);
        let _ = from_slice::<Option<Choice>>(&bytes);
    }
}

#[test]
fn an_array_is_not_read_as_a_struct() {
    assert!(from_slice::<Part>(br#"["a",1,true,null]"#).is_err());
    assert_eq!(from_slice::<Part>(b" {} ").unwrap(), Part::default());
}

#[test]
fn text_that_fits_no_type_is_refused() {
    for json in [
        r#"{"number":1.0}"#,
        r#"{"number":1e3}"#,
        r#"{"number":9223372036854775808}"#,
        r#"{"number":"1"}"#,
        r#"{"number":01}"#,
        r#"{"text":null}"#,
        r#"{"text":1}"#,
        r#"{"text":"a","text":"b"}"#,
        r#"{"text":"\ud83d"}"#,
        r#"{"flag":1}"#,
        r#"{"pair":[1]}"#,
        r#"{"pair":[1,"a",2]}"#,
        r#"{"pair":[1,"a",]}"#,
        "{} {}",
        "{},",
        r#"{"text":"a",}"#,
        r#"{,"text":"a"}"#,
        r#"{text:"a"}"#,
        "\u{feff}{}",
        "",
        "nul",
    ] {
        assert!(from_slice::<Part>(json.as_bytes()).is_err(), "{json}");
        assert!(serde_json::from_str::<Part>(json).is_err(), "{json}");
    }
}

#[test]
fn an_unknown_member_is_skipped_and_validated() {
    let part = Part { text: "a".to_owned(), ..Part::default() };
    assert_eq!(
        from_slice::<Part>(r#"{"x":[{"y":1.5e-3}],"text":"a","\ud83d":0}"#.replace("\\ud83d", "z").as_bytes()).unwrap(),
        part
    );
    for other in ["[1,]", "{1:2}", "tru", "\"\t\"", "1.", "--1"] {
        assert!(from_slice::<Part>(format!(r#"{{"x":{other}}}"#).as_bytes()).is_err(), "{other}");
    }
}

#[test]
fn a_raw_value_is_the_text_as_it_is_written() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Holder<'a> {
        #[serde(borrow)]
        raw: Option<Raw<'a>>,
        #[serde(borrow, default)]
        list: Vec<Raw<'a>>,
    }
    let json = r#"{"raw": {"a" : [1.50, "\u0041"]} , "list":[ 1e2 ,null,"x"]}"#;
    let holder: Holder = from_slice(json.as_bytes()).unwrap();
    let list = vec![Raw("1e2"), Raw("null"), Raw(r#""x""#)];
    assert_eq!(holder, Holder { raw: Some(Raw(r#"{"a" : [1.50, "\u0041"]}"#)), list });
    assert_eq!(from_slice::<Holder>(br#"{"raw":null}"#).unwrap(), Holder { raw: None, list: vec![] });
    assert!(from_slice::<Raw>(b"[").is_err());
}

#[test]
fn a_skipped_value_may_be_nested_to_any_depth() {
    let deep = format!(r#"{{"x":{}1{},"text":"a"}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(from_slice::<Part>(deep.as_bytes()).unwrap().text, "a");
}

#[test]
fn bytes_that_are_not_utf_8_are_refused() {
    assert!(from_slice::<Part>(b"{\"text\":\"\xff\"}").is_err());
}
