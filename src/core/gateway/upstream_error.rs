//! Errors: the gateway's own, and OFAuth's in all their shapes.
//!
//! OFAuth answers `{error, type, requestId, actionRequired?}`; in the wild `code` stands for `type`, `message` for
//! `error`, types are lower-case, and proxies send HTML or nothing. [`ApiError::read`] makes one shape of them, and
//! [`Verdict`] says what a client should do, so that no client needs rules of its own.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::Verdict;
use crate::core::json::{Object, Text};

/// What to wait for after a 429 that names no time, in seconds.
pub const DEFAULT_RETRY_AFTER: u64 = 60;

/// An error answer of OFAuth's, normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// OFAuth's type in upper case; derived from the status where the answer names none.
    pub code: String,
    /// For people; empty where the answer has none.
    pub message: String,
    /// OFAuth's request id.
    pub request_id: Option<String>,
    /// What the user has to do, in OFAuth's words.
    pub action_required: Option<String>,
    /// Seconds to wait, on 429 only.
    pub retry_after: Option<u64>,
    /// What to do about it.
    pub verdict: Verdict,
}

/// Header values that say how long to wait, as received.
#[derive(Clone, Copy, Debug, Default)]
pub struct RetryHeaders<'a> {
    /// `Retry-After`; only its form in seconds is read.
    pub retry_after: Option<&'a str>,
    /// `X-RateLimit-Retry-After`, in seconds.
    pub rate_limit: Option<&'a str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body<'a> {
    #[serde(borrow)]
    error: Field<'a>,
    #[serde(borrow)]
    message: Field<'a>,
    #[serde(borrow, rename = "type")]
    kind: Field<'a>,
    #[serde(borrow)]
    code: Field<'a>,
    #[serde(borrow, rename = "requestId")]
    request_id: Field<'a>,
    #[serde(borrow, rename = "actionRequired")]
    action_required: Field<'a>,
    #[serde(borrow, rename = "action_required")]
    action_required_snake: Field<'a>,
    #[serde(borrow, rename = "retryAfter")]
    retry_after: Field<'a>,
}

/// A field of an error body, read as what it should be or passed over.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(transparent)]
struct Field<'a>(#[serde(borrow)] Option<&'a RawValue>);

impl ApiError {
    /// Reads an error answer. The body may be anything.
    pub fn read(status: u16, headers: RetryHeaders, body: &[u8]) -> Self {
        let body = serde_json::from_slice::<Object<Body>>(body).map(|Object(body)| body).unwrap_or_default();
        let code = body.kind.text().or(body.code.text()).map_or_else(|| by_status(status), |kind| canonical(&kind));
        let action_required = body.action_required.text().or(body.action_required_snake.text());
        let limited = status == 429 || code == "RATE_LIMIT_EXCEEDED";
        let retry_after = limited.then(|| {
            let named = [headers.retry_after, headers.rate_limit].into_iter().flatten().find_map(seconds);
            named.or(body.retry_after.seconds()).unwrap_or(DEFAULT_RETRY_AFTER)
        });
        Self {
            verdict: verdict(&code, action_required.as_deref(), status),
            message: body.error.text().or(body.message.text()).unwrap_or_default(),
            request_id: body.request_id.text(),
            code,
            action_required,
            retry_after,
        }
    }

    /// Reads a 401 or 403 that is of OFAuth's shape: a JSON object that names a type. Anything else is somebody else's.
    pub fn refusal(status: u16, body: &[u8]) -> Option<Self> {
        let Object(shape) = serde_json::from_slice::<Object<Body>>(body).ok()?;
        let named = shape.kind.text().is_some() || shape.code.text().is_some();
        named.then(|| Self::read(status, RetryHeaders::default(), body))
    }
}

impl Field<'_> {
    fn text(self) -> Option<String> {
        let text: Text = serde_json::from_str(self.0?.get()).ok()?;
        Some(text.0).filter(|text| !text.is_empty())
    }

    fn seconds(self) -> Option<u64> {
        seconds(&self.text().or_else(|| self.0.map(|raw| raw.get().to_owned()))?)
    }
}

/// Whole seconds, rounded up; a date or a negative number is none.
fn seconds(value: &str) -> Option<u64> {
    let (whole, fraction) = value.trim_ascii().split_once('.').unwrap_or((value.trim_ascii(), "0"));
    let up = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    whole.parse::<u64>().ok()?.checked_add(up)
}

fn canonical(kind: &str) -> String {
    match kind.to_ascii_uppercase().as_str() {
        "NOT_FOUND" => "RESOURCE_NOT_FOUND".to_owned(),
        "RATE_LIMITED" | "TOO_MANY_REQUESTS" => "RATE_LIMIT_EXCEEDED".to_owned(),
        kind => kind.to_owned(),
    }
}

fn by_status(status: u16) -> String {
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

fn verdict(code: &str, action_required: Option<&str>, status: u16) -> Verdict {
    match (code, action_required) {
        (_, Some("relink_connection" | "refresh_session")) | ("SESSION_EXPIRED" | "SESSION_NOT_PROVIDED", _) => {
            Verdict::Relink
        }
        ("UNAUTHORIZED", _) => Verdict::Operator,
        ("RULES_OUTDATED" | "RATE_LIMIT_EXCEEDED" | "PROXY_ERROR" | "UPLOAD_ERROR" | "NETWORK_ERROR", _) => {
            Verdict::Retry
        }
        _ if status == 429 || status >= 500 => Verdict::Retry,
        _ => Verdict::GiveUp,
    }
}
