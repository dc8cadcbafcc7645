//! The rules for a session token: its form, its header and its signature. Its claims are in `session_claims.rs`.
//!
//! 1. A token of any backend grants what its claims say. Unknown members are ignored.
//! 2. A token is invalid if it was changed, cut, lengthened or encoded again, or has another secret or algorithm. Any of the
//!    configured secrets is accepted.
//! 3. The header's `alg` is exactly HS256, and there is no `crit`, not even null.
//! 4. Header and payload are objects, and each member that is read occurs once.
//! 5. A token has at most 8192 bytes, and no token panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{
    KEY, SESSION,
    token::{
        EXPIRED, HEADER, INVALID, NOW, OLD, authenticate, authenticate_claims, authenticate_payload, claims, sign, user,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use ofauth_edge::core::gateway::MAX_TOKEN;
use proptest::prelude::*;
use serde_json::json;
use sha2::Sha512;

/// Made by Python's hmac and json, with claims and header fields that nobody here knows.
const FOREIGN: &str = "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJIUzI1NiIsICJraWQiOiAiMSJ9.eyJleHAiOiAxNzYwMDAzNjAwLCAiaWF0IjogMTc2MDAwMDAwMCwgImp0aSI6ICIxIiwgInN1YiI6ICJ1c2VyXzEiLCAiaXNzIjogImh0dHBzOi8vYXBwLmV4YW1wbGUuY29tIiwgInBlcm1pc3Npb25zIjogWyJwcm9maWxlOnJlYWQiXX0.2Tk6tZ0w1QYrCsdKOEbZ27PXawneALdGROMN_df64lo";

#[test]
fn a_token_of_another_library_is_accepted() {
    assert_eq!(authenticate(FOREIGN, NOW), user(&["profile:read"]));
    assert_eq!(authenticate(FOREIGN, NOW + 3_600), EXPIRED);
}

#[test]
fn unknown_members_are_ignored() {
    assert_eq!(authenticate_claims(json!({ "iss": 1, "jti": [], "console": true, "scope": "a" })), user(&[]));
    let header = r#"{"kid":null,"alg":"HS256","cty":"x","zip":"DEF"}"#;
    assert_eq!(authenticate(&sign(header, &claims(json!({})).to_string(), SESSION), NOW), user(&[]));
}

#[test]
fn a_token_signed_with_any_of_the_secrets_is_accepted_and_no_other() {
    let payload = claims(json!({})).to_string();
    assert_eq!(authenticate(&sign(HEADER, &payload, OLD), NOW), user(&[]));
    for secret in [KEY, "", "session-secret-0123456789-0123456788", &format!("{SESSION},{OLD}")] {
        assert_eq!(authenticate(&sign(HEADER, &payload, secret), NOW), INVALID, "{secret:?}");
    }
}

#[test]
fn a_token_with_any_character_changed_is_invalid() {
    let token = sign(HEADER, &claims(json!({ "permissions": ["profile:read"] })).to_string(), SESSION);
    for at in 0..token.len() {
        for other in ["A", "B", "_", ".", "=", "+", "/", " ", ""] {
            let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            assert_eq!(authenticate(&changed, NOW) == INVALID, changed != token, "{at} {other:?}");
        }
    }
}

#[test]
fn trailing_bits_and_padding_make_a_token_invalid() {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let token = sign(HEADER, &claims(json!({})).to_string(), SESSION);
    let (head, last) = token.split_at(token.len() - 1);
    for other in alphabet.chars().filter(|other| !last.starts_with(*other)) {
        assert_eq!(authenticate(&format!("{head}{other}"), NOW), INVALID, "{other}");
    }
    for tail in ["=", "==", "A", ".", ".x", "\n", " "] {
        assert_eq!(authenticate(&format!("{token}{tail}"), NOW), INVALID, "{tail:?}");
    }
}

#[test]
fn a_token_with_missing_or_swapped_parts_is_invalid() {
    let token = sign(HEADER, &claims(json!({})).to_string(), SESSION);
    let parts: Vec<&str> = token.split('.').collect();
    for places in [&[0][..], &[0, 1], &[1, 2], &[0, 2], &[1, 0, 2], &[2, 1, 0], &[0, 1, 1, 2], &[0, 0, 1, 2]] {
        let odd = places.iter().map(|place| parts[*place]).collect::<Vec<_>>().join(".");
        assert_eq!(authenticate(&odd, NOW), INVALID, "{places:?}");
    }
    for odd in [format!("{}.{}.", parts[0], parts[1]), "..".to_owned(), format!(".{}.{}", parts[1], parts[2])] {
        assert_eq!(authenticate(&odd, NOW), INVALID, "{odd}");
    }
}

#[test]
fn an_unsigned_token_is_invalid() {
    let payload = URL_SAFE_NO_PAD.encode(claims(json!({})).to_string());
    for alg in ["none", "None", "NONE", "HS256"] {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}"}}"#));
        assert_eq!(authenticate(&format!("{header}.{payload}."), NOW), INVALID, "{alg}");
        assert_eq!(authenticate(&format!("{header}.{payload}"), NOW), INVALID, "{alg}");
    }
}

#[test]
fn a_token_under_hs512_is_invalid() {
    let payload = URL_SAFE_NO_PAD.encode(claims(json!({})).to_string());
    for alg in ["HS512", "HS256"] {
        let signed = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#)));
        let mac = Hmac::<Sha512>::new_from_slice(SESSION.as_bytes()).unwrap().chain_update(&signed).finalize();
        let mac = mac.into_bytes();
        for mac in [&mac[..], &mac[..32]] {
            assert_eq!(authenticate(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac)), NOW), INVALID, "{alg}");
        }
    }
}

#[test]
fn the_algorithm_must_be_exactly_hs256_even_if_the_mac_is_right() {
    let payload = claims(json!({})).to_string();
    let algorithms =
        ["\"none\"", "\"HS512\"", "\"HS384\"", "\"RS256\"", "\"hs256\"", "\"HS256 \"", "\"\"", "null", "256"];
    for alg in algorithms.into_iter().chain([r#"["HS256"]"#]) {
        assert_eq!(authenticate(&sign(&format!(r#"{{"alg":{alg}}}"#), &payload, SESSION), NOW), INVALID, "{alg}");
    }
    for header in ["{}", r#"{"typ":"JWT"}"#, r#"{"Alg":"HS256"}"#, r#"{"alg":"none","alg":"HS256"}"#, "", "x"] {
        assert_eq!(authenticate(&sign(header, &payload, SESSION), NOW), INVALID, "{header}");
    }
}

#[test]
fn any_critical_extension_is_refused() {
    let payload = claims(json!({})).to_string();
    for crit in ["[\"b64\"]", "[\"exp\"]", "[]", "null", "false", "\"\"", "{}"] {
        assert_eq!(
            authenticate(&sign(&format!(r#"{{"alg":"HS256","crit":{crit}}}"#), &payload, SESSION), NOW),
            INVALID,
            "{crit}"
        );
    }
}

#[test]
fn an_array_in_place_of_an_object_is_refused() {
    let payload = claims(json!({})).to_string();
    for header in [r#"["HS256"]"#, r#"["HS256",null]"#, r#"["HS256",["exp"]]"#] {
        assert_eq!(authenticate(&sign(header, &payload, SESSION), NOW), INVALID, "{header}");
    }
    let (iat, exp) = (NOW, NOW + 60);
    assert_eq!(authenticate_payload(&format!(r#"["user_1",{iat},{exp}]"#)), INVALID);
    assert_eq!(
        authenticate_payload(&format!(r#"["user_1",{iat},{exp},{iat},["access:any"],null,"ofauth-edge"]"#)),
        INVALID
    );
}

#[test]
fn a_payload_that_is_not_a_json_object_is_refused() {
    let good = claims(json!({})).to_string();
    for payload in
        ["", "null", "{}", "\"user_1\"", &good[..good.len() - 1], &format!("{good}x"), &format!("\u{feff}{good}")]
    {
        assert_eq!(authenticate_payload(payload), INVALID, "{payload}");
    }
}

#[test]
fn a_claim_that_occurs_twice_is_refused() {
    for twice in [r#""sub":"user_2""#, r#""exp":1"#, r#""iat":1"#] {
        let payload = format!(r#"{{{twice},"sub":"user_1","iat":{NOW},"exp":{}}}"#, NOW + 60);
        assert_eq!(authenticate_payload(&payload), INVALID, "{twice}");
    }
}

#[test]
fn a_token_has_at_most_8192_bytes() {
    let padded = |bytes: usize| {
        let pad = |pad| sign(HEADER, &claims(json!({ "x": "x".repeat(pad) })).to_string(), SESSION);
        (0..bytes).map(|short| pad(bytes * 3 / 4 - short)).find(|token| token.len() <= bytes).unwrap()
    };
    let (most, more) = (padded(MAX_TOKEN), padded(MAX_TOKEN + 2));
    assert_eq!((authenticate(&most, NOW), most.len() > MAX_TOKEN - 2), (user(&[]), true));
    assert_eq!((authenticate(&more, NOW), more.len() > MAX_TOKEN), (INVALID, true));
}

proptest! {
    #[test]
    fn no_token_panics(header: String, payload: String, now: i64) {
        let _ = authenticate(&sign(&header, &payload, SESSION), now).is_ok();
        let _ = authenticate(&sign(HEADER, &payload, SESSION), now).is_ok();
    }

    #[test]
    fn a_token_with_bytes_put_in_or_taken_out_is_invalid(at in 0_usize..400, put in "[!-~]{0,3}", taken in 0_usize..3) {
        let token = sign(HEADER, &claims(json!({})).to_string(), SESSION);
        let at = at % token.len();
        let end = (at + taken).min(token.len());
        let changed = format!("{}{put}{}", &token[..at], &token[end..]);
        prop_assert_eq!(authenticate(&changed, NOW) == INVALID, changed != token);
    }
}
