//! Routes: every path the Worker serves, and with which methods.
//!
//! 1. Each route answers its methods, HEAD where it answers GET.
//! 2. Any other method there is 405, with what is allowed.
//! 3. Any method goes to the Access API.
//! 4. A trailing, empty, missing or further segment, and any other path, is nothing.
//! 5. A route's name in logs never shows its path.
//! 6. No method or path panics.
//! 7. Pages of other sites may call what a session token opens, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::route::{Route, is_for_browsers, route};
use proptest::prelude::*;

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];

/// The routes that are read.
const READ: [(&str, Route); 5] = [
    ("/healthz", Route::Health),
    ("/edge/connections", Route::Connections),
    ("/edge/events", Route::Events),
    (
        "/edge/connections/acct_00112233445566778899aabbccddeeff",
        Route::Connection("acct_00112233445566778899aabbccddeeff"),
    ),
    ("/edge/connections/conn_abc123", Route::Connection("conn_abc123")),
];

#[test]
fn webhooks_are_posted() {
    assert_eq!(route("POST", "/webhooks/ofauth"), Route::Webhook);
}

#[test]
fn a_webhook_by_any_other_method_is_not_allowed() {
    for method in METHODS.iter().filter(|method| **method != "POST") {
        assert_eq!(route(method, "/webhooks/ofauth"), Route::MethodNotAllowed("POST"), "{method}");
    }
}

#[test]
fn sessions_are_posted() {
    assert_eq!(route("POST", "/edge/sessions"), Route::Sessions);
    for method in METHODS.iter().filter(|method| **method != "POST") {
        assert_eq!(route(method, "/edge/sessions"), Route::MethodNotAllowed("POST"), "{method}");
    }
}

#[test]
fn pages_may_call_what_a_token_opens() {
    for path in ["/v2/access/self", "/v2/link/init", "/edge/connections", "/edge/connections/acct_1", "/edge/nothing"] {
        assert!(is_for_browsers(path), "{path}");
    }
    for path in ["/", "", "/webhooks/ofauth", "/healthz", "/link/callback", "/v2", "/edge", "/v22/", "/edges/", "edge/"]
    {
        assert!(!is_for_browsers(path), "{path:?}");
    }
}

#[test]
fn get_and_head_read() {
    for (path, expected) in READ {
        assert_eq!(route("GET", path), expected, "{path}");
        assert_eq!(route("HEAD", path), expected, "{path}");
    }
}

#[test]
fn what_is_read_allows_get_and_head_alone() {
    for (path, _) in READ {
        for method in &METHODS[2..] {
            let expected = match route("DELETE", path) {
                Route::Delete(name) if *method == "DELETE" => Route::Delete(name),
                Route::Delete(_) => Route::MethodNotAllowed("GET, HEAD, DELETE"),
                _ => Route::MethodNotAllowed("GET, HEAD"),
            };
            assert_eq!(route(method, path), expected, "{method} {path}");
        }
    }
}

#[test]
fn any_method_goes_to_the_access_api() {
    for method in METHODS {
        for path in
            ["/v2/access/self", "/v2/access/proxy/users/me", "/v2/access/uploads/upload%3Auuid", "/v2/access/a/../b"]
        {
            assert_eq!(route(method, path), Route::Access, "{method} {path}");
        }
    }
}

#[test]
fn a_connection_s_segment_is_handed_on_as_it_came() {
    assert_eq!(route("GET", "/edge/connections/conn%5F1"), Route::Connection("conn%5F1"));
    assert_eq!(route("GET", "/edge/connections/.."), Route::Connection(".."));
}

#[test]
fn a_trailing_or_empty_segment_matches_nothing() {
    let paths = [
        "/webhooks/ofauth/",
        "/webhooks//ofauth",
        "//webhooks/ofauth",
        "/healthz/",
        "//healthz",
        "/edge/connections/",
        "/edge//connections",
        "/edge/connections//",
        "/edge/connections/acct_1/",
        "/edge/connections//acct_1",
        "/edge/events/",
        "/edge/sessions/",
        "/edge//sessions",
    ];
    for path in paths {
        for method in METHODS {
            assert_eq!(route(method, path), Route::NotFound, "{method} {path}");
        }
    }
}

#[test]
fn other_paths_are_nothing() {
    let paths = [
        "",
        "/",
        "/webhooks",
        "/webhooks/other",
        "/edge",
        "/edge/",
        "/edge/other",
        "/edge/events/1",
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
    ];
    for path in paths {
        assert_eq!(route("GET", path), Route::NotFound, "{path:?}");
    }
}

#[test]
fn names_in_logs_show_no_path() {
    let mut names: Vec<&str> = READ.iter().map(|(_, route)| route.name()).collect();
    names.extend(
        [Route::Webhook, Route::Access, Route::Sessions, Route::MethodNotAllowed("GET"), Route::NotFound]
            .map(Route::name),
    );
    assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')), "{names:?}");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), READ.len() - 1 + 5);
}

proptest! {
    #[test]
    fn no_method_or_path_panics(
        method: String,
        path in r"\PC*|(/|edge|connections|v2|access|%2e|\.\.|webhooks|ofauth|\x00){0,9}",
    ) {
        let found = route(&method, &path);
        prop_assert_eq!(found == Route::Access, path.starts_with("/v2/access/"));
    }
}
