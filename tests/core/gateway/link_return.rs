//! The end of Link: the page to which a user's browser returns, and the status in its query. What the browser brings
//! back is in `link_callback.rs`.
//!
//! 1. A requested page is on an origin of ALLOWED_ORIGINS or on that of APP_RETURN_URL: https, or http on loopback.
//! 2. A URL that a browser could read as one of another origin is refused.
//! 3. If no page is requested, it is that of APP_RETURN_URL, if that is set.
//! 4. The status is added to the page's query. Origin, path, fragment and the rest of the query stay.
//! 5. No URL panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use form_urlencoded::parse;
use ofauth_edge::core::gateway::{
    EdgeError,
    callback::ReturnStatus,
    link::InitRequest,
    origin::{AllowedOrigins, origin_of},
};
use proptest::prelude::*;
use serde_json::json;

const APP: &str = "https://app.example.com/linked?from=link";

fn allowed() -> AllowedOrigins {
    AllowedOrigins::new(
        ["https://shop.example.com", "https://b.example.com:8443", "http://localhost:5173"].map(str::to_owned).to_vec(),
    )
}

/// What becomes of a session's request to return to `url`.
fn requested(url: &str) -> Result<Option<String>, &'static str> {
    let init = InitRequest::read(json!({ "redirectUrl": url }).to_string().as_bytes()).unwrap();
    init.return_url(&allowed(), Some(APP)).map_err(EdgeError::code)
}
fn some<T>(text: &str, make: impl Fn(Option<String>) -> T) -> T {
    make(Some(text.to_owned()))
}

#[test]
fn a_page_on_an_allowed_origin_may_be_requested() {
    for url in [
        "https://shop.example.com",
        "https://shop.example.com/",
        "https://shop.example.com/a/b?c=d&e#/f?g",
        "https://shop.example.com?x",
        "https://shop.example.com#x",
        "https://shop.example.com/@evil.example/",
        "https://shop.example.com?@evil.example",
        "https://shop.example.com#@evil.example",
        "https://shop.example.com//evil.example/..%2f",
        "https://shop.example.com/?next=https://evil.example/",
        "https://b.example.com:8443/x",
        "http://localhost:5173/x",
        "https://app.example.com/anything/else",
        "https://app.example.com",
    ] {
        assert_eq!(requested(url), Ok(Some(url.to_owned())), "{url}");
    }
}

#[test]
fn a_page_on_any_other_origin_is_refused() {
    for url in [
        "https://evil.example/",
        "https://shop.example.com.evil.example/",
        "https://evil-shop.example.com/",
        "https://sub.shop.example.com/",
        "https://example.com/",
        "https://shop.example.com:8443/",
        "https://b.example.com/",
        "https://b.example.com:443/",
        "https://app.example.com:8443/",
        "http://localhost/",
        "http://localhost:5174/",
        "https://localhost:5173/",
        "http://127.0.0.1:5173/",
        "http://shop.example.com/",
        "http://app.example.com/",
        "https://shop.example.com./",
        "https://xn--shp-7qa.example.com/",
    ] {
        assert_eq!(requested(url), Err("BAD_REQUEST"), "{url}");
    }
}

#[test]
fn a_url_that_a_browser_could_read_as_another_origin_is_refused() {
    for url in [
        "https://shop.example.com@evil.example/",
        "https://shop.example.com:443@evil.example/",
        "https://user@shop.example.com/",
        "https://user:word@shop.example.com/",
        "https://@shop.example.com/",
        "https://:@shop.example.com/",
        "https://evil.example\\@shop.example.com/",
        "https://shop.example.com\\@evil.example/",
        "https://shop.example.com\\.evil.example/",
        "https:\\\\shop.example.com/",
        "https:/\\shop.example.com/",
        "https://shop.example.com\t.evil.example/",
        "https://shop.example.com\n.evil.example/",
        "ht\ttps://shop.example.com/",
        "https://shop.example.com/a\tb",
        "https://shop.example.com/a\\b",
        "https://shop.example.com/a\r\nset-cookie: x=y",
        "https://shop.example.com/a b",
        "https://shop.example.com/\0",
        "https://shop.example.com/\u{7f}",
        "https://shop.example.com\u{3002}evil.example/",
        "https://shop.example.com\u{2044}.evil.example/",
        "https://shop.example.com%2f@evil.example/",
        "https://shop.example.com%2eevil.example/",
        "https://shop%2eexample.com/",
        "https://shop.example.com:/",
        "https://shop.example.com:x/",
        "https://shop.example.com:+443/",
        "https://shop.example.com:443:443/",
        "https://shop.example.com,https://evil.example/",
        "https://shop.example.com;evil.example/",
        "https://shop.example.com&evil.example/",
        " https://shop.example.com/",
        "https://shop.example.com/ ",
        "\u{feff}https://shop.example.com/",
        "https://shöp.example.com/",
        "https://ѕhop.example.com/",
        "https://shop.example.com/é",
    ] {
        assert_eq!(requested(url), Err("BAD_REQUEST"), "{url:?}");
    }
}

#[test]
fn a_text_that_is_not_an_absolute_url_of_a_page_is_refused() {
    for url in [
        "",
        "/",
        "/done",
        "//shop.example.com/",
        "///shop.example.com/",
        "shop.example.com",
        "shop.example.com:443",
        "https:",
        "https:/shop.example.com/",
        "https:shop.example.com/",
        "https://",
        "https:///shop.example.com/",
        "https://?x",
        "javascript:alert(1)",
        "javascript://shop.example.com/%0aalert(1)",
        "data:text/html,<script>",
        "blob:https://shop.example.com/1",
        "view-source:https://shop.example.com/",
        "file:///etc/passwd",
        "ftp://shop.example.com/",
        "ws://localhost:5173/",
        "*",
        "null",
    ] {
        assert_eq!(requested(url), Err("BAD_REQUEST"), "{url:?}");
    }
}

#[test]
fn upper_case_never_leads_to_another_origin() {
    for url in
        ["HTTPS://shop.example.com/", "https://SHOP.example.com/", "Https://Evil.example/", "JAVASCRIPT:alert(1)"]
    {
        assert_eq!(requested(url), Err("BAD_REQUEST"), "{url}");
    }
    let path = "https://shop.example.com/A/B?C=D#E";
    assert_eq!(requested(path), Ok(Some(path.to_owned())), "a path has a case of its own");
}

#[test]
fn a_url_has_at_most_2048_bytes() {
    let url = |length: usize| format!("https://shop.example.com/{}", "x".repeat(length - 25));
    assert_eq!(requested(&url(2048)).map(|url| url.map(|url| url.len())), Ok(Some(2048)));
    for length in [2049, 10_000, 65_000] {
        assert_eq!(requested(&url(length)), Err("BAD_REQUEST"), "{length}");
    }
}

#[test]
fn the_requested_page_must_be_text() {
    for odd in [json!(1), json!(true), json!([APP]), json!({ "url": APP })] {
        let init = InitRequest::read(json!({ "redirectUrl": odd }).to_string().as_bytes()).unwrap();
        assert_eq!(init.return_url(&allowed(), Some(APP)).unwrap_err().code(), "BAD_REQUEST", "{odd}");
    }
}

#[test]
fn without_a_requested_page_it_is_that_of_app_return_url() {
    let init = InitRequest::read(b"{}").unwrap();
    assert_eq!(init.return_url(&allowed(), Some(APP)), Ok(None));
    assert_eq!(init.return_url(&allowed(), None).unwrap_err().code(), "BAD_REQUEST");
}

#[test]
fn an_origin_that_is_not_allowed_is_refused_whatever_else_is_set() {
    let requested = |url: &str, app| {
        let init = InitRequest::read(json!({ "redirectUrl": url }).to_string().as_bytes()).unwrap();
        init.return_url(&AllowedOrigins::default(), app).is_ok()
    };
    assert!(!requested("https://shop.example.com/", None));
    assert!(!requested("https://shop.example.com/", Some(APP)));
    assert!(requested("https://app.example.com/", Some(APP)));
    assert!(!requested("https://app.example.com/", Some("https://app.example.com:8443/")));
}
#[test]
fn the_status_is_added_to_the_query_of_the_page() {
    let url = "https://app.example.com/linked";
    let status = [
        (ReturnStatus::Success("acct_1".to_owned()), "status=success&connection=acct_1"),
        (ReturnStatus::Pending, "status=pending"),
        (some("2fa", ReturnStatus::Cancelled), "status=cancelled&step=2fa"),
        (ReturnStatus::Cancelled(None), "status=cancelled"),
        (some("account_locked", ReturnStatus::Failed), "status=error&error_code=account_locked"),
        (ReturnStatus::Failed(None), "status=error"),
        (ReturnStatus::Unknown, "status=unknown"),
    ];
    for (status, query) in status {
        assert_eq!(status.add_to_url(url), format!("{url}?{query}"));
    }
}

#[test]
fn the_rest_of_the_url_of_the_page_stays() {
    for (url, expected) in [
        ("https://a.example", "https://a.example?status=pending"),
        ("https://a.example/", "https://a.example/?status=pending"),
        ("https://a.example/?", "https://a.example/?status=pending"),
        ("https://a.example?x=%20&x", "https://a.example?x=%20&x&status=pending"),
        ("https://a.example/p#f", "https://a.example/p?status=pending#f"),
        ("https://a.example/p?q=1#f", "https://a.example/p?q=1&status=pending#f"),
        ("https://a.example/#/route?x=1", "https://a.example/?status=pending#/route?x=1"),
        ("https://a.example#", "https://a.example?status=pending#"),
        ("https://a.example/#a#b", "https://a.example/?status=pending#a#b"),
        ("https://a.example/p%3F%23", "https://a.example/p%3F%23?status=pending"),
        ("https://a.example/?a?b", "https://a.example/?a?b&status=pending"),
        ("https://a.example/?status=success&x=1&%73tep=2", "https://a.example/?x=1&status=pending"),
    ] {
        assert_eq!(ReturnStatus::Pending.add_to_url(url), expected);
    }
}

/// Every status that a page may receive.
fn any_status() -> impl Strategy<Value = ReturnStatus> {
    let word = || proptest::option::of("[a-z0-9_-]{1,64}");
    prop_oneof![
        "acct_[0-9a-f]{32}".prop_map(ReturnStatus::Success),
        Just(ReturnStatus::Pending),
        word().prop_map(ReturnStatus::Cancelled),
        word().prop_map(ReturnStatus::Failed),
        Just(ReturnStatus::Unknown),
    ]
}

/// URLs of an allowed site, and what only looks like one.
fn url() -> impl Strategy<Value = String> {
    let hosts = [
        "shop.example.com",
        "shop.example.com:443",
        "SHOP.example.com",
        "evil.example",
        "localhost:5173",
        "u@shop.example.com",
    ];
    let rest = r"(/[!-~]{0,8}){0,3}(\?[!-~é ]{0,12})?(#[!-~\t]{0,12})?";
    let schemes = prop::sample::select(vec!["https://", "http://", "//", "https:\\\\", ""]);
    prop_oneof![
        4 => rest.prop_map(|rest| format!("https://shop.example.com{rest}")),
        2 => (schemes, prop::sample::select(hosts.to_vec()), rest).prop_map(|(scheme, host, rest)| format!("{scheme}{host}{rest}")),
        1 => any::<String>(),
    ]
}

/// URLs of an allowed site that a browser reads as they stand.
fn page() -> impl Strategy<Value = String> {
    let rest = r"(/[a-z%.@:;~-]{0,8}){0,3}(\?[!$-;=?-\[\]_a-~]{0,12})?(#[!-\[\]-~]{0,12})?";
    rest.prop_map(|rest| format!("https://shop.example.com{rest}"))
}

/// A URL up to its query, its query, and its fragment.
fn parts(url: &str) -> (&str, Option<&str>, Option<&str>) {
    let (url, fragment) = url.split_once('#').map_or((url, None), |(url, fragment)| (url, Some(fragment)));
    let (url, query) = url.split_once('?').map_or((url, None), |(url, query)| (url, Some(query)));
    (url, query, fragment)
}
proptest! {
    #[test]
    fn every_accepted_page_is_on_an_allowed_origin(url in url()) {
        if let Ok(passed) = requested(&url) {
            prop_assert_eq!(passed.as_deref(), Some(&*url));
            let sites = ["https://shop.example.com", "https://b.example.com:8443", "http://localhost:5173", "https://app.example.com"];
            let rest = sites.iter().find_map(|site| url.strip_prefix(site));
            prop_assert!(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#'])), "{url}");
            prop_assert!(url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') && url.len() <= 2048);
        }
    }

    #[test]
    fn any_status_leaves_the_rest_of_any_url(url in page(), status in any_status()) {
        prop_assume!(requested(&url).is_ok());
        let sent = status.add_to_url(&url);
        prop_assert_eq!(origin_of(&sent), origin_of(&url));
        let (before, after) = (parts(&url), parts(&sent));
        prop_assert_eq!((before.0, before.2), (after.0, after.2));
        let pairs = |query: &str| parse(query.as_bytes()).into_owned().collect::<Vec<_>>();
        let (own, all) = (pairs(before.1.unwrap_or_default()), pairs(after.1.unwrap_or_default()));
        prop_assert!(after.1.unwrap().starts_with(before.1.unwrap_or_default()));
        prop_assert_eq!(&all[..own.len()], &own[..]);
        let added: Vec<_> = all[own.len()..].iter().map(|(key, _)| key.as_str()).collect();
        prop_assert!(matches!(&added[..], ["status"] | ["status", "connection" | "step" | "error_code"]), "{added:?}");
    }

    #[test]
    fn a_url_with_a_status_can_be_a_header_value(url in page(), status in any_status()) {
        prop_assume!(requested(&url).is_ok());
        prop_assert!(status.add_to_url(&url).bytes().all(|byte| byte.is_ascii_graphic()));
    }

    #[test]
    fn no_url_makes_the_check_panic(url: String) {
        let _ = (origin_of(&url), requested(&url), ReturnStatus::Pending.add_to_url(&url));
    }
}
