//! Which paths of the Access API are forwarded. Headers are in `access_header.rs`.
//!
//! 1. A path that a server could read as another one is refused. A path that is only unusual is forwarded. The same holds
//!    for OFAuth's routes for servers: see `account.rs`.
//! 2. No path makes the check panic, and no accepted path hides a dot segment, slash, backslash or control byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::gateway::{
    EdgeError,
    access::{PREFIX, check_path},
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
}
