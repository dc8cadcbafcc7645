//! Webhook signatures as a whole: the shared vectors, signing, secrets, schemes, time and the order of the checks. The
//! forms of the headers are in `header.rs`.
//!
//! 1. Every shared vector has its expected code.
//! 2. Signing reproduces the signatures of the vectors, in both schemes.
//! 3. A signed body verifies in both schemes, and the result says by which secret.
//! 4. A changed byte is a mismatch, and so is an ofauth secret without its prefix.
//! 5. No secrets, too many, and empty or padded ones are refused, with their index.
//! 6. Neither `Debug` nor an error shows a secret.
//! 7. The scheme that has a secret is verified. With both, it is ofauth, and svix is not tried if ofauth fails.
//! 8. The tolerance is inclusive, in both directions.
//! 9. Faults are reported in the order of the checks: secrets, presence, form, time, MAC.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{NOW, SECRET, SVIX_SECRET, headers, vector::Vector};
use base64::{Engine, engine::general_purpose::STANDARD};
use ofauth_edge::core::webhook::{
    Scheme, SecretFault, Secrets, SignatureClaim, SignatureError, sign_ofauth, sign_svix, verify,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const BODY: &[u8] = br#"{"id":"evt_1","ok":true}"#;

impl Vector {
    fn good(scheme: &str) -> Vec<Self> {
        Self::all().into_iter().filter(|vector| vector.scheme == scheme && vector.expect == "ok").collect()
    }

    fn header(&self, name: &str) -> &str {
        let svix = format!("svix-{name}");
        [name, &svix, &format!("webhook-{name}")].iter().find_map(|name| self.headers.get(*name)).unwrap()
    }

    fn code(&self) -> &'static str {
        let secrets = match &*self.scheme {
            "ofauth" => Secrets::new(&self.secrets, &[]),
            "svix" => Secrets::new(&[], &self.secrets),
            other => panic!("{}: scheme {other}", self.name),
        };
        let list: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let body = self.body();
        let verdict =
            secrets.and_then(|secrets| verify(&body, headers(&list), &secrets, self.tolerance, self.now).map(|_| "ok"));
        verdict.unwrap_or_else(|error| error.code())
    }
}

#[test]
fn every_shared_vector_has_its_expected_code() {
    for vector in Vector::all() {
        assert_eq!(vector.code(), vector.expect, "{}", vector.name);
    }
}

#[test]
fn signing_reproduces_the_ofauth_vectors() {
    for vector in Vector::good("ofauth") {
        let header = vector.header("ofauth-signature").to_lowercase();
        let t = header.split(',').find_map(|part| part.trim().strip_prefix("t=")).unwrap().parse().unwrap();
        let reproduces = |secret: &String| {
            let signature = sign_ofauth(&vector.body(), secret, t).unwrap();
            signature.split(',').all(|part| header.contains(part))
        };
        assert!(vector.secrets.iter().any(reproduces), "{}", vector.name);
    }
}

#[test]
fn signing_reproduces_the_svix_vectors() {
    for vector in Vector::good("svix") {
        let t = vector.header("timestamp").parse().unwrap();
        let signature = sign_svix(&vector.body(), &vector.secrets[0], vector.header("id"), t).unwrap();
        assert!(vector.header("signature").split(' ').any(|entry| entry == signature), "{}", vector.name);
    }
}

proptest! {
    #[test]
    fn a_body_signed_under_ofauth_verifies(body: Vec<u8>, secret in "[!-~]{1,80}", t in 0..1_u64 << 53) {
        let signature = sign_ofauth(&body, &secret, t).unwrap();
        let secrets = Secrets::new(&[SECRET, &secret], &[]).unwrap();
        let verified = verify(&body, headers(&[("ofauth-signature", &signature)]), &secrets, 0, t).unwrap();
        prop_assert_eq!((verified.scheme(), verified.message_id(), verified.timestamp()), (Scheme::Ofauth, None, t));
        prop_assert_eq!(verified.secret_index(), usize::from(secret != SECRET));
        prop_assert_eq!(verified.body(), &body[..]);
    }

    #[test]
    fn a_body_signed_under_svix_verifies(
        body: Vec<u8>,
        key in prop::collection::vec(any::<u8>(), 1..80),
        id in "[!-~]{1,80}",
        t in 0..1_u64 << 53,
    ) {
        let secret = format!("whsec_{}", STANDARD.encode(&key));
        let (signature, timestamp) = (sign_svix(&body, &secret, &id, t).unwrap(), t.to_string());
        let secrets = Secrets::new(&[], &[secret]).unwrap();
        let list = [("svix-id", &*id), ("svix-timestamp", &*timestamp), ("svix-signature", &*signature)];
        let verified = verify(&body, headers(&list), &secrets, 0, t).unwrap();
        prop_assert_eq!((verified.scheme(), verified.message_id(), verified.timestamp()), (Scheme::Svix, Some(&*id), t));
    }

    #[test]
    fn a_changed_byte_is_a_mismatch(
        mut body in prop::collection::vec(any::<u8>(), 1..200),
        at: prop::sample::Index,
        bit in 0_u8..8,
    ) {
        let signature = sign_ofauth(&body, SECRET, NOW).unwrap();
        let at = at.index(body.len());
        body[at] ^= 1_u8 << bit;
        let secrets = Secrets::new(&[SECRET], &[]).unwrap();
        let error = verify(&body, headers(&[("ofauth-signature", &signature)]), &secrets, 300, NOW).unwrap_err();
        prop_assert_eq!(error, SignatureError::SignatureMismatch);
    }

    #[test]
    fn the_tolerance_is_inclusive_in_both_directions(age in -1000_i64..1000, tolerance in 0_u64..900) {
        let t = NOW.checked_add_signed(-age).unwrap();
        let signature = sign_ofauth(BODY, SECRET, t).unwrap();
        let secrets = Secrets::new(&[SECRET], &[]).unwrap();
        let code = code(&[("ofauth-signature", &signature)], &secrets, tolerance, NOW);
        let expected = match age {
            _ if age.unsigned_abs() <= tolerance => "ok",
            1.. => "TIMESTAMP_TOO_OLD",
            _ => "TIMESTAMP_TOO_NEW",
        };
        prop_assert_eq!(code, expected);
    }
}

#[test]
fn the_body_stays_raw_and_its_digest_is_sha_256_in_hex() {
    let (body, digest) = crate::common::signed(BODY, NOW, |verified| (verified.body().to_vec(), verified.digest()));
    assert_eq!((&*body, digest), (BODY, base16ct::lower::encode_string(&Sha256::digest(BODY))));
}

#[test]
fn the_prefix_is_part_of_an_ofauth_secret() {
    let signature = sign_ofauth(BODY, "whsec_c2VjcmV0", NOW).unwrap();
    let secrets = Secrets::new(&["c2VjcmV0"], &[]).unwrap();
    assert_eq!(code(&[("ofauth-signature", &signature)], &secrets, 300, NOW), "SIGNATURE_MISMATCH");
}

#[test]
fn an_empty_list_of_secrets_is_refused() {
    assert_eq!(Secrets::new::<&str>(&[], &[]).unwrap_err().code(), "INVALID_SECRET");
}

#[test]
fn five_secrets_are_accepted_and_six_refused() {
    assert!(Secrets::new(&["s"; 5], &[SVIX_SECRET; 5]).is_ok());
    assert_eq!(Secrets::new(&["s"; 6], &[]).unwrap_err().code(), "INVALID_SECRET");
    assert_eq!(Secrets::new(&[], &[SVIX_SECRET; 6]).unwrap_err().code(), "INVALID_SECRET");
}

#[test]
fn an_empty_or_padded_secret_is_refused_with_its_index() {
    for padded in [" s", "s ", "\ts", "s\n", "s\r\n", "\u{a0}s"] {
        let error = Secrets::new(&["good", padded], &[]).unwrap_err();
        assert_eq!(
            error,
            SignatureError::InvalidSecret {
                scheme: Some(Scheme::Ofauth),
                index: 1,
                fault: SecretFault::OuterWhiteSpace
            },
            "{padded:?}"
        );
        assert_eq!(error.code(), "INVALID_SECRET");
    }
    let error = Secrets::new(&[], &[SVIX_SECRET, SVIX_SECRET, ""]).unwrap_err();
    assert_eq!(
        error,
        SignatureError::InvalidSecret { scheme: Some(Scheme::Svix), index: 2, fault: SecretFault::Empty }
    );
}

#[test]
fn inner_white_space_is_part_of_an_ofauth_secret() {
    let signature = sign_ofauth(BODY, "two words", NOW).unwrap();
    let secrets = Secrets::new(&["two words"], &[]).unwrap();
    assert_eq!(code(&[("ofauth-signature", &signature)], &secrets, 300, NOW), "ok");
}

#[test]
fn a_svix_secret_that_is_not_base64_or_decodes_to_nothing_is_refused() {
    for secret in ["whsec_", "whsec_***", "whsec_AAA\u{e9}", "not base64"] {
        assert_eq!(Secrets::new(&[], &[secret]).unwrap_err().code(), "INVALID_SECRET", "{secret}");
        assert_eq!(sign_svix(BODY, secret, "msg_1", NOW).unwrap_err().code(), "INVALID_SECRET", "{secret}");
    }
}

#[test]
fn neither_debug_nor_an_error_shows_a_secret() {
    let shown = format!("{:?}", Secrets::new(&["hunter2hunter2"], &[SVIX_SECRET]).unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains(&SVIX_SECRET[6..]), "{shown}");
    let error = Secrets::new(&["hunter2hunter2 "], &[]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
}

/// Headers of both schemes over [`BODY`], each good or with a signature of something else.
fn both(ofauth_is_good: bool, svix_is_good: bool) -> [(&'static str, String); 4] {
    let body = |good| if good { BODY } else { b"something else" };
    [
        ("ofauth-signature", sign_ofauth(body(ofauth_is_good), SECRET, NOW).unwrap()),
        ("svix-id", "msg_1".to_owned()),
        ("svix-timestamp", NOW.to_string()),
        ("svix-signature", sign_svix(body(svix_is_good), SVIX_SECRET, "msg_1", NOW).unwrap()),
    ]
}

fn borrowed<'a>(list: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    list.iter().map(|(name, value)| (*name, &**value)).collect()
}

/// The code of [`BODY`] under these headers, or `ok`.
fn code(list: &[(&str, &str)], secrets: &Secrets, tolerance: u64, now: u64) -> &'static str {
    verify(BODY, headers(list), secrets, tolerance, now).map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn with_both_headers_the_only_scheme_with_a_secret_is_verified() {
    let (ofauth, svix) = (Secrets::new(&[SECRET], &[]).unwrap(), Secrets::new(&[], &[SVIX_SECRET]).unwrap());
    assert_eq!(code(&borrowed(&both(true, false)), &ofauth, 300, NOW), "ok");
    assert_eq!(code(&borrowed(&both(true, false)), &svix, 300, NOW), "SIGNATURE_MISMATCH");
    assert_eq!(code(&borrowed(&both(false, true)), &ofauth, 300, NOW), "SIGNATURE_MISMATCH");
    assert_eq!(code(&borrowed(&both(false, true)), &svix, 300, NOW), "ok");
}

#[test]
fn with_both_headers_and_both_secrets_only_ofauth_is_verified() {
    let secrets = Secrets::new(&[SECRET], &[SVIX_SECRET]).unwrap();
    assert_eq!(code(&borrowed(&both(true, false)), &secrets, 300, NOW), "ok");
    assert_eq!(code(&borrowed(&both(false, true)), &secrets, 300, NOW), "SIGNATURE_MISMATCH");
    let mut malformed = both(true, true);
    malformed[0].1 = "v1=x".to_owned();
    assert_eq!(code(&borrowed(&malformed), &secrets, 300, NOW), "MALFORMED_HEADER");
}

#[test]
fn with_both_secrets_the_present_header_chooses_the_scheme() {
    let secrets = Secrets::new(&[SECRET], &[SVIX_SECRET]).unwrap();
    let list = both(true, true);
    let scheme = |list: &[(&str, &str)]| verify(BODY, headers(list), &secrets, 300, NOW).unwrap().scheme();
    assert_eq!(scheme(&borrowed(&list[..1])), Scheme::Ofauth);
    assert_eq!(scheme(&borrowed(&list[1..])), Scheme::Svix);
}

#[test]
fn headers_of_a_scheme_without_a_secret_count_as_missing() {
    let (ofauth, svix) = (Secrets::new(&[SECRET], &[]).unwrap(), Secrets::new(&[], &[SVIX_SECRET]).unwrap());
    let list = both(true, true);
    assert_eq!(code(&borrowed(&list[..1]), &svix, 300, NOW), "MISSING_HEADERS");
    assert_eq!(code(&borrowed(&list[1..]), &ofauth, 300, NOW), "MISSING_HEADERS");
}

#[test]
fn svix_needs_all_three_headers() {
    let (secrets, list) = (Secrets::new(&[], &[SVIX_SECRET]).unwrap(), both(true, true));
    for absent in 1..4 {
        let some: Vec<_> = (1..4).filter(|place| *place != absent).map(|place| list[place].clone()).collect();
        assert_eq!(code(&borrowed(&some), &secrets, 300, NOW), "MISSING_HEADERS", "without {}", list[absent].0);
    }
}

#[test]
fn faults_are_reported_in_the_documented_order() {
    let secrets = Secrets::new(&[SECRET], &[]).unwrap();
    let zeros = "0".repeat(64);
    assert_eq!(code(&[], &secrets, 300, NOW), "MISSING_HEADERS");
    let mending = [
        ("v1=x".to_owned(), "MALFORMED_HEADER"),
        ("t=x,t=x,v1=x".to_owned(), "MALFORMED_HEADER"),
        ("t=x,v1=x".to_owned(), "INVALID_TIMESTAMP"),
        ("t=1,v1=x".to_owned(), "NO_VALID_SIGNATURES"),
        (format!("t=1,v1={zeros}"), "TIMESTAMP_TOO_OLD"),
        (format!("t={NOW},v1={zeros}"), "SIGNATURE_MISMATCH"),
        (sign_ofauth(BODY, SECRET, NOW).unwrap(), "ok"),
    ];
    for (header, expected) in mending {
        assert_eq!(code(&[("ofauth-signature", &header)], &secrets, 300, NOW), expected, "{header}");
    }
}

#[test]
fn everything_except_the_mac_is_checked_before_the_body_is_read() {
    let secrets = Secrets::new(&[SECRET], &[]).unwrap();
    let read = |header: &str| {
        SignatureClaim::read(headers(&[("ofauth-signature", header)]), &secrets, 300, NOW)
            .err()
            .map(|error| error.code())
    };
    let zeros = "0".repeat(64);
    assert_eq!(read("v1=x"), Some("MALFORMED_HEADER"));
    assert_eq!(read(&format!("t=1,v1={zeros}")), Some("TIMESTAMP_TOO_OLD"));
    assert_eq!(read(&format!("t={NOW},v1={zeros}")), None);
}
