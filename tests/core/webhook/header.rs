//! The forms of signature headers: every rule of OFAuth's page that the shared vectors do not cover.
//!
//! 1. A header of 8,192 bytes is read, and a longer one is malformed.
//! 2. A timestamp is plain decimal digits up to 2^53 − 1, in both schemes.
//! 3. Keys in an ofauth header are case-sensitive. The first `=` ends a key. A segment without one, or with another key, is
//!    ignored.
//! 4. An ofauth `v1` is exactly 64 hex digits. Any other is skipped.
//! 5. A svix entry is `v1,` and padded base64 of 32 bytes. Any other is skipped.
//! 6. No header makes the verifier panic, or accept a wrong signature.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{NOW, SECRET, SVIX_SECRET, headers};
use base64::{Engine, engine::general_purpose::STANDARD};
use ofauth_edge::core::webhook::{
    MAX_HEADER_BYTES, RequestHeaders, Secrets, SignatureClaim, sign_ofauth, sign_svix, verify,
};
use proptest::prelude::*;

const BODY: &[u8] = b"{}";

fn secrets() -> Secrets {
    Secrets::new(&[SECRET], &[SVIX_SECRET]).unwrap()
}

/// The code of an `OFAuth-Signature` over [`BODY`], verified at `now`.
fn ofauth_at(header: &str, now: u64) -> &'static str {
    let secrets = secrets();
    verify(BODY, headers(&[("ofauth-signature", header)]), &secrets, 300, now)
        .map_or_else(|error| error.code(), |_| "ok")
}

fn ofauth(header: &str) -> &'static str {
    ofauth_at(header, NOW)
}

/// The code of svix headers over [`BODY`], verified at `now`.
fn svix_at(id: &str, timestamp: &str, signature: &str, now: u64) -> &'static str {
    let (secrets, list) = (secrets(), [("svix-id", id), ("svix-timestamp", timestamp), ("svix-signature", signature)]);
    verify(BODY, headers(&list), &secrets, 300, now).map_or_else(|error| error.code(), |_| "ok")
}

fn svix(signature: &str) -> &'static str {
    svix_at("msg_1", &NOW.to_string(), signature, NOW)
}

/// The good hex over [`BODY`] at [`NOW`].
fn hex() -> String {
    sign_ofauth(BODY, SECRET, NOW).unwrap().split_once("v1=").unwrap().1.to_owned()
}

/// The good svix entry over [`BODY`] at [`NOW`] as `msg_1`.
fn entry() -> String {
    sign_svix(BODY, SVIX_SECRET, "msg_1", NOW).unwrap()
}

#[test]
fn an_ofauth_header_of_8192_bytes_is_read_and_a_longer_one_malformed() {
    let good = sign_ofauth(BODY, SECRET, NOW).unwrap();
    let padded = |bytes: usize| format!("{good},{}", "x".repeat(bytes - good.len() - 1));
    assert_eq!(ofauth(&padded(MAX_HEADER_BYTES)), "ok");
    assert_eq!(ofauth(&padded(MAX_HEADER_BYTES + 1)), "MALFORMED_HEADER");
}

#[test]
fn a_svix_header_of_8192_bytes_is_read_and_a_longer_one_malformed() {
    let good = entry();
    let padded = |bytes: usize| format!("{good} {}", "x".repeat(bytes - good.len() - 1));
    assert_eq!(svix(&padded(MAX_HEADER_BYTES)), "ok");
    assert_eq!(svix(&padded(MAX_HEADER_BYTES + 1)), "MALFORMED_HEADER");
    let id = "i".repeat(MAX_HEADER_BYTES + 1);
    let signature = sign_svix(BODY, SVIX_SECRET, &id, NOW).unwrap();
    assert_eq!(svix_at(&id, &NOW.to_string(), &signature, NOW), "MALFORMED_HEADER");
}

#[test]
fn the_length_of_a_header_is_counted_in_bytes() {
    assert_eq!(
        ofauth(&format!("{},{}", sign_ofauth(BODY, SECRET, NOW).unwrap(), "é".repeat(4096))),
        "MALFORMED_HEADER"
    );
}

#[test]
fn a_timestamp_is_at_most_two_to_the_53_less_one() {
    let latest = (1_u64 << 53) - 1;
    assert_eq!(ofauth_at(&sign_ofauth(BODY, SECRET, latest).unwrap(), latest), "ok");
    assert_eq!(ofauth_at(&sign_ofauth(BODY, SECRET, latest + 1).unwrap(), latest), "INVALID_TIMESTAMP");
    for (t, expected) in [(latest, "ok"), (latest + 1, "INVALID_TIMESTAMP")] {
        let signature = sign_svix(BODY, SVIX_SECRET, "msg_1", t).unwrap();
        assert_eq!(svix_at("msg_1", &t.to_string(), &signature, latest), expected);
    }
}

#[test]
fn a_timestamp_of_zero_is_well_formed() {
    assert_eq!(ofauth_at(&sign_ofauth(BODY, SECRET, 0).unwrap(), 0), "ok");
    assert_eq!(ofauth(&sign_ofauth(BODY, SECRET, 0).unwrap()), "TIMESTAMP_TOO_OLD");
}

#[test]
fn a_timestamp_that_is_not_plain_digits_is_invalid() {
    let forms = [
        "",
        "+1705314600",
        "-1705314600",
        "-0",
        " 1705314600",
        "1705314600.0",
        "1705314600.",
        "1.7053146e9",
        "0x65a51c28",
        "00",
        "01705314600",
        "1_705_314_600",
        "1705314600s",
        "18446744073709551616",
        "99999999999999999999999999",
        "１７０５３１４６００",
        "NaN",
        "Infinity",
        "null",
        "=1705314600",
    ];
    for t in forms {
        assert_eq!(ofauth(&format!("t={t},v1={}", hex())), "INVALID_TIMESTAMP", "ofauth t={t:?}");
        assert_eq!(svix_at("msg_1", t, &entry(), NOW), "INVALID_TIMESTAMP", "svix {t:?}");
    }
}

#[test]
fn white_space_around_a_svix_timestamp_makes_it_invalid() {
    assert_eq!(svix_at("msg_1", &format!("{NOW} "), &entry(), NOW), "INVALID_TIMESTAMP");
}

#[test]
fn keys_are_case_sensitive() {
    assert_eq!(ofauth(&format!("T={NOW},v1={}", hex())), "MALFORMED_HEADER");
    assert_eq!(ofauth(&format!("t={NOW},V1={}", hex())), "NO_VALID_SIGNATURES");
    assert_eq!(ofauth(&format!("t={NOW},T=1,v1={}", hex())), "ok");
}

#[test]
fn a_segment_splits_at_its_first_equals_sign() {
    assert_eq!(ofauth(&format!("t={NOW}=,v1={}", hex())), "INVALID_TIMESTAMP");
    assert_eq!(ofauth(&format!("t={NOW},v1={}=", hex())), "NO_VALID_SIGNATURES");
    assert_eq!(ofauth(&format!("t={NOW},v1=={}", hex())), "NO_VALID_SIGNATURES");
    assert_eq!(ofauth(&format!("t={NOW},x=t=1,=t=1,v1={}", hex())), "ok");
}

#[test]
fn empty_segments_and_segments_without_an_equals_sign_are_ignored() {
    assert_eq!(ofauth(&format!(",, ,t,v1,t={NOW},x,,v1={},", hex())), "ok");
    assert_eq!(ofauth(&format!("t,v1={}", hex())), "MALFORMED_HEADER");
    assert_eq!(ofauth(&format!("t={NOW},{}", hex())), "NO_VALID_SIGNATURES");
    assert_eq!(ofauth(","), "MALFORMED_HEADER");
}

#[test]
fn two_timestamps_are_malformed_at_any_position() {
    assert_eq!(ofauth(&format!("t={NOW},v1={},t={NOW}", hex())), "MALFORMED_HEADER");
    assert_eq!(ofauth(&format!("t=,v1={}, t={NOW}", hex())), "MALFORMED_HEADER");
}

#[test]
fn tabs_around_a_segment_are_trimmed() {
    assert_eq!(ofauth(&format!("\tt={NOW}\t,\tv1={}\t", hex())), "ok");
}

#[test]
fn a_v1_that_is_not_64_hex_digits_is_skipped() {
    let good = hex();
    let bad = [
        String::new(),
        good[..63].to_owned(),
        good[..62].to_owned(),
        format!("{good}0"),
        format!("{good}00"),
        format!("{}g", &good[..63]),
        format!(" {good}"),
        format!("0x{}", &good[..62]),
        format!("{}é", &good[..62]),
        STANDARD.encode([0; 32]),
    ];
    for bad in bad {
        assert_eq!(ofauth(&format!("t={NOW},v1={bad}")), "NO_VALID_SIGNATURES", "{bad:?}");
        assert_eq!(ofauth(&format!("t={NOW},v1={bad},v1={good}")), "ok", "{bad:?}");
    }
}

#[test]
fn mixed_case_hex_is_read() {
    let (head, tail) = { (hex()[..32].to_uppercase(), hex()[32..].to_owned()) };
    assert_eq!(ofauth(&format!("t={NOW},v1={head}{tail}")), "ok");
}

#[test]
fn a_svix_entry_of_another_form_is_skipped() {
    let good = entry();
    let base64 = good.strip_prefix("v1,").unwrap();
    let mac = STANDARD.decode(base64).unwrap();
    let bad = [
        String::new(),
        base64.to_owned(),
        format!("v1a,{base64}"),
        format!("v2,{base64}"),
        format!("V1,{base64}"),
        format!("v1={base64}"),
        format!("v1,{}", base16ct::lower::encode_string(&mac)),
        format!("v1,{}", STANDARD.encode(&mac[..31])),
        format!("v1,{}", STANDARD.encode([&mac[..], &[0]].concat())),
        format!("v1,{}", base64.trim_end_matches('=')),
        format!("v1,{base64}="),
        format!("v1,{base64},"),
        format!("v1,,{base64}"),
        format!("v1,{}", base64.replace(|char: char| char.is_ascii_digit(), "-")),
        "v1,".to_owned(),
    ];
    for bad in bad {
        assert_eq!(svix(&bad), "NO_VALID_SIGNATURES", "{bad:?}");
        assert_eq!(svix(&format!("{bad} {good}")), "ok", "{bad:?}");
    }
}

#[test]
fn one_of_several_svix_entries_and_one_of_several_secrets_may_match() {
    let other = "whsec_b3RoZXIgc2VjcmV0";
    let secrets = Secrets::new(&[], &[other, SVIX_SECRET]).unwrap();
    let (t, zeros) = (NOW.to_string(), STANDARD.encode([0; 32]));
    let signature = format!("v1,{zeros} {} v1,{zeros}", entry());
    let list = [("svix-id", "msg_1"), ("svix-timestamp", &*t), ("svix-signature", &*signature)];
    assert_eq!(verify(BODY, headers(&list), &secrets, 300, NOW).unwrap().secret_index(), 1);
}

/// Something like a signature header, and anything else.
fn header() -> impl Strategy<Value = String> {
    let parts =
        prop::sample::select(vec!["t", "v1", "v1a", "=", ",", " ", "\t", "1705314600", "0", "é", "\0", "ab", "v1,"]);
    prop_oneof![prop::collection::vec(parts, 0..30).prop_map(|parts| parts.concat()), any::<String>()]
}

proptest! {
    #[test]
    fn no_header_makes_the_verifier_panic_or_accept(
        ofauth in proptest::option::of(header()),
        svix in proptest::option::of((header(), header(), header())),
        body: Vec<u8>,
        tolerance: u64,
        now: u64,
    ) {
        let secrets = secrets();
        let mut list = Vec::new();
        list.extend(ofauth.as_deref().map(|value| ("ofauth-signature", value)));
        if let Some((id, timestamp, signature)) = &svix {
            list.extend([("svix-id", &**id), ("svix-timestamp", timestamp), ("svix-signature", signature)]);
        }
        let refused = SignatureClaim::read(headers(&list), &secrets, tolerance, now).and_then(|claim| claim.verify(&body)).is_err();
        prop_assert!(refused);
    }

    #[test]
    fn no_signature_makes_the_verifier_panic_or_accept(
        macs in prop::collection::vec(any::<[u8; 32]>(), 1..5),
        body: Vec<u8>,
    ) {
        let macs: Vec<_> = macs.iter().map(|mac| format!("v1={}", base16ct::lower::encode_string(mac))).collect();
        let (header, secrets) = (format!("t={NOW},{}", macs.join(",")), secrets());
        let claim = SignatureClaim::read(headers(&[("ofauth-signature", &header)]), &secrets, 0, NOW).ok().unwrap();
        prop_assert_eq!(claim.verify(&body).unwrap_err().code(), "SIGNATURE_MISMATCH");
    }
}

#[test]
fn default_headers_have_no_header() {
    assert_eq!(verify(BODY, RequestHeaders::default(), &secrets(), 300, NOW).unwrap_err().code(), "MISSING_HEADERS");
}
