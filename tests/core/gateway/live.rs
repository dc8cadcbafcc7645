//! Opening a WebSocket: what the subprotocols and the query say.
//!
//! 1. The token follows `bearer.`, at any place of the list. Without it there is no token.
//! 2. `ofauth-edge` must be offered, spelled exactly so.
//! 3. `since` is a number in decimal digits, or absent. Anything else in the query is refused.
//! 4. No text panics, and a number is read as it was written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::gateway::{
    EdgeError,
    live::{SUBPROTOCOL, read_since, token},
};
use proptest::prelude::*;

/// The number that is read, or the code of the error.
fn since(query: &str) -> Result<&str, &'static str> {
    read_since(SUBPROTOCOL, query).map_err(EdgeError::code)
}

#[test]
fn the_token_follows_bearer() {
    for protocols in ["ofauth-edge, bearer.a.b.c", "bearer.a.b.c,ofauth-edge", " chat ,\tbearer.a.b.c , ofauth-edge"] {
        assert_eq!(token(protocols), Some("a.b.c"), "{protocols}");
        assert_eq!(read_since(protocols, ""), Ok(""), "{protocols}");
    }
    assert_eq!(token("ofauth-edge, bearer.first, bearer.second"), Some("first"));
    for protocols in ["", "ofauth-edge", "ofauth-edge, bearer", "Bearer.a.b.c", "xbearer.a.b.c", "bearer a.b.c"] {
        assert_eq!(token(protocols), None, "{protocols}");
    }
}

#[test]
fn the_gateways_own_subprotocol_must_be_offered() {
    for protocols in ["", "bearer.a.b.c", "ofauth-edge2, bearer.a.b.c", "OFAUTH-EDGE", "ofauth-edge;bearer.a.b.c"] {
        assert_eq!(read_since(protocols, "").map_err(EdgeError::code), Err("BAD_REQUEST"), "{protocols}");
    }
}

#[test]
fn since_is_a_number_in_decimal_digits() {
    assert_eq!(since(""), Ok(""));
    for number in ["0", "7", "007", "999999999999999"] {
        assert_eq!(since(&format!("since={number}")), Ok(number));
    }
    let wrong = [
        "since",
        "since=",
        "since=-1",
        "since=+1",
        "since=1.0",
        "since=1e3",
        "since=%31",
        "since=1 ",
        "since=x",
        "since=١",
        "since=1&since=1",
        "since=1&",
        "&since=1",
        "Since=1",
        "other=1",
        "1",
        "=1",
        "since=1000000000000000",
        "since=99999999999999999999",
    ];
    for query in wrong {
        assert_eq!(since(query), Err("BAD_REQUEST"), "{query}");
    }
}

proptest! {
    #[test]
    fn no_protocols_and_no_query_panic(protocols in "\\PC*", query in "\\PC*") {
        _ = token(&protocols);
        _ = read_since(&protocols, &query);
    }

    #[test]
    fn a_number_is_read_as_it_was_written(query in "(since=)?[0-9+. &=-]{0,18}") {
        if let Ok(number) = since(&query) {
            let written = format!("since={number}");
            prop_assert!(query.is_empty() || query == written);
            prop_assert!(number.is_empty() || number.parse::<u64>().is_ok_and(|number| number < 1 << 53));
        }
    }
}
