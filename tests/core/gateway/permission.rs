//! What a session may call, and which of its connections a call is for.
//!
//! 1. Every listed route needs the permission in the list, with HEAD as with GET.
//! 2. Fixed segments go before parameters. Each segment is decoded once.
//! 3. A trailing or empty segment, another method, a route that is not listed, and the raw proxy need `access:any`.
//! 4. A call is for the connection that it names, else for the user's only active one, else for the only one that is not
//!    disconnected.
//! 5. A session names a connection by handle, in the header or in the token. If both name one, they must agree.
//! 6. No method, path or header panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::index;
use ofauth_edge::core::{
    connection::{ACTIVE, Connection, DISCONNECTED, EXPIRED, MISSING, Record, UNKNOWN},
    gateway::{
        EdgeError, Session,
        access::{choose_connection, select_for_session},
        permission::{self, ANY},
    },
};
use proptest::prelude::*;
use serde_json::Value;

const ROUTES: &str = include_str!("../../../src/core/gateway/routes.json");
const ALLOWED_METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Method, path and permission of every route, its parameters filled in.
fn routes() -> Vec<(String, String, String)> {
    let routes: Vec<Value> = serde_json::from_str(ROUTES).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let fill = |segment: &str| if segment.starts_with('{') { "17%20%25é".to_owned() } else { segment.to_owned() };
    let read = |route: &Value| {
        let path: Vec<String> = text(&route["path"]).split('/').map(fill).collect();
        (text(&route["method"]), path.join("/"), route["permission"].as_str().unwrap_or(ANY).to_owned())
    };
    routes.iter().map(read).collect()
}

#[test]
fn every_listed_route_needs_its_permission() {
    let routes = routes();
    assert!(routes.len() > 100 && routes.iter().filter(|(.., permission)| permission != ANY).count() > 90);
    for (method, path, expected) in routes {
        assert_eq!(permission::required(&method, &path), expected, "{method} {path}");
    }
}

#[test]
fn newer_routes_and_those_of_older_sdks_need_the_permissions_of_similar_routes() {
    for (method, path, expected) in [
        ("GET", "users/17/stories", "stories:read"),
        ("GET", "stories/items", "stories:read"),
        ("GET", "chats/search", "messages:read"),
        ("GET", "mass-messages", "messages:read"),
        ("GET", "promotions/17", "promotions:read"),
        ("GET", "promotions/bundles", "promotions:read"),
        ("POST", "promotions/17/finish", "promotions:write"),
        ("GET", "subscriptions/17", "subscriptions:read"),
        ("GET", "subscriptions/count", "subscriptions:read"),
        ("GET", "analytics/earnings/chart", "earnings:read"),
        ("GET", "analytics/earnings/transactions", "earnings:read"),
        ("GET", "analytics/earnings/chargebacks", "earnings:read"),
    ] {
        assert_eq!(permission::required(method, &format!("/v2/access/{path}")), expected, "{method} {path}");
    }
}

#[test]
fn every_permission_that_a_call_can_need_exists() {
    assert!(routes().iter().all(|(.., needed)| permission::exists(needed)));
    assert!([ANY, permission::LINK, permission::WRITE].into_iter().all(permission::exists));
    for other in ["", "profile", "profile:", "profile:read ", "Profile:read", "connections:read", "GET"] {
        assert!(!permission::exists(other), "{other:?}");
    }
}

#[test]
fn head_needs_what_get_needs() {
    for (_, path, _) in routes() {
        assert_eq!(permission::required("HEAD", &path), permission::required("GET", &path), "{path}");
    }
    assert_eq!(permission::required("HEAD", "/v2/access/self"), "profile:read");
    assert_eq!(permission::required("HEAD", "/v2/access/promotions/bundles"), "promotions:read");
    assert_eq!(permission::required("HEAD", "/v2/access/self/new"), ANY);
}

#[test]
fn a_method_that_is_not_listed_for_the_path_needs_any() {
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "get", "Get", "", "GET "] {
        assert_eq!(permission::required(method, "/v2/access/self"), ANY, "{method:?}");
    }
    assert_eq!(permission::required("PATCH", "/v2/access/self"), "profile:write");
}

#[test]
fn fixed_segments_go_before_parameters() {
    let rows = [
        ("GET", "users/17", "profile:read"),
        ("GET", "users/lists", "lists:read"),
        ("GET", "users/list", "profile:read"),
        ("GET", "users/blocked", "users:write"),
        ("GET", "users/restrict", "users:write"),
        ("GET", "users/17/posts", "posts:read"),
        ("GET", "users/lists/17", "lists:read"),
        ("GET", "users/lists/posts", "lists:read"),
        ("POST", "users/lists/lists", "lists:write"),
        ("POST", "users/lists/restrict", "users:write"),
        ("GET", "users/blocked/posts", "posts:read"),
        ("GET", "analytics/posts/chart", "analytics:read"),
    ];
    for (method, path, expected) in rows {
        assert_eq!(permission::required(method, &format!("/v2/access/{path}")), expected, "{method} {path}");
    }
}

#[test]
fn a_percent_encoded_fixed_segment_matches() {
    for path in ["users/%6cists", "users/%6Cists", "%75sers/lists", "users/%6c%69%73%74%73", "%75%73ers/list%73"] {
        assert_eq!(permission::required("GET", &format!("/v2/access/{path}")), "lists:read", "{path}");
    }
    assert_eq!(permission::required("GET", "/%76%32/access/self"), "profile:read");
}

#[test]
fn each_segment_is_decoded_once_on_its_own() {
    assert_eq!(permission::required("GET", "/v2/access/users/%256cists"), "profile:read");
    assert_eq!(permission::required("GET", "/v2/access/users%2Flists"), ANY);
    assert_eq!(permission::required("GET", "/v2%2Faccess%2Fself"), ANY);
    assert_eq!(permission::required("GET", "/v2/access/users/lists%2F17"), "profile:read");
    assert_eq!(permission::required("GET", "/v2/access/users/%ff"), ANY);
    assert_eq!(permission::required("GET", "/v2/access/users/{userId}"), "profile:read");
}

#[test]
fn the_case_of_a_fixed_segment_matters() {
    for path in ["/v2/access/Self", "/V2/access/self", "/v2/access/subscribers/17/NOTE"] {
        assert_eq!(permission::required("GET", path), ANY, "{path}");
    }
}

#[test]
fn a_segment_that_only_some_servers_take_for_a_fixed_one_needs_any() {
    // Each matches the route with {userId}, too.
    for path in
        ["users/Lists", "users/BLOCKED", "users/lists;x=1", "users/%4cists", "users/restrict%3b", "users/lISTS/posts"]
    {
        assert_eq!(permission::required("GET", &format!("/v2/access/{path}")), ANY, "{path}");
    }
    // No route has a static segment there.
    for (path, expected) in
        [("users/17;x=1", "profile:read"), ("users/Anna", "profile:read"), ("users/;lists", "profile:read")]
    {
        assert_eq!(permission::required("GET", &format!("/v2/access/{path}")), expected, "{path}");
    }
    for (method, path, _) in routes() {
        for odd in [path.to_uppercase(), path.replace("/v2/access/", "/v2/access;x/")] {
            assert_eq!(permission::required(&method, &odd), ANY, "{method} {odd}");
        }
    }
}

#[test]
fn a_trailing_or_empty_segment_matches_nothing() {
    for (method, path, _) in routes() {
        let odd =
            [format!("{path}/"), format!("/{path}"), path[1..].to_owned(), path.replacen("/access/", "/access//", 1)];
        for odd in odd.iter().filter(|odd| **odd != path) {
            assert_eq!(permission::required(&method, odd), ANY, "{method} {odd}");
        }
    }
    for path in ["", "/", "/v2/access/", "/v2/access", "/v2/access/users/", "/v2/access/users//posts", "//"] {
        assert_eq!(permission::required("GET", path), ANY, "{path:?}");
    }
}

#[test]
fn a_route_that_is_not_listed_needs_any() {
    for path in
        ["/v2/access/new", "/v2/access/self/new", "/v2/access/users/1/2/3/4/5/6", "/v1/access/self", "/v2/access/selfx"]
    {
        for method in ALLOWED_METHODS {
            assert_eq!(permission::required(method, path), ANY, "{method} {path}");
        }
    }
}

#[test]
fn the_raw_proxy_needs_any() {
    for path in ["users/me", "api2/v2/users/list", "self", "", "a/b/c/d"] {
        for method in ALLOWED_METHODS {
            assert_eq!(permission::required(method, &format!("/v2/access/proxy/{path}")), ANY, "{method} {path}");
            assert_eq!(permission::required(method, &format!("/v2/access/%70roxy/{path}")), ANY, "{method} {path}");
        }
    }
    assert_eq!(ANY, "access:any");
}

/// A connection of this status.
fn record(name: &str, status: &str) -> Record {
    Record { status: status.to_owned(), ..Connection::new(format!("conn_{name}")).record(name.to_owned()) }
}

/// The connection that is chosen for a session whose connections have these statuses. "a" is the handle of the first one.
fn chosen(named: Option<&str>, statuses: &[&str]) -> Result<String, EdgeError> {
    let theirs: Vec<Record> =
        ["a", "b", "c", "d"].iter().zip(statuses).map(|(name, status)| record(name, status)).collect();
    choose_connection(named, &theirs).map(|record| record.handle.clone())
}

const NOT_FOUND: Result<String, EdgeError> = Err(EdgeError::ConnectionNotFound);
const AMBIGUOUS: Result<String, EdgeError> = Err(EdgeError::ConnectionAmbiguous);

#[test]
fn a_named_connection_is_chosen_unless_it_is_disconnected() {
    for status in [ACTIVE, EXPIRED, MISSING, UNKNOWN, "awaiting_2fa"] {
        assert_eq!(chosen(Some("b"), &[ACTIVE, status, ACTIVE]).as_deref(), Ok("b"), "{status}");
    }
    assert_eq!(chosen(Some("b"), &[ACTIVE, DISCONNECTED]), NOT_FOUND);
}

#[test]
fn another_user_s_connection_is_not_found() {
    for named in ["z", "", "A", "conn_a"] {
        assert_eq!(chosen(Some(named), &[ACTIVE]), NOT_FOUND, "{named:?}");
        assert_eq!(chosen(Some(named), &[]), NOT_FOUND, "{named:?}");
    }
}

#[test]
fn the_only_active_connection_is_chosen() {
    assert_eq!(chosen(None, &[ACTIVE]).as_deref(), Ok("a"));
    assert_eq!(chosen(None, &[EXPIRED, DISCONNECTED, ACTIVE, UNKNOWN]).as_deref(), Ok("c"));
}

#[test]
fn without_an_active_connection_the_only_one_not_disconnected_is_chosen() {
    for status in [EXPIRED, MISSING, UNKNOWN, "awaiting_2fa", "", "Active"] {
        assert_eq!(chosen(None, &[status]).as_deref(), Ok("a"), "{status}");
        assert_eq!(chosen(None, &[DISCONNECTED, status, DISCONNECTED]).as_deref(), Ok("b"), "{status}");
    }
}

#[test]
fn several_possible_connections_are_ambiguous() {
    for statuses in
        [&[ACTIVE, ACTIVE][..], &[ACTIVE, EXPIRED, ACTIVE], &[EXPIRED, EXPIRED], &[EXPIRED, MISSING, DISCONNECTED]]
    {
        assert_eq!(chosen(None, statuses), AMBIGUOUS, "{statuses:?}");
    }
}

#[test]
fn without_a_possible_connection_none_is_found() {
    for statuses in [&[][..], &[DISCONNECTED], &[DISCONNECTED, DISCONNECTED]] {
        assert_eq!(chosen(None, statuses), NOT_FOUND, "{statuses:?}");
    }
}

/// What a session is bound to that sends this header and whose token names this connection.
fn bound(header: Option<&str>, connection: Option<&str>) -> Result<Option<String>, &'static str> {
    let connection = connection.map(str::to_owned);
    let session = Session { client_reference_id: "u".to_owned(), permissions: Vec::new(), connection, expires_at: 0 };
    select_for_session(header, &session).map(|named| named.map(str::to_owned)).map_err(EdgeError::code)
}

#[test]
fn a_session_names_a_connection_by_handle_in_the_header_or_in_the_token() {
    let handle = index().handle("conn_1");
    let named = Ok(Some(handle.clone()));
    assert_eq!(bound(None, None), Ok(None));
    assert_eq!(bound(Some(&handle), None), named);
    assert_eq!(bound(None, Some(&handle)), named);
    assert_eq!(bound(Some(&handle), Some(&handle)), named);
}

#[test]
fn a_token_for_one_connection_opens_no_other() {
    let (handle, other) = (index().handle("conn_1"), index().handle("conn_2"));
    assert_eq!(bound(Some(&other), Some(&handle)), Err("CONNECTION_NOT_FOUND"));
}

#[test]
fn a_session_that_names_a_connection_by_id_finds_none() {
    let handle = index().handle("conn_1");
    for id in ["conn_1", "acct_1", "1", &handle.to_uppercase(), &format!("{handle}0")] {
        assert_eq!(bound(Some(id), None), Err("CONNECTION_NOT_FOUND"), "{id}");
        assert_eq!(bound(Some(id), Some(&handle)), Err("CONNECTION_NOT_FOUND"), "{id}");
    }
}

#[test]
fn a_session_that_names_several_is_refused() {
    let handle = index().handle("conn_1");
    for several in [format!("{handle},{handle}"), format!("{handle} "), format!("{handle}, x"), ",".to_owned()] {
        assert_eq!(bound(Some(&several), None), Err("BAD_REQUEST"), "{several:?}");
        assert_eq!(bound(Some(&several), Some(&handle)), Err("BAD_REQUEST"), "{several:?}");
    }
}

proptest! {
    #[test]
    fn any_encoding_of_a_listed_path_needs_its_permission(at: prop::sample::Index, encoded: u64) {
        let routes = routes();
        let (method, path, expected) = at.get(&routes);
        // What is encoded already stays so: `%` and its digits are no letters of a static segment.
        let encode = |segment: &str| {
            let letter = |(at, char): (usize, char)| match encoded >> (at % 64) & 1 {
                1 if char.is_ascii_lowercase() => format!("%{:02x}", u32::from(char)),
                _ => char.to_string(),
            };
            if segment.contains('%') { segment.to_owned() } else { segment.chars().enumerate().map(letter).collect() }
        };
        let path: Vec<String> = path.split('/').map(encode).collect();
        prop_assert_eq!(permission::required(method, &path.join("/")), expected);
    }

    #[test]
    fn no_method_path_or_header_panics(method: String, path: String, header: String) {
        let _ = (permission::required(&method, &path), permission::required("GET", &format!("/v2/access/{path}")), bound(Some(&header), None));
    }

    #[test]
    fn the_chosen_connection_is_never_disconnected(
        statuses in prop::collection::vec(prop::sample::select(vec![ACTIVE, EXPIRED, DISCONNECTED, MISSING]), 0..5),
        named: Option<prop::sample::Index>,
    ) {
        let theirs: Vec<Record> = ["a", "b", "c", "d", "e"].iter().zip(&statuses).map(|(name, status)| record(name, status)).collect();
        let named = named.map(|at| *at.get(&["a", "b", "c", "d", "e"]));
        if let Ok(record) = choose_connection(named, &theirs) {
            prop_assert!(record.status != DISCONNECTED);
            prop_assert!(named.is_none_or(|named| named == record.handle));
        }
    }
}
