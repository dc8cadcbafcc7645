//! Who is calling: gateway keys.
//!
//! 1. A key opens as `Authorization: Bearer` and as `apikey`; the scheme's case does not matter.
//! 2. Authorization, where it is present, alone counts.
//! 3. No credential is missing, any other is invalid.
//! 4. Any of several keys opens, and nothing but a key.
//! 5. Keys show nowhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::{api_error::EdgeError, session::GatewayKeys};
use proptest::prelude::*;

const KEY: &str = "gateway-key-0123456789-0123456789";
const OLD: &str = "old-gateway-key-0123456789-0123456789";

fn judge(authorization: Option<&str>, apikey: Option<&str>) -> Result<(), EdgeError> {
    GatewayKeys::new(vec![KEY.to_owned(), OLD.to_owned()]).authenticate(authorization, apikey)
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

#[test]
fn a_key_opens_as_bearer() {
    assert_eq!(judge(Some(&bearer(KEY)), None), Ok(()));
}

#[test]
fn a_key_opens_as_apikey() {
    assert_eq!(judge(None, Some(KEY)), Ok(()));
}

#[test]
fn any_of_several_keys_opens() {
    assert_eq!(judge(None, Some(OLD)), Ok(()));
    assert_eq!(judge(Some(&bearer(OLD)), None), Ok(()));
}

#[test]
fn the_scheme_s_case_does_not_matter() {
    for scheme in ["bearer", "BEARER", "bEaReR"] {
        assert_eq!(judge(Some(&format!("{scheme} {KEY}")), None), Ok(()), "{scheme}");
    }
}

#[test]
fn the_key_s_case_does_matter() {
    assert_eq!(judge(None, Some(&KEY.to_uppercase())), Err(EdgeError::CredentialsInvalid));
}

#[test]
fn authorization_alone_counts_where_it_is_present() {
    assert_eq!(judge(Some("Bearer wrong"), Some(KEY)), Err(EdgeError::CredentialsInvalid));
    assert_eq!(judge(Some("Basic eDp5"), Some(KEY)), Err(EdgeError::CredentialsInvalid));
    assert_eq!(judge(Some(""), Some(KEY)), Err(EdgeError::CredentialsInvalid));
    assert_eq!(judge(Some(&bearer(KEY)), Some("wrong")), Ok(()));
}

#[test]
fn no_credential_is_missing() {
    assert_eq!(judge(None, None), Err(EdgeError::CredentialsMissing));
}

#[test]
fn another_scheme_or_none_is_invalid() {
    for authorization in [
        KEY.to_owned(),
        format!("Basic {KEY}"),
        format!("Bearer{KEY}"),
        format!("Bearer:{KEY}"),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
    ] {
        assert_eq!(judge(Some(&authorization), None), Err(EdgeError::CredentialsInvalid), "{authorization}");
    }
}

#[test]
fn less_or_more_than_a_key_is_invalid() {
    for credential in [
        String::new(),
        KEY[..KEY.len() - 1].to_owned(),
        KEY[1..].to_owned(),
        format!("{KEY}x"),
        format!("{KEY},{OLD}"),
        format!("{KEY}{KEY}"),
    ] {
        assert_eq!(judge(None, Some(&credential)), Err(EdgeError::CredentialsInvalid), "{credential}");
        assert_eq!(judge(Some(&bearer(&credential)), None), Err(EdgeError::CredentialsInvalid), "{credential}");
    }
}

#[test]
fn a_key_with_a_nul_at_its_end_is_another_key() {
    assert_eq!(judge(None, Some(&format!("{KEY}\0"))), Err(EdgeError::CredentialsInvalid));
}

#[test]
fn without_any_key_nothing_opens() {
    let none = GatewayKeys::new(Vec::new());
    assert_eq!(none.authenticate(None, Some("")), Err(EdgeError::CredentialsInvalid));
    assert_eq!(none.authenticate(Some("Bearer "), None), Err(EdgeError::CredentialsInvalid));
}

#[test]
fn both_refusals_are_401() {
    assert_eq!((EdgeError::CredentialsMissing.status(), EdgeError::CredentialsInvalid.status()), (401, 401));
}

#[test]
fn keys_show_in_no_debug() {
    let shown = format!("{:?}", GatewayKeys::new(vec![KEY.to_owned()]));
    assert!(!shown.contains("gateway-key"), "{shown}");
}

proptest! {
    #[test]
    fn nothing_but_a_key_opens(credential: String) {
        prop_assert_eq!(judge(None, Some(&credential)), Err(EdgeError::CredentialsInvalid));
        prop_assert_eq!(judge(Some(&credential), Some(KEY)), Err(EdgeError::CredentialsInvalid));
        prop_assert_eq!(judge(Some(&bearer(&credential)), Some(KEY)), Err(EdgeError::CredentialsInvalid));
    }

    #[test]
    fn any_key_that_a_header_can_carry_opens(key in "[!-~]{32,80}") {
        let keys = GatewayKeys::new(vec![KEY.to_owned(), key.clone()]);
        prop_assert_eq!(keys.authenticate(None, Some(&key)), Ok(()));
        prop_assert_eq!(keys.authenticate(Some(&bearer(&key)), None), Ok(()));
    }
}
