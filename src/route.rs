//! (method, path) to route: every path the Worker serves, and with which methods.

/// A request's destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// `POST /webhooks/ofauth`
    Webhook,
    /// Any method on `/v2/access/*`.
    Access,
    /// `POST /edge/sessions`
    Sessions,
    /// `GET /edge/connections`
    Connections,
    /// `GET /edge/connections/{handle or id}`; the segment as it came.
    Connection(&'a str),
    /// `GET /edge/events`
    Events,
    /// `GET /healthz`
    Health,
    /// The path exists, the method does not: what to answer as `Allow`.
    MethodNotAllowed(&'static str),
    /// Nothing is here.
    NotFound,
}

/// Finds the route. `path` is as received, without the query. GET serves HEAD; a trailing or empty segment matches
/// nothing.
pub fn route<'a>(method: &str, path: &'a str) -> Route<'a> {
    let read = |route| if matches!(method, "GET" | "HEAD") { route } else { Route::MethodNotAllowed("GET, HEAD") };
    match path {
        "/webhooks/ofauth" if method == "POST" => Route::Webhook,
        "/healthz" => read(Route::Health),
        "/edge/sessions" if method == "POST" => Route::Sessions,
        "/webhooks/ofauth" | "/edge/sessions" => Route::MethodNotAllowed("POST"),
        "/edge/connections" => read(Route::Connections),
        "/edge/events" => read(Route::Events),
        _ if path.starts_with(crate::access::PREFIX) => Route::Access,
        _ => match path.strip_prefix("/edge/connections/") {
            Some(id) if !id.is_empty() && !id.contains('/') => read(Route::Connection(id)),
            _ => Route::NotFound,
        },
    }
}

/// Whether pages of other sites may call this path, with a token that opens it.
pub fn is_for_browsers(path: &str) -> bool {
    path.starts_with("/v2/") || path.starts_with("/edge/")
}

impl Route<'_> {
    /// The route's name in logs: URLs hold handles and stay out of them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Access => "access",
            Self::Sessions => "sessions",
            Self::Connections => "connections",
            Self::Connection(_) => "connection",
            Self::Events => "events",
            Self::Health => "health",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::NotFound => "not_found",
        }
    }
}
