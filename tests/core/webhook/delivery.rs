//! Deliveries: the id that recognises a copy, and the time of the event.
//!
//! 1. Under svix, the delivery id is the message id.
//! 2. Under ofauth, the id of a body with a timestamp is its hash, so a retry is the same delivery.
//! 3. Under ofauth, the id of a body without one is its hash with the time of the signature, because two events may have
//!    equal bodies.
//! 4. The stamp is the timestamp in the body. If that is absent, unreadable or more than 300 s after the signature, it is the
//!    time of the signature.
//! 5. Instants are written in one form of ISO 8601.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{CREATED, EXPIRED, NOW, REALTIME, SDK_CREATED, delivery, signed, svix_signed};
use ofauth_edge::core::{
    instant::{iso_8601, unix_ms},
    webhook::{Delivery, Event},
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const NOW_MS: i64 = 1_705_314_600_000;

fn sha256(bytes: impl AsRef<[u8]>) -> String {
    base16ct::lower::encode_string(&Sha256::digest(bytes))
}

fn svix_delivery(body: &str, id: &str, t: u64) -> Delivery {
    svix_signed(body.as_bytes(), id, t, |verified| {
        Delivery::from_verified(verified, Event::parse(verified).ok().as_ref())
    })
}

/// The stamp of a body with this timestamp (any JSON), signed at [`NOW`].
fn stamp(timestamp: &str) -> i64 {
    delivery(&format!(r#"{{"type":"x","timestamp":{timestamp}}}"#), NOW).stamp
}

/// An expiry in the SDK's envelope, which has no timestamp.
fn untimed_expiry() -> String {
    SDK_CREATED.replace("connection.created", "connection.expired")
}

#[test]
fn under_svix_the_delivery_id_is_the_message_id() {
    assert_eq!(svix_delivery(CREATED, "msg_p5jXN8AQM9LWM0D4loKWxJek", NOW).id, "msg_p5jXN8AQM9LWM0D4loKWxJek");
    assert_eq!(svix_delivery(&untimed_expiry(), "msg_1", NOW).id, "msg_1");
}

#[test]
fn a_svix_retry_is_the_same_delivery() {
    assert_eq!(svix_delivery(CREATED, "msg_1", NOW), svix_delivery(CREATED, "msg_1", NOW + 120));
}

#[test]
fn under_svix_two_messages_with_the_same_body_are_two_deliveries() {
    assert_ne!(svix_delivery(EXPIRED, "msg_1", NOW).id, svix_delivery(EXPIRED, "msg_2", NOW).id);
}

#[test]
fn unusual_message_ids_give_plain_and_different_delivery_ids() {
    let long = "m".repeat(2000);
    let odd = ["msg 1", "msg:1", "msg/1", "msg\n1", "é", "..:..", &long, &long[1..]];
    let mut ids: Vec<_> = odd.iter().map(|id| svix_delivery(CREATED, id, NOW).id).collect();
    for id in &ids {
        assert!(id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), odd.len());
}

#[test]
fn the_delivery_id_of_a_body_with_a_timestamp_is_its_hash() {
    for body in [CREATED, EXPIRED, REALTIME] {
        assert_eq!(delivery(body, NOW).id, sha256(body));
    }
}

#[test]
fn a_retry_with_a_new_signature_is_the_same_delivery() {
    assert_eq!(delivery(EXPIRED, 1_705_320_000), delivery(EXPIRED, 1_705_323_600));
}

#[test]
fn the_delivery_id_of_a_body_without_a_timestamp_is_its_hash_with_the_time_of_the_signature() {
    assert_eq!(delivery(SDK_CREATED, NOW).id, sha256(format!("{NOW}.{SDK_CREATED}")));
    assert_eq!(
        delivery(r#"{"type":"x","timestamp":null}"#, NOW).id,
        sha256(format!(r#"{NOW}.{{"type":"x","timestamp":null}}"#))
    );
}

#[test]
fn two_expiries_without_a_timestamp_signed_at_different_seconds_are_two_deliveries() {
    let body = untimed_expiry();
    let (first, second) = (delivery(&body, NOW), delivery(&body, NOW + 1));
    assert_ne!(first.id, second.id);
    assert_eq!((first.stamp, second.stamp), (NOW_MS, NOW_MS + 1000));
}

#[test]
fn two_copies_without_a_timestamp_signed_in_the_same_second_are_one_delivery() {
    assert_eq!(delivery(&untimed_expiry(), NOW), delivery(&untimed_expiry(), NOW));
}

#[test]
fn a_body_that_is_not_an_event_has_the_time_of_the_signature() {
    let body = b"not \xff json";
    let delivery = signed(body, NOW, |verified| Delivery::from_verified(verified, None));
    assert_eq!(delivery, Delivery { id: sha256([format!("{NOW}.").as_bytes(), body].concat()), stamp: NOW_MS });
    assert_eq!(svix_signed(body, "msg_1", NOW, |verified| Delivery::from_verified(verified, None)).id, "msg_1");
}

#[test]
fn the_stamp_is_the_timestamp_in_the_body() {
    assert_eq!(delivery(CREATED, NOW + 3).stamp, NOW_MS);
    assert_eq!(svix_delivery(CREATED, "msg_1", NOW + 3).stamp, NOW_MS);
}

#[test]
fn an_old_timestamp_is_used() {
    assert_eq!(stamp(r#""2020-02-29T23:59:59Z""#), 1_583_020_799_000);
    assert_eq!(stamp(r#""1970-01-01T00:00:00Z""#), 0);
}

#[test]
fn without_a_timestamp_the_stamp_is_the_time_of_the_signature() {
    assert_eq!(delivery(r#"{"type":"x"}"#, NOW).stamp, NOW_MS);
    assert_eq!(stamp("null"), NOW_MS);
}

#[test]
fn with_an_unreadable_timestamp_the_stamp_is_the_time_of_the_signature() {
    let unreadable = [
        r#""""#,
        r#""yesterday""#,
        "1705314000",
        r#""1705314000""#,
        r#""2024-01-15""#,
        r#""2024-01-15T10:20:00""#,
        r#""2024-02-30T10:20:00Z""#,
        r#""2024-01-15T25:00:00Z""#,
        r#""2024-01-15T10:20:00+99:00""#,
        r#""Mon, 15 Jan 2024 10:20:00 GMT""#,
        r#"" 2024-01-15T10:20:00Z""#,
        r#""2024-01-15T10:20:00Z ""#,
        "{}",
        "[]",
        "true",
    ];
    for timestamp in unreadable {
        assert_eq!(stamp(timestamp), NOW_MS, "{timestamp}");
    }
}

#[test]
fn with_a_timestamp_before_1970_the_stamp_is_the_time_of_the_signature() {
    assert_eq!(stamp(r#""1969-12-31T23:59:59.999Z""#), NOW_MS);
    assert_eq!(stamp(r#""0001-01-01T00:00:00Z""#), NOW_MS);
    assert_eq!(stamp(r#""1970-01-01T00:00:00+02:00""#), NOW_MS);
}

#[test]
fn a_timestamp_is_used_up_to_300_seconds_after_the_time_of_the_signature() {
    assert_eq!(stamp(r#""2024-01-15T10:35:00Z""#), NOW_MS + 300_000);
    assert_eq!(stamp(r#""2024-01-15T10:35:00.001Z""#), NOW_MS);
    assert_eq!(stamp(r#""2024-01-15T10:35:01Z""#), NOW_MS);
    assert_eq!(stamp(r#""9999-12-31T23:59:59Z""#), NOW_MS);
}

#[test]
fn a_timestamp_is_compared_as_an_instant_whatever_its_offset() {
    assert_eq!(stamp(r#""2024-01-15T12:30:00+02:00""#), NOW_MS);
    assert_eq!(stamp(r#""2024-01-15T12:00:00+02:00""#), NOW_MS - 1_800_000);
    assert_eq!(stamp(r#""2024-01-15T05:00:00-05:30""#), NOW_MS);
    assert_eq!(stamp(r#""2024-01-15T10:29:59-00:00""#), NOW_MS - 1000);
}

#[test]
fn fractions_of_a_second_are_read_to_the_millisecond() {
    assert_eq!(stamp(r#""2024-01-15T10:29:59.1Z""#), NOW_MS - 900);
    assert_eq!(stamp(r#""2024-01-15T10:29:59.143Z""#), NOW_MS - 857);
    assert_eq!(stamp(r#""2024-01-15T10:29:59.143999999Z""#), NOW_MS - 857);
}

#[test]
fn the_latest_signature_makes_a_stamp_that_can_be_written() {
    let latest = (1 << 53) - 1;
    let stamp = delivery(r#"{"type":"x"}"#, latest).stamp;
    assert_eq!(unix_ms(&iso_8601(stamp)), Some(stamp));
}

#[test]
fn iso_8601_always_has_three_decimals_and_z() {
    assert_eq!(iso_8601(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(iso_8601(NOW_MS), "2024-01-15T10:30:00.000Z");
    assert_eq!(iso_8601(NOW_MS + 7), "2024-01-15T10:30:00.007Z");
    assert_eq!(iso_8601(1_709_164_800_120), "2024-02-29T00:00:00.120Z");
}

#[test]
fn iso_8601_stays_between_1970_and_9999() {
    for early in [-1, i64::MIN] {
        assert_eq!(iso_8601(early), "1970-01-01T00:00:00.000Z");
    }
    for late in [253_402_300_799_999, 253_402_300_800_000, i64::MAX] {
        assert_eq!(iso_8601(late), "9999-12-31T23:59:59.999Z");
    }
}

proptest! {
    #[test]
    fn an_instant_that_was_written_is_read_back(ms in 0..=253_402_300_799_999_i64) {
        let text = iso_8601(ms);
        prop_assert_eq!(text.len(), 24);
        prop_assert_eq!(unix_ms(&text), Some(ms));
    }

    #[test]
    fn iso_8601_sorts_as_time_does(a in 0..=253_402_300_799_999_i64, b in 0..=253_402_300_799_999_i64) {
        prop_assert_eq!(iso_8601(a).cmp(&iso_8601(b)), a.cmp(&b));
    }

    #[test]
    fn no_timestamp_makes_the_reader_panic(
        text in r"\PC*|[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,12})?(Z|[+-][0-9]{2}:[0-9]{2})",
    ) {
        let ms = unix_ms(&text);
        prop_assert!(ms.is_none_or(|ms| (0..=253_402_300_799_999).contains(&ms)));
    }
}
