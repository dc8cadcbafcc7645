//! The gateway's own errors.

use std::fmt;

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

impl Verdict {
    /// The word of the `x-ofauth-edge-action` header.
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
