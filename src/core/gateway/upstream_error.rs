//! Reads OFAuth's error answers, which come in several shapes, into one type.
//!
//! OFAuth documents one shape (OFAuth documentation, Error Handling):
//!
//! ```json
//! {"error": "Session expired", "type": "SESSION_EXPIRED", "requestId": "req_1", "actionRequired": "relink_connection"}
//! ```
//!
//! Other shapes occur too: `code` in place of `type`, `message` in place of `error`, `action_required`, types in lower
//! case, and HTML or an empty body from a proxy on the way. [`ApiError::read`] turns each of them into an [`ApiError`],
//! and its [`Verdict`] says what a client should do.

use std::borrow::Cow;

use serde::Deserialize;

use super::error::Verdict;
use crate::core::json::{self, Raw, decode_string_lossy};

/// How long to wait, in seconds, if a rate limit does not say how long. All limits of OFAuth count calls per minute.
pub const DEFAULT_RETRY_AFTER: u64 = 60;

/// An error answer of OFAuth, whatever its shape was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// OFAuth's `type`, or else its `code`, in upper case and under its documented name. If the answer has neither, a
    /// type that fits its HTTP status.
    pub code: String,
    /// OFAuth's `error`, or else its `message`: a text for people. Empty if the answer has neither.
    pub message: String,
    /// OFAuth's `requestId`.
    pub request_id: Option<String>,
    /// OFAuth's `actionRequired`: what the user must do, such as `relink_connection`.
    pub action_required: Option<String>,
    /// How long to wait before the next call, in seconds. `None` unless the error is a rate limit.
    pub retry_after: Option<u64>,
    /// What a client should do about the error.
    pub verdict: Verdict,
}

/// The headers of an error answer that say how long to wait. `Retry-After` is tried first.
#[derive(Clone, Copy, Debug, Default)]
pub struct RetryHeaders<'a> {
    /// `Retry-After` (RFC 9110, section 10.2.3). Only a number of seconds is read, not a date.
    pub retry_after: Option<&'a str>,
    /// `X-RateLimit-Retry-After`, a number of seconds.
    pub rate_limit: Option<&'a str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody<'a> {
    #[serde(borrow)]
    error: BodyField<'a>,
    #[serde(borrow)]
    message: BodyField<'a>,
    #[serde(borrow, rename = "type")]
    error_type: BodyField<'a>,
    #[serde(borrow)]
    code: BodyField<'a>,
    #[serde(borrow, rename = "requestId")]
    request_id: BodyField<'a>,
    #[serde(borrow, rename = "actionRequired")]
    action_required: BodyField<'a>,
    #[serde(borrow, rename = "action_required")]
    action_required_snake: BodyField<'a>,
    #[serde(borrow, rename = "retryAfter")]
    retry_after: BodyField<'a>,
}

/// A field of an error body. A value of an unexpected type is ignored: it does not make the whole body unreadable.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(transparent)]
struct BodyField<'a>(#[serde(borrow)] Option<Raw<'a>>);

impl ApiError {
    /// Reads an error answer. A body that is not a JSON object is read like an empty object.
    ///
    /// How long to wait is taken from `Retry-After`, else from `X-RateLimit-Retry-After`, else from `retryAfter` in the
    /// body, else it is [`DEFAULT_RETRY_AFTER`].
    pub fn read(status: u16, headers: RetryHeaders, body: &[u8]) -> Self {
        let body = json::from_slice::<ErrorBody>(body).unwrap_or_default();
        let error_type = body.error_type.text().or(body.code.text());
        let code = error_type.map_or_else(|| default_code(status), |error_type| canonical_code(&error_type));
        let action_required = body.action_required.text().or(body.action_required_snake.text());
        let is_rate_limited = status == 429 || code == "RATE_LIMIT_EXCEEDED";
        let retry_after = is_rate_limited.then(|| {
            let in_headers = [headers.retry_after, headers.rate_limit].into_iter().flatten().find_map(parse_seconds);
            in_headers.or(body.retry_after.seconds()).unwrap_or(DEFAULT_RETRY_AFTER)
        });
        Self {
            verdict: choose_verdict(&code, action_required.as_deref(), status),
            message: body.error.text().or(body.message.text()).unwrap_or_default(),
            request_id: body.request_id.text(),
            code,
            action_required,
            retry_after,
        }
    }

    /// Reads the body of a refusal: a 401 or 403 that OFAuth itself sent. `None` if the body is not a JSON object with
    /// a `type` or a `code`, because such an answer is from a proxy on the way or from OnlyFans.
    pub fn read_refusal(status: u16, body: &[u8]) -> Option<Self> {
        let error: ErrorBody = json::from_slice(body).ok()?;
        let has_type = error.error_type.text().is_some() || error.code.text().is_some();
        has_type.then(|| Self::read(status, RetryHeaders::default(), body))
    }
}

impl BodyField<'_> {
    /// The value, if it is text and not empty.
    fn text(self) -> Option<String> {
        decode_string_lossy(self.0?.0).filter(|text| !text.is_empty()).map(Cow::into_owned)
    }

    /// The value, if it is a number of seconds, written as a number or as text.
    fn seconds(self) -> Option<u64> {
        parse_seconds(&self.text().or_else(|| self.0.map(|Raw(value)| value.to_owned()))?)
    }
}

/// A number of seconds, rounded up to a whole number. `None` for a date or a negative number.
pub(super) fn parse_seconds(value: &str) -> Option<u64> {
    let (whole, fraction) = value.trim_ascii().split_once('.').unwrap_or((value.trim_ascii(), "0"));
    let rounding = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    whole.parse::<u64>().ok()?.checked_add(rounding)
}

/// The documented name of an error type that OFAuth writes in several ways.
fn canonical_code(error_type: &str) -> String {
    match error_type.to_ascii_uppercase().as_str() {
        "NOT_FOUND" => "RESOURCE_NOT_FOUND".to_owned(),
        "RATE_LIMITED" | "TOO_MANY_REQUESTS" => "RATE_LIMIT_EXCEEDED".to_owned(),
        code => code.to_owned(),
    }
}

/// The error type of an answer that names none.
fn default_code(status: u16) -> String {
    match status {
        400 => "BAD_REQUEST",
        401 => "UNAUTHORIZED",
        403 => "FORBIDDEN",
        404 => "RESOURCE_NOT_FOUND",
        429 => "RATE_LIMIT_EXCEEDED",
        502 => "PROXY_ERROR",
        503 | 504 => "NETWORK_ERROR",
        _ => "UNKNOWN_ERROR",
    }
    .to_owned()
}

/// What OFAuth's documentation (Error Handling) advises. The action decides first, then the error type. If neither
/// decides, the HTTP status does.
fn choose_verdict(code: &str, action_required: Option<&str>, status: u16) -> Verdict {
    match (code, action_required) {
        (_, Some("relink_connection" | "refresh_session")) | ("SESSION_EXPIRED" | "SESSION_NOT_PROVIDED", _) => {
            Verdict::Relink
        }
        // The last two are in OFAuth's older documentation.
        ("UNAUTHORIZED" | "AUTH_INVALID_KEY" | "AUTH_KEY_EXPIRED", _) => Verdict::Operator,
        ("RULES_OUTDATED" | "RATE_LIMIT_EXCEEDED" | "PROXY_ERROR" | "UPLOAD_ERROR" | "NETWORK_ERROR", _) => {
            Verdict::Retry
        }
        _ if status == 429 || status >= 500 => Verdict::Retry,
        _ => Verdict::GiveUp,
    }
}
