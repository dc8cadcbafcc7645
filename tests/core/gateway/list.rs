//! List queries and their cursors. The pages themselves are in `page.rs`.
//!
//! 1. Filters, limit, offset and cursor are read. A key that is absent has its default.
//! 2. A number out of range or of another form, an unknown key and a repeated key are BAD_REQUEST.
//! 3. A cursor opens only with the same filters, and only unchanged.
//! 4. The list of events has cursors of its own, and so has the timeline of each connection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{NONCE_A, NONCE_B, sealer};
use ofauth_edge::core::{
    gateway::{
        EdgeError,
        list::{ConnectionCursor, ConnectionQuery, EventCursor, EventQuery},
    },
    storage::Sealer,
};
use proptest::prelude::*;

fn query(text: &str) -> ConnectionQuery {
    ConnectionQuery::parse(text).unwrap()
}

fn refused(text: &str) -> bool {
    let connections = ConnectionQuery::parse(text).map_err(EdgeError::code).err();
    assert!(matches!(connections, None | Some("BAD_REQUEST")));
    connections.is_some()
}

fn cursor() -> ConnectionCursor {
    let after = "acct_00112233445566778899aabbccddeeff".to_owned();
    ConnectionCursor { batch: Some("kv cursor".to_owned()), after, skip: 0, total: Some(7) }
}

/// The query with the cursor that another query sealed.
fn with_cursor(text: &str, sealed: String) -> ConnectionQuery {
    ConnectionQuery { cursor: Some(sealed), ..query(text) }
}

fn sealed(text: &str) -> String {
    query(text).seal_cursor(&cursor(), &sealer(), NONCE_A)
}

#[test]
fn an_empty_query_has_the_defaults() {
    let expected = ConnectionQuery {
        status: None,
        client_reference_id: None,
        platform_user_id: None,
        limit: 20,
        offset: 0,
        cursor: None,
    };
    assert_eq!(query(""), expected);
    assert_eq!(EventQuery::parse("").unwrap(), EventQuery { limit: 20, cursor: None });
}

#[test]
fn every_filter_is_read_and_decoded() {
    let query =
        query("status=awaiting_2fa&clientReferenceId=user%20%C3%A9+1&platformUserId=123456789&limit=50&offset=1000");
    assert_eq!(query.status.as_deref(), Some("awaiting_2fa"));
    assert_eq!(query.client_reference_id.as_deref(), Some("user é 1"));
    assert_eq!(query.platform_user_id.as_deref(), Some("123456789"));
    assert_eq!((query.limit, query.offset), (50, 1000));
}

#[test]
fn limit_is_1_to_100() {
    assert_eq!((query("limit=1").limit, query("limit=100").limit), (1, 100));
    for bad in ["0", "101", "-1", "1.5", "", "x", "%2B1", "+1", "1%20", "18446744073709551616", "%D9%A1"] {
        assert!(refused(&format!("limit={bad}")), "{bad}");
        assert!(EventQuery::parse(&format!("limit={bad}")).is_err(), "{bad}");
    }
}

#[test]
fn offset_is_0_to_1000() {
    assert_eq!((query("offset=0").offset, query("offset=1000").offset), (0, 1000));
    for bad in ["1001", "-1", "0.5", "", "x", "%2B1", "18446744073709551616"] {
        assert!(refused(&format!("offset={bad}")), "{bad}");
    }
}

#[test]
fn an_unknown_key_is_refused() {
    for bad in ["x=1", "Limit=1", "imported=true", "client_reference_id=u", "limit=1&x", "=1", "limit%20=1"] {
        assert!(refused(bad), "{bad}");
    }
    for bad in ["offset=0", "status=active", "x=1"] {
        assert!(EventQuery::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_repeated_key_is_refused() {
    for key in ["status", "clientReferenceId", "platformUserId", "limit", "offset", "cursor"] {
        assert!(refused(&format!("{key}=1&{key}=1")), "{key}");
    }
    assert!(refused("limit=1&%6Cimit=1"));
    assert!(EventQuery::parse("limit=1&limit=1").is_err());
}

#[test]
fn an_unknown_status_is_accepted() {
    assert_eq!(query("status=nonsense").status.as_deref(), Some("nonsense"));
}

#[test]
fn a_query_without_a_cursor_opens_none() {
    assert_eq!(query("limit=5").open_cursor(&sealer()), Ok(None));
    assert_eq!(EventQuery::parse("").unwrap().open_cursor(&sealer()), Ok(EventCursor::default()));
}

#[test]
fn a_cursor_opens_for_the_same_filters_whatever_the_limit() {
    for filters in ["", "status=active", "clientReferenceId=u&platformUserId=1"] {
        let next = ConnectionQuery::parse(&format!("{filters}&limit=3&cursor={}", sealed(filters))).unwrap();
        assert_eq!(next.open_cursor(&sealer()), Ok(Some(cursor())), "{filters}");
    }
}

#[test]
fn a_cursor_of_other_filters_is_refused() {
    let filters = [
        "",
        "status=active",
        "status=expired",
        "status=",
        "clientReferenceId=active",
        "platformUserId=active",
        "status=active&platformUserId=1",
        "status=active&clientReferenceId=1",
        "clientReferenceId=None",
        "status=a%22%2F",
    ];
    for sealing in filters {
        for opening in filters.iter().filter(|opening| **opening != sealing) {
            let refusal = with_cursor(opening, sealed(sealing)).open_cursor(&sealer()).unwrap_err();
            assert_eq!(refusal.code(), "BAD_REQUEST", "{sealing} {opening}");
        }
    }
}

#[test]
fn a_cursor_needs_no_encoding_in_a_url() {
    assert!(sealed("").bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
}

#[test]
fn a_cursor_shows_none_of_its_contents() {
    assert_ne!(sealed(""), query("").seal_cursor(&cursor(), &sealer(), NONCE_B));
    assert!(!sealed("").contains("acct"));
}

#[test]
fn a_cursor_sealed_under_an_older_key_opens() {
    let (old, both) = (Sealer::new(&[[3; 32]]).unwrap(), Sealer::new(&[[4; 32], [3; 32]]).unwrap());
    let sealed = query("").seal_cursor(&cursor(), &old, NONCE_A);
    assert_eq!(with_cursor("", sealed.clone()).open_cursor(&both), Ok(Some(cursor())));
    assert!(with_cursor("", sealed).open_cursor(&sealer()).is_err());
}

#[test]
fn an_event_cursor_opens_as_it_was_sealed() {
    let cursor = EventCursor { batch: Some("kv cursor".to_owned()), after: "event:1:x".to_owned() };
    let sealed = EventQuery::seal_cursor(&cursor, &sealer(), NONCE_A);
    let next = EventQuery::parse(&format!("cursor={sealed}")).unwrap();
    assert_eq!(next.open_cursor(&sealer()), Ok(cursor));
}

#[test]
fn a_cursor_of_events_does_not_open_the_list_of_connections_and_the_reverse() {
    let event = EventQuery::seal_cursor(&EventCursor::default(), &sealer(), NONCE_A);
    assert!(with_cursor("", event).open_cursor(&sealer()).is_err());
    assert!(EventQuery { limit: 20, cursor: Some(sealed("")) }.open_cursor(&sealer()).is_err());
}

const HANDLE: &str = "acct_00112233445566778899aabbccddeeff";

/// The query of a timeline's next page.
fn next(sealed: String) -> EventQuery {
    EventQuery { limit: 20, cursor: Some(sealed) }
}

#[test]
fn a_timeline_begins_after_every_position() {
    let beginning = EventQuery::parse("").unwrap().open_timeline_cursor(HANDLE, &sealer()).unwrap();
    assert_eq!(beginning, (1 << 53) - 1, "the largest safe integer of JavaScript");
}

#[test]
fn a_cursor_of_a_timeline_opens_for_the_same_connection_only() {
    let sealed = EventQuery::seal_timeline_cursor(HANDLE, 7, &sealer(), NONCE_A);
    assert_eq!(next(sealed.clone()).open_timeline_cursor(HANDLE, &sealer()), Ok(7));
    for other in ["acct_00112233445566778899aabbccddeef0", "", "acct_", "../events"] {
        let refusal = next(sealed.clone()).open_timeline_cursor(other, &sealer()).unwrap_err();
        assert_eq!(refusal.code(), "BAD_REQUEST", "{other}");
    }
    let others = Sealer::new(&[[9; 32]]).unwrap();
    assert!(next(sealed).open_timeline_cursor(HANDLE, &others).is_err());
}

#[test]
fn a_cursor_of_a_timeline_opens_no_other_list() {
    let place = EventQuery::seal_timeline_cursor(HANDLE, 7, &sealer(), NONCE_A);
    let events = EventQuery::seal_cursor(&EventCursor::default(), &sealer(), NONCE_A);
    assert!(next(place.clone()).open_cursor(&sealer()).is_err());
    assert!(with_cursor("", place).open_cursor(&sealer()).is_err());
    for other in [events, sealed(""), String::new(), "7".to_owned(), "====".to_owned()] {
        assert!(next(other.clone()).open_timeline_cursor(HANDLE, &sealer()).is_err(), "{other}");
    }
}

proptest! {
    #[test]
    fn any_cursor_of_a_timeline_round_trips(place: i64, handle: String) {
        let sealed = EventQuery::seal_timeline_cursor(&handle, place, &sealer(), NONCE_A);
        prop_assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        prop_assert_eq!(next(sealed).open_timeline_cursor(&handle, &sealer()), Ok(place));
    }

    #[test]
    fn any_cursor_round_trips(
        batch: Option<String>,
        after: String,
        skip in 0_usize..=1000,
        total in proptest::option::of(0_usize..=1000),
        status: Option<String>,
    ) {
        let (cursor, query) = (ConnectionCursor { batch, after, skip, total }, ConnectionQuery { status, ..query("") });
        let sealed = query.seal_cursor(&cursor, &sealer(), NONCE_A);
        let next = ConnectionQuery { cursor: Some(sealed), ..query };
        prop_assert_eq!(next.open_cursor(&sealer()), Ok(Some(cursor)));
    }

    #[test]
    fn a_cursor_with_one_character_changed_is_refused(at: prop::sample::Index, other in "[A-Za-z0-9_=+/-]") {
        let mut sealed = sealed("status=active");
        let at = at.index(sealed.len());
        prop_assume!(sealed[at..=at] != other);
        sealed.replace_range(at..=at, &other);
        prop_assert!(with_cursor("status=active", sealed).open_cursor(&sealer()).is_err());
    }

    #[test]
    fn random_text_is_not_a_cursor(text: String) {
        prop_assert!(with_cursor("", text.clone()).open_cursor(&sealer()).is_err());
        let events = EventQuery { limit: 20, cursor: Some(text) };
        prop_assert!(events.open_cursor(&sealer()).is_err());
    }

    #[test]
    fn no_query_makes_the_reader_panic(text in r"\PC*|((status|limit|offset|cursor|&|=|%|1|%ff){0,9})") {
        if let Ok(query) = ConnectionQuery::parse(&text) {
            prop_assert!((1..=100).contains(&query.limit) && query.offset <= 1000);
        }
        let _ = EventQuery::parse(&text);
    }
}
