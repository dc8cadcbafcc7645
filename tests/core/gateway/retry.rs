//! What OFAuth's answer means: whether to send the call again, what it shows about the connection, and what a client should
//! do.
//!
//! 1. GET and HEAD are sent again after a network error, 502, 503, RULES_OUTDATED, and a 429 that names at most 2 s.
//! 2. There are at most 3 attempts and 10 s in all. The random wait is up to 200 ms, then up to 400 ms.
//! 3. Only a 401 or 403 can be a refusal, and never one of the raw proxy.
//! 4. A refusal that means relink shows `expired`, and so does a `/self` with `isAuth: false`. A success makes an `expired` or
//!    `missing` connection active. Nothing makes a `disconnected` one active.
//! 5. An error answer has a verdict. A 401 or 403 of the raw proxy says nothing about the session or the API key.
//! 6. The relink hint is added to an object that lacks one, and changes nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::{
    connection::{ACTIVE, DISCONNECTED, EXPIRED, MISSING, UNKNOWN},
    gateway::{
        ApiError, Verdict,
        access::{
            Attempt, DEADLINE, MAX_ATTEMPTS, is_self_path, may_be_refusal, observed_status, retry_delay, verdict,
            with_relink_hint,
        },
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// An answer with this status, error type and `Retry-After` in seconds.
const fn answered(status: u16, code: Option<&str>, retry_after: Option<u64>) -> Attempt<'_> {
    Attempt::Answered { status, code, retry_after }
}

const REPEATED: [Attempt; 7] = [
    Attempt::Failed,
    answered(502, None, None),
    answered(503, None, None),
    answered(503, None, Some(60)),
    answered(401, Some("RULES_OUTDATED"), None),
    answered(403, Some("RULES_OUTDATED"), None),
    answered(429, None, Some(0)),
];

fn refusal(kind: &str) -> ApiError {
    ApiError::read_refusal(401, json!({ "error": "No", "type": kind }).to_string().as_bytes()).unwrap()
}

fn hinted(body: &str) -> Option<String> {
    with_relink_hint(body.as_bytes())
}

#[test]
fn get_and_head_are_sent_again() {
    for tried in REPEATED {
        for method in ["GET", "HEAD"] {
            assert_eq!(retry_delay(method, tried, 1, 0, 0.0), Some(0), "{method} {tried:?}");
        }
    }
}

#[test]
fn any_other_method_is_sent_once() {
    for tried in REPEATED {
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get", ""] {
            assert_eq!(retry_delay(method, tried, 1, 0, 0.0), None, "{method} {tried:?}");
        }
    }
}

#[test]
fn other_answers_are_not_retried() {
    for status in [200, 204, 301, 304, 400, 401, 403, 404, 409, 500, 501, 504, 520] {
        assert_eq!(retry_delay("GET", answered(status, None, None), 1, 0, 0.0), None, "{status}");
        assert_eq!(retry_delay("GET", answered(status, None, Some(1)), 1, 0, 0.0), None, "{status}");
    }
    for code in ["SESSION_EXPIRED", "SESSION_NOT_PROVIDED", "UNAUTHORIZED", "rules_outdated", ""] {
        assert_eq!(retry_delay("GET", answered(401, Some(code), None), 1, 0, 0.0), None, "{code}");
    }
}

#[test]
fn a_429_is_retried_if_it_names_two_seconds_or_less() {
    let wait = |seconds, random| retry_delay("GET", answered(429, None, seconds), 1, 0, random);
    assert_eq!([wait(Some(0), 0.0), wait(Some(1), 0.0), wait(Some(2), 0.0)], [Some(0), Some(1_000), Some(2_000)]);
    assert_eq!(wait(Some(2), 1.0), Some(2_200));
    for seconds in [None, Some(3), Some(60), Some(u64::MAX)] {
        assert_eq!(wait(seconds, 0.0), None, "{seconds:?}");
    }
}

#[test]
fn a_call_is_sent_three_times_at_most() {
    assert_eq!(MAX_ATTEMPTS, 3);
    for tried in REPEATED {
        let waits = [1, 2, 3, 4, u32::MAX].map(|tries| retry_delay("GET", tried, tries, 0, 0.0).is_some());
        assert_eq!(waits, [true, true, false, false, false], "{tried:?}");
    }
}

#[test]
fn no_attempt_begins_after_the_deadline() {
    assert_eq!(DEADLINE, 10_000);
    let wait = |tried, elapsed| retry_delay("GET", tried, 1, elapsed, 0.5);
    assert_eq!(wait(Attempt::Failed, 9_899), Some(100));
    assert_eq!([wait(Attempt::Failed, 9_900), wait(Attempt::Failed, 10_000), wait(Attempt::Failed, 60_000)], [None; 3]);
    assert_eq!(wait(answered(429, None, Some(2)), 7_899), Some(2_100));
    assert_eq!(wait(answered(429, None, Some(2)), 7_900), None);
}

#[test]
fn the_random_wait_doubles() {
    let wait = |tries, random| retry_delay("GET", Attempt::Failed, tries, 0, random);
    assert_eq!([wait(1, 0.0), wait(1, 0.5), wait(1, 1.0)], [Some(0), Some(100), Some(200)]);
    assert_eq!([wait(2, 0.0), wait(2, 0.5), wait(2, 1.0)], [Some(0), Some(200), Some(400)]);
}

#[test]
fn a_401_or_403_may_be_a_refusal_except_under_the_raw_proxy() {
    for status in [401, 403] {
        assert!(may_be_refusal("/v2/access/self", status));
        assert!(may_be_refusal("/v2/access/proxyx/users", status));
        assert!(!may_be_refusal("/v2/access/proxy/users/me", status));
        assert!(!may_be_refusal("/v2/access/proxy/", status));
    }
    for status in [200, 400, 402, 404, 429, 500, 502] {
        assert!(!may_be_refusal("/v2/access/self", status), "{status}");
    }
}

#[test]
fn the_raw_proxy_is_recognised_in_every_spelling() {
    for path in [
        "/v2/access/%70roxy/users/me",
        "/v2/access/pro%78y/users/me",
        "/v2/acces%73/proxy/x",
        "/v2/access/Proxy/users/me",
        "/v2/access/proxy;x=1/users/me",
    ] {
        assert!(!may_be_refusal(path, 401), "{path}");
        assert_eq!(verdict(path, 401, None), Some(Verdict::GiveUp), "{path}");
    }
}

#[test]
fn a_refusal_that_means_relink_shows_that_the_connection_expired() {
    let hinted = ApiError::read_refusal(403, br#"{"type":"FORBIDDEN","actionRequired":"refresh_session"}"#).unwrap();
    for refusal in [refusal("SESSION_EXPIRED"), refusal("SESSION_NOT_PROVIDED"), refusal("session_expired"), hinted] {
        for known in [ACTIVE, MISSING, UNKNOWN, EXPIRED, "awaiting_2fa"] {
            assert_eq!(observed_status(known, 401, Some(&refusal), None), Some(EXPIRED), "{known} {refusal:?}");
        }
        assert_eq!(observed_status(DISCONNECTED, 401, Some(&refusal), None), None, "{refusal:?}");
    }
}

#[test]
fn any_other_error_shows_no_status() {
    for known in [ACTIVE, EXPIRED, MISSING, DISCONNECTED, UNKNOWN] {
        for kind in ["UNAUTHORIZED", "RULES_OUTDATED", "FORBIDDEN", "TEAPOT"] {
            assert_eq!(observed_status(known, 401, Some(&refusal(kind)), None), None, "{known} {kind}");
        }
        for status in [301, 400, 401, 403, 404, 429, 500, 502] {
            assert_eq!(observed_status(known, status, None, None), None, "{known} {status}");
            assert_eq!(observed_status(known, status, None, Some(false)), None, "{known} {status}");
            assert_eq!(observed_status(known, status, None, Some(true)), None, "{known} {status}");
        }
    }
}

#[test]
fn a_success_makes_an_expired_or_missing_connection_active() {
    for status in [200, 201, 204, 206, 299] {
        for is_auth in [None, Some(true)] {
            for known in [EXPIRED, MISSING] {
                assert_eq!(observed_status(known, status, None, is_auth), Some(ACTIVE), "{known} {status}");
            }
            for known in [ACTIVE, DISCONNECTED, UNKNOWN, "awaiting_2fa"] {
                assert_eq!(observed_status(known, status, None, is_auth), None, "{known} {status}");
            }
        }
    }
}

#[test]
fn is_auth_false_of_self_shows_that_the_connection_expired() {
    for known in [ACTIVE, MISSING, UNKNOWN, EXPIRED] {
        assert_eq!(observed_status(known, 200, None, Some(false)), Some(EXPIRED), "{known}");
    }
    assert_eq!(observed_status(DISCONNECTED, 200, None, Some(false)), None);
}

#[test]
fn an_answer_that_is_not_an_error_has_no_verdict() {
    for status in [200, 204, 206, 301, 304, 399] {
        assert_eq!(verdict("/v2/access/self", status, None), None, "{status}");
        assert_eq!(verdict("/v2/access/proxy/x", status, None), None, "{status}");
    }
}

#[test]
fn a_refusal_has_its_own_verdict() {
    let rows = [
        ("SESSION_EXPIRED", Verdict::Relink),
        ("SESSION_NOT_PROVIDED", Verdict::Relink),
        ("UNAUTHORIZED", Verdict::Operator),
        ("RULES_OUTDATED", Verdict::Retry),
        ("FORBIDDEN", Verdict::GiveUp),
    ];
    for (kind, expected) in rows {
        assert_eq!(verdict("/v2/access/self", 401, Some(&refusal(kind))), Some(expected), "{kind}");
    }
}

#[test]
fn an_error_whose_body_is_not_read_has_the_verdict_of_its_status() {
    let rows = [
        (400, Verdict::GiveUp),
        (404, Verdict::GiveUp),
        (429, Verdict::Retry),
        (500, Verdict::Retry),
        (502, Verdict::Retry),
    ];
    for (status, expected) in rows {
        for path in ["/v2/access/self", "/v2/access/proxy/x"] {
            assert_eq!(verdict(path, status, None), Some(expected), "{path} {status}");
        }
    }
    assert_eq!(verdict("/v2/access/self", 403, None), Some(Verdict::GiveUp));
}

#[test]
fn a_401_or_403_of_the_raw_proxy_says_nothing_about_session_or_api_key() {
    for status in [401, 403] {
        for refusal in [None, Some(refusal("SESSION_EXPIRED")), Some(refusal("UNAUTHORIZED"))] {
            assert_eq!(
                verdict("/v2/access/proxy/users/me", status, refusal.as_ref()),
                Some(Verdict::GiveUp),
                "{status}"
            );
        }
    }
}

#[test]
fn the_relink_hint_is_added_at_the_end() {
    let expected = r#"{"error":"No","type":"SESSION_EXPIRED","actionRequired":"relink_connection"}"#;
    assert_eq!(hinted(r#"{"error":"No","type":"SESSION_EXPIRED"}"#).as_deref(), Some(expected));
    let spaced = "{ \"type\" : \"A\",\n\"n\": 1.50, \"o\": {} }\r\n ";
    let expected = "{ \"type\" : \"A\",\n\"n\": 1.50, \"o\": {} ,\"actionRequired\":\"relink_connection\"}\r\n ";
    assert_eq!(hinted(spaced).as_deref(), Some(expected));
}

#[test]
fn an_existing_hint_stays() {
    for name in ["actionRequired", "action_required", "action\\u0052equired"] {
        assert_eq!(hinted(&format!(r#"{{"type":"SESSION_EXPIRED","{name}":"refresh_session"}}"#)), None, "{name}");
    }
}

#[test]
fn a_body_that_is_not_an_object_gets_no_hint() {
    for body in ["", "{}", " { } ", "[]", "[{}]", "null", "\"}\"", "<html>}", r#"{"a":1"#, r#"{"a":1}}"#, r#"{"a":1,}"#]
    {
        assert_eq!(hinted(body), None, "{body}");
    }
    assert_eq!(with_relink_hint(b"{\"a\":\"\xff\"}"), None);
}

#[test]
fn half_of_a_surrogate_pair_does_not_prevent_the_hint() {
    let body = r#"{"error":"No, Jane \ud83d","type":"SESSION_EXPIRED"}"#;
    assert!(ApiError::read_refusal(401, body.as_bytes()).is_some_and(|refusal| refusal.verdict == Verdict::Relink));
    assert!(hinted(body).is_some_and(|hinted| hinted.ends_with(r#","actionRequired":"relink_connection"}"#)));
}

proptest! {
    #[test]
    fn a_wait_is_within_its_bounds(
        tries in 0_u32..6,
        elapsed in 0_i64..20_000,
        random in prop_oneof![4 => 0.0..=1.0, 1 => any::<f64>()],
        seconds in 0_u64..=2,
    ) {
        for (tried, least) in [(Attempt::Failed, 0), (answered(429, None, Some(seconds)), i64::try_from(seconds).unwrap() * 1_000)] {
            if let Some(wait) = retry_delay("GET", tried, tries, elapsed, random) {
                let most = if tries < 2 { 200 } else { 400 };
                prop_assert!((least..=least + most).contains(&wait));
                prop_assert!(tries < MAX_ATTEMPTS && elapsed + wait < DEADLINE);
            }
        }
    }

    #[test]
    fn the_hint_changes_nothing_else(fields in prop::collection::hash_map("\\PC{0,9}", "\\PC{0,9}", 1..6)) {
        let body = json!(fields);
        let with: Value = serde_json::from_str(&hinted(&body.to_string()).unwrap()).unwrap();
        let mut expected = body;
        expected["actionRequired"] = json!("relink_connection");
        prop_assert_eq!(with, expected);
    }

    #[test]
    fn no_body_or_path_panics(body: Vec<u8>, text: String, status: u16) {
        let _ = (with_relink_hint(&body), hinted(&text), hinted(&format!("{{{text}}}")));
        let _ = (may_be_refusal(&text, status), verdict(&text, status, None), observed_status(&text, status, None, None));
    }
}

#[test]
fn self_is_recognised_in_every_spelling() {
    let lax = ["/v2/access/self/", "/v2/access/Self", "/v2/access/self;x=1", "/v2/ACCESS/s%45lf;", "/v2/access/self//"];
    for path in ["/v2/access/self", "/v2/access/%73elf", "/v2/acces%73/self"].into_iter().chain(lax) {
        assert!(is_self_path(path), "{path}");
    }
    for path in [
        "/v2/access/self/notifications",
        "/v2/access/selfish",
        "/v2/access/proxy/self",
        "/v2/access/x;self",
        "/v2/access",
        "/v2/access/",
        "self",
    ] {
        assert!(!is_self_path(path), "{path}");
    }
}
