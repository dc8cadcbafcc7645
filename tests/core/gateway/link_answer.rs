//! OFAuth's answer to an init request: what a session gets of it, and when the Link session ends.
//!
//! 1. A session's browser is sent to a hosted page over https, and nowhere else.
//! 2. A Link session ends when OFAuth says so, after an hour at the latest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::gateway::link::{HostedLink, expires_at};
use serde_json::{Value, json};

/// 2024-01-15T10:30:00Z
const NOW: i64 = 1_705_314_600_000;
const HOUR: i64 = 3_600_000;

fn hosted(answer: &str) -> Option<Value> {
    HostedLink::read(answer.as_bytes()).map(|hosted| serde_json::to_value(hosted).unwrap())
}

#[test]
fn the_answer_to_a_session_has_the_hosted_page_and_its_mode() {
    let url = "https://link.ofauth.com/cs_1?x=y#z";
    let expected = json!({ "mode": "hosted", "url": url, "expiresAt": "2024-01-15T11:00:00Z" });
    let at = "2024-01-15T11:00:00Z";
    assert_eq!(hosted(&json!({ "mode": "hosted", "url": url, "expiresAt": at }).to_string()), Some(expected.clone()));
    assert_eq!(hosted(&json!({ "url": url, "expiresAt": at, "mode": null }).to_string()), Some(expected.clone()));
    assert_eq!(hosted(&json!({ "url": url, "expiresAt": at }).to_string()), Some(expected));
    assert_eq!(hosted(&json!({ "url": url }).to_string()), Some(json!({ "mode": "hosted", "url": url })));
    assert!(hosted(r#"{"url":"http://127.0.0.1:8788/cs_1"}"#).is_some(), "an emulator's");
}

#[test]
fn a_session_never_gets_a_client_secret() {
    let answer =
        json!({ "url": "https://link.ofauth.com/cs_1", "clientSecret": "cs_secret", "connectionId": "conn_1" });
    assert_eq!(hosted(&answer.to_string()), Some(json!({ "mode": "hosted", "url": "https://link.ofauth.com/cs_1" })));
    for mode in ["whitelabel", "HostedLink", "", "hosted "] {
        let mut answer = answer.clone();
        answer["mode"] = json!(mode);
        assert_eq!(hosted(&answer.to_string()), None, "{mode:?}");
    }
}

#[test]
fn an_answer_without_a_page_for_a_browser_is_refused() {
    let urls = [
        "",
        "/cs_1",
        "//link.ofauth.com/cs_1",
        "link.ofauth.com/cs_1",
        "http://link.ofauth.com/cs_1",
        "javascript:alert(1)",
        "javascript://link.ofauth.com/%0aalert(1)",
        "data:text/html,x",
        "ftp://link.ofauth.com/",
        "https://",
        "https:///cs_1",
        "https://user@link.ofauth.com/",
        "https://link.ofauth.com\\@evil.example/",
        "https://link.ofauth.com/\r\nset-cookie: a=b",
        "https://link.ofauth.com/ x",
        " https://link.ofauth.com/",
        "https://link.ofauth.com:x/",
        "https://link.ofauth.com:/",
        "https://línk.ofauth.com/",
    ];
    for url in urls {
        assert_eq!(hosted(&json!({ "mode": "hosted", "url": url }).to_string()), None, "{url:?}");
    }
    for answer in
        ["", "null", "[]", "{}", "<p>", r#"["hosted","https://link.ofauth.com/"]"#, r#"{"url":["https://a"]}"#]
    {
        assert_eq!(hosted(answer), None, "{answer}");
    }
    let two = r#"{"url":"https://link.ofauth.com/","url":"https://evil.example/"}"#;
    assert_eq!(hosted(two), None);
}

#[test]
fn a_link_session_ends_at_the_time_that_ofauth_names() {
    let ends = |body: &str| expires_at(body.as_bytes(), NOW) - NOW;
    assert_eq!(ends(r#"{"expiresAt":"2024-01-15T11:00:00Z"}"#), HOUR / 2);
    assert_eq!(ends(r#"{"expiresAt":"2024-01-15T12:00:00.500+01:00"}"#), HOUR / 2 + 500);
    assert_eq!(ends(r#"{"expiresAt":"2024-01-15T10:29:59Z"}"#), -1000);
}

#[test]
fn a_link_session_ends_after_an_hour_at_the_latest() {
    for body in [
        "",
        "{}",
        "null",
        "[]",
        r#"["2024-01-15T10:31:00Z"]"#,
        r#"{"expiresAt":null}"#,
        r#"{"expiresAt":1705314601}"#,
        r#"{"expiresAt":"soon"}"#,
        r#"{"expiresAt":"2024-01-15T10:31:00Z","expiresAt":"2024-01-15T10:31:00Z"}"#,
        r#"{"expiresAt":"2024-01-15T11:30:01Z"}"#,
        r#"{"expiresAt":"9999-12-31T23:59:59Z"}"#,
    ] {
        assert_eq!(expires_at(body.as_bytes(), NOW), NOW + HOUR, "{body}");
    }
}
