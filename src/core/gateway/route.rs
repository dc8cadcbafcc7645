//! Finds the route of a request. The list of all routes is [`Route`]: every path that the Worker serves, and its
//! methods.
//!
//! A path is matched as it was received: only the routes under `/v2` decode it, in `access.rs` and `account.rs`.

use super::{
    access,
    account::{self, AccountCall, AccountEffect},
    key::Right,
    link,
    origin::ALLOWED_METHODS,
};

/// The route of a request. A path segment that a variant carries is still percent-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// `POST /webhooks/ofauth`, however many slashes are around its segments.
    Webhook,
    /// Any method on `/v2/access/*`: the Access API (see [`access`]).
    Access,
    /// Any method on OFAuth's routes for servers (see [`account`]).
    Account,
    /// `POST /v2/link/init`
    LinkInit,
    /// `GET` and `DELETE /v2/link/{clientSecret}`
    LinkSession,
    /// `GET /link/callback`
    LinkCallback,
    /// `POST /edge/sessions`
    Sessions,
    /// `GET /edge/connections`
    Connections,
    /// `GET /edge/connections/{handle or id}`
    Connection(&'a str),
    /// `DELETE /edge/connections/{handle or id}`
    DeleteConnection(&'a str),
    /// `POST /edge/connections/{handle or id}/invalidate`
    InvalidateConnection(&'a str),
    /// `POST /edge/connections/{handle or id}/accept-account`
    AcceptAccount(&'a str),
    /// `GET /edge/connections/{handle or id}/health`
    ConnectionHealth(&'a str),
    /// `GET /edge/connections/{handle or id}/events`
    ConnectionEvents(&'a str),
    /// `DELETE /edge/users/{clientReferenceId}`
    DeleteUser(&'a str),
    /// `GET /edge/events`
    Events,
    /// `GET /edge/metrics`
    Metrics,
    /// `GET /edge/status`
    Status,
    /// `GET /edge/deliveries`
    Deliveries,
    /// `POST /edge/deliveries/{id}/replay`
    Replay(&'a str),
    /// `GET /edge/live`, with which a page opens a WebSocket.
    Live,
    /// `GET /healthz`
    Health,
    /// There is a route at this path, but not for this method. The text is the value of the answer's header `Allow`.
    MethodNotAllowed(&'static str),
    /// There is no route at this path.
    NotFound,
}

/// Finds the route of a request.
///
/// `path` is the path as received, without the query. A route that answers GET also answers HEAD, with two exceptions:
///
/// - Only a browser that returns from Link calls [`Route::LinkCallback`].
/// - [`Route::Live`] answers with a WebSocket, which only GET opens (RFC 6455, section 4.1).
///
/// TRACE, TRACK and CONNECT have no route: they would show a caller's headers, or open a tunnel.
///
/// A path with an empty segment, or with a slash at its end, has no route. There are two exceptions:
///
/// - [`Route::Webhook`] ignores such slashes.
/// - On [`Route::Access`] and [`Route::Account`], OFAuth itself decides about them.
pub fn route<'a>(method: &str, path: &'a str) -> Route<'a> {
    let only = |wanted, route| if method == wanted { route } else { Route::MethodNotAllowed(wanted) };
    if ["TRACE", "TRACK", "CONNECT"].contains(&method) {
        return Route::MethodNotAllowed(ALLOWED_METHODS);
    }
    let read = |route| if matches!(method, "GET" | "HEAD") { route } else { Route::MethodNotAllowed("GET, HEAD") };
    match path {
        _ if is_webhook(path) => only("POST", Route::Webhook),
        "/healthz" => read(Route::Health),
        "/edge/sessions" => only("POST", Route::Sessions),
        "/edge/connections" => read(Route::Connections),
        "/edge/events" => read(Route::Events),
        "/edge/metrics" => read(Route::Metrics),
        "/edge/status" => read(Route::Status),
        "/edge/deliveries" => read(Route::Deliveries),
        "/edge/live" => only("GET", Route::Live),
        "/v2/link/init" => only("POST", Route::LinkInit),
        link::CALLBACK_PATH => only("GET", Route::LinkCallback),
        _ if path.starts_with(access::PREFIX) => Route::Access,
        _ if account::is_account_path(path) => Route::Account,
        _ => match path.split('/').collect::<Vec<_>>().as_slice() {
            [_, _, .., ""] | [_, _, _, "", ..] => Route::NotFound,
            ["", "edge", "connections", name] => match method {
                "GET" | "HEAD" => Route::Connection(name),
                "DELETE" => Route::DeleteConnection(name),
                _ => Route::MethodNotAllowed("GET, HEAD, DELETE"),
            },
            ["", "edge", "connections", name, "invalidate"] => only("POST", Route::InvalidateConnection(name)),
            ["", "edge", "connections", name, "accept-account"] => only("POST", Route::AcceptAccount(name)),
            ["", "edge", "connections", name, "health"] => read(Route::ConnectionHealth(name)),
            ["", "edge", "connections", name, "events"] => read(Route::ConnectionEvents(name)),
            ["", "edge", "deliveries", id, "replay"] => only("POST", Route::Replay(id)),
            ["", "edge", "users", reference] => only("DELETE", Route::DeleteUser(reference)),
            ["", "v2", "link", _] => match method {
                "GET" | "HEAD" | "DELETE" => Route::LinkSession,
                _ => Route::MethodNotAllowed("GET, HEAD, DELETE"),
            },
            _ => Route::NotFound,
        },
    }
}

/// Whether a path is `/webhooks/ofauth`, with any number of slashes before, between and after. A webhook URL is often
/// put together by hand, and an event that misses its route is lost.
fn is_webhook(path: &str) -> bool {
    path.split('/').filter(|segment| !segment.is_empty()).eq(["webhooks", "ofauth"])
}

/// Whether pages of other sites may call this path. They are the paths that a session token can open.
pub fn allows_cross_origin(path: &str) -> bool {
    path.starts_with("/v2/") || path.starts_with("/edge/")
}

impl Route<'_> {
    /// Whether the Worker completes the call even if the caller disconnects. It must if the call changes a connection
    /// at OFAuth, because the change must also reach the connection's ledger.
    pub fn completes_without_caller(self, method: &str, path: &str) -> bool {
        match self {
            Self::DeleteConnection(_) | Self::InvalidateConnection(_) | Self::DeleteUser(_) => true,
            Self::Account => AccountCall::read(method, path).effect != AccountEffect::None,
            _ => false,
        }
    }

    /// The right that a gateway key needs for this route. `None` if the route takes no gateway key.
    ///
    /// Of OFAuth's routes for servers, only reading under `/v2/account/` counts as reading: the others act as the account.
    pub fn right(self, method: &str, path: &str) -> Option<Right> {
        match self {
            Self::Access => Some(Right::Access),
            Self::Sessions => Some(Right::Sessions),
            Self::LinkInit | Self::LinkSession => Some(Right::Link),
            Self::Account if matches!(method, "GET" | "HEAD") && path.starts_with("/v2/account/") => Some(Right::Read),
            Self::Account
            | Self::DeleteConnection(_)
            | Self::InvalidateConnection(_)
            | Self::AcceptAccount(_)
            | Self::DeleteUser(_)
            | Self::Replay(_) => Some(Right::Manage),
            Self::Connections
            | Self::Connection(_)
            | Self::ConnectionHealth(_)
            | Self::ConnectionEvents(_)
            | Self::Events
            | Self::Deliveries
            | Self::Metrics
            | Self::Status => Some(Right::Read),
            Self::Webhook
            | Self::LinkCallback
            | Self::Live
            | Self::Health
            | Self::MethodNotAllowed(_)
            | Self::NotFound => None,
        }
    }

    /// The name of the route in log lines. A log line has no URL, because a URL may contain a handle or an id.
    pub fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Access => "access",
            Self::Account => "account",
            Self::LinkInit => "link_init",
            Self::LinkSession => "link_session",
            Self::LinkCallback => "link_callback",
            Self::Sessions => "sessions",
            Self::Connections => "connections",
            Self::Connection(_) => "connection",
            Self::DeleteConnection(_) => "connection_delete",
            Self::InvalidateConnection(_) => "connection_invalidate",
            Self::AcceptAccount(_) => "connection_accept_account",
            Self::ConnectionHealth(_) => "connection_health",
            Self::ConnectionEvents(_) => "connection_events",
            Self::DeleteUser(_) => "user_delete",
            Self::Events => "events",
            Self::Metrics => "metrics",
            Self::Status => "status",
            Self::Deliveries => "deliveries",
            Self::Replay(_) => "delivery_replay",
            Self::Live => "live",
            Self::Health => "health",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::NotFound => "not_found",
        }
    }
}
