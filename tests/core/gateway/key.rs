//! Names and rights of gateway keys.
//!
//! 1. A key without a name has all rights, and its place in the list as its name.
//! 2. A named key has only the rights in its item.
//! 3. Any other form with a colon is refused.
//! 4. Each route needs the right that the documentation says.
//! 5. The actor of a call names the key or the kind of token.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{KEY, SESSION};
use ofauth_edge::core::gateway::{
    Authenticator, Credentials, EdgeError, GatewayKey, Right, SessionRequest,
    route::{Route, route},
};
use proptest::prelude::*;

const NOW: i64 = 1_760_000_000;
const RIGHTS: [Right; 5] = [Right::Access, Right::Sessions, Right::Link, Right::Manage, Right::Read];

fn authenticator(items: &[&str]) -> Authenticator {
    Authenticator::new(items.iter().map(|item| (*item).to_owned()).collect(), vec![SESSION.to_owned()])
}

/// Name and rights of the key that a credential opens with.
fn opens(items: &[&str], credential: &str) -> Result<(String, Vec<Right>), EdgeError> {
    let authenticator = authenticator(items);
    let credentials = Credentials { apikey: Some(credential), ..Credentials::default() };
    let identity = authenticator.authenticate(credentials, NOW)?;
    let rights = RIGHTS.into_iter().filter(|right| identity.require(*right).is_ok()).collect();
    Ok((identity.key.unwrap().name().to_owned(), rights))
}

#[test]
fn a_key_without_a_name_has_all_rights_and_its_place_as_its_name() {
    let other = "other-key-0123456789-0123456789-0123";
    assert_eq!(opens(&[KEY, other], KEY), Ok(("1".to_owned(), RIGHTS.to_vec())));
    assert_eq!(opens(&[KEY, other], other), Ok(("2".to_owned(), RIGHTS.to_vec())));
}

#[test]
fn a_named_key_has_only_the_rights_in_its_item() {
    let item = format!("billing-2:read+manage:{KEY}");
    assert_eq!(opens(&[&item], KEY), Ok(("billing-2".to_owned(), vec![Right::Manage, Right::Read])));
    assert_eq!(opens(&[&item], &item), Err(EdgeError::CredentialsInvalid));
    let refused = {
        let authenticator = authenticator(&[&item]);
        let credentials = Credentials { apikey: Some(KEY), ..Credentials::default() };
        let identity = authenticator.authenticate(credentials, NOW).unwrap();
        identity.require(Right::Access).unwrap_err()
    };
    assert_eq!((refused.code(), refused.status()), ("PERMISSION_DENIED", 403));
    assert!(refused.to_string().ends_with("the right access"), "{refused}");
    assert_eq!(refused.reason(), Some(refused.to_string()));
}

#[test]
fn if_two_items_have_the_same_key_the_first_one_counts() {
    let (first, second) = (format!("a:read:{KEY}"), format!("b:link:{KEY}"));
    assert_eq!(opens(&[&first, &second], KEY), Ok(("a".to_owned(), vec![Right::Read])));
    assert_eq!(opens(&[&second, &first, KEY], KEY), Ok(("b".to_owned(), vec![Right::Link])));
}

#[test]
fn an_item_of_any_other_form_with_a_colon_is_refused() {
    for item in [
        "a:b",
        "a::b",
        ":read:b",
        "1a:read:b",
        "a b:read:b",
        "a:reads:b",
        "a:read+:b",
        "a:read, link:b",
        "a:Read:b",
        "a:read: b",
        "a:read:b ",
        "é:read:b",
        ":",
        "::",
        "abcdefghijklmnopqrstuvwxyz0123456:read:b",
    ] {
        assert!(GatewayKey::parse(item, 1).is_none(), "{item:?}");
    }
    let longest = GatewayKey::parse("abcdefghijklmnopqrstuvwxyz012345:read+read:b:c", 1).unwrap();
    assert_eq!((longest.name().len(), longest.chars()), (32, 3));
}

#[test]
fn each_route_needs_its_right() {
    let cases = [
        ("GET", "/v2/access/self", Some(Right::Access)),
        ("POST", "/v2/access/proxy/x", Some(Right::Access)),
        ("POST", "/edge/sessions", Some(Right::Sessions)),
        ("POST", "/v2/link/init", Some(Right::Link)),
        ("GET", "/v2/link/secret", Some(Right::Link)),
        ("DELETE", "/v2/link/secret", Some(Right::Link)),
        ("GET", "/v2/account/whoami", Some(Right::Read)),
        ("HEAD", "/v2/account/connections", Some(Right::Read)),
        ("PATCH", "/v2/account/settings", Some(Right::Manage)),
        ("DELETE", "/v2/account/connections/conn_1", Some(Right::Manage)),
        ("GET", "/v2/vault/x", Some(Right::Manage)),
        ("POST", "/v2/dynamic-rules/sign", Some(Right::Manage)),
        ("GET", "/v2/connections", Some(Right::Manage)),
        ("DELETE", "/edge/connections/acct_1", Some(Right::Manage)),
        ("POST", "/edge/connections/acct_1/invalidate", Some(Right::Manage)),
        ("POST", "/edge/connections/acct_1/accept-account", Some(Right::Manage)),
        ("DELETE", "/edge/users/user_1", Some(Right::Manage)),
        ("GET", "/edge/connections", Some(Right::Read)),
        ("GET", "/edge/connections/acct_1", Some(Right::Read)),
        ("GET", "/edge/connections/acct_1/health", Some(Right::Read)),
        ("GET", "/edge/connections/acct_1/events", Some(Right::Read)),
        ("GET", "/edge/events", Some(Right::Read)),
        ("GET", "/edge/metrics", Some(Right::Read)),
        ("GET", "/edge/status", Some(Right::Read)),
        ("POST", "/webhooks/ofauth", None),
        ("GET", "/link/callback", None),
        ("GET", "/edge/live", None),
        ("GET", "/healthz", None),
        ("PUT", "/healthz", None),
    ];
    for (method, path, right) in cases {
        assert_eq!(route(method, path).right(method, path), right, "{method} {path}");
    }
    assert_eq!(Route::NotFound.right("GET", "/"), None);
}

#[test]
fn the_actor_of_a_call_names_the_key_or_the_kind_of_token() {
    let item = format!("app:sessions+manage+read:{KEY}");
    let authenticator = authenticator(&[&item]);
    let actor = |credential: &str| {
        let credentials = Credentials { apikey: Some(credential), ..Credentials::default() };
        authenticator.authenticate(credentials, NOW).unwrap().actor()
    };
    let mint = |body: &[u8]| authenticator.mint(SessionRequest::parse(body).unwrap(), NOW).unwrap().0;
    assert_eq!(actor(KEY), "key:app");
    assert_eq!(actor(&mint(br#"{"clientReferenceId":"user_1"}"#)), "session");
    assert_eq!(actor(&mint(br#"{"console":true}"#)), "console");
}

proptest! {
    #[test]
    fn no_item_makes_the_reader_panic(item: String, place in 1_usize..6) {
        if let Some(key) = GatewayKey::parse(&item, place) {
            let text = item.rsplit_once(':').map_or(&*item, |(_, key)| key);
            prop_assert!(key.chars() >= text.chars().count());
        }
    }

    #[test]
    fn any_valid_name_and_rights_are_read(name in "[A-Za-z][A-Za-z0-9_-]{0,31}", mask in 1_usize..32, key in "[!-+.-~]{32,60}") {
        let wanted: Vec<_> = RIGHTS.into_iter().filter(|right| mask & (1 << *right as usize) != 0).collect();
        let names: Vec<_> = wanted.iter().map(|right| right.name()).collect();
        let item = format!("{name}:{}:{key}", names.join("+"));
        prop_assert_eq!(opens(&[&item], &key), Ok((name, wanted)));
    }
}
