//! Alerts, decided from the counts of an hour.
//!
//! 1. A cause begins and ends where the table in `alert.rs` says.
//! 2. While neither is certain, nothing is told.
//! 3. What is told is bounded: once an hour, and the end only after the beginning.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::monitor::{Minutes, alerts};
use proptest::prelude::*;

const NOW: i64 = 1_000;

fn hour(lines: &[(i64, &str)]) -> Minutes {
    let mut minutes = Minutes::default();
    for (ago, line) in lines {
        minutes.add_text(&format!("@{}\n{line}\n", NOW - ago));
    }
    minutes
}

/// The causes that are told: `+` where one begins, `-` where one is over.
fn told(lines: &[(i64, &str)], before: Option<i64>) -> Vec<String> {
    let sign = |is_over| if is_over { "-" } else { "+" };
    let due = alerts(&hour(lines), |_| before, 3, NOW);
    due.into_iter().map(|alert| format!("{}{}", sign(alert.is_over), alert.cause)).collect()
}

/// What is told of one cause if nothing was told before, and if it was a minute ago.
fn of(cause: &str, lines: &[(i64, &str)]) -> (bool, bool) {
    let has = |all: Vec<String>, sign| all.contains(&format!("{sign}{cause}"));
    (has(told(lines, None), "+"), has(told(lines, Some(NOW - 1)), "-"))
}

const BEGINS: (bool, bool) = (true, false);
const OVER: (bool, bool) = (false, true);
const OPEN: (bool, bool) = (false, false);

#[test]
fn expirations_and_parked_forwards_count_over_the_hour() {
    let expired = |webhook: u64, call: u64| {
        let lines = [format!("session_expired webhook {webhook}"), format!("session_expired call {call}")];
        of("expirations", &[(50, &lines[0]), (1, &lines[1])])
    };
    assert_eq!([expired(4, 0), expired(0, 4), expired(3, 3)], [BEGINS, BEGINS, OVER]);
    assert_eq!(of("expirations", &[]), OVER);
    assert_eq!(of("parked", &[(59, "forward parked 1")]), BEGINS);
    assert_eq!(of("parked", &[(59, "forward lost 1")]), BEGINS);
    assert_eq!(of("parked", &[(1, "forward done 9")]), OVER);
}

#[test]
fn an_api_key_is_refused_until_it_is_accepted() {
    let (refused, accepted) = ("api_key_refused UNAUTHORIZED 1", "upstream 2xx 1");
    assert_eq!(of("api_key", &[(1, refused)]), BEGINS);
    assert_eq!(of("api_key", &[(1, refused), (1, accepted)]), BEGINS);
    assert_eq!(of("api_key", &[(2, refused), (1, accepted)]), OVER);
    assert_eq!(of("api_key", &[(11, refused)]), OPEN);
    assert_eq!(of("api_key", &[]), OPEN);
}

#[test]
fn a_reconciliation_has_stopped_until_one_is_done() {
    let (stopped, done) = ("reconciliation stopped 1", "reconciliation done 1");
    assert_eq!(of("reconciliation", &[(59, stopped)]), BEGINS);
    assert_eq!(of("reconciliation", &[(5, done), (5, stopped)]), BEGINS);
    assert_eq!(of("reconciliation", &[(5, stopped), (4, done)]), OVER);
    assert_eq!(of("reconciliation", &[]), OPEN);
}

#[test]
fn signatures_fail_after_ten_minutes_without_one_that_verifies() {
    let (refused, accepted) = ("webhook_rejected SIGNATURE_MISMATCH 3", "webhook_accepted stale 1");
    assert_eq!(of("signatures", &[(12, refused), (2, refused)]), BEGINS);
    assert_eq!(of("signatures", &[(11, refused), (2, refused)]), OPEN);
    assert_eq!(of("signatures", &[(30, refused), (11, refused)]), OPEN);
    assert_eq!(of("signatures", &[(30, refused), (15, accepted), (2, refused)]), OPEN);
    assert_eq!(of("signatures", &[(30, accepted), (29, refused), (2, refused)]), BEGINS);
    assert_eq!(of("signatures", &[(12, refused), (2, refused), (1, accepted)]), OVER);
    assert_eq!(
        of("signatures", &[(12, "webhook_rejected BODY_TOO_LARGE 9"), (2, "webhook_rejected OVERLOADED 9")]),
        OPEN
    );
    assert_eq!(of("signatures", &[]), OPEN);
}

#[test]
fn fewer_than_five_refused_webhooks_are_no_trouble() {
    let one = "webhook_rejected MISSING_HEADERS 1";
    let probes = [(50, one), (40, one), (30, one), (12, one), (2, one)];
    for few in 1..5 {
        assert_eq!(of("signatures", &probes[5 - few..]), OPEN, "{few}");
    }
    assert_eq!(of("signatures", &probes), BEGINS);
    let accepted = "webhook_accepted applied 1";
    assert_eq!(
        of("signatures", &[&probes[..3], &[(20, accepted)], &probes[3..]].concat()),
        OPEN,
        "since the last accepted"
    );
    assert_eq!(of("signatures", &[&probes[..], &[(1, accepted)]].concat()), OVER);
}

#[test]
fn a_cause_is_told_once_an_hour() {
    let parked = [(1, "forward parked 1")];
    assert_eq!(told(&parked, None), ["+parked"]);
    for (ago, again) in [(0, false), (59, false), (60, true), (100, true)] {
        assert_eq!(told(&parked, Some(NOW - ago)).contains(&"+parked".to_owned()), again, "{ago}");
    }
}

proptest! {
    #[test]
    fn the_end_is_told_only_after_the_beginning(lines in prop::collection::vec((0_i64..60, "(session_expired|forward|reconciliation|webhook_accepted|webhook_rejected|upstream|api_key_refused) (webhook|parked|done|stopped|2xx|SIGNATURE_MISMATCH) [1-9]"), 0..30)) {
        let lines: Vec<_> = lines.iter().map(|(ago, line)| (*ago, &**line)).collect();
        prop_assert!(told(&lines, None).iter().all(|due| due.starts_with('+')));
        prop_assert!(told(&lines, Some(NOW)).iter().all(|due| due.starts_with('-')));
    }
}
