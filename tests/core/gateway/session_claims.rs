//! What the claims of a session token must be. Its form and signature are in `session_token.rs`.
//!
//! 1. `sub` is a text of 1 to 256 bytes; `iat` and `exp` are integers.
//! 2. iat ≤ now + 60, nbf ≤ now + 60, exp ≤ iat + 86400; from `exp` on it has expired, if all else is right.
//! 3. `permissions`, `connection`, `aud` and `nbf` are right where they are present.
//! 4. A console token lives an hour at most.
//! 5. No times panic, and none open outside their bounds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{
    KEY, SESSION, index,
    token::{EXPIRED, HEADER, INVALID, NOW, authenticate, claims, judge, judge_raw, sign, user},
};
use ofauth_edge::core::gateway::Caller;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn sub_is_a_text_of_1_to_256_bytes() {
    for bad in [json!(null), json!(""), json!("x".repeat(257)), json!("é".repeat(129)), json!(1), json!(["user_1"])] {
        assert_eq!(judge(json!({ "sub": bad })), INVALID, "{bad}");
    }
    assert_eq!(judge_raw(&format!(r#"{{"sub":null,"iat":{NOW},"exp":{}}}"#, NOW + 60)), INVALID);
    for good in ["x".repeat(256), "é".repeat(128)] {
        assert!(judge(json!({ "sub": good })).is_ok());
    }
}

#[test]
fn iat_and_exp_are_integers_and_there() {
    for name in ["iat", "exp"] {
        for bad in [json!(null), json!(NOW.to_string()), json!(1_760_000_060.5), json!(true), json!([NOW])] {
            assert_eq!(judge(json!({ name: bad })), INVALID, "{name} {bad}");
        }
        for bad in ["1760000060.0", "1.76000006e9", "null", "99999999999999999999", "18446744073709551615", "-1e400"] {
            let other = if name == "iat" { "exp" } else { "iat" };
            assert_eq!(judge_raw(&format!(r#"{{"sub":"u","{other}":{NOW},"{name}":{bad}}}"#)), INVALID, "{name} {bad}");
        }
    }
}

#[test]
fn a_token_counts_from_60_seconds_before_its_issue() {
    for name in ["iat", "nbf"] {
        assert_eq!(judge(json!({ name: NOW + 60 })), user(&[]), "{name}");
        assert_eq!(judge(json!({ name: NOW + 61 })), INVALID, "{name}");
        assert_eq!(judge(json!({ name: i64::MAX })), INVALID, "{name}");
    }
    assert_eq!(judge(json!({ "nbf": i64::MIN })), user(&[]));
}

#[test]
fn a_token_expires_at_exp() {
    assert_eq!(judge(json!({ "exp": NOW + 1 })), user(&[]));
    for exp in [NOW, NOW - 1, NOW - 86_400, 0, -1, i64::MIN] {
        assert_eq!(judge(json!({ "exp": exp })), EXPIRED, "{exp}");
    }
}

#[test]
fn a_token_lives_a_day_at_most() {
    assert_eq!(judge(json!({ "exp": NOW + 86_400 })), user(&[]));
    assert_eq!(judge(json!({ "iat": NOW - 86_399, "exp": NOW + 1 })), user(&[]));
    for (iat, exp) in
        [(NOW, NOW + 86_401), (NOW - 86_400, NOW + 1), (0, NOW + 1), (i64::MIN, i64::MAX), (NOW, i64::MAX)]
    {
        assert_eq!(judge(json!({ "iat": iat, "exp": exp })), INVALID, "{iat} {exp}");
    }
}

#[test]
fn a_token_that_is_expired_and_wrong_is_wrong() {
    for wrong in [json!({ "sub": "" }), json!({ "iat": 0 }), json!({ "aud": "x" }), json!({ "connection": "conn_1" })] {
        let mut changes = json!({ "exp": NOW - 1 });
        changes.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert_eq!(judge(changes), INVALID, "{wrong}");
    }
    let expired = claims(json!({ "exp": NOW - 1 })).to_string();
    assert_eq!(authenticate(&sign(HEADER, &expired, KEY), NOW), INVALID);
    assert_eq!(authenticate(&sign(r#"{"alg":"none"}"#, &expired, SESSION), NOW), INVALID);
}

#[test]
fn permissions_are_a_list_of_texts_or_none() {
    assert_eq!(judge(json!({})), user(&[]));
    assert_eq!(judge(json!({ "permissions": [] })), user(&[]));
    assert_eq!(judge(json!({ "permissions": ["b", "a", "b"] })), user(&["b", "a", "b"]));
    for bad in [json!("access:any"), json!([1]), json!(["a", null]), json!({ "a": true }), json!(true), json!([["a"]])]
    {
        assert_eq!(judge(json!({ "permissions": bad })), INVALID, "{bad}");
    }
}

#[test]
fn a_connection_is_a_handle() {
    let handle = index().handle("conn_1");
    let Ok(Caller::Session(session)) = judge(json!({ "connection": handle })) else { panic!("a session") };
    assert_eq!(session.connection.as_deref(), Some(&*handle));
    for bad in
        [json!("conn_1"), json!(""), json!(handle.to_uppercase()), json!(format!("{handle},{handle}")), json!([handle])]
    {
        assert_eq!(judge(json!({ "connection": bad })), INVALID, "{bad}");
    }
}

#[test]
fn an_audience_has_the_gateway_in_it() {
    for good in [json!("ofauth-edge"), json!(["ofauth-edge"]), json!(["x", "ofauth-edge"])] {
        assert_eq!(judge(json!({ "aud": good })), user(&[]), "{good}");
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
        assert_eq!(judge(json!({ "aud": bad })), INVALID, "{bad}");
    }
}

#[test]
fn a_claim_that_is_present_and_null_is_refused() {
    for name in ["permissions", "connection", "aud", "nbf"] {
        let payload = format!(r#"{{"sub":"user_1","iat":{NOW},"exp":{},"{name}":null}}"#, NOW + 60);
        assert_eq!(judge_raw(&payload), INVALID, "{name}");
    }
}

#[test]
fn nbf_is_an_integer() {
    for bad in [json!(NOW.to_string()), json!(1.5), json!(true)] {
        assert_eq!(judge(json!({ "nbf": bad })), INVALID, "{bad}");
    }
}

#[test]
fn a_console_token_lives_an_hour_at_most() {
    let console = |exp| judge(json!({ "aud": "ofauth-edge-console", "exp": exp }));
    assert_eq!(console(NOW + 3_600), Ok(Caller::Console));
    assert_eq!(console(NOW + 3_601), INVALID);
    assert_eq!(console(NOW), EXPIRED);
}

proptest! {
    #[test]
    fn no_times_open_outside_their_bounds(
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
