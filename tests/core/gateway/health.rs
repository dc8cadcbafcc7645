//! Health: what a record says of its connection before anybody is asked, and what an answer of OFAuth's shows.
//!
//! 1. A record that cannot work is told without a call; any other waits for one.
//! 2. A success is healthy, unless it says that nobody is signed in.
//! 3. Only a refusal that means relink is the user's to mend; a limit, an outage or a wrong key is not the connection's.
//! 4. The words are those of the design.
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

fn told_by(status: &str) -> Option<Health> {
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
fn a_connection_that_must_be_linked_again_is_told_without_a_call() {
    for status in ["expired", "failed", "disconnected", "revoked", MISSING] {
        assert_eq!(told_by(status), Some(Health::Relink), "{status}");
    }
}

#[test]
fn a_user_who_is_still_linking_is_waited_for() {
    for status in ["pending", "awaiting_2fa"] {
        assert_eq!(told_by(status), Some(Health::Waiting), "{status}");
    }
}

#[test]
fn trouble_that_may_pass_is_unstable() {
    assert_eq!(told_by("error"), Some(Health::Unstable));
}

#[test]
fn of_any_other_connection_only_a_call_can_tell() {
    for status in ["active", "unknown", "paused", "", "Expired", "expired "] {
        assert_eq!(told_by(status), None, "{status:?}");
    }
    assert_eq!(from_record(&Connection::new("conn_1".to_owned()).record("acct_1".to_owned())), None);
}

#[test]
fn a_success_is_healthy_unless_nobody_is_signed_in() {
    for status in [200, 201, 204, 299] {
        for is_auth in [None, Some(true)] {
            assert_eq!(from_answer(status, is_auth, None), Health::Healthy, "{status} {is_auth:?}");
        }
        assert_eq!(from_answer(status, Some(false), None), Health::Relink, "{status}");
    }
}

#[test]
fn a_refusal_that_means_relink_is_the_user_s_to_mend() {
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
fn a_wrong_key_is_the_operator_s_to_mend() {
    for kind in ["UNAUTHORIZED", "unauthorized"] {
        assert_eq!(typed(401, kind), Health::OperatorError, "{kind}");
    }
}

#[test]
fn a_limit_is_said_to_be_one() {
    for body in ["", "<p>", "{}", r#"{"type":"RATE_LIMIT_EXCEEDED"}"#, r#"{"code":"too_many_requests","retryAfter":5}"#]
    {
        assert_eq!(shown(429, body), Health::RateLimited, "{body}");
    }
    assert_eq!(typed(429, "RATE_LIMITED"), Health::RateLimited);
}

#[test]
fn an_outage_is_ofauth_s() {
    for status in [500, 502, 503, 504, 599] {
        for body in ["", "<h1>Bad gateway</h1>", "{}", r#"{"type":"PROXY_ERROR"}"#, r#"{"type":"NETWORK_ERROR"}"#] {
            assert_eq!(shown(status, body), Health::UpstreamDown, "{status} {body}");
        }
        assert_eq!(from_answer(status, None, None), Health::UpstreamDown, "{status}");
    }
    assert_eq!(typed(401, "RULES_OUTDATED"), Health::UpstreamDown);
}

#[test]
fn an_answer_that_is_neither_success_nor_error_is_not_as_it_should_be() {
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
fn a_verdict_is_one_word() {
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
    fn only_words_of_ofauth_s_blame_the_connection(status in 300_u16..600, body: Vec<u8>) {
        let error = ApiError::read(status, RetryHeaders::default(), &body);
        let health = from_answer(status, None, (status >= 400).then_some(&error));
        let asked = serde_json::from_slice::<serde_json::Value>(&body).is_ok_and(|body| body.is_object());
        prop_assert!(asked || health != Health::Healthy);
        if status == 429 || status >= 500 {
            prop_assert!(asked || matches!(health, Health::RateLimited | Health::UpstreamDown), "{status} {health:?}");
        }
    }
}
