//! CORS: whose pages may read answers, and what they may send and read.
//!
//! 1. An origin is allowed if it is one of those that are configured, exactly; without any nobody's is.
//! 2. Methods and headers are those of the contract, each by its name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::gateway::origin::{ALLOWED_HEADERS, ALLOWED_METHODS, AllowedOrigins, EXPOSED_HEADERS, MAX_AGE};
use proptest::prelude::*;

const APP: &str = "https://app.example.com";
const DEV: &str = "http://localhost:5173";

fn allowed() -> AllowedOrigins {
    AllowedOrigins::new(vec![APP.to_owned(), DEV.to_owned()])
}

fn names(list: &str) -> Vec<&str> {
    list.split(", ").collect()
}

#[test]
fn configured_origins_are_allowed() {
    assert!(allowed().allows(APP) && allowed().allows(DEV));
}

#[test]
fn an_origin_that_only_resembles_one_is_not() {
    let others = [
        "",
        "null",
        "*",
        "http://app.example.com",
        "https://app.example.com/",
        "https://app.example.com:443",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        "https://evil.example/https://app.example.com",
        "https://evilapp.example.com",
        "https://x.app.example.com",
        "https://example.com",
        "https://APP.example.com",
        " https://app.example.com",
        "https://app.example.com http://localhost:5173",
        "https://app.example.com,http://localhost:5173",
        "http://localhost",
        "http://localhost:51733",
    ];
    for origin in others {
        assert!(!allowed().allows(origin), "{origin:?}");
    }
}

#[test]
fn without_configured_origins_none_is_allowed() {
    for origin in ["", "null", "*", APP] {
        assert!(!AllowedOrigins::default().allows(origin), "{origin:?}");
    }
}

#[test]
fn a_page_may_use_the_methods_and_headers_of_the_contract() {
    assert_eq!(names(ALLOWED_METHODS), ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
    assert_eq!(names(ALLOWED_HEADERS), ["authorization", "apikey", "content-type", "x-connection-id"]);
    assert!(MAX_AGE.parse::<u32>().is_ok());
}

#[test]
fn a_page_may_read_each_header_of_the_contract_by_name() {
    let exposed = names(EXPOSED_HEADERS);
    for name in [
        "retry-after",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-ratelimit-retry-after",
        "x-ofauth-upload-total-parts",
        "x-ofauth-upload-part-size",
        "x-request-id",
        "x-ofauth-edge",
        "x-ofauth-edge-action",
    ] {
        assert!(exposed.contains(&name), "{name}");
    }
    assert!(
        exposed.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')),
        "{exposed:?}"
    );
}

proptest! {
    #[test]
    fn no_other_origin_is_allowed(origin in "(https?://)?(app\\.|localhost)?[a-z.:/0-9]{0,20}|\\PC*") {
        prop_assert_eq!(allowed().allows(&origin), origin == APP || origin == DEV);
    }
}
