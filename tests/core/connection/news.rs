//! News: which observed statuses a ledger stores.
//!
//! 1. An observed status is news only if it differs from the present one. An observed `active` is news only if the status is
//!    expired or missing.
//! 2. A fact without an observed status is always news.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::facts::fact;
use ofauth_edge::core::connection::{ACTIVE, Changes, Connection, EXPIRED, MISSING, Rank};

#[test]
fn an_observed_status_is_news_only_if_it_differs_from_the_present_one() {
    let with = |status: &str| {
        let mut connection = Connection::new("conn_1".to_owned());
        connection.apply(fact(
            1,
            Rank::Created,
            "a",
            Changes { status: Some(status.to_owned()), ..Changes::default() },
        ));
        connection
    };
    for (status, expired, active) in
        [(ACTIVE, true, false), (EXPIRED, false, true), (MISSING, true, true), ("awaiting_2fa", true, false)]
    {
        let is_news = |shown| with(status).is_news(Some(shown));
        assert_eq!(
            (is_news(EXPIRED), is_news(ACTIVE), with(status).is_news(None)),
            (expired, active, true),
            "{status}"
        );
    }
}

#[test]
fn without_a_status_an_observed_active_is_not_news() {
    let connection = Connection::new("conn_1".to_owned());
    assert!(connection.is_news(None) && connection.is_news(Some(EXPIRED)) && connection.is_news(Some(MISSING)));
    assert!(!connection.is_news(Some(ACTIVE)));
}
