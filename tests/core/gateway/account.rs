//! OFAuth's routes for servers: their paths, what a call does to a connection, and the path that is forwarded. What the
//! list says about connections is in `account_item.rs`.
//!
//! 1. A path belongs to these routes if it begins with whole segments of a prefix.
//! 2. Delete, invalidate and import are distinguished from all other calls, whatever the connection's name is.
//! 3. A path is forwarded as received. A path of the older documents is forwarded as the current one.
//! 4. A handle is replaced in its own segment and nowhere else.
//! 5. An id is one segment of the path, whatever characters it has.
//! 6. No method or path panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::gateway::{
    access::check_segments,
    account::{AccountCall, AccountEffect, CONNECTIONS_PATH, connection_path, is_account_path},
    route::{Route, route},
};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;

const HANDLE: &str = "acct_00112233445566778899aabbccddeeff";
const ALLOWED_METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// What a call does, and to which connection.
fn does<'a>(method: &str, path: &'a str) -> (AccountEffect, Option<&'a str>) {
    let call = AccountCall::read(method, path);
    (call.effect, call.connection)
}

#[test]
fn paths_of_the_routes_for_servers_are_recognised() {
    let paths = [
        "/v2/account/whoami",
        "/v2/account/settings",
        "/v2/account/connections",
        "/v2/account/connections/conn_1/settings",
        "/v2/account/not/yet/known",
        "/v2/dynamic-rules",
        "/v2/dynamic-rules/sign",
        "/v2/vault/media",
        "/v2/vault-plus/media/1",
        "/v2/connections",
        "/v2/connections/conn_1",
    ];
    for path in paths {
        assert!(is_account_path(path), "{path}");
        assert_eq!(check_segments(path), Ok(()), "{path}");
        for method in ALLOWED_METHODS {
            assert_eq!(route(method, path), Route::Account, "{method} {path}");
        }
    }
}

#[test]
fn a_path_that_only_begins_like_such_a_path_is_not_one() {
    let paths = [
        "",
        "/",
        "/v2",
        "/v2/account",
        "/v2/accounts/whoami",
        "/v2/vault",
        "/v2/vault-plus",
        "/v2/vaults/1",
        "/v2/vault-plus2/1",
        "/v2/dynamic-rules2",
        "/v2/dynamic-rulessign",
        "/v2/connectionsx",
        "/v2/connections-old/1",
        "/V2/account/whoami",
        "/v1/account/whoami",
        "//v2/account/whoami",
        "/v2//account/whoami",
        "v2/account/whoami",
        "/edge/connections",
        "/v2/access/account/",
        "/v2/%61ccount/whoami",
    ];
    for path in paths {
        assert!(!is_account_path(path), "{path:?}");
        assert_ne!(route("GET", path), Route::Account, "{path:?}");
    }
}

#[test]
fn a_delete_is_recognised_with_its_connection() {
    for name in ["conn_1", HANDLE, "conn%5F1", "a%3Ab", "settings", "invalidate", "connections", "import2", "Import"] {
        for prefix in [CONNECTIONS_PATH, "/v2/connections"] {
            let path = format!("{prefix}/{name}");
            assert_eq!(does("DELETE", &path), (AccountEffect::Delete, Some(name)), "{path}");
        }
    }
}

#[test]
fn an_invalidation_is_recognised_with_its_connection() {
    for name in ["conn_1", HANDLE, "invalidate", "settings", "import-1"] {
        for prefix in [CONNECTIONS_PATH, "/v2/connections"] {
            let path = format!("{prefix}/{name}/invalidate");
            assert_eq!(does("POST", &path), (AccountEffect::Invalidate, Some(name)), "{path}");
        }
    }
}

#[test]
fn an_import_is_recognised_with_the_connection_if_it_names_one() {
    assert_eq!(does("POST", "/v2/account/connections/import"), (AccountEffect::Import, None));
    for name in ["conn_1", HANDLE, "import", "settings"] {
        let path = format!("{CONNECTIONS_PATH}/import/{name}");
        assert_eq!(does("PATCH", &path), (AccountEffect::Import, Some(name)), "{path}");
    }
}

#[test]
fn any_other_call_changes_no_connection() {
    let calls = [
        ("GET", "/v2/account/connections"),
        ("POST", "/v2/account/connections"),
        ("DELETE", "/v2/account/connections"),
        ("DELETE", "/v2/account/connections/"),
        ("GET", "/v2/account/connections/conn_1"),
        ("HEAD", "/v2/account/connections/conn_1"),
        ("PATCH", "/v2/account/connections/conn_1"),
        ("POST", "/v2/account/connections/conn_1"),
        ("PATCH", "/v2/account/connections/conn_1/settings"),
        ("DELETE", "/v2/account/connections/conn_1/settings"),
        ("GET", "/v2/account/connections/conn_1/invalidate"),
        ("DELETE", "/v2/account/connections/conn_1/invalidate"),
        ("POST", "/v2/account/connections/conn_1/invalidate/now"),
        ("POST", "/v2/account/connections/invalidate"),
        ("POST", "/v2/account/connections//invalidate"),
        ("GET", "/v2/account/connections/import"),
        ("PATCH", "/v2/account/connections/import"),
        ("DELETE", "/v2/account/connections/import"),
        ("PATCH", "/v2/account/connections/import/"),
        ("POST", "/v2/account/connections/import/conn_1"),
        ("DELETE", "/v2/account/connections/import/conn_1"),
        ("POST", "/v2/account/connections/import/invalidate"),
        ("PATCH", "/v2/account/connections/import/conn_1/settings"),
        ("DELETE", "/v2/vault/media/conn_1"),
        ("DELETE", "/v2/account/connectionsx/conn_1"),
        ("DELETE", "/v2/account/settings"),
        ("DELETE", "/v2/vault/v2/account/connections/conn_1"),
    ];
    for (method, path) in calls {
        assert_eq!(does(method, path).0, AccountEffect::None, "{method} {path}");
    }
}

#[test]
fn settings_belong_to_the_connection_in_their_path() {
    let path = format!("{CONNECTIONS_PATH}/{HANDLE}/settings");
    assert_eq!(does("PATCH", &path), (AccountEffect::None, Some(HANDLE)));
    assert_eq!(
        AccountCall::read("PATCH", &path).upstream_path(Some("conn_1")),
        "/v2/account/connections/conn_1/settings"
    );
}

#[test]
fn a_path_without_a_connection_gets_none() {
    for path in ["/v2/account/whoami", "/v2/account/connections", "/v2/account/connections/import", "/v2/vault/conn_1"]
    {
        let call = AccountCall::read("POST", path);
        assert_eq!((call.connection, &*call.upstream_path(Some("conn_1"))), (None, path));
    }
}

#[test]
fn an_older_path_is_forwarded_as_the_current_one() {
    for under in ["", "/", "/conn_1", "/conn%5F1", "/conn_1/settings", "/conn_1/invalidate", "//conn_1"] {
        let call = format!("/v2/connections{under}");
        assert_eq!(AccountCall::read("GET", &call).upstream_path(None), format!("/v2/account/connections{under}"));
    }
}

#[test]
fn a_handle_is_replaced_by_the_id_in_its_segment() {
    let cases = [
        ("DELETE", "", ""),
        ("POST", "", "/invalidate"),
        ("GET", "", "/settings"),
        ("GET", "", "/"),
        ("GET", "", "//x"),
        ("PATCH", "/import", ""),
        ("GET", "", "/a/acct_00112233445566778899aabbccddeeff"),
    ];
    for (method, before, after) in cases {
        let path = format!("{CONNECTIONS_PATH}{before}/{HANDLE}{after}");
        let call = AccountCall::read(method, &path);
        assert_eq!(call.connection, Some(HANDLE), "{path}");
        assert_eq!(call.upstream_path(Some("conn_1")), format!("{CONNECTIONS_PATH}{before}/conn_1{after}"));
    }
}

#[test]
fn an_id_is_percent_encoded_in_a_path() {
    assert_eq!(connection_path("conn_1", "").unwrap(), "/v2/account/connections/conn_1");
    assert_eq!(connection_path("Az09-._~", "/invalidate").unwrap(), "/v2/account/connections/Az09-._~/invalidate");
    for (id, segment) in
        [("a?b=c", "a%3Fb%3Dc"), ("a#b", "a%23b"), ("a:b@c", "a%3Ab%40c"), ("100%", "100%25"), ("import", "import")]
    {
        let expected = format!("{CONNECTIONS_PATH}/{segment}/settings");
        assert_eq!(connection_path(id, "/settings").unwrap(), expected);
        let path = format!("{CONNECTIONS_PATH}/{HANDLE}/settings");
        let call = AccountCall::read("GET", &path);
        assert_eq!(call.upstream_path(Some(id)), expected);
    }
    for id in [".", "..", "a/../b", "a\\b", "%2e%2e", "a/b", "\u{7f}"] {
        assert_eq!(connection_path(id, "").unwrap_err().code(), "BAD_REQUEST", "{id:?}");
    }
}

#[test]
fn a_call_is_recognised_in_every_spelling_of_its_path() {
    for (method, path, effect) in [
        ("DELETE", "/v2/account/connections/conn_1/", AccountEffect::Delete),
        ("DELETE", "/v2/account/%63onnections/conn_1", AccountEffect::Delete),
        ("DELETE", "/v2/account//connections/conn_1", AccountEffect::Delete),
        ("DELETE", "/v2/account/connections//conn_1", AccountEffect::Delete),
        ("POST", "/v2/account/connections/conn_1/%69nvalidate", AccountEffect::Invalidate),
        ("PATCH", "/v2/account/connections/%69mport/conn_1", AccountEffect::Import),
    ] {
        let call = AccountCall::read(method, path);
        assert_eq!((call.connection, call.effect), (Some("conn_1"), effect), "{path}");
        assert_eq!(call.upstream_path(None), path);
        assert_eq!(call.upstream_path(Some("conn_2")), path.replace("conn_1", "conn_2"));
    }
    assert_eq!(AccountCall::read("POST", "/v2/account/connections/%69mport").effect, AccountEffect::Import);
}

#[test]
fn a_path_that_could_be_read_as_another_one_is_refused() {
    for prefix in
        ["/v2/account/", "/v2/connections/", "/v2/dynamic-rules/", "/v2/vault/", "/v2/vault-plus/", "/v2/link/"]
    {
        for rest in
            ["..", "../access/self", "%2e%2e/x", "a%2fb", "a%5cb", "a\\b", "%252e%252e", "%00", "a/./b", "a%0d%0a"]
        {
            let refused = check_segments(&format!("{prefix}{rest}")).unwrap_err();
            assert_eq!(refused.code(), "BAD_REQUEST", "{prefix}{rest}");
        }
        assert_eq!(check_segments(&format!("{prefix}a%20b%3A/c-_.~")), Ok(()), "{prefix}");
    }
}

/// Segments that mean something, that only look like it, and any others.
fn segments() -> impl Strategy<Value = String> {
    let known = ["", "import", "invalidate", "settings", "connections", "conn_1", HANDLE, "..", "%69mport", "%2F", "é"];
    let segment = prop_oneof![3 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => "[^/?#]{0,9}"];
    prop::collection::vec(segment, 0..5).prop_map(|all| all.iter().flat_map(|one| ["/", one]).collect())
}

proptest! {
    #[test]
    fn a_path_is_forwarded_as_received_unless_its_connection_is_replaced(
        method in prop::sample::select(ALLOWED_METHODS.to_vec()),
        under in segments(),
    ) {
        let path = format!("{CONNECTIONS_PATH}{under}");
        let call = AccountCall::read(method, &path);
        prop_assert_eq!(call.upstream_path(None), &*path);
        let old = format!("/v2/connections{under}");
        prop_assert_eq!(AccountCall::read(method, &old).upstream_path(None), &*path);
        prop_assert!(call.connection.is_none_or(|name| !name.is_empty() && !name.contains('/')));
    }

    #[test]
    fn replacing_a_connection_changes_one_segment(under in segments(), id in "[!-+.-~-]{1,20}") {
        let path = format!("{CONNECTIONS_PATH}{under}");
        let call = AccountCall::read("GET", &path);
        let named = call.upstream_path(Some(&id));
        let (before, after): (Vec<_>, Vec<_>) = (path.split('/').collect(), named.split('/').collect());
        prop_assert_eq!(before.len(), after.len());
        let changed: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
        prop_assert!(changed.len() <= 1, "{path} {named}");
        for (old, new) in changed {
            prop_assert_eq!(Some(*old), call.connection);
            prop_assert_eq!(percent_decode_str(new).decode_utf8().unwrap(), &*id);
        }
    }

    #[test]
    fn an_id_stays_one_segment(id in "[!-+.-~-]{1,40}") {
        let Ok(path) = connection_path(&id, "/invalidate") else { return Ok(()) };
        let segments: Vec<_> = path.split('/').collect();
        prop_assert_eq!(segments.len(), 6);
        prop_assert_eq!(percent_decode_str(segments[4]).decode_utf8().unwrap(), &*id);
        prop_assert!(path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\".contains(&byte)));
    }

    #[test]
    fn no_call_makes_the_reader_panic(method: String, path in r"\PC*|(/v2(/account)?/connections)?(/|import|é|%|x){0,6}") {
        let call = AccountCall::read(&method, &path);
        let _ = (call.upstream_path(None), call.upstream_path(Some("conn_1")), is_account_path(&path), check_segments(&path));
    }
}
