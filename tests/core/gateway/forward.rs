//! Forwarding: what becomes of an event after an attempt to send it to the app.
//!
//! 1. 2xx means taken. 410 parks at once, and so does an event that is too large for the queue.
//! 2. After 429, 5xx or no answer, an event is sent again for 72 hours after it was received, then parked.
//! 3. After any other answer, also a redirect, it is sent again for 24 hours after the first one, never beyond the 72 hours.
//! 4. The waits double from 5 seconds to an hour. Their second half is random.
//! 5. A longer Retry-After in seconds is respected, up to the end.
//! 6. Attempts without an answer and refusals of the app are counted separately.
//! 7. The list shows both counts, the last answer and the times.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::gateway::{
    deliveries::{DeliveryQuery, PARKED, PENDING, delivery_item},
    forward::{Answer, FIRST_WAIT, LIFETIME, MAX_WAIT, Next, REFUSED_LIFETIME, TOO_LARGE, Waiting, wait_after},
};
use proptest::prelude::*;

const RECEIVED: i64 = 1_705_314_600_000;
const HOUR: i64 = 3_600_000;

fn waiting(attempts: i64) -> Waiting {
    Waiting { received: RECEIVED, attempts, ..Waiting::default() }
}

fn answered(status: u16) -> Answer<'static> {
    Answer::Status(status, None)
}

/// When the event is sent again, in ms after `now`.
fn wait(waiting: Waiting, answer: Answer<'_>, now: i64, random: f64) -> i64 {
    match waiting.after(answer, now, random).1 {
        Next::Again(at) => at - now,
        other => panic!("{other:?}"),
    }
}

#[test]
fn any_2xx_means_taken_even_after_the_time_limit() {
    for status in 200..300 {
        assert_eq!(waiting(0).after(answered(status), RECEIVED, 0.5).1, Next::Taken);
        assert_eq!(waiting(99).after(answered(status), RECEIVED + 2 * LIFETIME, 0.5).1, Next::Taken);
    }
}

#[test]
fn a_410_parks_at_once() {
    assert_eq!(waiting(0).after(answered(410), RECEIVED, 0.5).1, Next::Parked);
}

#[test]
fn an_event_that_is_too_large_for_the_queue_is_parked_at_once_as_refused() {
    let answer = Answer::read(TOO_LARGE);
    let (counted, next) = waiting(0).after(answer, RECEIVED, 0.5);
    assert_eq!((answer, next, counted.attempts, counted.unanswered), (Answer::TooLarge, Next::Parked, 1, 0));
    assert_eq!(answer.code(), "refused");
    let line = "the event is too large for the queue; parked: 1 tries, 0 unanswered";
    assert_eq!(counted.describe(answer, next), line);
    assert!(delivery_item(["", "", ""], counted, answer, next, RECEIVED).contains(r#""lastAnswer":"too_large""#));
}

#[test]
fn an_event_with_a_temporary_failure_is_sent_again_for_72_hours() {
    assert_eq!(LIFETIME, 72 * HOUR);
    for answer in [Answer::None("timeout"), answered(429), answered(500), answered(503), answered(599)] {
        let again = Next::Again(RECEIVED + LIFETIME);
        assert_eq!(waiting(80).after(answer, RECEIVED + LIFETIME - 1, 0.5).1, again, "the last one is at the end");
        assert_eq!(waiting(80).after(answer, RECEIVED + LIFETIME, 0.5).1, Next::Parked);
    }
}

#[test]
fn a_refused_event_is_sent_again_for_24_hours_after_the_first_refusal() {
    assert_eq!(REFUSED_LIFETIME, 24 * HOUR);
    for status in [101, 301, 302, 307, 400, 401, 404, 409, 413, 422, 499] {
        let first = RECEIVED + 30 * HOUR;
        let Waiting { refused_at, .. } = waiting(40).after(answered(status), first, 0.5).0;
        assert_eq!(refused_at, Some(first), "{status}");
        let refused = Waiting { refused_at, ..waiting(60) };
        let again = Next::Again(first + REFUSED_LIFETIME);
        assert_eq!(refused.after(answered(status), first + REFUSED_LIFETIME - 1, 0.5).1, again);
        assert_eq!(refused.after(answered(status), first + REFUSED_LIFETIME, 0.5).1, Next::Parked);
    }
}

#[test]
fn a_late_refusal_does_not_extend_the_72_hours() {
    let refused = Waiting { refused_at: Some(RECEIVED + 60 * HOUR), ..waiting(70) };
    assert_eq!(refused.after(answered(404), RECEIVED + LIFETIME, 0.5).1, Next::Parked);
}

#[test]
fn after_a_refusal_a_temporary_failure_has_the_72_hours_again() {
    let refused = Waiting { refused_at: Some(RECEIVED), ..waiting(40) };
    let now = RECEIVED + 30 * HOUR;
    let (counted, next) = refused.after(answered(503), now, 0.5);
    assert!(matches!(next, Next::Again(_)));
    assert_eq!(counted.refused_at, Some(RECEIVED), "the first refusal is remembered");
    assert_eq!(refused.after(answered(404), now, 0.5).1, Next::Parked);
}

#[test]
fn waits_double_up_to_one_hour() {
    for (attempts, full) in
        [(0, 5_000), (1, 10_000), (2, 20_000), (9, 2_560_000), (10, HOUR), (80, HOUR), (9_999, HOUR)]
    {
        assert_eq!(wait(waiting(attempts), Answer::None("timeout"), RECEIVED, 0.0), full / 2, "{attempts}");
        assert_eq!(wait(waiting(attempts), Answer::None("timeout"), RECEIVED, 1.0), full, "{attempts}");
    }
    assert_eq!((FIRST_WAIT, MAX_WAIT), (5_000, HOUR));
    assert_eq!([wait_after(5, 0.0), wait_after(5, 1.0), wait_after(25, 0.5)], [80_000, 160_000, HOUR * 3 / 4]);
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

#[test]
fn attempts_without_an_answer_are_counted_separately() {
    let now = RECEIVED + 1_000;
    let (once, _) = waiting(0).after(Answer::read("network_error"), now, 0.5);
    let (twice, _) = once.after(Answer::read("503 "), now + 5_000, 0.5);
    let (counted, next) = twice.after(Answer::read("410 "), now + 9_000, 0.5);
    assert_eq!((counted.attempts, counted.unanswered, counted.first_at), (3, 1, Some(now)));
    assert_eq!(counted.describe(Answer::read("410 "), next), "the app answered 410; parked: 3 tries, 1 unanswered");
    assert_eq!(once.describe(Answer::None("timeout"), Next::Again(now)), "the app did not answer: timeout");
    let item = delivery_item(["id", "connection.expired", "acct_1"], counted, Answer::read("410 "), next, now);
    assert_eq!(
        item,
        r#"{"id":"id","type":"connection.expired","handle":"acct_1","state":"parked","tries":3,"unanswered":1,"refused":2,"lastAnswer":"410","firstTriedAt":"2024-01-15T10:30:01.000Z","nextTryAt":null,"parkedAt":"2024-01-15T10:30:01.000Z"}"#
    );
    let waits = delivery_item(["", "", ""], once, Answer::None("timeout"), Next::Again(now), now);
    assert!(waits.contains(r#""state":"pending""#) && waits.contains(r#""lastAnswer":"timeout""#));
    assert!(waits.contains(r#""nextTryAt":"2024-01-15T10:30:01.000Z","parkedAt":null"#));
    assert_eq!(delivery_item(["", "", ""], once, Answer::None("timeout"), Next::Taken, now), "");
}

#[test]
fn an_answer_is_read_as_a_status_and_a_retry_after() {
    assert_eq!(Answer::read("429 7"), Answer::Status(429, Some("7")));
    assert_eq!(Answer::read("200 "), Answer::Status(200, Some("")));
    assert_eq!(Answer::read("timeout"), Answer::None("timeout"));
}

#[test]
fn the_list_of_deliveries_has_a_state_a_limit_and_a_cursor() {
    let query = DeliveryQuery::parse("").unwrap();
    assert_eq!((query.state, query.limit, query.cursor), (PARKED, 20, None));
    let query = DeliveryQuery::parse("state=pending&limit=3&cursor=x").unwrap();
    assert_eq!((query.state, query.limit, query.cursor.as_deref()), (PENDING, 3, Some("x")));
    for bad in ["state=", "state=Parked", "limit=0", "offset=1", "state=parked&state=parked"] {
        assert!(DeliveryQuery::parse(bad).is_err(), "{bad}");
    }
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
        if let Next::Again(at) = waiting(attempts).after(answered(status), now, random).1 {
            prop_assert!(at <= RECEIVED + LIFETIME);
            prop_assert!(at >= now + FIRST_WAIT / 2 || at == RECEIVED + LIFETIME);
        } else {
            prop_assert_eq!(status, 410);
        }
    }
}

#[test]
fn refusals_of_the_app_and_failures_of_the_gateway_have_different_codes() {
    let codes = ["204 ", "299 5", "301 ", "410 ", "429 7", "503 ", "timeout", "queue_error", "storage_key_missing"]
        .map(|result| Answer::read(result).code());
    let refused = "refused";
    let expected = ["taken", "taken", refused, refused, refused, refused, "unanswered", "unanswered", "failed"];
    assert_eq!(codes, expected);
}
