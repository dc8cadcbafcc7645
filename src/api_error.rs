//! Errors: the gateway's own, and OFAuth's in all their shapes.
//!
//! OFAuth answers `{error, type, requestId, actionRequired?}`; in the wild `code` stands for `type`, `message` for
//! `error`, types are lower-case, and proxies send HTML or nothing. [`ApiError::read`] makes one shape of them, and
//! [`Verdict`] says what a client should do, so that no client needs rules of its own.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{Object, Text};

/// What to wait for after a 429 that names no time, in seconds.
pub const DEFAULT_RETRY_AFTER: u64 = 60;
/// The `actionRequired` that sends the user through Link again.
pub const RELINK: &str = "relink_connection";

/// What a client should do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send the user through Link again.
    Relink,
    /// Alarm whoever runs the gateway: its key or configuration is wrong.
    Operator,
    /// Fetch a new session token.
    RefreshToken,
    /// Try again later, idempotent methods only.
    Retry,
    /// Nothing will change by trying again.
    GiveUp,
}

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

/// An error the gateway itself answers with, in OFAuth's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeError {
    /// No credential.
    CredentialsMissing,
    /// A credential that opens nothing.
    CredentialsInvalid,
    /// A session token after its time.
    TokenExpired,
    /// The token does not grant the permission.
    PermissionDenied,
    /// A gateway key from another site's page.
    OriginDenied,
    /// The user has several connections, and the call names none.
    ConnectionAmbiguous,
    /// No connection by that handle or id, or one that is disconnected.
    ConnectionNotFound,
    /// No such path.
    RouteNotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The request is wrong; says how.
    BadRequest(&'static str),
    /// A body over the limit.
    BodyTooLarge,
    /// The Worker's configuration lacks something; `/healthz` names it.
    NotConfigured,
    /// A Durable Object or KV did not answer.
    StorageUnavailable,
    /// OFAuth did not answer.
    UpstreamUnreachable,
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

impl Verdict {
    /// The word of the `x-ofauth-edge-action` header.
    pub fn word(self) -> &'static str {
        match self {
            Self::Relink => "relink",
            Self::Operator => "operator",
            Self::RefreshToken => "refresh_token",
            Self::Retry => "retry",
            Self::GiveUp => "give_up",
        }
    }
}

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

impl EdgeError {
    /// The `type` of the answer.
    pub fn code(self) -> &'static str {
        match self {
            Self::CredentialsMissing => "CREDENTIALS_MISSING",
            Self::CredentialsInvalid => "CREDENTIALS_INVALID",
            Self::TokenExpired => "TOKEN_EXPIRED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::OriginDenied => "ORIGIN_DENIED",
            Self::ConnectionAmbiguous => "CONNECTION_AMBIGUOUS",
            Self::ConnectionNotFound => "CONNECTION_NOT_FOUND",
            Self::RouteNotFound => "ROUTE_NOT_FOUND",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::BadRequest(_) => "BAD_REQUEST",
            Self::BodyTooLarge => "BODY_TOO_LARGE",
            Self::NotConfigured => "NOT_CONFIGURED",
            Self::StorageUnavailable => "STORAGE_UNAVAILABLE",
            Self::UpstreamUnreachable => "UPSTREAM_UNREACHABLE",
        }
    }

    /// The HTTP status of the answer.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest(_) | Self::ConnectionAmbiguous => 400,
            Self::CredentialsMissing | Self::CredentialsInvalid | Self::TokenExpired => 401,
            Self::PermissionDenied | Self::OriginDenied => 403,
            Self::ConnectionNotFound | Self::RouteNotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::BodyTooLarge => 413,
            Self::UpstreamUnreachable => 502,
            Self::NotConfigured | Self::StorageUnavailable => 503,
        }
    }

    /// What a client should do about it.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::ConnectionNotFound => Verdict::Relink,
            Self::TokenExpired => Verdict::RefreshToken,
            Self::NotConfigured => Verdict::Operator,
            Self::StorageUnavailable | Self::UpstreamUnreachable => Verdict::Retry,
            Self::CredentialsMissing
            | Self::CredentialsInvalid
            | Self::PermissionDenied
            | Self::OriginDenied
            | Self::ConnectionAmbiguous
            | Self::RouteNotFound
            | Self::MethodNotAllowed
            | Self::BadRequest(_)
            | Self::BodyTooLarge => Verdict::GiveUp,
        }
    }

    /// The `actionRequired` of the answer.
    pub fn action_required(self) -> Option<&'static str> {
        (self == Self::ConnectionNotFound).then_some(RELINK)
    }
}

impl fmt::Display for EdgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CredentialsMissing => "send a gateway key or a session token as Authorization: Bearer or as apikey",
            Self::CredentialsInvalid => "the credential is not valid",
            Self::TokenExpired => "the session token has expired",
            Self::PermissionDenied => "the session token does not grant this",
            Self::OriginDenied => "a gateway key is for servers, not for pages of another site",
            Self::ConnectionAmbiguous => "the user has several connections: name one in x-connection-id, by handle",
            Self::ConnectionNotFound => "no such connection; the user must link the account",
            Self::RouteNotFound => "no such route",
            Self::MethodNotAllowed => "the method is not allowed here",
            Self::BadRequest(reason) => reason,
            Self::BodyTooLarge => "the body is over the limit",
            Self::NotConfigured => "the gateway is not configured; GET /healthz names what is missing",
            Self::StorageUnavailable => "storage did not answer; try again",
            Self::UpstreamUnreachable => "OFAuth did not answer",
        })
    }
}

impl std::error::Error for EdgeError {}

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
