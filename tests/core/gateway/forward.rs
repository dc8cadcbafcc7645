//! Forwarding: what becomes of an event after an attempt to send it to the app.
//!
//! 1. 2xx is taken; 410 parks at once.
//! 2. 429, 5xx and no answer are sent again for 72 hours after the event was received, then parked.
//! 3. Any other answer, also a redirect, is sent again for 24 hours after the first one, never beyond the 72 hours.
//! 4. The waits double from 5 seconds to an hour, with jitter over their second half.
//! 5. A longer Retry-After in seconds is respected, up to the end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::gateway::forward::{Answer, FIRST_WAIT, LIFETIME, MAX_WAIT, Next, REFUSED_LIFETIME, Waiting};
use proptest::prelude::*;

const RECEIVED: i64 = 1_705_314_600_000;
const HOUR: i64 = 3_600_000;

fn waiting(attempts: i64) -> Waiting {
    Waiting { received: RECEIVED, attempts, refused_at: None }
}

fn answered(status: u16) -> Answer<'static> {
    Answer::Status(status, None)
}

/// When the event is sent again, in ms after `now`.
fn wait(waiting: Waiting, answer: Answer<'_>, now: i64, random: f64) -> i64 {
    match waiting.after(answer, now, random) {
        Next::Again { at, .. } => at - now,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_2xx_is_taken_even_after_the_end() {
    for status in 200..300 {
        assert_eq!(waiting(0).after(answered(status), RECEIVED, 0.5), Next::Taken);
        assert_eq!(waiting(99).after(answered(status), RECEIVED + 2 * LIFETIME, 0.5), Next::Taken);
    }
}

#[test]
fn a_410_parks_at_once() {
    assert_eq!(waiting(0).after(answered(410), RECEIVED, 0.5), Next::Parked);
}

#[test]
fn what_may_pass_is_sent_again_for_72_hours() {
    assert_eq!(LIFETIME, 72 * HOUR);
    for answer in [Answer::None, answered(429), answered(500), answered(503), answered(599)] {
        let again = Next::Again { at: RECEIVED + LIFETIME, refused_at: None };
        assert_eq!(waiting(80).after(answer, RECEIVED + LIFETIME - 1, 0.5), again, "the last one is at the end");
        assert_eq!(waiting(80).after(answer, RECEIVED + LIFETIME, 0.5), Next::Parked);
    }
}

#[test]
fn a_refusal_is_sent_again_for_24_hours_after_the_first_one() {
    assert_eq!(REFUSED_LIFETIME, 24 * HOUR);
    for status in [101, 301, 302, 307, 400, 401, 404, 409, 413, 422, 499] {
        let first = RECEIVED + 30 * HOUR;
        let Next::Again { refused_at, .. } = waiting(40).after(answered(status), first, 0.5) else {
            panic!("{status}")
        };
        assert_eq!(refused_at, Some(first), "{status}");
        let refused = Waiting { refused_at, ..waiting(60) };
        let again = Next::Again { at: first + REFUSED_LIFETIME, refused_at };
        assert_eq!(refused.after(answered(status), first + REFUSED_LIFETIME - 1, 0.5), again);
        assert_eq!(refused.after(answered(status), first + REFUSED_LIFETIME, 0.5), Next::Parked);
    }
}

#[test]
fn a_refusal_shortly_before_the_72_hours_end_gains_no_time() {
    let refused = Waiting { refused_at: Some(RECEIVED + 60 * HOUR), ..waiting(70) };
    assert_eq!(refused.after(answered(404), RECEIVED + LIFETIME, 0.5), Next::Parked);
}

#[test]
fn after_a_refusal_what_may_pass_has_72_hours_again() {
    let refused = Waiting { refused_at: Some(RECEIVED), ..waiting(40) };
    let now = RECEIVED + 30 * HOUR;
    let Next::Again { refused_at, .. } = refused.after(answered(503), now, 0.5) else { panic!("parked") };
    assert_eq!(refused_at, Some(RECEIVED), "the first refusal is remembered");
    assert_eq!(refused.after(answered(404), now, 0.5), Next::Parked);
}

#[test]
fn waits_double_up_to_an_hour() {
    for (attempts, full) in
        [(0, 5_000), (1, 10_000), (2, 20_000), (9, 2_560_000), (10, HOUR), (80, HOUR), (9_999, HOUR)]
    {
        assert_eq!(wait(waiting(attempts), Answer::None, RECEIVED, 0.0), full / 2, "{attempts}");
        assert_eq!(wait(waiting(attempts), Answer::None, RECEIVED, 1.0), full, "{attempts}");
    }
    assert_eq!((FIRST_WAIT, MAX_WAIT), (5_000, HOUR));
}

#[test]
fn a_longer_retry_after_is_respected() {
    let asked = |text| wait(waiting(0), Answer::Status(503, Some(text)), RECEIVED, 1.0);
    assert_eq!(asked("120"), 120_000);
    assert_eq!(asked(" 120.5 "), 121_000);
    assert_eq!(asked("1"), 5_000, "a shorter one is not");
    assert_eq!(asked("31536000"), LIFETIME);
    assert_eq!(asked("18446744073709551615"), LIFETIME);
    for other in ["", "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"] {
        assert_eq!(asked(other), 5_000, "{other}");
    }
    assert_eq!(wait(waiting(0), Answer::Status(429, Some("60")), RECEIVED, 1.0), 60_000);
    assert_eq!(wait(waiting(0), Answer::Status(404, Some("60")), RECEIVED, 1.0), 60_000);
}

proptest! {
    #[test]
    fn an_event_is_never_sent_after_72_hours_nor_at_once(
        status in 300..600_u16,
        attempts in 0..200_i64,
        age in 0..LIFETIME,
        random in 0.0..=1.0,
    ) {
        let now = RECEIVED + age;
        if let Next::Again { at, .. } = waiting(attempts).after(answered(status), now, random) {
            prop_assert!(at <= RECEIVED + LIFETIME);
            prop_assert!(at >= now + FIRST_WAIT / 2 || at == RECEIVED + LIFETIME);
        } else {
            prop_assert_eq!(status, 410);
        }
    }
}
