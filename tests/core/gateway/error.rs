//! The gateway's own errors. OFAuth's are in `upstream_error.rs`.
//!
//! 1. Each has its documented code, status, action and verdict.
//! 2. Verdicts have their names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::gateway::{EdgeError, RELINK, Verdict};

#[test]
fn own_errors_have_their_documented_code_status_and_verdict() {
    let errors = [
        (EdgeError::CredentialsMissing, "CREDENTIALS_MISSING", 401, Verdict::GiveUp),
        (EdgeError::CredentialsInvalid, "CREDENTIALS_INVALID", 401, Verdict::GiveUp),
        (EdgeError::TokenInvalid("why"), "CREDENTIALS_INVALID", 401, Verdict::RefreshToken),
        (EdgeError::TokenExpired, "TOKEN_EXPIRED", 401, Verdict::RefreshToken),
        (EdgeError::PermissionDenied, "PERMISSION_DENIED", 403, Verdict::GiveUp),
        (EdgeError::PermissionMissing("posts:read"), "PERMISSION_DENIED", 403, Verdict::GiveUp),
        (EdgeError::RightMissing("read"), "PERMISSION_DENIED", 403, Verdict::GiveUp),
        (EdgeError::OriginDenied, "ORIGIN_DENIED", 403, Verdict::GiveUp),
        (EdgeError::ConnectionAmbiguous, "CONNECTION_AMBIGUOUS", 400, Verdict::GiveUp),
        (EdgeError::ConnectionNotFound, "CONNECTION_NOT_FOUND", 404, Verdict::Relink),
        (EdgeError::AccountChanged, "ACCOUNT_CHANGED", 403, Verdict::GiveUp),
        (EdgeError::DeliveryNotFound, "DELIVERY_NOT_FOUND", 404, Verdict::GiveUp),
        (EdgeError::RouteNotFound, "ROUTE_NOT_FOUND", 404, Verdict::GiveUp),
        (EdgeError::MethodNotAllowed, "METHOD_NOT_ALLOWED", 405, Verdict::GiveUp),
        (EdgeError::BadRequest("why"), "BAD_REQUEST", 400, Verdict::GiveUp),
        (EdgeError::UnknownPermission(0), "BAD_REQUEST", 400, Verdict::GiveUp),
        (EdgeError::BodyTooLarge, "BODY_TOO_LARGE", 413, Verdict::GiveUp),
        (EdgeError::UpgradeRequired, "UPGRADE_REQUIRED", 426, Verdict::GiveUp),
        (EdgeError::TooManySockets, "TOO_MANY_SOCKETS", 429, Verdict::Retry),
        (EdgeError::NotConfigured, "NOT_CONFIGURED", 503, Verdict::Operator),
        (EdgeError::NotBound("x"), "NOT_CONFIGURED", 503, Verdict::Operator),
        (EdgeError::StorageUnavailable, "STORAGE_UNAVAILABLE", 503, Verdict::Retry),
        (EdgeError::StorageKeyMissing, "STORAGE_KEY_MISSING", 503, Verdict::Operator),
        (EdgeError::Overloaded, "OVERLOADED", 503, Verdict::Retry),
        (EdgeError::WebSocketsNotProxied, "NOT_IMPLEMENTED", 501, Verdict::GiveUp),
        (EdgeError::UpstreamUnreachable, "UPSTREAM_UNREACHABLE", 502, Verdict::Retry),
        (EdgeError::UpstreamStatus(101), "UPSTREAM_UNREACHABLE", 502, Verdict::Retry),
    ];
    let listed: Vec<_> = EdgeError::CODES.iter().map(|(code, _)| *code).collect();
    // Several errors may have one code.
    let mut codes = errors.map(|(error, ..)| error.code()).to_vec();
    codes.dedup();
    assert_eq!(codes, listed);
    for (error, code, status, verdict) in errors {
        assert_eq!((error.code(), error.status(), error.verdict()), (code, status, verdict));
        assert_eq!(error.action_required().is_some(), verdict == Verdict::Relink, "{code}");
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn verdicts_have_their_documented_names() {
    let verdicts = [Verdict::Relink, Verdict::Operator, Verdict::RefreshToken, Verdict::Retry, Verdict::GiveUp];
    assert_eq!(verdicts.map(Verdict::as_str), ["relink", "operator", "refresh_token", "retry", "give_up"]);
}

#[test]
fn connection_not_found_asks_for_a_relink() {
    assert_eq!(EdgeError::ConnectionNotFound.action_required(), Some(RELINK));
    assert_eq!(RELINK, "relink_connection");
    assert_eq!(EdgeError::RouteNotFound.action_required(), None);
}
