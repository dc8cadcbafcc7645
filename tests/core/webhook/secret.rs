//! Secrets for any scheme: they serve the scheme of the request's headers.
//!
//! 1. One secret verifies what either scheme signed with it.
//! 2. The headers choose the scheme, and ofauth if both are present. If it fails, the other one is not tried.
//! 3. A secret that neither scheme can use is refused before any header is read.
//! 4. A secret that is not base64 is refused when svix is chosen, and not before.
//! 5. Secret strings are validated for any scheme, or as a list for each scheme.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::common::{
    NOW, SECRET, SVIX_SECRET, headers,
    sender::{Sender, mac, sender},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ofauth_edge::core::webhook::{
    RequestHeaders, Scheme, SecretFault, SecretStrings, Secrets, SignatureError, sign_ofauth, sign_svix, verify,
};
use proptest::prelude::*;

const BODY: &[u8] = b"{}";

fn owned(secrets: &[&str]) -> Vec<String> {
    secrets.iter().map(|secret| (*secret).to_owned()).collect()
}

fn for_any_scheme(secrets: &[&str]) -> Secrets {
    Secrets::for_any_scheme(owned(secrets)).unwrap()
}

fn fault(secrets: &[&str]) -> SignatureError {
    Secrets::for_any_scheme(owned(secrets)).unwrap_err()
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
    fn secrets_for_any_scheme_verify_either_scheme(sender in sender(), body: Vec<u8>) {
        let list = sender.sign(&body);
        let list: Vec<_> = list.iter().map(|(name, value)| (*name, &**value)).collect();
        let Sender { secrets, scheme, tolerance, now, t, .. } = sender.clone();
        let place = secrets.iter().position(|secret| secret == sender.secret());
        let secrets = Secrets::for_any_scheme(secrets).unwrap();
        let verified = verify(&body, headers(&list), &secrets, tolerance, now).unwrap();
        prop_assert_eq!((verified.scheme(), verified.timestamp()), (scheme, t));
        prop_assert_eq!(Some(verified.secret_index()), place);
    }
}

#[test]
fn with_both_headers_a_secret_for_any_scheme_is_verified_under_ofauth() {
    let (t, secrets) = (NOW.to_string(), for_any_scheme(&[SVIX_SECRET]));
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
fn secrets_for_any_scheme_that_are_wrong_for_both_schemes_are_refused_at_once() {
    assert_eq!(fault(&[]), SignatureError::InvalidSecret { scheme: None, index: 0, fault: SecretFault::NoneGiven });
    assert_eq!(
        fault(&["good", ""]),
        SignatureError::InvalidSecret { scheme: None, index: 1, fault: SecretFault::Empty }
    );
    for padded in [" s", "s ", "\ts", "s\n", "s\r\n", "\u{a0}s"] {
        assert_eq!(
            fault(&[padded]),
            SignatureError::InvalidSecret { scheme: None, index: 0, fault: SecretFault::OuterWhiteSpace },
            "{padded:?}"
        );
    }
    assert!(Secrets::for_any_scheme(owned(&["s"; 5])).is_ok());
    assert_eq!(fault(&["s"; 6]), SignatureError::InvalidSecret { scheme: None, index: 5, fault: SecretFault::TooMany });
}

#[test]
fn white_space_at_an_end_of_a_secret_is_that_of_unicode() {
    for char in '\0'..=char::MAX {
        for secret in [format!("{char}s"), format!("s{char}"), format!("s{char}s")] {
            let is_refused = char.is_whitespace() && secret.len() < 2 + char.len_utf8();
            let expected = if is_refused { Err(SecretFault::OuterWhiteSpace) } else { Ok(()) };
            let validated = Secrets::for_any_scheme(vec![secret]).map(drop);
            assert_eq!(
                validated,
                expected.map_err(|fault| SignatureError::InvalidSecret { scheme: None, index: 0, fault }),
                "{char:?}"
            );
        }
    }
}

proptest! {
    #[test]
    fn a_svix_secret_is_padded_canonical_base64_and_not_empty(
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
fn a_secret_for_any_scheme_that_is_not_base64_verifies_ofauth() {
    for secret in ["whsec_", "whsec_***", "not base64"] {
        let signature = sign_ofauth(BODY, secret, NOW).unwrap();
        assert_eq!(code(&[("ofauth-signature", &signature)], &for_any_scheme(&[secret])), "ok", "{secret}");
    }
}

#[test]
fn a_secret_for_any_scheme_that_is_not_base64_is_refused_if_svix_is_chosen() {
    for secret in ["whsec_", "whsec_***", "not base64"] {
        assert_eq!(forged_svix(&for_any_scheme(&[SVIX_SECRET, secret])), "INVALID_SECRET", "{secret}");
    }
    assert_eq!(forged_svix(&for_any_scheme(&[SVIX_SECRET])), "NO_VALID_SIGNATURES");
}

#[test]
fn a_secret_for_any_scheme_that_is_not_base64_does_not_matter_without_headers() {
    let secrets = for_any_scheme(&["not base64"]);
    assert_eq!(code(&[], &secrets), "MISSING_HEADERS");
    assert_eq!(code(&[("svix-id", "msg_1"), ("svix-signature", "v1,")], &secrets), "MISSING_HEADERS");
    assert_eq!(verify(BODY, RequestHeaders::default(), &secrets, 300, NOW).unwrap_err().code(), "MISSING_HEADERS");
}

#[test]
fn the_error_names_the_index_of_a_secret_that_is_not_base64() {
    let (t, secrets) = (NOW.to_string(), for_any_scheme(&[SVIX_SECRET, "not base64"]));
    let list = [("svix-id", "msg_1"), ("svix-timestamp", &*t), ("svix-signature", "")];
    let error = verify(BODY, headers(&list), &secrets, 300, NOW).unwrap_err();
    assert_eq!(
        error,
        SignatureError::InvalidSecret { scheme: Some(Scheme::Svix), index: 1, fault: SecretFault::NotBase64 }
    );
    assert_eq!(error.to_string(), "svix secret 1: not base64 after whsec_");
}

#[test]
fn neither_debug_nor_an_error_shows_a_secret_for_any_scheme() {
    assert!(!format!("{:?}", for_any_scheme(&["hunter2hunter2"])).contains("hunter2"));
    let error = fault(&["hunter2hunter2 "]);
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
}

#[test]
fn secret_strings_are_validated_for_any_scheme_or_for_each() {
    let secret = "not base64".to_owned();
    assert!(SecretStrings::AnyScheme(vec![secret.clone()]).validate().is_ok());
    assert!(SecretStrings::PerScheme { ofauth: vec![secret.clone()], svix: Vec::new() }.validate().is_ok());
    let error = SecretStrings::PerScheme { ofauth: Vec::new(), svix: vec![secret] }.validate().unwrap_err();
    assert_eq!(
        error,
        SignatureError::InvalidSecret { scheme: Some(Scheme::Svix), index: 0, fault: SecretFault::NotBase64 }
    );
    let error = SecretStrings::PerScheme { ofauth: Vec::new(), svix: Vec::new() }.validate().unwrap_err();
    assert_eq!(error, SignatureError::InvalidSecret { scheme: None, index: 0, fault: SecretFault::NoneGiven });
}
