//! Headers that were sent more than once.
//!
//! 1. Lines with the same value are one value, however many lines there are and whatever the value is.
//! 2. Lines with different values stay joined.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::gateway::single_value;
use proptest::prelude::*;

#[test]
fn the_same_value_on_several_lines_is_one_value() {
    for value in ["acct_1", "Bearer x", "t=1,v1=ab", "t=1, v1=ab", "a, b", "a, a, b", "", ",", "é"] {
        for lines in 1..6 {
            assert_eq!(single_value(&vec![value; lines].join(", ")), value, "{lines} times {value:?}");
        }
    }
}

#[test]
fn different_values_stay_joined() {
    for joined in [
        "a, b", "a, b, a", "a, a, b", "b, a, a", "a,a", "a,  a", "a , a", "a, A", "a, ", ", a", "aa, a", "a, aa",
        "x, x,",
    ] {
        assert_eq!(single_value(joined), joined, "{joined:?}");
    }
}

proptest! {
    #[test]
    fn repeating_the_single_value_gives_the_joined_lines(parts in prop::collection::vec("[ab]{0,2}", 1..9)) {
        let joined = parts.join(", ");
        let value = single_value(&joined);
        let lines = (joined.len() + 2) / (value.len() + 2);
        prop_assert_eq!(vec![value; lines].join(", "), joined);
    }

    #[test]
    fn no_header_panics(joined: String) {
        let _ = single_value(&joined);
    }
}
