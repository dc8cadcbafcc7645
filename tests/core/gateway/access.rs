//! The proxy's rules: which paths and headers are forwarded, and which connection a server names.
//!
//! 1. A path that a server could read as another one is refused. A path that is only unusual is forwarded. The same holds
//!    for OFAuth's routes for servers: see `account.rs`.
//! 2. No path panics, and no accepted path hides a dot segment, slash, backslash or control byte.
//! 3. Credentials, routing and hop-by-hop headers are not forwarded to OFAuth.
//! 4. Headers that would act on the gateway's origin are not passed back.
//! 5. A server names exactly one connection, by handle or id.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::index;
use ofauth_edge::core::gateway::{
    EdgeError,
    access::{
        ConnectionSelector, PREFIX, check_path, forwards_request_header, forwards_response_header, select_for_server,
    },
};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;

fn code(path: &str) -> Option<&'static str> {
    check_path(path).err().map(EdgeError::code)
}

#[test]
fn a_path_without_the_prefix_is_not_a_route() {
    for path in [
        "",
        "/",
        "/v2/access",
        "/v2/accessself",
        "/v2/accounts/whoami",
        "/v2/account",
        "/v2/vault",
        "/v2/link",
        "/v2/linked/init",
        "/link/callback",
        "/edge/connections",
        "v2/access/self",
        "//v2/access/self",
        "/V2/access/self",
        "https://x/v2/access/",
    ] {
        assert_eq!(code(path), Some("ROUTE_NOT_FOUND"), "{path:?}");
    }
}

#[test]
fn plain_paths_pass() {
    for path in [
        "self",
        "subscribers",
        "proxy/users/me",
        "chats/123/messages",
        "a.b",
        "...",
        ".well-known",
        "a..b",
        "~x",
        "a;b=1",
        "a+b",
        "a:b@c",
    ] {
        assert_eq!(code(&format!("{PREFIX}{path}")), None, "{path:?}");
    }
}

#[test]
fn percent_encoded_text_passes() {
    for path in [
        "uploads/upload%3Auuid/parts/1",
        "upload%3auuid",
        "users/%C3%A9%F0%9F%98%80",
        "%20",
        "a%20b",
        "%3F%23",
        "100%25",
        "a%2",
        "%",
        "%zz",
        "%ff",
    ] {
        assert_eq!(code(&format!("{PREFIX}{path}")), None, "{path:?}");
    }
}

#[test]
fn dot_segments_are_refused_in_every_spelling() {
    for path in [".", "..", "../account", "a/../b", "a/./b", "%2e", "%2E%2e", ".%2e/account", "%2e./x", "a/%2e%2E"] {
        assert_eq!(code(&format!("{PREFIX}{path}")), Some("BAD_REQUEST"), "{path:?}");
    }
}

#[test]
fn hidden_slashes_and_backslashes_are_refused() {
    for path in ["a%2fb", "a%2Fb", "%2f", "..%2faccount", "a\\b", "a%5cb", "a%5Cb", "..\\account", "%2e%2e%5c"] {
        assert_eq!(code(&format!("{PREFIX}{path}")), Some("BAD_REQUEST"), "{path:?}");
    }
}

#[test]
fn control_bytes_are_refused() {
    for path in ["a%00", "%0a", "a%0D%0Ab", "%7f", "a%1fb", "a\tb", "a\0", "a\u{7f}"] {
        assert_eq!(code(&format!("{PREFIX}{path}")), Some("BAD_REQUEST"), "{path:?}");
    }
}

#[test]
fn text_that_could_be_decoded_a_second_time_is_refused() {
    for path in [
        "%252e%252e",
        "a%252fb",
        "a%255Cb",
        "%2525",
        "%25252e",
        "%252E",
        "%%32%65",
        "%%32e",
        "%2%65",
        "%25%32%35",
        "a%25%35c",
    ] {
        assert_eq!(code(&format!("{PREFIX}{path}")), Some("BAD_REQUEST"), "{path:?}");
    }
}

#[test]
fn a_refused_path_is_not_shown_in_the_refusal() {
    let error = check_path("/v2/access/secret/../x").unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

/// Something like a path, and anything else.
fn path() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        ".", "..", "/", "\\", "%", "2", "5", "e", "E", "c", "f", "%2e", "%2F", "%5c", "%25", "%00", "a", "é", "\0",
        "%c3%a9", "0",
    ]);
    let pathlike = prop::collection::vec(parts, 0..12).prop_map(|parts| format!("{PREFIX}{}", parts.concat()));
    prop_oneof![3 => pathlike, 1 => any::<String>().prop_map(|text| format!("{PREFIX}{text}")), 1 => any::<String>()]
}

/// Whether the segment, as it is after one decoding, means more than its text.
fn is_ambiguous(decoded: &[u8]) -> bool {
    let lower = decoded.to_ascii_lowercase();
    let escaped =
        [b"%2e", b"%2f", b"%5c", b"%25"].iter().any(|escape| lower.windows(3).any(|window| window == *escape));
    let bytes = decoded.iter().any(|byte| matches!(byte, b'/' | b'\\' | 0..0x20 | 0x7f));
    let name = decoded.split(|byte| *byte == b';').next().unwrap();
    let wide = ["\u{2024}", "\u{2025}", "\u{fe52}", "\u{fe68}", "\u{ff0e}", "\u{ff0f}", "\u{ff3c}"];
    let is_wide = wide.iter().any(|char| decoded.windows(3).any(|window| window == char.as_bytes()));
    // RFC 3629: what fits fewer bytes must have fewer.
    let overlong = decoded.windows(2).any(|pair| match pair[0] {
        0xC0 | 0xC1 => true,
        0xE0 => (0x80..0xA0).contains(&pair[1]),
        0xF0 => (0x80..0x90).contains(&pair[1]),
        _ => false,
    });
    name == b"." || name == b".." || bytes || escaped || is_wide || overlong
}

proptest! {
    #[test]
    fn a_path_passes_exactly_if_no_segment_is_ambiguous(path in path()) {
        let segments: Vec<Vec<u8>> = path.split('/').map(|segment| percent_decode_str(segment).collect()).collect();
        let expected = if !path.starts_with(PREFIX) {
            Some("ROUTE_NOT_FOUND")
        } else if segments.iter().any(|segment| is_ambiguous(segment)) {
            Some("BAD_REQUEST")
        } else {
            None
        };
        prop_assert_eq!(code(&path), expected);
    }

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
