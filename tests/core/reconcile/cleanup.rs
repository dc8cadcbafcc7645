//! Which expired connections are deleted at OFAuth.
#![allow(clippy::unwrap_used)]

use ofauth_edge::core::{
    connection::{Changes, Connection, Fact, FactOrder, Rank, Record},
    reconcile::is_due_for_cleanup,
};

const EXPIRED_AT: i64 = 1_700_000_000_000;
const DAY: i64 = 86_400_000;

fn record(status: &str) -> Record {
    let mut connection = Connection::new("conn_1".to_owned());
    let at = FactOrder { stamp: EXPIRED_AT, rank: Rank::Observed, delivery: "webhook".to_owned() };
    connection.apply(Fact { at, changes: Changes::status(status) });
    connection.record("acct_1".to_owned())
}

#[test]
fn only_connections_expired_for_the_given_days_are_due_and_none_with_0_days() {
    for (status, days, now, expected) in [
        ("expired", 30, EXPIRED_AT + 30 * DAY, true),
        ("expired", 30, EXPIRED_AT + 30 * DAY - 1, false),
        ("expired", 1, EXPIRED_AT, false),
        ("expired", 0, EXPIRED_AT + 10_000 * DAY, false),
        ("expired", u64::MAX, EXPIRED_AT + 10_000 * DAY, false),
        ("active", 30, EXPIRED_AT + 31 * DAY, false),
        ("missing", 30, EXPIRED_AT + 31 * DAY, false),
        ("disconnected", 30, EXPIRED_AT + 31 * DAY, false),
    ] {
        assert_eq!(is_due_for_cleanup(&record(status), days, now), expected, "{status} {days} {now}");
    }
    let undated = Record { expired_at: Some("once".to_owned()), ..record("expired") };
    assert!(!is_due_for_cleanup(&undated, 30, EXPIRED_AT + 31 * DAY));
}
