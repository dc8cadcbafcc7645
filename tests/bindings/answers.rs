//! What each call answers.
//!
//! 1. A good signature: scheme, time, place of the secret, digest.
//! 2. A good event: flags, and the ids that are numbers; what is skipped on the way.
//! 3. A failure of each kind: its code and its message.
//! 4. A signature that verifies, in both schemes.
//! 5. An explanation.

use ofauth_edge::core::webhook::{Scheme, SecretStrings};
use serde_json::{Value, json};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    delivery::{Delivery, HAS_LIVE, HAS_TIMESTAMP, KNOWN_TYPE, NOW, SECRET, SVIX_SECRET, VERIFIED},
    wasm,
};

const CREATED: &str = include_str!("../fixtures/events/connection.created.json");
const SDK_CREATED: &str = include_str!("../fixtures/events/sdk.connection.created.json");
const REALTIME: &str = include_str!("../fixtures/events/of.websocket.event.received.json");
const SCHEMES: [Scheme; 2] = [Scheme::Ofauth, Scheme::Svix];

#[wasm_bindgen_test]
fn a_good_signature_says_by_which_scheme_when_with_which_secret_and_over_what() {
    let mut delivery = Delivery::signed(Scheme::Ofauth, "abc");
    delivery.secrets = SecretStrings::AnyScheme(vec!["newer".to_owned(), SECRET.to_owned()]);
    let expected = json!({
        "scheme": "ofauth",
        "timestamp": NOW,
        "secretIndex": 1,
        "digest": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    });
    assert_eq!(wasm::verify(&delivery), Ok(expected));
}

#[wasm_bindgen_test]
fn bytes_that_are_no_text_verify_as_they_are() {
    for body in [&b"\xEF\xBB\xBF{}"[..], b"a\0b", b"\xff\xfe", b""] {
        for scheme in SCHEMES {
            let delivery = Delivery::signed(scheme, body);
            assert!(wasm::verify(&delivery).is_ok(), "{body:?}");
            assert_eq!(wasm::verify(&delivery), delivery.verify(), "{body:?}");
        }
    }
}

#[wasm_bindgen_test]
fn the_time_reaches_the_core_up_to_its_last_second() {
    let mut delivery = Delivery::signed(Scheme::Ofauth, "{}");
    for (now, expected) in [(NOW + 300, "ok"), (NOW + 301, "TIMESTAMP_TOO_OLD"), ((1 << 53) - 1, "TIMESTAMP_TOO_OLD")] {
        delivery.now = now;
        assert_eq!(code(wasm::verify(&delivery)), expected, "{now}");
        assert_eq!(wasm::verify(&delivery), delivery.verify(), "{now}");
    }
    delivery.tolerance = (1 << 53) - 1;
    assert_eq!(code(wasm::verify(&delivery)), "ok");
}

#[wasm_bindgen_test]
fn the_flags_of_an_event_say_what_it_has() {
    for (body, expected) in [
        (CREATED, VERIFIED | KNOWN_TYPE | HAS_TIMESTAMP),
        (SDK_CREATED, VERIFIED | KNOWN_TYPE | HAS_LIVE),
        (REALTIME, VERIFIED | KNOWN_TYPE | HAS_TIMESTAMP),
        (r#"{"type":"rules.updated"}"#, VERIFIED | KNOWN_TYPE),
        (r#"{"type":"later.unheard","timestamp":null,"live":"yes"}"#, VERIFIED),
    ] {
        let delivery = Delivery::signed(Scheme::Ofauth, body);
        assert_eq!(wasm::webhook(&delivery), Ok(expected), "{body}");
        assert_eq!(wasm::number_ids(&delivery), Ok(Value::Null), "{body}");
    }
}

#[wasm_bindgen_test]
fn ids_that_are_numbers_are_told_as_they_are_written() {
    let body = r#"{"type":"connection.created","timestamp":1700000000,"data":{"clientReferenceId":12345678901234567890,
        "connection":{"id":9007199254740993,"platformUserId":"7","userData":{"id":1e3}}}}"#;
    let expected = json!({
        "data.clientReferenceId": "12345678901234567890",
        "data.connection.id": "9007199254740993",
        "data.connection.userData.id": "1e3",
        "timestamp": "1700000000",
    });
    assert_eq!(wasm::number_ids(&Delivery::signed(Scheme::Svix, body)), Ok(expected));
}

#[wasm_bindgen_test]
fn what_is_skipped_may_hold_anything_at_any_place_of_sixteen_bytes() {
    for piece in ["]", "}{", r#"\"]"#, r"\\", "é}"] {
        for before in 0..32 {
            for after in [0, 7, 32] {
                let (before, after) = ("x".repeat(before), "y".repeat(after));
                let skipped = format!(r#"["{before}{piece}{after}",[{{"{piece}":"{before}"}},[[]]],"{after}"]"#);
                let body = format!(r#"{{"skipped":{skipped},"type":"later.unheard","live":true}}"#);
                assert_eq!(wasm::webhook(&Delivery::signed(Scheme::Ofauth, &body)), Ok(VERIFIED | HAS_LIVE), "{body}");
            }
        }
    }
}

#[wasm_bindgen_test]
fn a_body_that_is_no_event_fails_after_its_signature() {
    for (body, expected) in [
        ("{", "INVALID_JSON"),
        ("\u{1}", "INVALID_JSON"),
        ("[]", "INVALID_EVENT"),
        ("{}", "INVALID_EVENT"),
        (r#"{"type":"connection.created","data":{}}"#, "INVALID_EVENT"),
    ] {
        let delivery = Delivery::signed(Scheme::Ofauth, body);
        assert!(wasm::verify(&delivery).is_ok(), "{body}");
        assert_eq!(code(wasm::webhook(&delivery)), expected, "{body}");
        assert_eq!(wasm::webhook(&delivery), delivery.webhook(), "{body}");
    }
}

#[wasm_bindgen_test]
fn each_failure_has_the_code_and_the_message_of_the_core() {
    let good = Delivery::signed(Scheme::Ofauth, "{}");
    let with =
        |value: &str| Delivery { headers: vec![("ofauth-signature".to_owned(), value.to_owned())], ..good.clone() };
    let mac = &good.headers[0].1;
    for (delivery, expected) in [
        (Delivery { headers: Vec::new(), ..good.clone() }, "MISSING_HEADERS"),
        (with("v1=00"), "MALFORMED_HEADER"),
        (with(&" ".repeat(8193)), "MALFORMED_HEADER"),
        (with("t=1700000000,v1=00"), "NO_VALID_SIGNATURES"),
        (with(&mac.replace("t=", "t=0")), "INVALID_TIMESTAMP"),
        (Delivery { now: NOW + 1000, ..good.clone() }, "TIMESTAMP_TOO_OLD"),
        (Delivery { now: NOW - 1000, ..good.clone() }, "TIMESTAMP_TOO_NEW"),
        (Delivery { body: b"{ }".to_vec(), ..good.clone() }, "SIGNATURE_MISMATCH"),
        (Delivery { secrets: SecretStrings::AnyScheme(vec![" \"\\".to_owned()]), ..good.clone() }, "INVALID_SECRET"),
    ] {
        let told = wasm::verify(&delivery);
        assert_eq!(told, delivery.verify());
        let told = told.unwrap_err();
        assert_eq!(told["code"], expected);
        assert_ne!(told["message"], "", "{expected}");
    }
}

#[wasm_bindgen_test]
fn what_is_signed_verifies_in_both_schemes() {
    for (scheme, secret, id) in [(Scheme::Ofauth, SECRET, None), (Scheme::Svix, SVIX_SECRET, Some("msg_é"))] {
        for body in [&b""[..], b"{}", &[0xff; 300], &vec![b'x'; 300_000]] {
            let signature = wasm::sign(scheme, body, secret, id, NOW).unwrap().as_str().unwrap().to_owned();
            let headers = match id {
                None => vec![("ofauth-signature".to_owned(), signature)],
                Some(id) => {
                    [("webhook-id", id), ("webhook-timestamp", "1700000000"), ("webhook-signature", &signature)]
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .into()
                }
            };
            let secrets = SecretStrings::AnyScheme(vec![secret.to_owned()]);
            let delivery = Delivery { body: body.to_vec(), headers, secrets, tolerance: 0, now: NOW };
            assert_eq!(wasm::verify(&delivery).unwrap()["scheme"], scheme.as_str());
            assert_eq!(wasm::verify(&delivery), delivery.verify());
        }
    }
}

#[wasm_bindgen_test]
fn a_secret_that_cannot_sign_is_refused() {
    assert_eq!(code(wasm::sign(Scheme::Svix, b"{}", "not base64", Some("msg_1"), NOW)), "INVALID_SECRET");
    assert_eq!(code(wasm::sign(Scheme::Ofauth, b"{}", "", None, NOW)), "INVALID_SECRET");
}

#[wasm_bindgen_test]
fn an_explanation_names_cause_and_evidence() {
    let mut delivery = Delivery::signed(Scheme::Ofauth, r#"{"a":1}"#);
    delivery.body.push(b'\n');
    let explained = wasm::explain(&delivery);
    assert_eq!(explained["cause"], "trailing_newline_added");
    assert_eq!(explained["ok"], false);
    assert_eq!(explained["evidence"]["macMatches"], true);
    assert_eq!(explained["evidence"]["signedBytes"], 7);
    assert_eq!(explained["evidence"]["skewSeconds"], 0);
    assert_eq!(explained, delivery.explain());
}

#[wasm_bindgen_test]
fn a_secret_that_cannot_be_used_is_explained() {
    let mut delivery = Delivery::signed(Scheme::Ofauth, "{}");
    delivery.secrets = SecretStrings::AnyScheme(vec![format!("{SECRET}\n")]);
    let explained = wasm::explain(&delivery);
    assert_eq!(explained["cause"], "secret_white_space");
    assert_eq!(explained, delivery.explain());
}

fn code<T>(outcome: Result<T, Value>) -> String {
    outcome.map_or_else(|failure| failure["code"].as_str().unwrap().to_owned(), |_| "ok".to_owned())
}
