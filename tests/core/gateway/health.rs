//! Health: what a record says about its connection without a call, and what an answer of OFAuth shows.
//!
//! 1. A status that cannot work decides without a call. Any other status needs a call.
//! 2. A success is healthy, unless it says `isAuth: false`.
//! 3. Only a refusal that means relink needs the user. A rate limit, an outage or a refused API key is not a fault of the
//!    connection.
//! 4. Each health has its documented name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::{
    connection::{Changes, Connection, Fact, FactOrder, MISSING, Rank},
    gateway::{
        ApiError, RetryHeaders,
        health::{Health, from_answer, from_record},
    },
};
use proptest::prelude::*;
use serde_json::json;

fn from_status(status: &str) -> Option<Health> {
    let mut connection = Connection::new("conn_1".to_owned());
    let at = FactOrder { stamp: 0, rank: Rank::Updated, delivery: String::new() };
    connection.apply(Fact { at, changes: Changes::status(status) });
    from_record(&connection.record("acct_1".to_owned()))
}

/// What an error answer shows.
fn shown(status: u16, body: &str) -> Health {
    from_answer(status, None, Some(&ApiError::read(status, RetryHeaders::default(), body.as_bytes())))
}

fn typed(status: u16, kind: &str) -> Health {
    shown(status, &json!({ "error": "x", "type": kind }).to_string())
}

#[test]
fn the_stored_status_alone_can_show_that_a_relink_is_needed() {
    for status in ["expired", "failed", "disconnected", "revoked", MISSING] {
        assert_eq!(from_status(status), Some(Health::Relink), "{status}");
    }
}

#[test]
fn a_user_who_is_still_linking_is_waiting() {
    for status in ["pending", "awaiting_2fa"] {
        assert_eq!(from_status(status), Some(Health::Waiting), "{status}");
    }
}

#[test]
fn the_status_error_is_unstable() {
    assert_eq!(from_status("error"), Some(Health::Unstable));
}

#[test]
fn any_other_status_needs_a_call() {
    for status in ["active", "unknown", "paused", "", "Expired", "expired "] {
        assert_eq!(from_status(status), None, "{status:?}");
    }
    assert_eq!(from_record(&Connection::new("conn_1".to_owned()).record("acct_1".to_owned())), None);
}

#[test]
fn a_success_is_healthy_unless_is_auth_is_false() {
    for status in [200, 201, 204, 299] {
        for is_auth in [None, Some(true)] {
            assert_eq!(from_answer(status, is_auth, None), Health::Healthy, "{status} {is_auth:?}");
        }
        assert_eq!(from_answer(status, Some(false), None), Health::Relink, "{status}");
    }
}

#[test]
fn a_refusal_that_means_relink_needs_the_user() {
    for kind in ["SESSION_EXPIRED", "SESSION_NOT_PROVIDED", "session_expired"] {
        assert_eq!(typed(401, kind), Health::Relink, "{kind}");
    }
    for action in ["actionRequired", "action_required"] {
        for word in ["relink_connection", "refresh_session"] {
            assert_eq!(
                shown(403, &json!({ "type": "X", action: word }).to_string()),
                Health::Relink,
                "{action} {word}"
            );
        }
    }
}

#[test]
fn a_refused_api_key_is_an_operator_error() {
    for kind in ["UNAUTHORIZED", "unauthorized"] {
        assert_eq!(typed(401, kind), Health::OperatorError, "{kind}");
    }
}

#[test]
fn a_rate_limit_is_reported_as_rate_limited() {
    for body in ["", "<p>", "{}", r#"{"type":"RATE_LIMIT_EXCEEDED"}"#, r#"{"code":"too_many_requests","retryAfter":5}"#]
    {
        assert_eq!(shown(429, body), Health::RateLimited, "{body}");
    }
    assert_eq!(typed(429, "RATE_LIMITED"), Health::RateLimited);
}

#[test]
fn an_outage_is_reported_as_upstream_down() {
    for status in [500, 502, 503, 504, 599] {
        for body in ["", "<h1>Bad gateway</h1>", "{}", r#"{"type":"PROXY_ERROR"}"#, r#"{"type":"NETWORK_ERROR"}"#] {
            assert_eq!(shown(status, body), Health::UpstreamDown, "{status} {body}");
        }
        assert_eq!(from_answer(status, None, None), Health::UpstreamDown, "{status}");
    }
    assert_eq!(typed(401, "RULES_OUTDATED"), Health::UpstreamDown);
}

#[test]
fn an_answer_that_is_neither_success_nor_error_is_upstream_down() {
    for status in [100, 199, 300, 302, 304, 399] {
        assert_eq!(from_answer(status, None, None), Health::UpstreamDown, "{status}");
    }
}

#[test]
fn any_other_refusal_is_unstable() {
    for (status, kind) in [(403, "FORBIDDEN"), (404, "RESOURCE_NOT_FOUND"), (400, "BAD_REQUEST"), (409, "CONFLICT")] {
        assert_eq!(typed(status, kind), Health::Unstable, "{kind}");
    }
    assert_eq!(shown(403, r#"{"type":"FORBIDDEN","actionRequired":"verify_identity"}"#), Health::Unstable);
}

#[test]
fn each_health_has_its_name_in_json() {
    for (health, word) in [
        (Health::Healthy, "healthy"),
        (Health::Relink, "relink"),
        (Health::Waiting, "waiting"),
        (Health::Unstable, "unstable"),
        (Health::RateLimited, "rate_limited"),
        (Health::UpstreamDown, "upstream_down"),
        (Health::OperatorError, "operator_error"),
    ] {
        assert_eq!(serde_json::to_value(health).unwrap(), json!(word));
    }
}

proptest! {
    #[test]
    fn only_an_error_by_ofauth_is_blamed_on_the_connection(status in 300_u16..600, body: Vec<u8>) {
        let error = ApiError::read(status, RetryHeaders::default(), &body);
        let health = from_answer(status, None, (status >= 400).then_some(&error));
        let asked = serde_json::from_slice::<serde_json::Value>(&body).is_ok_and(|body| body.is_object());
        prop_assert!(asked || health != Health::Healthy);
        if status == 429 || status >= 500 {
            prop_assert!(asked || matches!(health, Health::RateLimited | Health::UpstreamDown), "{status} {health:?}");
        }
    }
}
