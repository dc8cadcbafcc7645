//! CORS: whose pages may read answers, and what they may send and read.
//!
//! 1. An origin is allowed if it is exactly one of the configured ones. Without configured ones, none is allowed.
//! 2. Methods and exposed headers are the documented ones, each by its name.
//! 3. Pages have origins of the web, of apps with a web view, of extensions and, for the sandbox, of private addresses.
//! 4. A browser may be sent only to pages of allowed origins, whatever their scheme.
//! 5. A host is public unless it is a private address, in any spelling, or a name of this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::gateway::origin::{
    ALLOWED_METHODS, AllowedOrigins, EXPOSED_HEADERS, MAX_AGE, is_origin, is_page_origin, is_public,
};
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
fn names_and_addresses_of_the_internet_are_public() {
    let origins = [
        "https://app.example.com",
        "https://app.example.com:8443",
        "https://127.0.0.1.example.com",
        "https://localhost.example.com",
        "https://10.example",
        "https://1.1.1.1",
        "https://100.63.255.255",
        "https://172.32.0.1",
        "https://[2606:4700::1111]",
        "https://[::ffff:1.1.1.1]",
        "https://[64:ff9b::1.1.1.1]",
        "https://[2002:101:101::1]",
        "https://[3ffe::1]",
        "https://[3fff:1000::1]",
        "https://100.128.0.1",
        "https://172.15.255.255",
        "https://191.255.255.255",
        "https://192.0.1.1",
        "https://198.17.255.255",
        "https://198.20.0.1",
        "https://223.255.255.255",
    ];
    for origin in origins {
        assert!(is_public(origin), "{origin}");
    }
}

#[test]
fn private_addresses_are_not_public_in_any_spelling() {
    let origins = [
        "https://localhost",
        "https://localhost:8443",
        "https://localhost.",
        "https://app.localhost",
        "https://127.0.0.1",
        "https://127.0.0.1.",
        "https://127.1",
        "https://2130706433",
        "https://0x7f000001",
        "https://0x7f.0.0.0x1",
        "https://0177.0.0.1",
        "https://10.1.2.3",
        "https://172.16.0.1",
        "https://192.168.1.20:5173",
        "https://169.254.169.254",
        "https://100.64.0.1",
        "https://0.0.0.0",
        "https://[::1]",
        "https://[::]",
        "https://[fd00::1]",
        "https://[fe80::1]",
        "https://[::ffff:10.0.0.1]",
        "https://[::ffff:7f00:1]",
        "http://127.0.0.1:8787",
        "https://[::127.0.0.1]",
        "https://[::ffff:0:127.0.0.1]",
        "https://[64:ff9b::10.0.0.1]",
        "https://[64:ff9b:1::1.1.1.1]",
        "https://[2002:7f00:1::]",
        "https://[2002:c0a8:101::1]",
        "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "https://[2001:db8::1]",
        "https://[3fff:fff::1]",
        "https://[fec0::1]",
        "https://[ff02::1]",
        "https://[100::1]",
        "https://[5f00::1]",
        "https://0.1.2.3",
        "https://100.127.255.255",
        "https://192.0.0.8",
        "https://192.0.2.1",
        "https://198.18.0.1",
        "https://198.19.255.255",
        "https://198.51.100.1",
        "https://203.0.113.1",
        "https://224.0.0.1",
        "https://239.255.255.255",
        "https://240.0.0.1",
        "https://255.255.255.255",
        "",
    ];
    for origin in origins {
        assert!(!is_public(origin), "{origin}");
    }
}

#[test]
fn configured_origins_are_allowed() {
    assert!(allowed().allows(APP) && allowed().allows(DEV));
}

#[test]
fn an_origin_that_only_resembles_an_allowed_one_is_not_allowed() {
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
fn a_page_may_use_the_documented_methods() {
    assert_eq!(names(ALLOWED_METHODS), ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
    assert!(MAX_AGE.parse::<u32>().is_ok());
}

#[test]
fn each_header_that_a_page_may_read_is_named() {
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

#[test]
fn pages_have_origins_of_the_web_of_apps_and_of_extensions() {
    for origin in [
        "https://app.example.com",
        "https://app.example.com:8443",
        "https://10.0.0.1",
        "http://localhost",
        "http://localhost:5173",
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
        "http://tauri.localhost",
        "https://tauri.localhost",
        "http://app.localhost:5173",
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "com.example.app://localhost",
        "app://localhost",
        "app://bundle",
        "app://.",
        "chrome-extension://aaaabbbbccccddddeeeeffffgggghhhh",
        "moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc",
        "safari-web-extension://2C127FA4-62C7-7E4F-90E5-472B45EECFDC",
    ] {
        assert!(is_page_origin(origin, false) && is_page_origin(origin, true), "{origin}");
    }
}

#[test]
fn pages_of_private_addresses_are_for_the_sandbox() {
    for origin in [
        "http://192.168.1.20:5173",
        "http://10.0.0.1",
        "http://172.16.0.9:3000",
        "http://172.31.255.255",
        "http://169.254.1.1",
        "http://[fd00::1]:5173",
        "http://[fe80::1]",
    ] {
        assert!(is_page_origin(origin, true) && !is_page_origin(origin, false), "{origin}");
        assert!(!is_origin(origin), "an API is not there: {origin}");
    }
    assert!(!is_origin("http://api.localhost"));
}

#[test]
fn a_text_that_no_page_sends_as_its_origin_is_not_one() {
    for text in [
        "",
        "*",
        "null",
        "app.example.com",
        "capacitor:",
        "capacitor://",
        "://localhost",
        "capacitor://localhost/",
        "capacitor://localhost/x",
        "capacitor://user@localhost",
        "Capacitor://localhost",
        " capacitor://localhost",
        "capacitor://localhost ",
        "capacitor://*",
        "chrome-extension://*",
        "chrome-extension://a/b",
        "-extension",
        "htps://app.example.com",
        "https://app.example.com/",
        "https://app.example.com:443",
        "https://APP.example.com",
        "https://*.example.com",
        "https://user@app.example.com",
        "http://app.example.com",
        "http://localhost:80",
        "http://localhost.example.com",
        "http://172.32.0.1",
        "http://192.169.0.1",
        "http://8.8.8.8",
        "http://[2001:db8::1]",
        "http://192.168.1",
        "HTTP://localhost",
        "file://localhost",
        "ftp://localhost",
        "ws://localhost",
    ] {
        assert!(!is_page_origin(text, true), "{text:?}");
    }
}

#[test]
fn a_browser_may_be_sent_to_pages_of_allowed_origins_only() {
    let origins = [APP, "capacitor://localhost", "http://192.168.1.20:5173"];
    let allowed = AllowedOrigins::new(origins.map(str::to_owned).to_vec());
    for origin in origins {
        for path in ["", "/", "/linked?x=1#y", "?x", "#x", "/@evil.example", "//evil.example"] {
            assert!(allowed.has_page(&format!("{origin}{path}")), "{origin}{path}");
        }
        for path in ["@evil.example/", ".evil.example", ":8443/", "x", "\\@evil.example", "/a b", "/\n", "/é", " "] {
            assert!(!allowed.has_page(&format!("{origin}{path}")), "{origin}{path:?}");
        }
        assert!(!allowed.has_page(&format!("{origin}/{}", "x".repeat(2048))));
    }
    assert!(!allowed.has_page("") && !AllowedOrigins::default().has_page("https://app.example.com/"));
}

proptest! {
    #[test]
    fn every_accepted_origin_of_a_page_is_complete(text in "[a-zA-Z+.-]{0,12}(://|:)?[a-z0-9.:@/*\\[\\]-]{0,16}|\\PC*") {
        if is_page_origin(&text, true) {
            let (scheme, rest) = text.split_once("://").unwrap();
            prop_assert!(!scheme.is_empty() && !rest.is_empty());
            prop_assert!(!rest.contains(['/', '?', '#', '@', '*', ',', ' ', '\\']), "{}", text);
        }
    }

    #[test]
    fn no_other_origin_is_allowed(origin in "(https?://)?(app\\.|localhost)?[a-z.:/0-9]{0,20}|\\PC*") {
        prop_assert_eq!(allowed().allows(&origin), origin == APP || origin == DEV);
    }
}
