//! OFAuth's errors, read from all their shapes. The gateway's own are in `error.rs`.
//!
//! 1. The documented shape and the others that occur are read alike.
//! 2. Without a `type`, the `code` counts, and without both the status. A body that is HTML, empty or other JSON is read by
//!    its status.
//! 3. Every row of OFAuth's table has its verdict.
//! 4. The wait after a 429 is read from Retry-After, else from X-RateLimit-Retry-After, else from the body, else it is 60 s.
//! 5. No answer makes the reader panic.
//! 6. A refusal of OFAuth is an object with a type or a code. Nothing else is one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::gateway::{ApiError, RetryHeaders, Verdict};
use proptest::prelude::*;

fn read(status: u16, body: &str) -> ApiError {
    ApiError::read(status, RetryHeaders::default(), body.as_bytes())
}

fn typed(status: u16, kind: &str) -> ApiError {
    read(status, &format!(r#"{{"error":"No","type":"{kind}","requestId":"req_1"}}"#))
}

/// Seconds to wait after a 429 with these headers and this `retryAfter` (any JSON).
fn wait(retry_after: Option<&str>, rate_limit: Option<&str>, body: &str) -> Option<u64> {
    let body = format!(r#"{{"error":"Slow down","type":"RATE_LIMIT_EXCEEDED","retryAfter":{body}}}"#);
    ApiError::read(429, RetryHeaders { retry_after, rate_limit }, body.as_bytes()).retry_after
}

#[test]
fn all_fields_of_the_documented_shape_are_read() {
    let body = r#"{"error":"Session expired","type":"SESSION_EXPIRED","requestId":"req_1","actionRequired":"relink_connection"}"#;
    let expected = ApiError {
        code: "SESSION_EXPIRED".to_owned(),
        message: "Session expired".to_owned(),
        request_id: Some("req_1".to_owned()),
        action_required: Some("relink_connection".to_owned()),
        retry_after: None,
        verdict: Verdict::Relink,
    };
    assert_eq!(read(401, body), expected);
}

#[test]
fn code_message_and_action_required_in_snake_case_are_read_too() {
    let documented = r#"{"error":"No","type":"FORBIDDEN","requestId":"r","actionRequired":"verify_identity"}"#;
    let variant = r#"{"message":"No","code":"FORBIDDEN","requestId":"r","action_required":"verify_identity"}"#;
    assert_eq!(read(403, variant), read(403, documented));
}

#[test]
fn type_goes_before_code_and_error_before_message() {
    let error = read(403, r#"{"code":"B","type":"A","message":"b","error":"a"}"#);
    assert_eq!((&*error.code, &*error.message), ("A", "a"));
}

#[test]
fn lower_case_types_are_those_of_the_table() {
    let types = [
        (404, "not_found", "RESOURCE_NOT_FOUND"),
        (403, "forbidden", "FORBIDDEN"),
        (429, "too_many_requests", "RATE_LIMIT_EXCEEDED"),
        (429, "RATE_LIMITED", "RATE_LIMIT_EXCEEDED"),
        (429, "rate_limited", "RATE_LIMIT_EXCEEDED"),
        (401, "unauthorized", "UNAUTHORIZED"),
        (401, "session_expired", "SESSION_EXPIRED"),
        (400, "bad_request", "BAD_REQUEST"),
    ];
    for (status, kind, code) in types {
        assert_eq!(typed(status, kind).code, code, "{kind}");
    }
}

#[test]
fn an_unknown_type_is_kept() {
    let error = typed(418, "TEAPOT");
    assert_eq!((&*error.code, error.verdict), ("TEAPOT", Verdict::GiveUp));
}

#[test]
fn a_field_that_is_null_empty_or_of_another_type_is_ignored() {
    for odd in ["null", r#""""#, "{}", "[1]", "true", "7"] {
        let body = format!(
            r#"{{"type":{odd},"code":"FORBIDDEN","error":{odd},"message":"No","requestId":null,"actionRequired":{odd}}}"#
        );
        let error = read(403, &body);
        assert_eq!((&*error.code, &*error.message, error.action_required), ("FORBIDDEN", "No", None), "{odd}");
    }
}

#[test]
fn without_a_type_the_status_decides() {
    let types = [
        (400, "BAD_REQUEST"),
        (401, "UNAUTHORIZED"),
        (403, "FORBIDDEN"),
        (404, "RESOURCE_NOT_FOUND"),
        (429, "RATE_LIMIT_EXCEEDED"),
        (500, "UNKNOWN_ERROR"),
        (502, "PROXY_ERROR"),
        (503, "NETWORK_ERROR"),
    ];
    let bodies = [
        "",
        " ",
        "{}",
        "null",
        "[]",
        "0",
        "<html><body>502 Bad Gateway</body></html>",
        "{\"type\":",
        r#"{"error":"No"}"#,
    ];
    for (status, code) in types {
        for body in bodies {
            assert_eq!(read(status, body).code, code, "{status} {body}");
        }
        assert_eq!(ApiError::read(status, RetryHeaders::default(), b"\xff\xfe").code, code);
    }
}

#[test]
fn an_answer_without_a_message_has_an_empty_one() {
    for body in ["", "<html>", r#"{"type":"FORBIDDEN"}"#] {
        assert_eq!(read(403, body).message, "", "{body}");
    }
}

#[test]
fn deep_nesting_in_other_members_causes_no_error() {
    let deep = [&*"[".repeat(100_000), &"]".repeat(100_000)].concat();
    assert_eq!(read(401, &format!(r#"{{"details":{deep},"type":"SESSION_EXPIRED"}}"#)).code, "SESSION_EXPIRED");
    assert_eq!(read(401, &format!(r#"{{"error":{deep}}}"#)).code, "UNAUTHORIZED");
}

#[test]
fn half_a_pair_of_surrogates_in_the_message_does_not_hide_the_type() {
    assert_eq!(read(401, r#"{"error":"No, Jane \ud83d","type":"SESSION_EXPIRED"}"#).code, "SESSION_EXPIRED");
}

#[test]
fn every_row_of_the_table_has_its_verdict() {
    let rows = [
        (401, "SESSION_EXPIRED", Verdict::Relink),
        (401, "SESSION_NOT_PROVIDED", Verdict::Relink),
        (401, "UNAUTHORIZED", Verdict::Operator),
        (401, "AUTH_INVALID_KEY", Verdict::Operator),
        (401, "AUTH_KEY_EXPIRED", Verdict::Operator),
        (401, "RULES_OUTDATED", Verdict::Retry),
        (403, "FORBIDDEN", Verdict::GiveUp),
        (400, "BAD_REQUEST", Verdict::GiveUp),
        (404, "RESOURCE_NOT_FOUND", Verdict::GiveUp),
        (404, "ROUTE_NOT_FOUND", Verdict::GiveUp),
        (429, "RATE_LIMIT_EXCEEDED", Verdict::Retry),
        (502, "PROXY_ERROR", Verdict::Retry),
        (502, "UPLOAD_ERROR", Verdict::Retry),
        (503, "NETWORK_ERROR", Verdict::Retry),
        (500, "UNKNOWN_ERROR", Verdict::Retry),
    ];
    for (status, kind, verdict) in rows {
        assert_eq!(typed(status, kind).verdict, verdict, "{kind}");
        assert_eq!(typed(status, &kind.to_lowercase()).verdict, verdict, "{kind} in lower case");
    }
}

#[test]
fn an_action_that_means_relink_decides_for_every_type() {
    for (status, kind) in [(401, "UNAUTHORIZED"), (403, "FORBIDDEN"), (401, "TEAPOT")] {
        for action in ["relink_connection", "refresh_session"] {
            for name in ["actionRequired", "action_required"] {
                let error = read(status, &format!(r#"{{"type":"{kind}","{name}":"{action}"}}"#));
                assert_eq!(
                    (error.verdict, error.action_required.as_deref()),
                    (Verdict::Relink, Some(action)),
                    "{kind}"
                );
            }
        }
    }
}

#[test]
fn the_action_to_verify_an_identity_is_not_a_relink() {
    let error = read(403, r#"{"type":"FORBIDDEN","actionRequired":"verify_identity"}"#);
    assert_eq!((error.verdict, error.action_required.as_deref()), (Verdict::GiveUp, Some("verify_identity")));
}

#[test]
fn the_wait_is_read_from_retry_after_then_the_rate_limit_header_then_the_body() {
    assert_eq!(wait(Some("7"), Some("8"), "9"), Some(7));
    assert_eq!(wait(None, Some("8"), "9"), Some(8));
    assert_eq!(wait(None, None, "9"), Some(9));
    assert_eq!(wait(None, None, r#""9""#), Some(9));
    assert_eq!(wait(None, None, "null"), Some(60));
}

#[test]
fn a_wait_that_is_not_a_number_of_seconds_is_ignored() {
    for odd in ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999999", "NaN", "1,2", "0x1"] {
        assert_eq!(wait(Some(odd), Some("8"), "9"), Some(8), "{odd:?}");
        assert_eq!(wait(Some(odd), Some(odd), "9"), Some(9), "{odd:?}");
    }
    for odd in ["-1", "{}", "[]", "true", r#""soon""#, "1e300"] {
        assert_eq!(wait(None, None, odd), Some(60), "{odd}");
    }
}

#[test]
fn a_wait_of_zero_seconds_is_read_as_zero() {
    assert_eq!(wait(Some("0"), Some("8"), "9"), Some(0));
}

#[test]
fn a_fraction_of_a_second_is_rounded_up() {
    assert_eq!(wait(None, None, "1.2"), Some(2));
    assert_eq!(wait(Some("0.5"), None, "9"), Some(1));
    assert_eq!(wait(None, None, "3.0"), Some(3));
}

#[test]
fn only_a_rate_limit_has_a_wait() {
    let headers = RetryHeaders { retry_after: Some("7"), rate_limit: None };
    assert_eq!(ApiError::read(429, headers, b"<html>").retry_after, Some(7));
    assert_eq!(ApiError::read(403, headers, b"{}").retry_after, None);
    assert_eq!(read(429, "").retry_after, Some(60));
}

proptest! {
    #[test]
    fn no_answer_makes_the_reader_panic(
        status: u16,
        retry_after: Option<String>,
        rate_limit: Option<String>,
        body: Vec<u8>,
        text: String,
    ) {
        let headers = RetryHeaders { retry_after: retry_after.as_deref(), rate_limit: rate_limit.as_deref() };
        let text = serde_json::json!({ "type": text, "error": text, "retryAfter": text, "actionRequired": text }).to_string();
        for body in [&body, text.as_bytes()] {
            let error = ApiError::read(status, headers, body);
            prop_assert!(!error.code.is_empty());
            prop_assert_eq!(error.retry_after.is_some(), status == 429 || error.code == "RATE_LIMIT_EXCEEDED");
        }
    }

    #[test]
    fn an_answer_that_is_not_json_is_read_by_its_status(status: u16, body in "<[a-z]{0,9}>\\PC*") {
        prop_assert_eq!(read(status, &body), read(status, ""));
    }

    #[test]
    fn a_server_error_may_be_retried(status in 500_u16..600) {
        prop_assert_eq!(read(status, "").verdict, Verdict::Retry);
    }
}

#[test]
fn a_refusal_is_an_object_with_a_type_or_a_code() {
    for body in
        [r#"{"type":"SESSION_EXPIRED"}"#, r#"{"code":"session_expired"}"#, r#"{"type":"","code":"session_expired"}"#]
    {
        let refusal = ApiError::read_refusal(401, body.as_bytes()).unwrap();
        assert_eq!((&*refusal.code, refusal.verdict), ("SESSION_EXPIRED", Verdict::Relink), "{body}");
    }
    let body = br#"{"error":"No","type":"TEAPOT","requestId":"r","actionRequired":"refresh_session"}"#;
    assert_eq!(ApiError::read_refusal(403, body), Some(ApiError::read(403, RetryHeaders::default(), body)));
}

#[test]
fn any_other_body_is_not_a_refusal() {
    let bodies = [
        "",
        " ",
        "<html>401</html>",
        "{}",
        "null",
        "7",
        r#""SESSION_EXPIRED""#,
        r#"{"error":"SESSION_EXPIRED"}"#,
        r#"{"actionRequired":"relink_connection"}"#,
        r#"{"type":null}"#,
        r#"{"type":"","code":7}"#,
        r#"{"type":["SESSION_EXPIRED"]}"#,
        r#"{"error":{"type":"SESSION_EXPIRED"}}"#,
        r#"{"type":"SESSION_EXPIRED""#,
        r#"{"type":"SESSION_EXPIRED"} x"#,
    ];
    for body in bodies {
        assert_eq!(ApiError::read_refusal(401, body.as_bytes()), None, "{body}");
    }
    assert_eq!(ApiError::read_refusal(401, b"{\"type\":\"\xff\"}"), None);
}

#[test]
fn an_array_is_not_a_refusal() {
    assert_eq!(ApiError::read_refusal(401, br#"["No","No","SESSION_EXPIRED"]"#), None);
}
