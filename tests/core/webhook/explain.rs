//! Explanations of bodies that changed, of times, and of what was signed. Bodies, secrets and times are random, the fault is
//! made, and exactly its cause must be found. No explanation may show a secret, a body or a MAC (`Sender::explain` checks
//! that). Secrets and headers are in `explain_secret.rs`, JSON in `explain_json.rs`.
//!
//! 1. A request that verifies has no cause. A wrong secret or body is unknown, and so is a wrong body that is late.
//! 2. A line break at the end, line breaks, and a byte order mark are found, each added or removed.
//! 3. A time out of tolerance is found, alone or beside another cause.
//! 4. Milliseconds, a comma in place of the dot, and a body without the timestamp are found.
//! 5. Every cause has its own name and message.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use crate::common::sender::{Sender, any_secret, mac, sender};
use ofauth_edge::core::webhook::{Cause, MAX_MILLISECOND_SEARCH_BYTES};
use proptest::prelude::*;

const BOM: &str = "\u{feff}";

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        any::<String>().prop_map(String::into_bytes),
        (any::<i32>(), ".{0,50}")
            .prop_map(|(id, text)| serde_json::json!({ "id": id, "text": text }).to_string().into()),
    ]
}

fn lines() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[^\r\n]{0,30}", 2..6)
}

/// A sender whose time is out of tolerance by up to eleven days, in either direction.
fn late() -> impl Strategy<Value = Sender> {
    (sender(), 1_u64..1_000_000, any::<bool>()).prop_map(|(sender, by, late)| {
        let off = sender.tolerance + by;
        Sender { now: if late { sender.t + off } else { sender.t - off }, ..sender }
    })
}

fn change(sender: &Sender, signed: &[u8], received: &[u8], cause: Cause) {
    let evidence = sender.expect(received, &sender.sign(signed), cause).evidence;
    assert_eq!((evidence.body_bytes, evidence.signed_bytes), (received.len(), Some(signed.len())));
    let same = evidence.offset.unwrap();
    assert!(signed[..same] == received[..same] && signed.get(same) != received.get(same));
    assert_eq!(evidence.code, Some("SIGNATURE_MISMATCH"));
}

proptest! {
    #[test]
    fn a_request_that_verifies_has_no_cause(sender in sender(), body in bytes()) {
        let diagnosis = sender.expect(&body, &sender.sign(&body), Cause::None);
        prop_assert!(diagnosis.ok);
        prop_assert_eq!(diagnosis.evidence.code, None);
    }

    #[test]
    fn a_line_break_added_at_the_end_is_found(sender in sender(), body in bytes(), crlf: bool) {
        let end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
        change(&sender, &body, &[&body, end].concat(), Cause::TrailingNewlineAdded);
    }

    #[test]
    fn a_line_break_removed_at_the_end_is_found(sender in sender(), body in bytes(), crlf: bool) {
        let end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
        change(&sender, &[&body, end].concat(), &body, Cause::TrailingNewlineRemoved);
    }

    #[test]
    fn line_breaks_that_became_crlf_are_found(sender in sender(), lines in lines()) {
        change(&sender, lines.join("\n").as_bytes(), lines.join("\r\n").as_bytes(), Cause::NewlinesToCrlf);
    }

    #[test]
    fn line_breaks_that_became_lf_are_found(sender in sender(), lines in lines()) {
        change(&sender, lines.join("\r\n").as_bytes(), lines.join("\n").as_bytes(), Cause::NewlinesToLf);
    }

    #[test]
    fn a_byte_order_mark_that_was_added_is_found(sender in sender(), body in bytes()) {
        change(&sender, &body, &[BOM.as_bytes(), &body].concat(), Cause::BomAdded);
    }

    #[test]
    fn a_byte_order_mark_that_was_removed_is_found(sender in sender(), body in bytes()) {
        change(&sender, &[BOM.as_bytes(), &body].concat(), &body, Cause::BomRemoved);
    }

    #[test]
    fn a_time_out_of_tolerance_is_found(sender in late(), body in bytes()) {
        let diagnosis = sender.expect(&body, &sender.sign(&body), Cause::ClockSkew);
        prop_assert_eq!(diagnosis.evidence.skew_seconds, Some(skew(&sender)));
        let code = if sender.now > sender.t { "TIMESTAMP_TOO_OLD" } else { "TIMESTAMP_TOO_NEW" };
        prop_assert_eq!(diagnosis.evidence.code, Some(code));
        let seconds = skew(&sender).unsigned_abs().to_string();
        prop_assert!(diagnosis.message.contains(&seconds));
    }

    #[test]
    fn a_time_out_of_tolerance_is_shown_beside_a_change_of_the_body(sender in late(), body in bytes()) {
        let diagnosis = sender.expect(&[&body[..], b"\n"].concat(), &sender.sign(&body), Cause::TrailingNewlineAdded);
        prop_assert_eq!(diagnosis.evidence.skew_seconds, Some(skew(&sender)));
        prop_assert!(diagnosis.message.contains("more than the tolerance"));
    }

    #[test]
    fn milliseconds_in_the_header_are_found(sender in sender(), body in bytes(), rest in 0_u64..1000, signed: bool) {
        let (t, ms) = (sender.t.to_string(), (sender.t * 1000 + rest).to_string());
        let content = sender.content(".", if signed { &ms } else { &t }, &body);
        let diagnosis = sender.expect(&body, &sender.headers(&ms, mac(&sender.key(), &content)), Cause::Milliseconds);
        prop_assert_eq!(diagnosis.evidence.skew_seconds, Some(skew(&sender)));
    }

    #[test]
    fn milliseconds_in_the_header_are_found_without_a_matching_mac(sender in sender(), body in bytes()) {
        let diagnosis = sender.explain(&body, &sender.headers(&(sender.t * 1000).to_string(), [7; 32]));
        prop_assert_eq!((diagnosis.cause, diagnosis.evidence.mac_matches), (Cause::Milliseconds, false));
    }

    #[test]
    fn a_comma_in_place_of_the_dot_is_found(sender in sender(), body in bytes()) {
        let t = sender.t.to_string();
        let list = sender.headers(&t, mac(&sender.key(), &sender.content(",", &t, &body)));
        sender.expect(&body, &list, Cause::CommaForDot);
    }

    #[test]
    fn a_body_that_was_signed_without_a_timestamp_is_found(sender in sender(), body in bytes()) {
        let list = sender.headers(&sender.t.to_string(), mac(&sender.key(), &body));
        sender.expect(&body, &list, Cause::BodyWithoutTimestamp);
    }
}

// These try every millisecond of a second.
proptest! {
    #![proptest_config(crate::common::one_in(8))]

    #[test]
    fn a_wrong_secret_is_unknown(
        sender in sender(),
        wrong in any_secret(),
        body in bytes().prop_filter("an empty body is a cause of its own", |body| !body.is_empty()),
    ) {
        let diagnosis = sender.explain(&body, &sender.sign_with(wrong.as_bytes(), &body));
        prop_assert_eq!(diagnosis.cause, Cause::Unknown);
        prop_assert!(!diagnosis.ok && !diagnosis.evidence.mac_matches);
        prop_assert_eq!(diagnosis.evidence.secret_index, None);
        prop_assert!(diagnosis.message.contains("cannot tell which"));
    }

    #[test]
    fn a_wrong_body_is_unknown(
        sender in sender(),
        signed in prop::collection::vec(any::<u8>(), 1..300),
        at: prop::sample::Index,
        bit in 0_u8..8,
    ) {
        let mut received = signed.clone();
        received[at.index(signed.len())] ^= 1 << bit;
        let diagnosis = sender.explain(&received, &sender.sign(&signed));
        prop_assert_eq!(diagnosis.cause, Cause::Unknown);
        prop_assert_eq!(diagnosis.evidence.code, Some("SIGNATURE_MISMATCH"));
    }

    #[test]
    fn a_wrong_body_that_is_late_is_unknown(sender in late(), body in bytes()) {
        let diagnosis = sender.explain(&[&body[..], b"#"].concat(), &sender.sign(&body));
        prop_assert_eq!(diagnosis.cause, Cause::Unknown);
        prop_assert_eq!(diagnosis.evidence.skew_seconds, Some(skew(&sender)));
        prop_assert!(diagnosis.message.contains("more than the tolerance"));
    }

    #[test]
    fn milliseconds_that_only_the_sender_signed_are_found(sender in sender(), body in bytes(), rest in 0_u64..1000) {
        let content = sender.content(".", &(sender.t * 1000 + rest).to_string(), &body);
        let list = sender.headers(&sender.t.to_string(), mac(&sender.key(), &content));
        sender.expect(&body, &list, Cause::Milliseconds);
    }
}

fn skew(sender: &Sender) -> i64 {
    sender.now.cast_signed() - sender.t.cast_signed()
}

#[test]
fn the_first_and_the_last_millisecond_of_a_second_are_tried() {
    let sender = Sender::plain();
    for rest in ["000", "999"] {
        let content = sender.content(".", &format!("{}{rest}", sender.t), b"{}");
        let list = sender.headers(&sender.t.to_string(), mac(&sender.key(), &content));
        sender.expect(b"{}", &list, Cause::Milliseconds);
    }
}

#[test]
fn for_a_long_body_only_the_first_millisecond_of_the_second_is_tried() {
    let sender = Sender::plain();
    let signed = |rest: &str| {
        let body = vec![b'x'; MAX_MILLISECOND_SEARCH_BYTES + 1];
        let content = sender.content(".", &format!("{}{rest}", sender.t), &body);
        sender.explain(&body, &sender.headers(&sender.t.to_string(), mac(&sender.key(), &content))).cause
    };
    assert_eq!((signed("000"), signed("001")), (Cause::Milliseconds, Cause::Unknown));
}

#[test]
fn every_cause_has_its_own_name_in_json() {
    let words: BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
    assert_eq!(words.len(), Cause::ALL.len());
    for cause in Cause::ALL {
        assert!(cause.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'));
        assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
    }
}

#[test]
fn a_diagnosis_is_plain_json() {
    let sender = Sender::plain();
    let list = sender.sign(b"{}");
    let diagnosis = serde_json::to_value(sender.explain(b"{}\n", &list)).unwrap();
    let message = "The body ends in a line break that was not signed. Verify the raw bytes.";
    let evidence = serde_json::json!({
        "macMatches": true, "bodyBytes": 3, "code": "SIGNATURE_MISMATCH", "scheme": "ofauth", "secretIndex": 0,
        "skewSeconds": 0, "signedBytes": 2, "offset": 2,
    });
    let whole = serde_json::json!({
        "ok": false, "cause": "trailing_newline_added", "message": message, "evidence": evidence,
    });
    assert_eq!(diagnosis, whole);
}
