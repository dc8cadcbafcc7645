//! The end of Link: the query that the user's browser brings. Only what OFAuth documents is read.
//!
//! 1. The query says how Link ended, at which step or why, for which user and with which connection.
//! 2. A query without a status of Link is not a callback.
//! 3. A key that occurs twice, or a value of another form, counts as absent.
//! 4. No query panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::{
    gateway::callback::{Callback, LinkEnding},
    id::is_connection_id,
};
use proptest::prelude::*;

fn callback(query: &str) -> Callback {
    Callback::read(query).unwrap_or_else(|| panic!("{query}"))
}

fn some<T>(text: &str, make: impl Fn(Option<String>) -> T) -> T {
    make(Some(text.to_owned()))
}

#[test]
fn the_documented_queries_are_read() {
    let success = callback("status=success&connection_id=conn_1&client_reference_id=user+1%2F%C3%A9");
    assert_eq!(
        (success.ending, success.client_reference_id.as_deref()),
        (some("conn_1", LinkEnding::Success), Some("user 1/é"))
    );
    for step in ["pre-login", "authorization", "login", "2fa"] {
        let cancelled = callback(&format!("status=cancelled&step={step}"));
        assert_eq!((cancelled.ending, cancelled.client_reference_id), (some(step, LinkEnding::Cancelled), None));
    }
    for code in ["session_expired", "invalid_credentials", "account_locked", "2fa_failed"] {
        let failed = callback(&format!("client_reference_id=u&error_code={code}&status=error&x=y"));
        assert_eq!((failed.ending, failed.client_reference_id.as_deref()), (some(code, LinkEnding::Failed), Some("u")));
    }
    let pairs = [
        ("status=success", LinkEnding::Success(None)),
        ("status=cancelled", LinkEnding::Cancelled(None)),
        ("status=error", LinkEnding::Failed(None)),
    ];
    for (query, ending) in pairs {
        assert_eq!(callback(query), Callback { client_reference_id: None, ending }, "{query}");
    }
}

#[test]
fn a_query_without_a_known_status_is_not_a_callback() {
    for query in [
        "",
        "&&&",
        "status",
        "status=",
        "status=pending",
        "status=unknown",
        "status=Success",
        "status=success%00",
        "status=success+",
        "status=%73uccess%",
        "Status=success",
        "status%00=success",
        "connection_id=conn_1&client_reference_id=u",
        "status=success&status=success",
        "status=success&status=error",
        "status=success&%73tatus=cancelled",
        "status[]=success",
        "x?status=success",
        "status=success;connection_id=conn_1",
        "%ff%fe",
    ] {
        assert_eq!(Callback::read(query), None, "{query}");
    }
}

#[test]
fn a_key_that_occurs_twice_counts_as_absent() {
    let twice = callback("status=success&connection_id=conn_1&connection_id=conn_1&client_reference_id=u");
    assert_eq!((twice.ending, twice.client_reference_id.as_deref()), (LinkEnding::Success(None), Some("u")));
    let twice = callback("status=success&connection_id=conn_1&client_reference_id=u&client%5Freference_id=v");
    assert_eq!((twice.ending, twice.client_reference_id), (some("conn_1", LinkEnding::Success), None));
    assert_eq!(callback("status=cancelled&step=login&step=2fa").ending, LinkEnding::Cancelled(None));
    assert_eq!(callback("status=error&error_code=a&error_code=a").ending, LinkEnding::Failed(None));
}

#[test]
fn a_value_that_cannot_be_a_connection_id_counts_as_absent() {
    let long = "x".repeat(257);
    for odd in
        ["", "a+b", "a%20b", "a,b", "a%2Cb", "%00", "conn_1%00", "conn%0D%0A", "%C3%A9", "%ff", "conn_1%7f", &long]
    {
        assert_eq!(callback(&format!("status=success&connection_id={odd}")).ending, LinkEnding::Success(None), "{odd}");
    }
    let longest = "x".repeat(256);
    assert_eq!(
        callback(&format!("status=success&connection_id={longest}")).ending,
        some(&longest, LinkEnding::Success)
    );
}

#[test]
fn a_client_reference_id_is_any_text_of_1_to_4096_bytes() {
    let reference = |value: &str| callback(&format!("status=success&client_reference_id={value}")).client_reference_id;
    for (sent, read) in
        [("a%00b", "a\0b"), ("%", "%"), ("%zz", "%zz"), ("%F0%9F%98%80", "😀"), ("a%26b%3Dc", "a&b=c"), ("+", " ")]
    {
        assert_eq!(reference(sent).as_deref(), Some(read), "{sent}");
    }
    assert_eq!(reference(""), None);
    assert_eq!(reference(&"x".repeat(4096)).map(|it| it.len()), Some(4096));
    assert_eq!(reference(&"x".repeat(4097)), None);
}

#[test]
fn a_step_or_code_of_another_form_counts_as_absent() {
    let long = "x".repeat(65);
    for odd in
        ["", "Login", "<script>", "a%20b", "a+b", "a%0ab", "%00", "é", "a.b", "a%26status%3Dsuccess", "a%23", &long]
    {
        assert_eq!(callback(&format!("status=cancelled&step={odd}")).ending, LinkEnding::Cancelled(None), "{odd}");
        assert_eq!(callback(&format!("status=error&error_code={odd}")).ending, LinkEnding::Failed(None), "{odd}");
    }
}

proptest! {
    #[test]
    fn no_query_makes_the_reader_panic(
        query in r"\PC*|((status|step|error_code|connection_id|client_reference_id|success|cancelled|error|=|&|%|%0|%ff|\+|x){0,15})",
    ) {
        if let Some(Callback { client_reference_id, ending }) = Callback::read(&query) {
            prop_assert!(client_reference_id.is_none_or(|reference| (1..=4096).contains(&reference.len())));
            if let LinkEnding::Success(Some(id)) = ending {
                prop_assert!(is_connection_id(&id));
            }
        }
    }

    #[test]
    fn any_client_reference_id_and_connection_id_are_read_as_sent(user in ".{1,99}", id in "conn_[!-$&-+.0-\\[\\]-~-]{0,99}") {
        let pairs = [("status", "success"), ("connection_id", &*id), ("client_reference_id", &*user)];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let expected = Callback { client_reference_id: Some(user), ending: LinkEnding::Success(Some(id)) };
        prop_assert_eq!(Callback::read(&query), Some(expected));
    }
}
