//! The rules for the claims of a session token. Its form and signature are in `session_token.rs`.
//!
//! 1. `sub` is a text of 1 to 256 bytes. `iat` and `exp` are numbers, with or without a fraction or an exponent.
//! 2. iat ≤ now + 60, nbf ≤ now + 60, exp ≤ iat + 86400. From `exp` on the token has expired, if it keeps all other rules.
//! 3. `permissions`, `connection`, `aud` and `nbf` are checked if they are present.
//! 4. A console token is valid for an hour at most.
//! 5. No times panic, and no token is accepted outside its times.
//! 6. A refusal names the broken rule. That of a token with a wrong signature says nothing about its claims.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{
    KEY, SESSION, index,
    token::{
        EXPIRED, HEADER, INVALID, NOW, authenticate, authenticate_claims, authenticate_payload,
        authenticate_with_reason, claims, expires_at, sign, user,
    },
};
use ofauth_edge::core::gateway::{Caller, Verdict};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn sub_is_a_text_of_1_to_256_bytes() {
    for bad in [json!(null), json!(""), json!("x".repeat(257)), json!("é".repeat(129)), json!(1), json!(["user_1"])] {
        assert_eq!(authenticate_claims(json!({ "sub": bad })), INVALID, "{bad}");
    }
    assert_eq!(authenticate_payload(&format!(r#"{{"sub":null,"iat":{NOW},"exp":{}}}"#, NOW + 60)), INVALID);
    for good in ["x".repeat(256), "é".repeat(128)] {
        assert!(authenticate_claims(json!({ "sub": good })).is_ok());
    }
}

#[test]
fn iat_and_exp_are_required_numbers() {
    for name in ["iat", "exp"] {
        for bad in [json!(null), json!(NOW.to_string()), json!("1e3"), json!(true), json!([NOW]), json!({})] {
            assert_eq!(authenticate_claims(json!({ name: bad })), INVALID, "{name} {bad}");
        }
        for bad in ["null", "99999999999999999999", "18446744073709551615", "1e400", "1e99999999999", "1e2147483647"] {
            assert_eq!(authenticate_payload(&times(name, bad)), INVALID, "{name} {bad}");
        }
        assert_eq!(authenticate_payload(&format!(r#"{{"sub":"user_1","{name}":{NOW}}}"#)), INVALID, "{name} alone");
    }
    assert_eq!(authenticate_payload(&times("iat", "-1e400")), INVALID);
    for past in ["-1e400", "-1", "0", "0e0", "0.0", "0e2147483647", "1e-2147483648", "-0"] {
        assert_eq!(authenticate_payload(&times("exp", past)), EXPIRED, "{past}");
    }
}

#[test]
fn a_time_may_have_a_fraction_or_an_exponent() {
    for same in ["1760000060", "1760000060.0", "1.76000006e9", "1.76000006E+9", "176000006e1", "17600000600000e-4"] {
        let token = sign(HEADER, &times("exp", same), SESSION);
        assert_eq!(authenticate(&token, NOW + 59), user(&[]), "{same}");
        assert_eq!(authenticate(&token, NOW + 60), EXPIRED, "{same}");
        assert_eq!(authenticate_payload(&times("iat", same)), EXPIRED, "{same}");
        assert_eq!(authenticate_payload(&times("nbf", same)), user(&[]), "{same}");
    }
    let zeros = "0".repeat(400);
    assert_eq!(authenticate_payload(&times("exp", &format!("1760000060{zeros}e-400"))), user(&[]));
    assert_eq!(authenticate_payload(&times("exp", &format!("0.{zeros}1760000060e410"))), user(&[]));
}

#[test]
fn fractions_of_a_second_count() {
    let expires = sign(HEADER, &times("exp", "1760000060.5"), SESSION);
    assert_eq!(authenticate(&expires, NOW + 60), user(&[]));
    assert_eq!(authenticate(&expires, NOW + 61), EXPIRED);
    for name in ["iat", "nbf"] {
        assert_eq!(authenticate_claims(json!({ name: 1_760_000_059.999 })), user(&[]), "{name}");
        assert_eq!(authenticate_claims(json!({ name: 1_760_000_060.001 })), INVALID, "{name}");
    }
    assert_eq!(authenticate_claims(json!({ "iat": 1_760_000_000.5, "exp": 1_760_086_400.5 })), user(&[]));
    assert_eq!(authenticate_claims(json!({ "iat": 1_760_000_000.5, "exp": 1_760_086_400.501 })), INVALID);
}

#[test]
fn a_session_knows_when_its_token_expires_to_the_millisecond() {
    for (written, expected) in [
        ("1760000060", 1_760_000_060_000),
        ("1760000060.5", 1_760_000_060_500),
        ("17600000601234e-4", 1_760_000_060_123),
    ] {
        assert_eq!(expires_at(&times("exp", written)), Some(expected), "{written}");
    }
}

/// A payload in which one time is written like this.
fn times(name: &str, written: &str) -> String {
    let other = |name: &str, time: i64| format!(r#","{name}":{time}"#);
    let iat = if name == "iat" { String::new() } else { other("iat", NOW) };
    let exp = match name {
        "exp" => String::new(),
        "iat" => other("exp", NOW),
        _ => other("exp", NOW + 60),
    };
    format!(r#"{{"sub":"user_1","{name}":{written}{iat}{exp}}}"#)
}

#[test]
fn a_token_is_valid_from_60_seconds_before_iat() {
    for name in ["iat", "nbf"] {
        assert_eq!(authenticate_claims(json!({ name: NOW + 60 })), user(&[]), "{name}");
        assert_eq!(authenticate_claims(json!({ name: NOW + 61 })), INVALID, "{name}");
        assert_eq!(authenticate_claims(json!({ name: i64::MAX })), INVALID, "{name}");
    }
    assert_eq!(authenticate_claims(json!({ "nbf": i64::MIN })), user(&[]));
}

#[test]
fn a_token_expires_at_exp() {
    assert_eq!(authenticate_claims(json!({ "exp": NOW + 1 })), user(&[]));
    for exp in [NOW, NOW - 1, NOW - 86_400, 0, -1, i64::MIN] {
        assert_eq!(authenticate_claims(json!({ "exp": exp })), EXPIRED, "{exp}");
    }
}

#[test]
fn a_session_token_is_valid_for_a_day_at_most() {
    assert_eq!(authenticate_claims(json!({ "exp": NOW + 86_400 })), user(&[]));
    assert_eq!(authenticate_claims(json!({ "iat": NOW - 86_399, "exp": NOW + 1 })), user(&[]));
    for (iat, exp) in
        [(NOW, NOW + 86_401), (NOW - 86_400, NOW + 1), (0, NOW + 1), (i64::MIN, i64::MAX), (NOW, i64::MAX)]
    {
        assert_eq!(authenticate_claims(json!({ "iat": iat, "exp": exp })), INVALID, "{iat} {exp}");
    }
}

#[test]
fn a_token_that_is_expired_and_breaks_a_rule_is_invalid() {
    for wrong in [json!({ "sub": "" }), json!({ "iat": 0 }), json!({ "aud": "x" }), json!({ "connection": "conn_1" })] {
        let mut changes = json!({ "exp": NOW - 1 });
        changes.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert_eq!(authenticate_claims(changes), INVALID, "{wrong}");
    }
    let expired = claims(json!({ "exp": NOW - 1 })).to_string();
    assert_eq!(authenticate(&sign(HEADER, &expired, KEY), NOW), INVALID);
    assert_eq!(authenticate(&sign(r#"{"alg":"none"}"#, &expired, SESSION), NOW), INVALID);
}

#[test]
fn permissions_are_a_list_of_texts_or_absent() {
    assert_eq!(authenticate_claims(json!({})), user(&[]));
    assert_eq!(authenticate_claims(json!({ "permissions": [] })), user(&[]));
    assert_eq!(authenticate_claims(json!({ "permissions": ["b", "a", "b"] })), user(&["b", "a", "b"]));
    for bad in [json!("access:any"), json!([1]), json!(["a", null]), json!({ "a": true }), json!(true), json!([["a"]])]
    {
        assert_eq!(authenticate_claims(json!({ "permissions": bad })), INVALID, "{bad}");
    }
}

#[test]
fn a_connection_is_a_handle() {
    let handle = index().handle("conn_1");
    let Ok(Caller::Session(session)) = authenticate_claims(json!({ "connection": handle })) else {
        panic!("a session")
    };
    assert_eq!(session.connection.as_deref(), Some(&*handle));
    for bad in
        [json!("conn_1"), json!(""), json!(handle.to_uppercase()), json!(format!("{handle},{handle}")), json!([handle])]
    {
        assert_eq!(authenticate_claims(json!({ "connection": bad })), INVALID, "{bad}");
    }
}

#[test]
fn aud_has_the_gateway_or_is_absent() {
    for good in [json!("ofauth-edge"), json!(["ofauth-edge"]), json!(["x", "ofauth-edge"])] {
        assert_eq!(authenticate_claims(json!({ "aud": good })), user(&[]), "{good}");
    }
    for bad in [
        json!(""),
        json!("x"),
        json!([]),
        json!(["x"]),
        json!("ofauth-edge "),
        json!({}),
        json!(1),
        json!([1, "ofauth-edge"]),
    ] {
        assert_eq!(authenticate_claims(json!({ "aud": bad })), INVALID, "{bad}");
    }
}

#[test]
fn a_claim_that_is_present_and_null_is_refused() {
    for name in ["permissions", "connection", "aud", "nbf"] {
        let payload = format!(r#"{{"sub":"user_1","iat":{NOW},"exp":{},"{name}":null}}"#, NOW + 60);
        assert_eq!(authenticate_payload(&payload), INVALID, "{name}");
    }
}

#[test]
fn nbf_is_a_number() {
    for bad in [json!(NOW.to_string()), json!([1.5]), json!(true)] {
        assert_eq!(authenticate_claims(json!({ "nbf": bad })), INVALID, "{bad}");
    }
    assert_eq!(authenticate_claims(json!({ "nbf": 1.5 })), user(&[]));
}

#[test]
fn a_refusal_names_the_broken_rule_and_asks_for_a_new_token() {
    let long = 86_401;
    for (changes, word) in [
        (json!({ "sub": "" }), "sub must"),
        (json!({ "iat": "1" }), "iat and exp"),
        (json!({ "exp": null }), "iat and exp"),
        (json!({ "nbf": [] }), "nbf"),
        (json!({ "iat": NOW + 61 }), "in the future"),
        (json!({ "nbf": NOW + 61 }), "in the future"),
        (json!({ "exp": NOW + long }), "86400 s after iat"),
        (json!({ "permissions": "a" }), "permissions must"),
        (json!({ "connection": "conn_1" }), "connection must be a handle"),
        (json!({ "aud": "x" }), "aud must"),
    ] {
        let error =
            authenticate_with_reason(&sign(HEADER, &claims(changes.clone()).to_string(), SESSION), NOW).unwrap_err();
        assert_eq!((error.code(), error.verdict()), ("CREDENTIALS_INVALID", Verdict::RefreshToken), "{changes}");
        assert!(error.to_string().contains(word), "{changes}: {error}");
        assert_eq!(error.reason(), Some(error.to_string()));
    }
    for header in [r#"{"alg":"HS512"}"#, r#"{"alg":"HS256","crit":[]}"#] {
        let error = authenticate_with_reason(&sign(header, &claims(json!({})).to_string(), SESSION), NOW).unwrap_err();
        assert!(error.to_string().contains("alg HS256 and no crit"), "{error}");
    }
    let twice = format!(r#"{{"sub":"a","sub":"b","iat":{NOW},"exp":{}}}"#, NOW + 60);
    assert!(authenticate_with_reason(&sign(HEADER, &twice, SESSION), NOW).unwrap_err().to_string().contains("twice"));
}

#[test]
fn the_refusal_of_a_token_with_a_wrong_signature_says_nothing_about_its_claims() {
    let wrong = claims(json!({ "sub": "", "exp": NOW - 1 })).to_string();
    let all = [
        sign(HEADER, &wrong, KEY),
        sign(HEADER, &claims(json!({})).to_string(), KEY),
        sign(r#"{"alg":"none"}"#, "x", KEY),
        "..".to_owned(),
        "a.b.c".to_owned(),
    ];
    let texts: Vec<_> = all.iter().map(|token| authenticate_with_reason(token, NOW).unwrap_err()).collect();
    assert!(texts.iter().all(|error| *error == texts[0] && error.verdict() == Verdict::RefreshToken), "{texts:?}");
    for other in ["", "x", ".", "...", KEY] {
        let verdict = authenticate_with_reason(&format!("{other}!"), NOW).unwrap_err().verdict();
        assert_eq!(verdict, Verdict::GiveUp, "{other}: no token, so a new one is no help");
    }
}

#[test]
fn a_console_token_is_valid_for_an_hour_at_most() {
    let console = |exp| authenticate_claims(json!({ "aud": "ofauth-edge-console", "exp": exp }));
    assert_eq!(console(NOW + 3_600), Ok(Caller::Console));
    assert_eq!(console(NOW + 3_601), INVALID);
    assert_eq!(console(NOW), EXPIRED);
}

proptest! {
    #[test]
    fn no_token_is_accepted_outside_its_times(
        now in 0_i64..=4_102_444_800,
        iat in -90_000_i64..90_000,
        life in -1_000_i64..90_000,
        nbf in -90_000_i64..90_000,
    ) {
        let (iat, nbf) = (now + iat, now + nbf);
        let exp = iat + life;
        let times = json!({ "sub": "user_1", "iat": iat, "exp": exp, "nbf": nbf }).to_string();
        let timely = iat <= now + 60 && nbf <= now + 60 && exp <= iat + 86_400;
        let expected = if !timely { INVALID } else if now < exp { user(&[]) } else { EXPIRED };
        prop_assert_eq!(authenticate(&sign(HEADER, &times, SESSION), now), expected);
    }

    #[test]
    fn no_times_panic(now: i64, iat: i64, exp: i64, nbf: i64) {
        let times = json!({ "sub": "user_1", "iat": iat, "exp": exp, "nbf": nbf }).to_string();
        if authenticate(&sign(HEADER, &times, SESSION), now).is_ok() {
            prop_assert!(now < exp);
        }
    }
}
