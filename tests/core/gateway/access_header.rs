//! Which headers of an Access call are forwarded, and which connection a server names in one.
//!
//! 1. Credentials, routing and hop-by-hop headers are not forwarded to OFAuth.
//! 2. Headers that would act on the gateway's origin are not passed back.
//! 3. A server names exactly one connection, by handle or id.
//! 4. No header makes the filters panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::index;
use ofauth_edge::core::gateway::access::{
    ConnectionSelector, forwards_request_header, forwards_response_header, select_for_server,
};
use proptest::prelude::*;

const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

#[test]
fn credentials_and_routing_headers_are_not_forwarded_to_ofauth() {
    let stopped = [
        "apikey",
        "authorization",
        "cookie",
        "host",
        "x-of-cookie",
        "x-of-user-agent",
        "x-of-bc",
        "x-of-user-id",
        "x-of-anything",
        "x-platform-id",
        "cf-connecting-ip",
        "cf-ray",
        "cf-worker",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-real-ip",
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
        "x-host",
        "forwarded",
        "true-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-original-host",
        "x-original-forwarded-for",
        "x-connection-id",
        "x_connection_id",
        "any_name",
    ];
    for name in stopped {
        assert!(!forwards_request_header(name, ""), "{name}");
    }
}

#[test]
fn hop_by_hop_headers_are_forwarded_in_neither_direction() {
    for name in HOP_BY_HOP {
        assert!(!forwards_request_header(name, ""), "{name}");
        assert!(!forwards_response_header(name, ""), "{name}");
    }
}

#[test]
fn other_request_headers_are_forwarded() {
    let passed = [
        "accept",
        "accept-encoding",
        "content-type",
        "content-length",
        "content-range",
        "range",
        "if-none-match",
        "user-agent",
        "idempotency-key",
        "x-request-id",
        "x-ofauth-upload-part",
        "x-offset",
        "x-real",
        "cfx",
        "cookies",
        "last-event-id",
    ];
    for name in passed {
        assert!(forwards_request_header(name, "close"), "{name}");
    }
}

#[test]
fn response_headers_that_would_act_on_the_gateways_origin_are_not_passed_back() {
    let stopped = [
        "set-cookie",
        "set-cookie2",
        "set-login",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-expose-headers",
        "x-connection-id",
        "x-of-cookie",
        "x-of-bc",
        "clear-site-data",
        "alt-svc",
        "refresh",
        "strict-transport-security",
        "service-worker-allowed",
        "public-key-pins",
        "public-key-pins-report-only",
        "nel",
        "report-to",
        "reporting-endpoints",
    ];
    for name in stopped {
        assert!(!forwards_response_header(name, ""), "{name}");
    }
}

#[test]
fn other_response_headers_are_passed_back() {
    let passed = [
        "content-type",
        "content-length",
        "content-range",
        "etag",
        "location",
        "retry-after",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-ratelimit-retry-after",
        "x-ofauth-upload-total-parts",
        "x-ofauth-upload-part-size",
        "x-request-id",
    ];
    for name in passed {
        assert!(forwards_response_header(name, "close"), "{name}");
    }
}

#[test]
fn a_header_that_connection_names_only_in_part_is_forwarded() {
    assert!(forwards_request_header("x-a", "x-ab, close"));
    assert!(forwards_response_header("x-ab", "x-a"));
}

proptest! {
    #[test]
    fn no_header_makes_the_filters_panic(name: String, connection: String) {
        let _ = (forwards_request_header(&name, &connection), forwards_response_header(&name, &connection), select_for_server(Some(&name)).is_ok());
    }

    #[test]
    fn a_header_that_connection_names_is_forwarded_in_neither_direction(
        name in "[a-z][a-z-]{0,20}",
        before in "[a-z, ]{0,9}",
        pad in "[ \t]{0,2}",
    ) {
        let connection = format!("{before},{pad}{}{pad},x", name.to_ascii_uppercase());
        prop_assert!(!forwards_request_header(&name, &connection));
        prop_assert!(!forwards_response_header(&name, &connection));
    }
}

#[test]
fn a_server_names_a_connection_by_handle_or_id() {
    let handle = index().handle("conn_abc123");
    assert_eq!(select_for_server(Some(&handle)), Ok(ConnectionSelector::Handle(&handle)));
    assert_eq!(select_for_server(Some("conn_abc123")), Ok(ConnectionSelector::Id("conn_abc123")));
    assert_eq!(select_for_server(Some("acct_1")), Ok(ConnectionSelector::Id("acct_1")));
}

#[test]
fn a_server_that_names_no_connection_or_several_is_refused() {
    let long = "c".repeat(257);
    for header in [
        None,
        Some(""),
        Some(" "),
        Some("a,b"),
        Some("a, b"),
        Some("a b"),
        Some(","),
        Some("é"),
        Some("a\tb"),
        Some(&long),
    ] {
        assert_eq!(select_for_server(header).unwrap_err().code(), "BAD_REQUEST", "{header:?}");
        assert_eq!(select_for_server(header).unwrap_err().status(), 400);
    }
}
