//! Routes: every path that the Worker serves, and with which methods.
//!
//! 1. Each route answers its methods, and HEAD if it answers GET.
//! 2. Any other method gets 405 and the allowed methods.
//! 3. The Access API and OFAuth's routes for servers take any method.
//! 4. A path with a trailing, empty, missing or further segment has no route, and neither has any other path.
//! 5. The name of a route in logs never shows its path.
//! 6. No method or path panics.
//! 7. Pages of other sites may call the routes for session tokens, and no others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::gateway::route::{Route, allows_cross_origin, route};
use proptest::prelude::*;

const ALLOWED_METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];

/// The routes that are read.
const READ: [(&str, Route); 10] = [
    ("/healthz", Route::Health),
    ("/edge/connections", Route::Connections),
    ("/edge/events", Route::Events),
    ("/edge/deliveries", Route::Deliveries),
    ("/edge/metrics", Route::Metrics),
    ("/edge/status", Route::Status),
    (
        "/edge/connections/acct_00112233445566778899aabbccddeeff",
        Route::Connection("acct_00112233445566778899aabbccddeeff"),
    ),
    ("/edge/connections/conn_abc123", Route::Connection("conn_abc123")),
    ("/edge/connections/conn_abc123/health", Route::ConnectionHealth("conn_abc123")),
    ("/edge/connections/acct_1/events", Route::ConnectionEvents("acct_1")),
];

/// The routes of one method each.
const ONE: [(&str, &str, Route); 9] = [
    ("POST", "/webhooks/ofauth", Route::Webhook),
    ("POST", "/edge/sessions", Route::Sessions),
    ("POST", "/edge/deliveries/abc/replay", Route::Replay("abc")),
    ("POST", "/v2/link/init", Route::LinkInit),
    ("GET", "/link/callback", Route::LinkCallback),
    ("POST", "/edge/connections/acct_1/invalidate", Route::InvalidateConnection("acct_1")),
    ("POST", "/edge/connections/acct_1/accept-account", Route::AcceptAccount("acct_1")),
    ("DELETE", "/edge/users/user_1", Route::DeleteUser("user_1")),
    ("GET", "/edge/live", Route::Live),
];

#[test]
fn a_route_of_one_method_answers_only_that_method() {
    for (allowed, path, expected) in ONE {
        assert_eq!(route(allowed, path), expected, "{path}");
        for method in ALLOWED_METHODS.iter().filter(|method| **method != allowed) {
            assert_eq!(route(method, path), Route::MethodNotAllowed(allowed), "{method} {path}");
        }
    }
}

#[test]
fn a_link_session_can_be_read_and_cancelled() {
    for path in ["/v2/link/cs_1", "/v2/link/callback", "/v2/link/INIT", "/v2/link/init%20", "/v2/link/.."] {
        for method in ALLOWED_METHODS {
            let expected = match method {
                "GET" | "HEAD" | "DELETE" => Route::LinkSession,
                _ => Route::MethodNotAllowed("GET, HEAD, DELETE"),
            };
            assert_eq!(route(method, path), expected, "{method} {path}");
        }
    }
}

#[test]
fn any_method_goes_to_the_routes_for_servers() {
    for method in ALLOWED_METHODS {
        for path in ["/v2/account/whoami", "/v2/connections", "/v2/dynamic-rules", "/v2/vault/x", "/v2/vault-plus/x"] {
            assert_eq!(route(method, path), Route::Account, "{method} {path}");
        }
    }
}

#[test]
fn a_connection_may_have_the_name_of_a_route() {
    for name in ["health", "events", "invalidate", "import", "connections"] {
        assert_eq!(route("GET", &format!("/edge/connections/{name}")), Route::Connection(name));
        assert_eq!(route("DELETE", &format!("/edge/connections/{name}")), Route::DeleteConnection(name));
        assert_eq!(route("GET", &format!("/edge/connections/{name}/health")), Route::ConnectionHealth(name));
    }
}

#[test]
fn pages_of_other_sites_may_call_the_routes_for_session_tokens() {
    for path in ["/v2/access/self", "/v2/link/init", "/edge/connections", "/edge/connections/acct_1", "/edge/nothing"] {
        assert!(allows_cross_origin(path), "{path}");
    }
    for path in ["/", "", "/webhooks/ofauth", "/healthz", "/link/callback", "/v2", "/edge", "/v22/", "/edges/", "edge/"]
    {
        assert!(!allows_cross_origin(path), "{path:?}");
    }
}

#[test]
fn routes_that_read_answer_get_and_head() {
    for (path, expected) in READ {
        assert_eq!(route("GET", path), expected, "{path}");
        assert_eq!(route("HEAD", path), expected, "{path}");
    }
}

#[test]
fn routes_that_read_allow_only_get_and_head() {
    for (path, _) in READ {
        for method in &ALLOWED_METHODS[2..] {
            let expected = match route("DELETE", path) {
                Route::DeleteConnection(name) if *method == "DELETE" => Route::DeleteConnection(name),
                Route::DeleteConnection(_) => Route::MethodNotAllowed("GET, HEAD, DELETE"),
                _ => Route::MethodNotAllowed("GET, HEAD"),
            };
            assert_eq!(route(method, path), expected, "{method} {path}");
        }
    }
}

#[test]
fn any_method_goes_to_the_access_api() {
    for method in ALLOWED_METHODS {
        for path in
            ["/v2/access/self", "/v2/access/proxy/users/me", "/v2/access/uploads/upload%3Auuid", "/v2/access/a/../b"]
        {
            assert_eq!(route(method, path), Route::Access, "{method} {path}");
        }
    }
}

#[test]
fn the_segment_of_a_connection_stays_percent_encoded() {
    assert_eq!(route("GET", "/edge/connections/conn%5F1"), Route::Connection("conn%5F1"));
    assert_eq!(route("GET", "/edge/connections/.."), Route::Connection(".."));
}

#[test]
fn a_path_with_an_empty_segment_has_no_route() {
    let paths = [
        "/healthz/",
        "//healthz",
        "/edge/connections/",
        "/edge//connections",
        "/edge/connections//",
        "/edge/connections/acct_1/",
        "/edge/connections//acct_1",
        "/edge/events/",
        "/edge/live/",
        "/edge//live",
        "/edge/sessions/",
        "/edge//sessions",
        "/edge/connections/acct_1/health/",
        "/edge/connections/acct_1//health",
        "/edge/connections//health",
        "/edge/connections//events",
        "/edge/connections//invalidate",
        "/edge/connections///",
        "/edge/users/",
        "/edge/users//",
        "/edge/users/user_1/",
        "/edge//users/user_1",
        "/v2/link/",
        "/v2/link//",
        "/v2/link/init/",
        "/v2/link//init",
        "/v2//link/init",
        "/link/callback/",
        "/link//callback",
    ];
    for path in paths {
        for method in ALLOWED_METHODS {
            assert_eq!(route(method, path), Route::NotFound, "{method} {path}");
        }
    }
}

#[test]
fn extra_slashes_do_not_change_the_webhook_route() {
    for path in ["/webhooks/ofauth/", "//webhooks/ofauth", "/webhooks//ofauth", "//webhooks//ofauth//"] {
        assert_eq!(route("POST", path), Route::Webhook, "{path}");
        assert_eq!(route("GET", path), Route::MethodNotAllowed("POST"), "{path}");
    }
    for path in ["/webhooks/ofauth/x", "/x/webhooks/ofauth", "/webhooks", "/webhooks/", "//", "/webhooks/%6ffauth"] {
        assert_eq!(route("POST", path), Route::NotFound, "{path}");
    }
}

#[test]
fn other_paths_have_no_route() {
    let paths = [
        "",
        "/",
        "/webhooks",
        "/webhooks/other",
        "/edge",
        "/edge/",
        "/edge/other",
        "/edge/events/1",
        "/edge/deliveries/1",
        "/edge/live/1",
        "/edge/sessions/1",
        "/edge/session",
        "/edge/connectionsx",
        "/v2/access",
        "/v2/accessx",
        "/v1/access/self",
        "/Healthz",
        "/EDGE/connections",
        "/healthz?x",
        "healthz",
        "/healthz%2f",
        "/edge/users",
        "/edge/users/user_1/connections",
        "/edge/connections/acct_1/healthz",
        "/edge/connections/acct_1/Health",
        "/edge/connections/acct_1/health/now",
        "/edge/connections/acct_1/settings",
        "/v2/link",
        "/v2/link/cs_1/cancel",
        "/v2/link/init/x",
        "/v1/link/init",
        "/link",
        "/link/callbackx",
        "/link/Callback",
        "/v2/account",
        "/v2/vault",
        "/v2/connectionsx",
    ];
    for path in paths {
        assert_eq!(route("GET", path), Route::NotFound, "{path:?}");
    }
}

#[test]
fn the_names_of_routes_in_logs_show_no_path() {
    let mut names: Vec<&str> = READ.iter().map(|(_, route)| route.name()).collect();
    names.extend(ONE.map(|(_, _, route)| route.name()));
    let others = [
        Route::Access,
        Route::Account,
        Route::LinkSession,
        Route::DeleteConnection("x"),
        Route::MethodNotAllowed("GET"),
        Route::NotFound,
    ];
    names.extend(others.map(Route::name));
    assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')), "{names:?}");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), READ.len() - 1 + ONE.len() + others.len());
}

proptest! {
    #[test]
    fn no_method_or_path_panics(
        method: String,
        path in r"\PC*|(/|edge|connections|users|health|v2|access|account|link|init|%2e|\.\.|webhooks|ofauth|\x00){0,9}",
    ) {
        let found = route(&method, &path);
        prop_assert_eq!(found == Route::Access, path.starts_with("/v2/access/"));
    }
}
