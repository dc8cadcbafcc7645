//! Who is calling: gateway keys, and the headers that credentials come in. What a token must be is in
//! `session_token.rs` and `session_claims.rs`, minting in `session_mint.rs`.
//!
//! 1. A key opens as `Authorization: Bearer` and as `apikey`; the scheme's case does not matter. So does a token.
//! 2. Authorization, where it is present, alone counts.
//! 3. No credential is missing, any other is invalid.
//! 4. Any of several keys opens, and nothing but a key.
//! 5. A key on a request of another site's page is denied; a token is for pages.
//! 6. A token grants the permissions it names, whole.
//! 7. Keys and secrets show nowhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{KEY, SESSION};
use ofauth_edge::core::gateway::{Authenticator, Caller, Credentials, EdgeError, Session, SessionRequest};
use proptest::prelude::*;

const OLD: &str = "old-gateway-key-0123456789-0123456789";
const OWN: &str = "https://gateway.example.com";
const NOW: i64 = 1_760_000_000;

fn authenticator() -> Authenticator {
    Authenticator::new(vec![KEY.to_owned(), OLD.to_owned()], vec![SESSION.to_owned()])
}

fn judge(authorization: Option<&str>, apikey: Option<&str>) -> Result<Caller, EdgeError> {
    caller(&authenticator(), Credentials { authorization, apikey, origin: None, own_origin: OWN })
}

fn from(origin: &str, credential: &str) -> Result<Caller, EdgeError> {
    let credentials =
        Credentials { authorization: None, apikey: Some(credential), origin: Some(origin), own_origin: OWN };
    caller(&authenticator(), credentials)
}

fn caller(authenticator: &Authenticator, credentials: Credentials) -> Result<Caller, EdgeError> {
    authenticator.authenticate(credentials, NOW).map(|identity| identity.caller)
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

fn token() -> String {
    authenticator().mint(SessionRequest::parse(br#"{"clientReferenceId":"user_1"}"#).unwrap(), NOW).unwrap().0
}

#[expect(clippy::unnecessary_wraps, reason = "it stands for a verdict")]
fn user() -> Result<Caller, EdgeError> {
    Ok(Caller::Session(session(&[])))
}

fn session(permissions: &[&str]) -> Session {
    Session {
        client_reference_id: "user_1".to_owned(),
        permissions: permissions.iter().map(|&permission| permission.to_owned()).collect(),
        connection: None,
        expires_at: (NOW + 3_600) * 1000,
    }
}

#[test]
fn a_key_opens_as_bearer_and_as_apikey() {
    for key in [KEY, OLD] {
        assert_eq!(judge(Some(&bearer(key)), None), Ok(Caller::Server));
        assert_eq!(judge(None, Some(key)), Ok(Caller::Server));
    }
}

#[test]
fn a_token_opens_as_bearer_and_as_apikey() {
    let token = token();
    assert_eq!(judge(Some(&bearer(&token)), None), user());
    assert_eq!(judge(None, Some(&token)), user());
}

#[test]
fn the_scheme_s_case_does_not_matter() {
    for scheme in ["bearer", "BEARER", "bEaReR"] {
        assert_eq!(judge(Some(&format!("{scheme} {KEY}")), None), Ok(Caller::Server), "{scheme}");
    }
}

#[test]
fn the_key_s_case_does_matter() {
    assert_eq!(judge(None, Some(&KEY.to_uppercase())), Err(EdgeError::CredentialsInvalid));
}

#[test]
fn authorization_alone_counts_where_it_is_present() {
    let token = token();
    for authorization in ["Bearer wrong", "Basic eDp5", "Bearer ", ""] {
        assert_eq!(judge(Some(authorization), Some(KEY)), Err(EdgeError::CredentialsInvalid), "{authorization:?}");
        assert_eq!(judge(Some(authorization), Some(&token)), Err(EdgeError::CredentialsInvalid), "{authorization:?}");
    }
    assert_eq!(judge(Some(&bearer(KEY)), Some("wrong")), Ok(Caller::Server));
    assert_eq!(judge(Some(&bearer(&token)), Some(KEY)), user());
    assert_eq!(judge(Some(&bearer(KEY)), Some(&token)), Ok(Caller::Server));
}

#[test]
fn no_credential_is_missing() {
    assert_eq!(judge(None, None), Err(EdgeError::CredentialsMissing));
}

#[test]
fn another_scheme_or_none_is_invalid() {
    let other = [
        KEY.to_owned(),
        format!("Basic {KEY}"),
        format!("Bearer{KEY}"),
        format!("Bearer:{KEY}"),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
    ];
    for authorization in other {
        assert_eq!(judge(Some(&authorization), None), Err(EdgeError::CredentialsInvalid), "{authorization}");
    }
}

#[test]
fn less_or_more_than_a_key_is_invalid() {
    let odd = [
        String::new(),
        KEY[..KEY.len() - 1].to_owned(),
        KEY[1..].to_owned(),
        format!("{KEY}x"),
        format!("{KEY}\0"),
        format!("{KEY},{OLD}"),
        format!("{KEY}{KEY}"),
    ];
    for credential in odd {
        assert_eq!(judge(None, Some(&credential)), Err(EdgeError::CredentialsInvalid), "{credential}");
        assert_eq!(judge(Some(&bearer(&credential)), None), Err(EdgeError::CredentialsInvalid), "{credential}");
    }
}

#[test]
fn the_session_secret_is_no_key() {
    assert_eq!(judge(None, Some(SESSION)), Err(EdgeError::CredentialsInvalid));
}

#[test]
fn without_any_key_or_secret_nothing_opens_and_nothing_is_minted() {
    let token = token();
    let none = Authenticator::new(Vec::new(), Vec::new());
    for credential in ["", " ", ".", "..", KEY, &token] {
        let credentials = Credentials { apikey: Some(credential), ..Credentials::default() };
        let refused = caller(&none, credentials).map_err(EdgeError::code);
        assert_eq!(refused, Err("CREDENTIALS_INVALID"), "{credential:?}");
    }
    let wish = SessionRequest::parse(br#"{"clientReferenceId":"user_1"}"#).unwrap();
    assert_eq!(none.mint(wish, NOW), Err(EdgeError::NotConfigured));
}

#[test]
fn a_key_from_another_site_s_page_is_denied() {
    let foreign = [
        "https://app.example.com",
        "http://gateway.example.com",
        "https://gateway.example.com:8443",
        "https://gateway.example.com.evil.example",
        "https://gateway.example.com/",
        "null",
        "",
    ];
    for origin in foreign {
        assert_eq!(from(origin, KEY), Err(EdgeError::OriginDenied), "{origin:?}");
        assert_eq!(from(origin, "wrong"), Err(EdgeError::CredentialsInvalid), "{origin:?}");
    }
    assert_eq!(from(OWN, KEY), Ok(Caller::Server));
}

#[test]
fn a_token_is_taken_from_any_page() {
    let token = token();
    assert_eq!(from("https://app.example.com", &token), user());
}

#[test]
fn a_permission_is_granted_by_its_whole_name() {
    let session = session(&["profile:read", "access:any"]);
    assert_eq!(session.require("profile:read"), Ok(()));
    for other in ["profile", "profile:rea", "profile:reads", "Profile:read", "", "lists:read"] {
        let refused = session.require(other).unwrap_err();
        assert_eq!((refused, refused.code()), (EdgeError::PermissionMissing(other), "PERMISSION_DENIED"), "{other:?}");
        assert!(refused.to_string().ends_with(&format!("the permission {other}")), "{refused}");
    }
}

#[test]
fn keys_and_secrets_show_in_no_debug() {
    let shown = format!("{:?}", authenticator());
    assert!([KEY, OLD, SESSION].iter().all(|secret| !shown.contains(secret)), "{shown}");
}

proptest! {
    #[test]
    fn nothing_but_a_key_or_token_opens(credential: String) {
        for refused in [
            judge(None, Some(&credential)),
            judge(Some(&credential), Some(KEY)),
            judge(Some(&bearer(&credential)), Some(KEY)),
        ] {
            prop_assert_eq!(refused.map_err(EdgeError::code), Err("CREDENTIALS_INVALID"));
        }
    }

    #[test]
    fn any_key_without_a_colon_that_a_header_can_carry_opens(key in "[!-9;-~]{32,80}") {
        let keys = Authenticator::new(vec![KEY.to_owned(), key.clone()], vec![SESSION.to_owned()]);
        let (bearer, key) = (bearer(&key), Some(&*key));
        prop_assert_eq!(caller(&keys, Credentials { apikey: key, ..Credentials::default() }), Ok(Caller::Server));
        let credentials = Credentials { authorization: Some(&bearer), ..Credentials::default() };
        prop_assert_eq!(caller(&keys, credentials), Ok(Caller::Server));
    }
}
