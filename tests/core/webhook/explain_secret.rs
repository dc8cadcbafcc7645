//! Explanations of secrets and of headers. Secrets, bodies and times are random, the fault is made, and exactly its cause
//! must be found. No explanation may show a secret (`Sender::explain` checks that).
//!
//! 1. White space around a secret is found, whether or not the sender's secret has it too.
//! 2. A secret that was decoded or not decoded, or that lacks its prefix or has one, is found.
//! 3. A secret of the other scheme is found, and so are headers of a scheme without a secret.
//! 4. Signatures in the encoding of the other scheme are found.
//! 5. Secrets that cannot be used, and headers that are absent or malformed, are found.
//! 6. An explanation agrees with the verifier, and never panics.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::common::{
    NOW, SECRET, SVIX_SECRET, headers,
    sender::{List, Sender, after_prefix, any_secret, mac, sender, sender_of},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ofauth_edge::core::webhook::{Cause, Scheme, SecretStrings, explain, verify};
use proptest::prelude::*;

/// A sender whose secrets are for `scheme` and base64, and `others` for the other.
fn with_others(scheme: Scheme) -> impl Strategy<Value = Sender> {
    (sender_of(scheme), prop::collection::vec(any_secret(), 1..=5))
        .prop_map(|(sender, others)| Sender { others: Some(others), ..sender })
}

fn padded(secret: &str, pad: &str, before: bool) -> String {
    if before { format!("{pad}{secret}") } else { format!("{secret}{pad}") }
}

proptest! {
    #[test]
    fn white_space_around_a_secret_is_found(
        sender in sender(),
        body: Vec<u8>,
        pad in "[ \t\r\n]{1,3}",
        before: bool,
        right: bool,
    ) {
        let list = if right { sender.sign(&body) } else { sender.sign_with(b"wrong", &body) };
        let mut ours = sender.clone();
        ours.secrets[sender.place] = padded(sender.secret(), &pad, before);
        let diagnosis = ours.explain(&body, &list);
        prop_assert_eq!((diagnosis.cause, diagnosis.evidence.mac_matches), (Cause::SecretWhiteSpace, right));
        prop_assert_eq!((diagnosis.evidence.code, diagnosis.evidence.secret_index), (Some("INVALID_SECRET"), Some(sender.place)));
        prop_assert_eq!(diagnosis.evidence.secret_list, sender.others.is_some().then_some(sender.scheme.as_str()));
    }

    #[test]
    fn an_ofauth_secret_that_was_decoded_is_found(
        sender in sender_of(Scheme::Ofauth),
        secret in any_secret(),
        body: Vec<u8>,
    ) {
        let sender = replaced(sender, secret);
        let key = STANDARD.decode(after_prefix(sender.secret())).unwrap();
        sender.expect(&body, &sender.sign_with(&key, &body), Cause::SecretDecoded);
    }

    #[test]
    fn an_ofauth_secret_that_the_sender_used_without_its_prefix_is_found(
        sender in sender_of(Scheme::Ofauth),
        rest in "[!-~]{8,60}",
        body: Vec<u8>,
    ) {
        let sender = replaced(sender, format!("whsec_{rest}"));
        sender.expect(&body, &sender.sign_with(rest.as_bytes(), &body), Cause::SecretPrefixRemoved);
    }

    #[test]
    fn an_ofauth_secret_that_lacks_its_prefix_here_is_found(
        sender in sender_of(Scheme::Ofauth),
        rest in "[!-~]{8,60}",
        body: Vec<u8>,
    ) {
        let sender = replaced(sender, rest.clone());
        let key = format!("whsec_{rest}");
        sender.expect(&body, &sender.sign_with(key.as_bytes(), &body), Cause::SecretPrefixAdded);
    }

    #[test]
    fn a_svix_secret_that_was_not_decoded_is_found(sender in sender_of(Scheme::Svix), prefix: bool, body: Vec<u8>) {
        let key = format!("{}{}", if prefix { "whsec_" } else { "" }, after_prefix(sender.secret()));
        sender.expect(&body, &sender.sign_with(key.as_bytes(), &body), Cause::SecretNotDecoded);
    }

    #[test]
    fn a_svix_secret_that_is_not_base64_is_found_if_its_text_is_the_key(
        sender in sender_of(Scheme::Svix),
        rest in "[!-~]{8,60}_",
        prefix: bool,
        right: bool,
        body: Vec<u8>,
    ) {
        let sender = replaced(sender, format!("{}{rest}", if prefix { "whsec_" } else { "" }));
        let key = if right { sender.secret() } else { "wrong" };
        let diagnosis = sender.explain(&body, &sender.sign_with(key.as_bytes(), &body));
        let cause = if right { Cause::SecretNotDecoded } else { Cause::InvalidSecret };
        prop_assert_eq!((diagnosis.cause, diagnosis.evidence.mac_matches), (cause, right));
        prop_assert_eq!((diagnosis.evidence.code, diagnosis.evidence.secret_index), (Some("INVALID_SECRET"), Some(sender.place)));
        prop_assert_eq!(diagnosis.evidence.secret_list, sender.others.is_some().then_some(sender.scheme.as_str()));
    }

    #[test]
    fn a_secret_of_the_other_scheme_is_found(
        sender in prop_oneof![with_others(Scheme::Ofauth), with_others(Scheme::Svix)],
        at: prop::sample::Index,
        decoded: bool,
        body: Vec<u8>,
    ) {
        let others = sender.others.as_ref().unwrap();
        let place = at.index(others.len());
        let secret = &others[place];
        let key = if decoded { STANDARD.decode(after_prefix(secret)).unwrap() } else { secret.as_bytes().to_vec() };
        let diagnosis = sender.explain(&body, &sender.sign_with(&key, &body));
        prop_assert_eq!((diagnosis.cause, diagnosis.evidence.mac_matches), (Cause::OtherSchemeSecret, true));
        let other = if sender.scheme == Scheme::Ofauth { "svix" } else { "ofauth" };
        prop_assert_eq!((diagnosis.evidence.secret_list, diagnosis.evidence.secret_index), (Some(other), Some(place)));
        prop_assert_eq!(diagnosis.evidence.scheme, Some(sender.scheme.as_str()));
    }

    #[test]
    fn headers_of_a_scheme_without_a_secret_are_found(
        sender in prop_oneof![with_others(Scheme::Ofauth), with_others(Scheme::Svix)],
        known: bool,
        body: Vec<u8>,
    ) {
        let list = sender.sign(&body);
        let secrets = if known { sender.secrets.clone() } else { sender.others.clone().unwrap() };
        let ours = Sender { secrets: Vec::new(), others: Some(secrets), place: 0, ..sender.clone() };
        let ours = ours.written();
        let diagnosis = explain(&body, headers(&borrowed(&list)), &ours, sender.tolerance, sender.now);
        prop_assert_eq!((diagnosis.cause, diagnosis.evidence.mac_matches), (Cause::WrongSchemeHeader, known));
        // A secret that only ofauth takes is no svix secret, which the verifier says first.
        let code = if ours.validate().is_ok() { "MISSING_HEADERS" } else { "INVALID_SECRET" };
        prop_assert_eq!((diagnosis.evidence.code, diagnosis.evidence.scheme), (Some(code), Some(sender.scheme.as_str())));
    }

    #[test]
    fn a_signature_in_the_other_encoding_is_found(sender in sender(), right: bool, body: Vec<u8>) {
        let t = sender.t.to_string();
        let mac = if right { mac(&sender.key(), &sender.content(".", &t, &body)) } else { [7; 32] };
        let ofauth = sender.scheme == Scheme::Ofauth;
        let diagnosis = sender.explain(&body, &sender.headers_as(&t, mac, !ofauth));
        let cause = if ofauth { Cause::Base64ForHex } else { Cause::HexForBase64 };
        prop_assert_eq!((diagnosis.cause, diagnosis.evidence.mac_matches), (cause, right));
        prop_assert_eq!(diagnosis.evidence.code, Some("NO_VALID_SIGNATURES"));
    }

    #[test]
    fn a_right_signature_in_the_other_encoding_is_found_beside_a_wrong_one(sender in sender(), body: Vec<u8>) {
        let t = sender.t.to_string();
        let right = mac(&sender.key(), &sender.content(".", &t, &body));
        let ofauth = sender.scheme == Scheme::Ofauth;
        let mut list = sender.headers(&t, [7; 32]);
        let other = sender.headers_as(&t, right, !ofauth).pop().unwrap().1;
        let signature = list.last_mut().unwrap();
        signature.1 = match other.split_once(',') {
            Some((_, v1)) if ofauth => format!("{},{v1}", signature.1),
            _ => format!("{} {other}", signature.1),
        };
        sender.expect(&body, &list, if ofauth { Cause::Base64ForHex } else { Cause::HexForBase64 });
    }

    #[test]
    fn an_explanation_agrees_with_the_verifier_and_never_panics(
        ofauth in prop::option::of("[t=,v1 0-9a]{0,20}"),
        svix in prop::collection::vec(prop::option::of("[v1, 0-9a=]{0,12}"), 3),
        secrets in prop::collection::vec("[ a-z_=]{0,8}", 0..7),
        others in prop::option::of(prop::collection::vec("[ a-z_=]{0,8}", 0..7)),
        body in prop_oneof![any::<Vec<u8>>(), "[{}\\[\\]\",:\\\\ua0 \n]{0,20}".prop_map(String::into_bytes)],
        tolerance: u64,
        now: u64,
    ) {
        let names = ["svix-id", "svix-timestamp", "svix-signature"];
        let mut list: List = ofauth.into_iter().map(|value| ("ofauth-signature", value)).collect();
        list.extend(names.into_iter().zip(svix).filter_map(|(name, value)| Some((name, value?))));
        let secrets = match others {
            None => SecretStrings::AnyScheme(secrets),
            Some(svix) => SecretStrings::PerScheme { ofauth: secrets, svix },
        };
        let list = borrowed(&list);
        let diagnosis = explain(&body, headers(&list), &secrets, tolerance, now);
        let validated = secrets.validate();
        let code = validated.and_then(|validated| verify(&body, headers(&list), &validated, tolerance, now).map(drop)).err();
        prop_assert_eq!(diagnosis.evidence.code, code.map(|error| error.code()));
        prop_assert!(!diagnosis.message.is_empty());
    }
}

fn replaced(sender: Sender, secret: String) -> Sender {
    let mut secrets = sender.secrets;
    secrets[sender.place] = secret;
    Sender { secrets, ..sender }
}

fn borrowed(list: &List) -> Vec<(&'static str, &str)> {
    list.iter().map(|(name, value)| (*name, &**value)).collect()
}

/// The cause that is found for these headers, with a secret for each scheme, and the header that is missing.
fn explained(list: &[(&'static str, &str)]) -> (&'static str, Option<&'static str>) {
    let secrets = SecretStrings::PerScheme { ofauth: vec![SECRET.to_owned()], svix: vec![SVIX_SECRET.to_owned()] };
    let diagnosis = explain(b"{}", headers(list), &secrets, 300, NOW);
    (diagnosis.cause.as_str(), diagnosis.evidence.missing_header)
}

#[test]
fn secrets_that_cannot_be_used_are_found() {
    let sender = Sender::plain();
    let invalid = |secrets: Vec<&str>, place: usize| {
        let secrets = SecretStrings::AnyScheme(secrets.into_iter().map(str::to_owned).collect());
        let diagnosis = explain(b"{}", headers(&borrowed(&sender.sign(b"{}"))), &secrets, 300, NOW);
        (diagnosis.cause, diagnosis.evidence.secret_index == Some(place), diagnosis.message)
    };
    let cause = Cause::InvalidSecret;
    let message =
        |fault: &str| format!("A secret cannot be used. Copy it anew from the dashboard. The verifier says: {fault}.");
    assert_eq!(invalid(vec![SECRET, ""], 1), (cause, true, message("secret 1: empty")));
    assert_eq!(invalid(vec![SECRET; 6], 5), (cause, true, message("more than 5 secrets")));
    assert_eq!(invalid(vec![], 0), (cause, false, message("no secret given")));
}

#[test]
fn white_space_is_reported_for_the_secret_that_has_it_even_if_another_one_signed() {
    let sender = Sender::plain();
    let list = sender.sign(b"{}");
    let ours = Sender { secrets: vec![SECRET.to_owned(), " another".to_owned()], ..sender };
    let diagnosis = ours.explain(b"{}", &list);
    assert_eq!((diagnosis.cause, diagnosis.evidence.secret_index), (Cause::SecretWhiteSpace, Some(1)));
    assert!(!diagnosis.evidence.mac_matches);
}

#[test]
fn an_unusable_secret_is_reported_before_a_fault_of_the_other_scheme() {
    let sender = Sender { secrets: vec![SVIX_SECRET.to_owned()], ..Sender::plain() };
    let list = sender.sign_with(&STANDARD.decode(&SVIX_SECRET[6..]).unwrap(), b"{}");
    let diagnosis = Sender { others: Some(vec!["no*base64".to_owned()]), ..sender }.explain(b"{}", &list);
    assert_eq!((diagnosis.cause, diagnosis.evidence.mac_matches), (Cause::InvalidSecret, false));
    assert_eq!((diagnosis.evidence.secret_list, diagnosis.evidence.secret_index), (Some("svix"), Some(0)));
}

#[test]
fn a_header_of_a_scheme_without_a_secret_is_not_reported_as_missing() {
    let secrets = SecretStrings::PerScheme { ofauth: vec![SECRET.to_owned()], svix: Vec::new() };
    let diagnosis = explain(b"{}", headers(&[("svix-id", "msg_1")]), &secrets, 300, NOW);
    assert_eq!((diagnosis.cause, diagnosis.evidence.missing_header), (Cause::MissingHeaders, None));
}

#[test]
fn absent_headers_are_found() {
    let t = NOW.to_string();
    assert_eq!(explained(&[]), ("missing_headers", None));
    assert_eq!(
        explained(&[("svix-id", "msg_1"), ("svix-signature", "v1,")]),
        ("missing_headers", Some("svix-timestamp"))
    );
    let webhook = [("webhook-id", "msg_1"), ("webhook-timestamp", &*t)];
    assert_eq!(explained(&webhook), ("missing_headers", Some("webhook-signature")));
}

#[test]
fn malformed_headers_are_found() {
    let t = NOW.to_string();
    let (twice, long) = (format!("t={t},t={t}"), "x".repeat(8193));
    for header in ["", "v1=x", &twice, &long] {
        assert_eq!(explained(&[("ofauth-signature", header)]).0, "malformed_header", "{header}");
    }
    assert_eq!(explained(&[("ofauth-signature", "t=today,v1=x")]).0, "invalid_timestamp");
    assert_eq!(explained(&[("ofauth-signature", &format!("t={t},v1=x"))]).0, "no_valid_signatures");
    let svix = |id, t, signature| explained(&[("svix-id", id), ("svix-timestamp", t), ("svix-signature", signature)]).0;
    assert_eq!(svix("", &t, "v1,x"), "malformed_header");
    assert_eq!(svix("msg_1", "1e9", "v1,x"), "invalid_timestamp");
    assert_eq!(svix("msg_1", &t, "v1,x"), "no_valid_signatures");
}

#[test]
fn a_secret_that_both_schemes_have_is_explained_under_the_scheme_of_the_request() {
    for scheme in [Scheme::Ofauth, Scheme::Svix] {
        let secrets = vec![SVIX_SECRET.to_owned()];
        let sender =
            Sender { scheme, others: Some(secrets.clone()), secrets, id: "msg_1".to_owned(), ..Sender::plain() };
        let (text, decoded) = (SVIX_SECRET.as_bytes(), STANDARD.decode(&SVIX_SECRET[6..]).unwrap());
        let (key, cause) = match scheme {
            Scheme::Ofauth => (&*decoded, Cause::SecretDecoded),
            Scheme::Svix => (text, Cause::SecretNotDecoded),
        };
        sender.expect(b"{}", &sender.sign_with(key, b"{}"), cause);
    }
}
