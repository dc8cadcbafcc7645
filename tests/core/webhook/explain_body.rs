//! Explanations of what happens to a body between the sender and the verifier, and of svix headers that are not those that
//! were signed. Each case has its own cause, proven by a MAC or, if that is impossible, by the form of the body.
//!
//! 1. A body is still base64, was decoded as Latin-1, or has white space at an end.
//! 2. The form of a body shows the fault: it is empty, `[object Object]` or gzip.
//! 3. The keys of JSON were sorted, or PHP escaped its slashes.
//! 4. A secret has quotes or a written-out line break.
//! 5. Headers are of both svix sets, or have another message id.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::common::{
    one_in,
    sender::{List, Sender, sender, sender_of},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ofauth_edge::core::webhook::{Cause, Scheme};
use proptest::prelude::*;

const EVENT: &str = include_str!("../../fixtures/events/connection.created.json");
const REALTIME: &str = include_str!("../../fixtures/events/of.websocket.event.received.json");

/// Text that a serialiser would not change, with a character outside of ASCII.
fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 ]{0,40}[éüß€œ][a-zA-Z0-9 ]{0,40}x"
}

/// Encodes text as Latin-1 decoded it: each byte becomes a character.
fn as_latin1(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

proptest! {
    // Slow, because the search tries every millisecond for each of the three bodies.
    #![proptest_config(one_in(8))]
    #[test]
    fn a_body_whose_form_shows_the_fault_is_found(sender in sender(), signed in text()) {
        let gzip = [&[0x1F, 0x8B, 8, 0][..], signed.as_bytes()].concat();
        for (body, cause) in [
            (&b""[..], Cause::BodyEmpty),
            (b"[object Object]", Cause::BodyObjectString),
            (&gzip, Cause::BodyGzip),
        ] {
            let diagnosis = sender.explain(body, &sender.sign(signed.as_bytes()));
            prop_assert_eq!((diagnosis.cause, diagnosis.evidence.mac_matches), (cause, false));
            prop_assert_eq!(sender.explain(body, &sender.sign(body)).cause, Cause::None);
        }
    }
}

proptest! {
    #[test]
    fn a_body_that_is_still_base64_is_found(sender in sender(), body in prop::collection::vec(any::<u8>(), 1..200)) {
        let diagnosis = sender.expect(STANDARD.encode(&body).as_bytes(), &sender.sign(&body), Cause::BodyBase64);
        prop_assert_eq!(diagnosis.evidence.signed_bytes, Some(body.len()));
    }

    #[test]
    fn a_body_that_was_decoded_as_latin_1_is_found(sender in sender(), body in text()) {
        sender.expect(as_latin1(&body).as_bytes(), &sender.sign(body.as_bytes()), Cause::BodyLatin1);
    }

    #[test]
    fn white_space_at_an_end_is_found_and_is_not_called_reserialised(
        sender in sender(),
        start in "[ \t\n]{0,3}",
        end in "[ \t]{1,3}",
    ) {
        let body = format!("{start}{{\"id\":1}}{end}");
        sender.expect(body.as_bytes(), &sender.sign(b"{\"id\":1}"), Cause::OuterWhiteSpaceAdded);
    }

    #[test]
    fn a_space_that_was_removed_at_the_end_is_found(sender in sender(), body in text()) {
        sender.expect(body.as_bytes(), &sender.sign(format!("{body} ").as_bytes()), Cause::OuterWhiteSpaceRemoved);
    }

    #[test]
    fn a_secret_with_quotes_or_a_written_out_line_break_is_found(
        sender in sender(),
        (before, after) in prop::sample::select(&[
            ("\"", "\""), ("'", "'"), ("`", "`"), ("", "\\n"), ("", "\\r\\n"), ("\"", "\\n\""), ("\"'", "'\""),
        ][..]),
    ) {
        let list = sender.sign(b"body");
        let mut given = Sender { others: None, ..sender.clone() };
        given.secrets = vec![format!("{before}{}{after}", sender.secret())];
        given.place = 0;
        let diagnosis = given.explain(b"body", &list);
        prop_assert_eq!(diagnosis.cause, Cause::SecretQuoted);
        prop_assert_eq!((diagnosis.evidence.mac_matches, diagnosis.evidence.secret_index), (true, Some(0)));
    }

    #[test]
    fn headers_that_mix_both_svix_sets_are_found(sender in sender_of(Scheme::Svix), body in text(), renamed in 1..7_usize) {
        let list = rename(&sender.sign(body.as_bytes()), |at| renamed >> at & 1 == 1);
        let diagnosis = sender.explain(body.as_bytes(), &list);
        prop_assert_eq!(diagnosis.cause, Cause::MixedHeaderFamilies);
        prop_assert!(diagnosis.evidence.mac_matches);
        prop_assert_eq!(diagnosis.evidence.code, Some("MISSING_HEADERS"));
    }

    #[test]
    fn a_complete_set_of_headers_that_was_not_signed_is_found(sender in sender_of(Scheme::Svix), body in text()) {
        let mut list = rename(&sender.sign(body.as_bytes()), |_| true);
        list.extend(sender.sign(b"another body"));
        sender.expect(body.as_bytes(), &list, Cause::MixedHeaderFamilies);
    }

    #[test]
    fn a_message_id_that_was_not_signed_is_found(sender in sender_of(Scheme::Svix), body in text()) {
        let mut padded = sender.sign(body.as_bytes());
        padded[0].1 = format!(" {} ", sender.id);
        sender.expect(body.as_bytes(), &padded, Cause::WrongSvixId);

        let t = sender.t.to_string();
        let content = format!("{t}.{body}");
        let without_id = sender.headers(&t, crate::common::sender::mac(&sender.key(), content.as_bytes()));
        sender.expect(body.as_bytes(), &without_id, Cause::WrongSvixId);

        let mut other = sender.sign(body.as_bytes());
        other.push(("webhook-id", other[0].1.clone()));
        other[0].1 = "msg_of_another".into();
        sender.expect(body.as_bytes(), &other, Cause::MixedHeaderFamilies);
    }
}

/// Names some headers `webhook-*` instead of `svix-*`.
fn rename(list: &List, is_renamed: impl Fn(usize) -> bool) -> List {
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let rename = |(at, (name, value)): (usize, &(&'static str, String))| {
        (if is_renamed(at) { names[at] } else { *name }, value.clone())
    };
    list.iter().enumerate().map(rename).collect()
}

#[test]
fn keys_that_were_sorted_are_found() {
    let sender = Sender::plain();
    for (event, spaced) in [(EVENT, false), (REALTIME, false), (EVENT, true)] {
        // The fixtures are in the documented order. A map of serde_json sorts its keys.
        let sorted: serde_json::Value = serde_json::from_str(event).unwrap();
        let signed = one_line(event, spaced);
        for received in [sorted.to_string(), serde_json::to_string_pretty(&sorted).unwrap()] {
            let diagnosis =
                sender.expect(received.as_bytes(), &sender.sign(signed.as_bytes()), Cause::JsonKeysReordered);
            assert_eq!(diagnosis.evidence.layout, Some(if spaced { "spaced" } else { "compact" }));
        }
    }
}

#[test]
fn keys_in_another_order_than_the_documented_one_are_unknown() {
    let sender = Sender::plain();
    let signed = r#"{"data":{},"timestamp":"2024","type":"x"}"#;
    let received = r#"{"type":"x","data":{},"timestamp":"2024"}"#;
    assert_eq!(sender.explain(received.as_bytes(), &sender.sign(signed.as_bytes())).cause, Cause::Unknown);
}

#[test]
fn text_that_only_resembles_json_is_unknown() {
    let sender = Sender::plain();
    for body in
        ["{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{,}", "{\"data\":{\"data\":{\"data\":", "{\"\\\"type\":1}", "{}}"]
    {
        assert_eq!(sender.explain(body.as_bytes(), &sender.sign(b"else")).cause, Cause::Unknown, "{body}");
    }
}

#[test]
fn slashes_that_only_the_signed_body_escapes_are_found() {
    let sender = Sender::plain();
    let received = r#"{"url":"https://é.example/a"}"#;
    let signed = r#"{"url":"https:\/\/é.example\/a"}"#;
    let diagnosis = sender.expect(received.as_bytes(), &sender.sign(signed.as_bytes()), Cause::JsonReserialised);
    assert_eq!(diagnosis.evidence.escapes, Some("slash"));
    let diagnosis = sender.expect(signed.as_bytes(), &sender.sign(received.as_bytes()), Cause::JsonReserialised);
    assert_eq!(diagnosis.evidence.escapes, Some("none"));
}

/// Writes JSON on one line and keeps the order of its members.
fn one_line(json: &str, spaced: bool) -> String {
    let (mut out, mut in_string, mut is_escaped) = (String::new(), false, false);
    for char in json.chars() {
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => in_string = !in_string,
            ' ' | '\n' if !in_string => continue,
            _ => {}
        }
        out.push(char);
        if spaced && !in_string && matches!(char, ',' | ':') {
            out.push(' ');
        }
    }
    out
}
