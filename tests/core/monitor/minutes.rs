//! The counts of each minute: the texts of several objects become one list, the newest minute first, with a total.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::monitor::Minutes;
use proptest::prelude::*;
use serde_json::{Value, json};

fn parsed(texts: &[&str]) -> Value {
    let mut minutes = Minutes::default();
    for text in texts {
        minutes.add_text(text);
    }
    serde_json::from_str(&minutes.to_json()).unwrap()
}

#[test]
fn the_texts_of_several_objects_become_one_list() {
    let json = parsed(&["@28421911\na x 1\nb y 2\n@28421909\na x 4\n", "", "@28421911\na x 2\n"]);
    let expected = json!({
        "list": [
            { "minute": "2024-01-15T10:31:00.000Z", "counts": { "a": { "x": 3 }, "b": { "y": 2 } } },
            { "minute": "2024-01-15T10:29:00.000Z", "counts": { "a": { "x": 4 } } },
        ],
        "total": { "a": { "x": 7 }, "b": { "y": 2 } },
    });
    assert_eq!(json, expected);
    assert_eq!(parsed(&[]), json!({ "list": [], "total": {} }));
}

#[test]
fn a_minute_of_another_form_is_ignored() {
    let texts = ["a x 1\n", "@\na x 1\n", "@x\na x 1\n", "@5", "@ 5\na x 1\n"];
    assert_eq!(parsed(&texts), json!({ "list": [], "total": {} }));
}

proptest! {
    #[test]
    fn no_text_panics(text: String, lines in "(@[0-9]{0,20}\n|[a-c] [a-c] [0-9]{0,20}\n){0,20}") {
        parsed(&[&text, &lines]);
    }
}
