//! Bare secrets, which serve the scheme whose header is present.
//!
//! 1. One secret verifies what either scheme signed with it.
//! 2. The header present picks, ofauth if both are, and nothing falls through.
//! 3. What is wrong for both schemes is refused before any header is looked at.
//! 4. What is only no base64 is refused if svix is picked, and not before.
//! 5. Secrets as a caller wrote them are judged as bare ones or as a list per scheme.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::common::{
    NOW, SECRET, SVIX_SECRET, headers,
    sender::{Sender, mac, sender},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ofauth_edge::core::webhook::{
    Headers, Scheme, SecretFault, SecretStrings, Secrets, SignatureError, sign_ofauth, sign_svix, verify,
};
use proptest::prelude::*;

const BODY: &[u8] = b"{}";

fn owned(secrets: &[&str]) -> Vec<String> {
    secrets.iter().map(|secret| (*secret).to_owned()).collect()
}

fn bare(secrets: &[&str]) -> Secrets {
    Secrets::bare(owned(secrets)).unwrap()
}

fn fault(secrets: &[&str]) -> SignatureError {
    Secrets::bare(owned(secrets)).unwrap_err()
}

fn code(list: &[(&str, &str)], secrets: &Secrets) -> &'static str {
    verify(BODY, headers(list), secrets, 300, NOW).map_or_else(|error| error.code(), |_| "ok")
}

/// The code of svix headers that no secret made.
fn forged_svix(secrets: &Secrets) -> &'static str {
    let t = NOW.to_string();
    code(&[("svix-id", "msg_1"), ("svix-timestamp", &t), ("svix-signature", "")], secrets)
}

proptest! {
    #[test]
    fn bare_secrets_verify_either_scheme(sender in sender(), body: Vec<u8>) {
        let list = sender.sign(&body);
        let list: Vec<_> = list.iter().map(|(name, value)| (*name, &**value)).collect();
        let Sender { secrets, scheme, tolerance, now, t, .. } = sender.clone();
        let place = secrets.iter().position(|secret| secret == sender.secret());
        let secrets = Secrets::bare(secrets).unwrap();
        let verified = verify(&body, headers(&list), &secrets, tolerance, now).unwrap();
        prop_assert_eq!((verified.scheme(), verified.timestamp()), (scheme, t));
        prop_assert_eq!(Some(verified.secret_index()), place);
    }
}

#[test]
fn with_both_headers_a_bare_secret_is_judged_under_ofauth() {
    let (t, secrets) = (NOW.to_string(), bare(&[SVIX_SECRET]));
    let svix = sign_svix(BODY, SVIX_SECRET, "msg_1", NOW).unwrap();
    let [ofauth, other] = [SVIX_SECRET, SECRET].map(|secret| sign_ofauth(BODY, secret, NOW).unwrap());
    let both = |ofauth, svix| {
        let list =
            [("ofauth-signature", ofauth), ("svix-id", "msg_1"), ("svix-timestamp", &t), ("svix-signature", svix)];
        code(&list, &secrets)
    };
    assert_eq!(both(&ofauth, ""), "ok");
    assert_eq!(both(&other, &svix), "SIGNATURE_MISMATCH");
    assert_eq!(both("", &svix), "MALFORMED_HEADER");
}

#[test]
fn bare_secrets_that_are_wrong_for_both_schemes_are_refused_at_once() {
    assert_eq!(fault(&[]), SignatureError::InvalidSecret(None, 0, SecretFault::NoneGiven));
    assert_eq!(fault(&["good", ""]), SignatureError::InvalidSecret(None, 1, SecretFault::Empty));
    for padded in [" s", "s ", "\ts", "s\n", "s\r\n", "\u{a0}s"] {
        assert_eq!(
            fault(&[padded]),
            SignatureError::InvalidSecret(None, 0, SecretFault::OuterWhiteSpace),
            "{padded:?}"
        );
    }
    assert!(Secrets::bare(owned(&["s"; 5])).is_ok());
    assert_eq!(fault(&["s"; 6]), SignatureError::InvalidSecret(None, 5, SecretFault::TooMany));
}

#[test]
fn white_space_at_an_end_of_a_secret_is_what_unicode_calls_so() {
    for char in '\0'..=char::MAX {
        for secret in [format!("{char}s"), format!("s{char}"), format!("s{char}s")] {
            let is_refused = char.is_whitespace() && secret.len() < 2 + char.len_utf8();
            let expected = if is_refused { Err(SecretFault::OuterWhiteSpace) } else { Ok(()) };
            let judged = Secrets::bare(vec![secret]).map(drop);
            assert_eq!(judged, expected.map_err(|fault| SignatureError::InvalidSecret(None, 0, fault)), "{char:?}");
        }
    }
}

proptest! {
    #[test]
    fn a_svix_secret_is_padded_canonical_base64_of_something(
        text in prop_oneof![any::<String>(), "[A-Za-z0-9+/_=-]{0,9}", "([A-Za-z0-9+/]{4}){0,12}[A-Za-z0-9+/]{2,4}={0,2}"],
    ) {
        prop_assume!(!text.is_empty() && text.trim() == text && !text.starts_with("whsec_"));
        let key = STANDARD.decode(&text).ok().filter(|key| !key.is_empty());
        let signature = sign_svix(BODY, &text, "msg_1", NOW).ok();
        let expected = key.map(|key| format!("v1,{}", STANDARD.encode(mac(&key, format!("msg_1.{NOW}.{{}}").as_bytes()))));
        prop_assert_eq!(signature, expected);
    }
}

#[test]
fn a_bare_secret_that_is_no_base64_serves_ofauth() {
    for secret in ["whsec_", "whsec_***", "not base64"] {
        let signature = sign_ofauth(BODY, secret, NOW).unwrap();
        assert_eq!(code(&[("ofauth-signature", &signature)], &bare(&[secret])), "ok", "{secret}");
    }
}

#[test]
fn a_bare_secret_that_is_no_base64_is_refused_if_svix_is_picked() {
    for secret in ["whsec_", "whsec_***", "not base64"] {
        assert_eq!(forged_svix(&bare(&[SVIX_SECRET, secret])), "INVALID_SECRET", "{secret}");
    }
    assert_eq!(forged_svix(&bare(&[SVIX_SECRET])), "NO_VALID_SIGNATURES");
}

#[test]
fn a_bare_secret_that_is_no_base64_does_not_matter_without_headers() {
    let secrets = bare(&["not base64"]);
    assert_eq!(code(&[], &secrets), "MISSING_HEADERS");
    assert_eq!(code(&[("svix-id", "msg_1"), ("svix-signature", "v1,")], &secrets), "MISSING_HEADERS");
    assert_eq!(verify(BODY, Headers::default(), &secrets, 300, NOW).unwrap_err().code(), "MISSING_HEADERS");
}

#[test]
fn the_place_of_a_bare_secret_that_is_no_base64_is_told() {
    let (t, secrets) = (NOW.to_string(), bare(&[SVIX_SECRET, "not base64"]));
    let list = [("svix-id", "msg_1"), ("svix-timestamp", &*t), ("svix-signature", "")];
    let error = verify(BODY, headers(&list), &secrets, 300, NOW).unwrap_err();
    assert_eq!(error, SignatureError::InvalidSecret(Some(Scheme::Svix), 1, SecretFault::NotBase64));
    assert_eq!(error.to_string(), "svix secret 1: not base64 after whsec_");
}

#[test]
fn bare_secrets_show_neither_in_debug_nor_in_an_error() {
    assert!(!format!("{:?}", bare(&["hunter2hunter2"])).contains("hunter2"));
    let error = fault(&["hunter2hunter2 "]);
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
}

#[test]
fn secrets_as_written_are_judged_bare_or_for_each_scheme() {
    let secret = "not base64".to_owned();
    assert!(SecretStrings::Bare(vec![secret.clone()]).judge().is_ok());
    assert!(SecretStrings::Each { ofauth: vec![secret.clone()], svix: Vec::new() }.judge().is_ok());
    let error = SecretStrings::Each { ofauth: Vec::new(), svix: vec![secret] }.judge().unwrap_err();
    assert_eq!(error, SignatureError::InvalidSecret(Some(Scheme::Svix), 0, SecretFault::NotBase64));
    let error = SecretStrings::Each { ofauth: Vec::new(), svix: Vec::new() }.judge().unwrap_err();
    assert_eq!(error, SignatureError::InvalidSecret(None, 0, SecretFault::NoneGiven));
}
