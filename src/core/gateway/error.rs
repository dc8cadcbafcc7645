//! The errors that the gateway itself answers with, and what a client should do about any error.
//!
//! [`EdgeError`] is one of the gateway's own errors. Its answer has the shape of OFAuth's errors
//! (OFAuth documentation, Error Handling), with [`EdgeError::code`] as `type` and the `Display` text as `error`. Both are
//! repeated as `code` and `message`, which are all that OFAuth's SDKs read:
//!
//! ```json
//! {
//!   "error": "the session token has expired", "message": "the session token has expired",
//!   "type": "TOKEN_EXPIRED", "code": "TOKEN_EXPIRED", "requestId": "…"
//! }
//! ```
//!
//! [`Verdict`] tells a client what to do, for the gateway's errors and for OFAuth's. Errors that OFAuth answers with
//! are read in `upstream_error.rs`.

use std::fmt;

use serde::Serialize;

/// The value of `actionRequired` that says: the user must go through Link again (OFAuth documentation, Error Handling).
pub const RELINK: &str = "relink_connection";

/// What a client should do about an error. The header `x-ofauth-edge-action` carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Send the user through Link again.
    Relink,
    /// Tell the operator of the gateway: its API key or its configuration is wrong.
    Operator,
    /// Fetch a new session token, then call again.
    RefreshToken,
    /// Call again later, but only with an idempotent method (RFC 9110, section 9.2.2).
    Retry,
    /// Do not call again: the answer would be the same.
    GiveUp,
}

/// An error that the gateway itself answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeError {
    /// The call carries no credential.
    CredentialsMissing,
    /// The credential is neither a gateway key nor a token.
    CredentialsInvalid,
    /// The credential is a session token or a console token, and breaks a rule. The text says which.
    TokenInvalid(&'static str),
    /// The session token is valid but has expired.
    TokenExpired,
    /// The route, or what the call asks for, is not for callers of this kind.
    PermissionDenied,
    /// The session token does not grant this permission.
    PermissionMissing(&'static str),
    /// The gateway key lacks this right.
    RightMissing(&'static str),
    /// A page of another site sent a gateway key.
    OriginDenied,
    /// The user has several connections, and the call does not name one.
    ConnectionAmbiguous,
    /// The connection does not exist, is disconnected, or belongs to another user.
    ConnectionNotFound,
    /// The connection is with another account than before, which nobody has accepted.
    AccountChanged,
    /// No forwarded event of that id waits or is parked, or its body was deleted.
    DeliveryNotFound,
    /// There is no route at this path.
    RouteNotFound,
    /// There is a route at this path, but not for this method.
    MethodNotAllowed,
    /// The request is malformed. The text says what is wrong.
    BadRequest(&'static str),
    /// A token is requested with a permission that does not exist. The number is its index in the list.
    UnknownPermission(usize),
    /// The body is longer than the limit of its route.
    BodyTooLarge,
    /// The route only opens WebSockets, and the call asks for none.
    UpgradeRequired,
    /// The user has as many WebSockets open as a user may have.
    TooManySockets,
    /// The Worker's configuration is incomplete. `GET /healthz` names the missing variables.
    NotConfigured,
    /// An optional binding, which this route needs, is missing. The text says which.
    NotBound(&'static str),
    /// A Durable Object or KV did not answer.
    StorageUnavailable,
    /// What is stored about the connection was sealed under a key that is not in `STORAGE_KEY` any more.
    StorageKeyMissing,
    /// Too many large bodies are being read at the same time.
    Overloaded,
    /// The call asks for a WebSocket.
    WebSocketsNotProxied,
    /// OFAuth did not answer.
    UpstreamUnreachable,
    /// OFAuth answered with this status, which is not one of an answer to an HTTP call.
    UpstreamStatus(u16),
}

impl Verdict {
    /// The value of the header `x-ofauth-edge-action`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Relink => "relink",
            Self::Operator => "operator",
            Self::RefreshToken => "refresh_token",
            Self::Retry => "retry",
            Self::GiveUp => "give_up",
        }
    }
}

impl EdgeError {
    /// All codes, and what each says.
    pub const CODES: &[(&'static str, &'static str)] = &[
        ("CREDENTIALS_MISSING", "The call carries no credential."),
        ("CREDENTIALS_INVALID", "The credential is neither a gateway key nor a valid session token."),
        ("TOKEN_EXPIRED", "The session token has expired."),
        ("PERMISSION_DENIED", "The token or the gateway key does not permit it, or the route is for others."),
        ("ORIGIN_DENIED", "A page sent a gateway key, or its origin is not in `ALLOWED_ORIGINS`."),
        ("CONNECTION_AMBIGUOUS", "The user has several connections, and the call does not name one."),
        ("CONNECTION_NOT_FOUND", "The connection does not exist, is disconnected, or belongs to another user."),
        ("ACCOUNT_CHANGED", "The connection's account is another one than before, and nobody has accepted it."),
        ("DELIVERY_NOT_FOUND", "No forwarded event of that id waits or is parked, or its body was deleted."),
        ("ROUTE_NOT_FOUND", "There is no route at this path."),
        ("METHOD_NOT_ALLOWED", "The route does not allow this method."),
        ("BAD_REQUEST", "The request is malformed. The message says what is wrong."),
        ("BODY_TOO_LARGE", "The body is longer than the limit of its route."),
        ("UPGRADE_REQUIRED", "The route only opens WebSockets, and the call asks for none."),
        ("TOO_MANY_SOCKETS", "The user has as many WebSockets open as a user may have."),
        ("NOT_CONFIGURED", "The configuration is incomplete, or an optional binding is missing."),
        ("STORAGE_UNAVAILABLE", "The storage of the gateway did not answer."),
        ("STORAGE_KEY_MISSING", "What is stored about the connection is sealed under a key that `STORAGE_KEY` lacks."),
        ("OVERLOADED", "Too many large bodies are being read."),
        ("NOT_IMPLEMENTED", "WebSockets are not proxied."),
        ("UPSTREAM_UNREACHABLE", "OFAuth did not answer."),
    ];

    /// The `type` of the answer. It never changes for a variant: clients compare it.
    ///
    /// `UNAUTHORIZED` and `SESSION_EXPIRED` are not among them, because those words have another meaning at OFAuth.
    pub fn code(self) -> &'static str {
        match self {
            Self::CredentialsMissing => "CREDENTIALS_MISSING",
            Self::CredentialsInvalid | Self::TokenInvalid(_) => "CREDENTIALS_INVALID",
            Self::TokenExpired => "TOKEN_EXPIRED",
            Self::PermissionDenied | Self::PermissionMissing(_) | Self::RightMissing(_) => "PERMISSION_DENIED",
            Self::OriginDenied => "ORIGIN_DENIED",
            Self::ConnectionAmbiguous => "CONNECTION_AMBIGUOUS",
            Self::ConnectionNotFound => "CONNECTION_NOT_FOUND",
            Self::DeliveryNotFound => "DELIVERY_NOT_FOUND",
            Self::RouteNotFound => "ROUTE_NOT_FOUND",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::AccountChanged => "ACCOUNT_CHANGED",
            Self::BadRequest(_) | Self::UnknownPermission(_) => "BAD_REQUEST",
            Self::BodyTooLarge => "BODY_TOO_LARGE",
            Self::UpgradeRequired => "UPGRADE_REQUIRED",
            Self::TooManySockets => "TOO_MANY_SOCKETS",
            Self::NotConfigured | Self::NotBound(_) => "NOT_CONFIGURED",
            Self::StorageUnavailable => "STORAGE_UNAVAILABLE",
            Self::StorageKeyMissing => "STORAGE_KEY_MISSING",
            Self::Overloaded => "OVERLOADED",
            Self::WebSocketsNotProxied => "NOT_IMPLEMENTED",
            Self::UpstreamUnreachable | Self::UpstreamStatus(_) => "UPSTREAM_UNREACHABLE",
        }
    }

    /// The HTTP status of the answer.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest(_) | Self::UnknownPermission(_) | Self::ConnectionAmbiguous => 400,
            Self::CredentialsMissing | Self::CredentialsInvalid | Self::TokenInvalid(_) | Self::TokenExpired => 401,
            Self::PermissionDenied
            | Self::PermissionMissing(_)
            | Self::RightMissing(_)
            | Self::OriginDenied
            | Self::AccountChanged => 403,
            Self::ConnectionNotFound | Self::DeliveryNotFound | Self::RouteNotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::BodyTooLarge => 413,
            Self::UpgradeRequired => 426,
            Self::TooManySockets => 429,
            Self::WebSocketsNotProxied => 501,
            Self::UpstreamUnreachable | Self::UpstreamStatus(_) => 502,
            Self::NotConfigured
            | Self::NotBound(_)
            | Self::StorageUnavailable
            | Self::StorageKeyMissing
            | Self::Overloaded => 503,
        }
    }

    /// What a client should do about this error.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::ConnectionNotFound => Verdict::Relink,
            Self::TokenExpired | Self::TokenInvalid(_) => Verdict::RefreshToken,
            Self::NotConfigured | Self::NotBound(_) | Self::StorageKeyMissing => Verdict::Operator,
            Self::StorageUnavailable
            | Self::Overloaded
            | Self::TooManySockets
            | Self::UpstreamUnreachable
            | Self::UpstreamStatus(_) => Verdict::Retry,
            Self::CredentialsMissing
            | Self::CredentialsInvalid
            | Self::PermissionDenied
            | Self::PermissionMissing(_)
            | Self::RightMissing(_)
            | Self::OriginDenied
            | Self::ConnectionAmbiguous
            | Self::AccountChanged
            | Self::DeliveryNotFound
            | Self::RouteNotFound
            | Self::MethodNotAllowed
            | Self::BadRequest(_)
            | Self::UnknownPermission(_)
            | Self::BodyTooLarge
            | Self::UpgradeRequired
            | Self::WebSocketsNotProxied => Verdict::GiveUp,
        }
    }

    /// Why this call was refused, for the log: the text of an error that carries a reason, which names no user and no
    /// connection.
    pub fn reason(self) -> Option<String> {
        let has_reason = matches!(
            self,
            Self::TokenInvalid(_)
                | Self::PermissionMissing(_)
                | Self::RightMissing(_)
                | Self::BadRequest(_)
                | Self::UnknownPermission(_)
        );
        has_reason.then(|| self.to_string())
    }

    /// The `actionRequired` of the answer: [`RELINK`] if the connection was not found, else nothing.
    pub fn action_required(self) -> Option<&'static str> {
        (self == Self::ConnectionNotFound).then_some(RELINK)
    }
}

impl fmt::Display for EdgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::PermissionMissing(permission) => {
                return write!(f, "the session token lacks the permission {permission}");
            }
            Self::RightMissing(right) => return write!(f, "the gateway key lacks the right {right}"),
            Self::UnknownPermission(index) => {
                return write!(f, "permissions[{index}] is neither a permission of OFAuth's nor one of the gateway's");
            }
            Self::CredentialsMissing => "send a gateway key or a session token as Authorization: Bearer or as apikey",
            Self::CredentialsInvalid => "the credential is neither a gateway key nor a token",
            Self::TokenExpired => "the session token has expired",
            Self::PermissionDenied => "a credential of this kind does not permit this call",
            Self::OriginDenied => "a gateway key is for servers only: a page of another site must send a session token",
            Self::ConnectionAmbiguous => "the user has several connections: send the handle of one as x-connection-id",
            Self::ConnectionNotFound => "there is no such connection: the user must link the account",
            Self::AccountChanged => "the connection is with another account than before: a server must accept it",
            Self::DeliveryNotFound => "no event of that id waits or is parked, or its body was deleted",
            Self::RouteNotFound => "there is no route at this path",
            Self::MethodNotAllowed => {
                "this route does not allow the method: the header Allow names those that it allows"
            }
            Self::TokenInvalid(reason) | Self::BadRequest(reason) | Self::NotBound(reason) => reason,
            Self::BodyTooLarge => "the body is too long for this route",
            Self::UpgradeRequired => "this route only opens WebSockets",
            Self::TooManySockets => "the user has too many WebSockets open: close one, or try again later",
            Self::NotConfigured => "the configuration of the gateway is incomplete: GET /healthz names what is missing",
            Self::StorageUnavailable => "the gateway's storage did not answer: try again later",
            Self::StorageKeyMissing => "this is stored under a key that is not in STORAGE_KEY any more",
            Self::Overloaded => "too many large bodies are being read: try again later",
            Self::WebSocketsNotProxied => "WebSockets are not proxied",
            Self::UpstreamUnreachable => "OFAuth did not answer",
            Self::UpstreamStatus(status) => {
                return write!(f, "OFAuth answered with the status {status}, which cannot be passed on");
            }
        };
        f.write_str(text)
    }
}

impl std::error::Error for EdgeError {}
