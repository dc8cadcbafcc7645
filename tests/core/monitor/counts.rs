//! Counts of what happened.
//!
//! 1. Equal names and codes add up, and the last minute is the newest.
//! 2. A code from outside is limited: its length, its characters, and how many there are.
//! 3. Lines are read back as they were written. A line of another form is ignored.
//! 4. The JSON has each name once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::monitor::{Counts, MAX_KINDS, is_rate_low};
use proptest::prelude::*;
use serde_json::{Value, json};

fn counts(items: &[(&str, &str, u64, i64)]) -> Counts {
    let mut counts = Counts::default();
    for (name, code, count, last) in items {
        counts.add(name, code, *count, *last);
    }
    counts
}

fn parsed(counts: &Counts) -> Value {
    serde_json::from_str(&counts.to_json()).unwrap()
}

#[test]
fn equal_names_and_codes_add_up() {
    let all = counts(&[("b", "x", 1, 7), ("a", "y", 2, 3), ("b", "x", 4, 5), ("b", "w", 1, 1)]);
    assert_eq!(all.to_text(true), "a y 2 3\nb w 1 1\nb x 5 7\n");
    assert_eq!(all.under("b").map(|count| count.count).sum::<u64>(), 6);
    assert_eq!(parsed(&all), json!({ "a": { "y": 2 }, "b": { "w": 1, "x": 5 } }));
    assert_eq!(Counts::default().to_json(), "{}");
}

#[test]
fn a_code_that_cannot_be_shown_is_counted_as_other() {
    for code in ["", "a b", "a\n", "\"", "é", &"x".repeat(65)] {
        assert_eq!(counts(&[("a", code, 1, 0)]).to_text(false), "a other 1\n", "{code:?}");
    }
    assert_eq!(counts(&[("a", &"x".repeat(64), 1, 0)]).under("a").count(), 1);
}

#[test]
fn a_kind_over_the_limit_is_counted_as_other() {
    let mut all = Counts::default();
    for at in 0..MAX_KINDS * 2 {
        all.add("a", &format!("c{at}"), 1, 0);
    }
    assert_eq!(all.under("a").count(), MAX_KINDS + 1);
    assert_eq!(all.under("a").find(|count| count.code == "other").unwrap().count, MAX_KINDS as u64);
    all.add("a", "c0", 1, 0);
    assert_eq!(all.under("a").find(|count| count.code == "c0").unwrap().count, 2);
}

#[test]
fn a_line_of_another_form_is_ignored() {
    let mut all = Counts::default();
    all.add_text("\n \na\na b\na b c\na b -1\na b 1\n  \na b 2 9 x\n", 4);
    assert_eq!(all.to_text(true), "a b 3 9\n");
}

#[test]
fn a_rate_limit_is_low_under_a_fifth() {
    assert_eq!([12, 11, 0].map(|remaining| is_rate_low(remaining, 60)), [false, true, true]);
    assert!(!is_rate_low(0, 0) && !is_rate_low(u64::MAX, u64::MAX));
}

proptest! {
    #[test]
    fn lines_are_read_back_as_written_and_the_json_is_valid(items in prop::collection::vec(("[a-z_]{1,9}", ".{0,9}", 0_u64..1_000_000, 0_i64..99), 0..40)) {
        let items: Vec<_> = items.iter().map(|(name, code, count, last)| (&**name, &**code, *count, *last)).collect();
        let all = counts(&items);
        let mut read = Counts::default();
        read.add_text(&all.to_text(true), 0);
        prop_assert_eq!(&read, &all);
        let total: u64 = parsed(&all).as_object().unwrap().values()
            .flat_map(|codes| codes.as_object().unwrap().values().map(|count| count.as_u64().unwrap())).sum();
        prop_assert_eq!(total, items.iter().map(|item| item.2).sum::<u64>());
    }

    #[test]
    fn no_text_panics(text: String, name: String, lines in "([a-c] [a-c] [0-9]{0,20}\n){0,9}", minute: i64) {
        let mut all = Counts::default();
        all.add_text(&format!("{text}\n{} x 1\n{lines}", name.replace(' ', "_")), minute);
        let _ = parsed(&all);
    }
}
