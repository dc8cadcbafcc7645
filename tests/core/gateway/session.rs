//! Who is calling: gateway keys, and the headers of credentials. The rules for tokens are in `session_token.rs` and
//! `session_claims.rs`, and creating tokens is in `session_mint.rs`.
//!
//! 1. A key is accepted as `Authorization: Bearer` and as `apikey`, and so is a token. The case of the scheme does not matter.
//! 2. If there is an Authorization header, only that counts.
//! 3. A call without a credential is CREDENTIALS_MISSING. Any other credential is invalid.
//! 4. Any of several keys is accepted, and nothing but a key.
//! 5. A key in a request from a page of another site is denied. A token is for pages.
//! 6. A token grants only the permissions that it names, and only by their whole names.
//! 7. `Debug` shows no key and no secret.
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

fn authenticate(authorization: Option<&str>, apikey: Option<&str>) -> Result<Caller, EdgeError> {
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
fn a_gateway_key_is_accepted_as_bearer_and_as_apikey() {
    for key in [KEY, OLD] {
        assert_eq!(authenticate(Some(&bearer(key)), None), Ok(Caller::Server));
        assert_eq!(authenticate(None, Some(key)), Ok(Caller::Server));
    }
}

#[test]
fn a_token_is_accepted_as_bearer_and_as_apikey() {
    let token = token();
    assert_eq!(authenticate(Some(&bearer(&token)), None), user());
    assert_eq!(authenticate(None, Some(&token)), user());
}

#[test]
fn the_case_of_the_scheme_does_not_matter() {
    for scheme in ["bearer", "BEARER", "bEaReR"] {
        assert_eq!(authenticate(Some(&format!("{scheme} {KEY}")), None), Ok(Caller::Server), "{scheme}");
    }
}

#[test]
fn the_case_of_the_key_matters() {
    assert_eq!(authenticate(None, Some(&KEY.to_uppercase())), Err(EdgeError::CredentialsInvalid));
}

#[test]
fn if_there_is_an_authorization_header_only_that_counts() {
    let token = token();
    for authorization in ["Bearer wrong", "Basic eDp5", "Bearer ", ""] {
        assert_eq!(
            authenticate(Some(authorization), Some(KEY)),
            Err(EdgeError::CredentialsInvalid),
            "{authorization:?}"
        );
        assert_eq!(
            authenticate(Some(authorization), Some(&token)),
            Err(EdgeError::CredentialsInvalid),
            "{authorization:?}"
        );
    }
    assert_eq!(authenticate(Some(&bearer(KEY)), Some("wrong")), Ok(Caller::Server));
    assert_eq!(authenticate(Some(&bearer(&token)), Some(KEY)), user());
    assert_eq!(authenticate(Some(&bearer(KEY)), Some(&token)), Ok(Caller::Server));
}

#[test]
fn a_call_without_a_credential_is_credentials_missing() {
    assert_eq!(authenticate(None, None), Err(EdgeError::CredentialsMissing));
}

#[test]
fn authorization_with_another_scheme_or_none_is_invalid() {
    let other = [
        KEY.to_owned(),
        format!("Basic {KEY}"),
        format!("Bearer{KEY}"),
        format!("Bearer:{KEY}"),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
    ];
    for authorization in other {
        assert_eq!(authenticate(Some(&authorization), None), Err(EdgeError::CredentialsInvalid), "{authorization}");
    }
}

#[test]
fn a_part_of_a_key_or_a_longer_text_is_invalid() {
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
        assert_eq!(authenticate(None, Some(&credential)), Err(EdgeError::CredentialsInvalid), "{credential}");
        assert_eq!(authenticate(Some(&bearer(&credential)), None), Err(EdgeError::CredentialsInvalid), "{credential}");
    }
}

#[test]
fn the_session_secret_is_not_a_gateway_key() {
    assert_eq!(authenticate(None, Some(SESSION)), Err(EdgeError::CredentialsInvalid));
}

#[test]
fn without_keys_and_secrets_no_credential_is_accepted_and_no_token_is_created() {
    let token = token();
    let none = Authenticator::new(Vec::new(), Vec::new());
    for credential in ["", " ", ".", "..", KEY, &token] {
        let credentials = Credentials { apikey: Some(credential), ..Credentials::default() };
        let refused = caller(&none, credentials).map_err(EdgeError::code);
        assert_eq!(refused, Err("CREDENTIALS_INVALID"), "{credential:?}");
    }
    let request = SessionRequest::parse(br#"{"clientReferenceId":"user_1"}"#).unwrap();
    assert_eq!(none.mint(request, NOW), Err(EdgeError::NotConfigured));
}

#[test]
fn a_gateway_key_from_a_page_of_another_site_is_denied() {
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
fn a_token_is_accepted_from_any_page() {
    let token = token();
    assert_eq!(from("https://app.example.com", &token), user());
}

#[test]
fn a_permission_is_granted_only_by_its_whole_name() {
    let session = session(&["profile:read", "access:any"]);
    assert_eq!(session.require("profile:read"), Ok(()));
    for other in ["profile", "profile:rea", "profile:reads", "Profile:read", "", "lists:read"] {
        let refused = session.require(other).unwrap_err();
        assert_eq!((refused, refused.code()), (EdgeError::PermissionMissing(other), "PERMISSION_DENIED"), "{other:?}");
        assert!(refused.to_string().ends_with(&format!("the permission {other}")), "{refused}");
    }
}

#[test]
fn debug_shows_no_key_and_no_secret() {
    let shown = format!("{:?}", authenticator());
    assert!([KEY, OLD, SESSION].iter().all(|secret| !shown.contains(secret)), "{shown}");
}

proptest! {
    #[test]
    fn only_keys_and_tokens_are_accepted(credential: String) {
        for refused in [
            authenticate(None, Some(&credential)),
            authenticate(Some(&credential), Some(KEY)),
            authenticate(Some(&bearer(&credential)), Some(KEY)),
        ] {
            prop_assert_eq!(refused.map_err(EdgeError::code), Err("CREDENTIALS_INVALID"));
        }
    }

    #[test]
    fn any_key_without_a_colon_that_a_header_can_carry_is_accepted(key in "[!-9;-~]{32,80}") {
        let keys = Authenticator::new(vec![KEY.to_owned(), key.clone()], vec![SESSION.to_owned()]);
        let (bearer, key) = (bearer(&key), Some(&*key));
        prop_assert_eq!(caller(&keys, Credentials { apikey: key, ..Credentials::default() }), Ok(Caller::Server));
        let credentials = Credentials { authorization: Some(&bearer), ..Credentials::default() };
        prop_assert_eq!(caller(&keys, credentials), Ok(Caller::Server));
    }
}
