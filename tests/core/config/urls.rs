//! The variables that are URLs.
//!
//! 1. OFAUTH_API_URL is an origin: https, or http on loopback.
//! 2. FORWARD_URL is an https URL, or http on loopback. With a live key, its host is public.
//! 3. APP_RETURN_URL is empty, or a URL to which a browser can be sent. It stays as it is written.
//! 4. PUBLIC_URL is an origin or empty.
//! 5. ALERT_URL is a URL or empty, and `Debug` does not show it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{KEY, configure, problems, reason};
use ofauth_edge::core::config::Reason;

#[test]
fn the_api_url_is_https_or_http_on_loopback() {
    let origins = [
        "https://api-next.ofauth.com",
        "https://api.ofauth.com:8443",
        "https://localhost",
        "http://localhost",
        "http://localhost:8788",
        "http://127.0.0.1:8788",
        "http://127.1.2.3",
        "http://[::1]:8788",
        "http://[::1]",
        "https://10.0.0.1",
    ];
    for origin in origins {
        assert_eq!(configure(&[("OFAUTH_API_URL", Some(origin))]).unwrap().api_url, origin);
    }
}

#[test]
fn an_api_url_of_another_form_is_refused() {
    let urls = [
        "",
        "api.ofauth.com",
        "//api.ofauth.com",
        "https://",
        "https:///",
        "https:api.ofauth.com",
        "ftp://api.ofauth.com",
        "file:///x",
        "https://api.ofauth.com/",
        "https://api.ofauth.com/v2",
        "https://api.ofauth.com?x",
        "https://api.ofauth.com#x",
        "https://user@api.ofauth.com",
        "https://user:word@api.ofauth.com",
        "https://@api.ofauth.com",
        "https://api.ofauth.com\\x",
        " https://api.ofauth.com",
        "https://api.ofauth.com ",
        "https://api.ofauth.com\n",
        "https://api .ofauth.com",
        "https://api.ofauth.com:",
        "https://api.ofauth.com:x",
        "https://api.ofauth.com:65536",
        "https://api.ofauth.com:80:80",
        "https://:443",
        "https://::1",
        "https://[::1",
        "https://[::1]x",
        "https://[]",
    ];
    for url in urls {
        assert_eq!(reason("OFAUTH_API_URL", url), Reason::NotAnOrigin, "{url:?}");
    }
}

#[test]
fn an_api_url_over_http_beyond_loopback_is_refused() {
    let urls = [
        "http://api.ofauth.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0",
        "http://127.example.com",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://[::2]",
        "http://127.0.0.256",
        "http://localhost@example.com",
    ];
    for url in urls {
        assert_eq!(reason("OFAUTH_API_URL", url), Reason::NotAnOrigin, "{url:?}");
    }
}

/// The reason why this FORWARD_URL is refused under this API key.
fn forward_fault(url: &str, api_key: &str) -> Option<Reason> {
    let changes = [("FORWARD_URL", Some(url)), ("OFAUTH_API_KEY", Some(api_key)), ("FORWARD_SECRET", Some(KEY))];
    let problems = configure(&changes).err()?;
    assert_eq!(problems.iter().map(|problem| problem.name).collect::<Vec<_>>(), ["FORWARD_URL"], "{url:?}");
    Some(problems[0].reason)
}

#[test]
fn events_are_forwarded_to_https_and_with_a_sandbox_key_to_loopback() {
    for url in ["https://app.example.com", "https://app.example.com:8443/hooks?key=1"] {
        assert_eq!(forward_fault(url, "sk_live_1"), None, "{url}");
        assert_eq!(forward_fault(url, "sk_sandbox_1"), None, "{url}");
    }
    for url in ["http://localhost:3000/hooks", "http://127.0.0.1:3000", "https://10.0.0.1", "https://127.1/"] {
        assert_eq!(forward_fault(url, "sk_live_1"), Some(Reason::NotPublic), "{url}");
        assert_eq!(forward_fault(url, "sk_sandbox_1"), None, "{url}");
    }
}

#[test]
fn a_forward_url_of_another_form_is_refused() {
    let urls = [
        "app.example.com",
        "/hooks",
        "ftp://app.example.com",
        "http://app.example.com",
        "http://192.168.1.20:3000",
        "https://user:word@app.example.com",
        "https://APP.example.com/",
        "https://app.example.com:443/",
        "https://app.example.com/a b",
        " https://app.example.com/",
        "https://app.example.com\\@evil.example",
    ];
    for url in urls {
        for api_key in ["sk_live_1", "sk_sandbox_1"] {
            assert_eq!(forward_fault(url, api_key), Some(Reason::NotAUrl), "{url:?}");
        }
    }
}

#[test]
fn a_port_may_not_have_a_sign() {
    assert_eq!(problems(&[("OFAUTH_API_URL", Some("https://api.ofauth.com:+443"))]), ["OFAUTH_API_URL"]);
}

#[test]
fn brackets_may_hold_only_an_ip_address() {
    assert_eq!(problems(&[("OFAUTH_API_URL", Some("https://[api.ofauth.com]"))]), ["OFAUTH_API_URL"]);
}

#[test]
fn app_return_url_stays_as_it_is_written() {
    for url in [
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com:8443/a/b?c=%20&c#/d?e",
        "https://app.example.com/list,of,things",
        "http://localhost:5173/linked",
        "http://127.0.0.1/",
        "http://[::1]:8080/x",
    ] {
        assert_eq!(configure(&[("APP_RETURN_URL", Some(url))]).unwrap().app_return_url.as_deref(), Some(url));
    }
}

#[test]
fn without_app_return_url_there_is_no_return_page() {
    for none in [None, Some("")] {
        assert_eq!(configure(&[("APP_RETURN_URL", none)]).unwrap().app_return_url, None, "{none:?}");
    }
}

#[test]
fn an_app_return_url_to_which_no_browser_can_be_sent_is_refused() {
    let long = format!("https://app.example.com/{}", "x".repeat(2048));
    for bad in [
        " ",
        "/linked",
        "//app.example.com/",
        "app.example.com",
        "http://app.example.com/",
        "ftp://app.example.com/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https:///linked",
        "https:app.example.com",
        "https://user@app.example.com/",
        "https://user:word@app.example.com/",
        "https://app.example.com\\x",
        "https://app.example.com/a b",
        "https://app.example.com/\n",
        " https://app.example.com/",
        "https://app.example.com/ ",
        "https://app.example.com:x/",
        "https://app.example.com:65536/",
        "https://äpp.example.com/",
        &long,
    ] {
        assert_eq!(reason("APP_RETURN_URL", bad), Reason::NotAUrl, "{bad:?}");
    }
}

#[test]
fn public_url_is_an_origin_or_empty() {
    for url in ["https://gateway.example", "https://gateway.example:8443", "http://localhost:8787", "http://[::1]"] {
        assert_eq!(configure(&[("PUBLIC_URL", Some(url))]).unwrap().public_url.as_deref(), Some(url));
    }
    for none in [None, Some("")] {
        assert_eq!(configure(&[("PUBLIC_URL", none)]).unwrap().public_url, None, "{none:?}");
    }
    for bad in [
        "http://gateway.example",
        "https://gateway.example/",
        "https://Gateway.example",
        "gateway.example",
        "https://gateway.example:443",
        "*",
    ] {
        assert_eq!(reason("PUBLIC_URL", bad), Reason::NotAnOrigin, "{bad:?}");
    }
}

#[test]
fn alert_url_is_a_url_or_empty_and_debug_does_not_show_it() {
    let url = "https://hooks.example/services/T0/B0/secret";
    let config = configure(&[("ALERT_URL", Some(url))]).unwrap();
    assert_eq!(config.alert_url.as_ref().unwrap().reveal(), url);
    assert!(!format!("{config:?}").contains("hooks.example"));
    for none in [None, Some("")] {
        assert!(configure(&[("ALERT_URL", none)]).unwrap().alert_url.is_none(), "{none:?}");
    }
    for bad in ["http://hooks.example/", "hooks.example", "ftp://hooks.example/", " ", "https://"] {
        assert_eq!(reason("ALERT_URL", bad), Reason::NotAUrl, "{bad:?}");
    }
}
