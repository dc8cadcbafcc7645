//! Alerts, decided from the counts of an hour.
//!
//! 1. A cause begins and ends as the table in `alert.rs` says.
//! 2. While neither is certain, there is no alert.
//! 3. Alerts are limited: one an hour for each cause, and its end only after its beginning.
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

/// The causes of the alerts that are due: `+` where one begins, `-` where one is over.
fn due(lines: &[(i64, &str)], before: Option<i64>) -> Vec<String> {
    let sign = |is_over| if is_over { "-" } else { "+" };
    let due = alerts(&hour(lines), |_| before, 3, NOW);
    due.into_iter().map(|alert| format!("{}{}", sign(alert.is_over), alert.cause)).collect()
}

/// Whether the beginning of a cause is due if it was never reported, and its end if it was reported a minute ago.
fn of(cause: &str, lines: &[(i64, &str)]) -> (bool, bool) {
    let has = |all: Vec<String>, sign| all.contains(&format!("{sign}{cause}"));
    (has(due(lines, None), "+"), has(due(lines, Some(NOW - 1)), "-"))
}

const BEGINS: (bool, bool) = (true, false);
const OVER: (bool, bool) = (false, true);
const OPEN: (bool, bool) = (false, false);

#[test]
fn expirations_and_parked_forwards_are_counted_over_the_last_hour() {
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
fn a_refused_api_key_alerts_until_it_is_accepted() {
    let (refused, accepted) = ("api_key_refused UNAUTHORIZED 1", "upstream 2xx 1");
    assert_eq!(of("api_key", &[(1, refused)]), BEGINS);
    assert_eq!(of("api_key", &[(1, refused), (1, accepted)]), BEGINS);
    assert_eq!(of("api_key", &[(2, refused), (1, accepted)]), OVER);
    assert_eq!(of("api_key", &[(11, refused)]), OPEN);
    assert_eq!(of("api_key", &[]), OPEN);
}

#[test]
fn a_stopped_reconciliation_alerts_until_a_pass_is_completed() {
    let (stopped, done) = ("reconciliation stopped 1", "reconciliation done 1");
    assert_eq!(of("reconciliation", &[(59, stopped)]), BEGINS);
    assert_eq!(of("reconciliation", &[(5, done), (5, stopped)]), BEGINS);
    assert_eq!(of("reconciliation", &[(5, stopped), (4, done)]), OVER);
    assert_eq!(of("reconciliation", &[]), OPEN);
}

#[test]
fn refused_webhooks_alert_after_ten_minutes_without_an_accepted_one() {
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
fn fewer_than_five_refused_webhooks_do_not_alert() {
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
fn an_alert_is_repeated_once_an_hour() {
    let parked = [(1, "forward parked 1")];
    assert_eq!(due(&parked, None), ["+parked"]);
    for (ago, again) in [(0, false), (59, false), (60, true), (100, true)] {
        assert_eq!(due(&parked, Some(NOW - ago)).contains(&"+parked".to_owned()), again, "{ago}");
    }
}

proptest! {
    #[test]
    fn the_end_of_a_cause_is_reported_only_after_its_beginning(lines in prop::collection::vec((0_i64..60, "(session_expired|forward|reconciliation|webhook_accepted|webhook_rejected|upstream|api_key_refused) (webhook|parked|done|stopped|2xx|SIGNATURE_MISMATCH) [1-9]"), 0..30)) {
        let lines: Vec<_> = lines.iter().map(|(ago, line)| (*ago, &**line)).collect();
        prop_assert!(due(&lines, None).iter().all(|due| due.starts_with('+')));
        prop_assert!(due(&lines, Some(NOW)).iter().all(|due| due.starts_with('-')));
    }
}
