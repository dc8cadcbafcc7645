//! (method, path) to route: every path the Worker serves, and with which methods.

use super::{
    access,
    account::{self, AccountCall, AccountEffect},
    link,
};

/// A request's destination. A segment is given as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// `POST /webhooks/ofauth`, however many slashes are around its segments.
    Webhook,
    /// Any method on `/v2/access/*`.
    Access,
    /// Any method on the routes of [`account`].
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
    Delete(&'a str),
    /// `POST /edge/connections/{handle or id}/invalidate`
    Invalidate(&'a str),
    /// `GET /edge/connections/{handle or id}/health`
    ConnectionHealth(&'a str),
    /// `GET /edge/connections/{handle or id}/events`
    Timeline(&'a str),
    /// `DELETE /edge/users/{clientReferenceId}`
    User(&'a str),
    /// `GET /edge/events`
    Events,
    /// `GET /healthz`
    Health,
    /// The path exists, the method does not: what to answer as `Allow`.
    MethodNotAllowed(&'static str),
    /// Nothing is here.
    NotFound,
}

/// Finds the route. `path` is as received, without the query. GET serves HEAD, except where a browser comes back from
/// Link; a trailing or empty segment matches nothing.
pub fn route<'a>(method: &str, path: &'a str) -> Route<'a> {
    let only = |wanted, route| if method == wanted { route } else { Route::MethodNotAllowed(wanted) };
    let read = |route| if matches!(method, "GET" | "HEAD") { route } else { Route::MethodNotAllowed("GET, HEAD") };
    match path {
        _ if is_webhook(path) => only("POST", Route::Webhook),
        "/healthz" => read(Route::Health),
        "/edge/sessions" => only("POST", Route::Sessions),
        "/edge/connections" => read(Route::Connections),
        "/edge/events" => read(Route::Events),
        "/v2/link/init" => only("POST", Route::LinkInit),
        link::CALLBACK => only("GET", Route::LinkCallback),
        _ if path.starts_with(access::PREFIX) => Route::Access,
        _ if account::is_account(path) => Route::Account,
        _ => match path.split('/').collect::<Vec<_>>().as_slice() {
            [_, _, .., ""] | [_, _, _, "", ..] => Route::NotFound,
            ["", "edge", "connections", name] => match method {
                "GET" | "HEAD" => Route::Connection(name),
                "DELETE" => Route::Delete(name),
                _ => Route::MethodNotAllowed("GET, HEAD, DELETE"),
            },
            ["", "edge", "connections", name, "invalidate"] => only("POST", Route::Invalidate(name)),
            ["", "edge", "connections", name, "health"] => read(Route::ConnectionHealth(name)),
            ["", "edge", "connections", name, "events"] => read(Route::Timeline(name)),
            ["", "edge", "users", reference] => only("DELETE", Route::User(reference)),
            ["", "v2", "link", _] => match method {
                "GET" | "HEAD" | "DELETE" => Route::LinkSession,
                _ => Route::MethodNotAllowed("GET, HEAD, DELETE"),
            },
            _ => Route::NotFound,
        },
    }
}

/// Whether a path is `/webhooks/ofauth`, with any number of slashes before, between and after: a webhook URL is often put
/// together by hand, and an event that misses its route is lost.
fn is_webhook(path: &str) -> bool {
    path.split('/').filter(|segment| !segment.is_empty()).eq(["webhooks", "ofauth"])
}

/// Whether pages of other sites may call this path, with a token that opens it.
pub fn allows_cross_origin(path: &str) -> bool {
    path.starts_with("/v2/") || path.starts_with("/edge/")
}

impl Route<'_> {
    /// Whether a call is carried through even if its caller leaves: what it does at OFAuth must be known here.
    pub fn completes_without_caller(self, method: &str, path: &str) -> bool {
        match self {
            Self::Delete(_) | Self::Invalidate(_) | Self::User(_) => true,
            Self::Account => AccountCall::read(method, path).effect != AccountEffect::None,
            _ => false,
        }
    }

    /// The route's name in logs: URLs hold handles and stay out of them.
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
            Self::Delete(_) => "connection_delete",
            Self::Invalidate(_) => "connection_invalidate",
            Self::ConnectionHealth(_) => "connection_health",
            Self::Timeline(_) => "connection_events",
            Self::User(_) => "user_delete",
            Self::Events => "events",
            Self::Health => "health",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::NotFound => "not_found",
        }
    }
}
