//! Creating tokens: those of `POST /edge/sessions`.
//!
//! 1. A created token grants what was requested, for as long as was requested.
//! 2. A lifetime is 60 to 86400 seconds, and 3600 by default. That of a console token is an hour at most.
//! 3. A session token needs a user. Its connection is a handle, and its permissions exist. A console token has none of them.
//! 4. A request of another shape, or with an unknown or repeated key, is BAD_REQUEST.
//! 5. No token is created that would not be accepted.
//! 6. With CONSOLE off, no console token is created, and none is accepted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{KEY, SESSION, index};
use ofauth_edge::core::gateway::{
    Authenticator, Caller, Credentials, DEFAULT_LIFETIME, EdgeError, MAX_SUBJECT, Session, SessionRequest,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: i64 = 1_760_000_000;

fn authenticator() -> Authenticator {
    Authenticator::new(vec![KEY.to_owned()], vec![SESSION.to_owned()])
}

fn mint(request: &Value) -> Result<(String, i64), EdgeError> {
    authenticator().mint(SessionRequest::parse(request.to_string().as_bytes())?, NOW)
}

fn refused(request: &Value) -> bool {
    mint(request).is_err_and(|error| error.code() == "BAD_REQUEST")
}

fn opens(token: &str, now: i64) -> Result<Caller, EdgeError> {
    authenticator()
        .authenticate(Credentials { apikey: Some(token), ..Credentials::default() }, now)
        .map(|identity| identity.caller)
}

fn session(client_reference_id: &str, permissions: &[&str], connection: Option<&str>, exp: i64) -> Caller {
    Caller::Session(Session {
        client_reference_id: client_reference_id.to_owned(),
        permissions: permissions.iter().map(|&permission| permission.to_owned()).collect(),
        connection: connection.map(str::to_owned),
        expires_at: exp * 1000,
    })
}

#[test]
fn a_created_token_grants_what_was_requested() {
    let handle = index().handle("conn_1");
    let request = json!({ "clientReferenceId": "user é \"1\"", "permissions": ["posts:read", "access:any"], "connection": handle });
    let (token, exp) = mint(&request).unwrap();
    assert_eq!(exp, NOW + DEFAULT_LIFETIME);
    let expected = session("user é \"1\"", &["posts:read", "access:any"], Some(&handle), exp);
    assert_eq!(opens(&token, NOW), Ok(expected.clone()));
    assert_eq!(opens(&token, exp - 1), Ok(expected));
    assert_eq!(opens(&token, exp), Err(EdgeError::TokenExpired));
}

#[test]
fn a_lifetime_is_60_to_86400_seconds_and_3600_by_default() {
    let life = |request: &Value| mint(request).unwrap().1 - NOW;
    assert_eq!(life(&json!({ "clientReferenceId": "u" })), 3_600);
    assert_eq!(life(&json!({ "clientReferenceId": "u", "expiresIn": null })), 3_600);
    for seconds in [60, 61, 3_600, 86_400] {
        let request = json!({ "clientReferenceId": "u", "expiresIn": seconds });
        assert_eq!(life(&request), seconds);
        let (token, exp) = mint(&request).unwrap();
        assert_eq!(opens(&token, exp - 1), Ok(session("u", &[], None, exp)));
    }
    for bad in [json!(59), json!(86_401), json!(0), json!(-60), json!("60"), json!(60.0), json!(i64::MAX), json!(true)]
    {
        assert!(refused(&json!({ "clientReferenceId": "u", "expiresIn": bad })), "{bad}");
        assert!(refused(&json!({ "console": true, "expiresIn": bad })), "{bad}");
    }
}

#[test]
fn a_console_token_is_valid_for_an_hour_at_most() {
    for (seconds, life) in [(60, 60), (3_600, 3_600), (3_601, 3_600), (86_400, 3_600)] {
        let (token, exp) = mint(&json!({ "console": true, "expiresIn": seconds })).unwrap();
        assert_eq!(exp, NOW + life);
        assert_eq!(opens(&token, exp - 1), Ok(Caller::Console));
        assert_eq!(opens(&token, exp), Err(EdgeError::TokenExpired));
    }
    assert_eq!(mint(&json!({ "console": true })).unwrap().1, NOW + DEFAULT_LIFETIME);
}

#[test]
fn a_request_for_a_console_token_has_only_a_lifetime() {
    for key in ["clientReferenceId", "permissions", "connection"] {
        let value = if key == "permissions" { json!([]) } else { json!(index().handle("conn_1")) };
        assert!(refused(&json!({ "console": true, key: value })), "{key}");
    }
}

#[test]
fn with_console_off_no_console_token_is_created_or_accepted() {
    let request = |request: &[u8]| SessionRequest::parse(request).unwrap();
    let (token, _) = mint(&json!({ "console": true })).unwrap();
    let off = authenticator().with_console(false);
    let refused = off.mint(request(br#"{"console":true}"#), NOW).unwrap_err();
    assert_eq!(refused.code(), "BAD_REQUEST");
    assert!(off.mint(request(br#"{"clientReferenceId":"u","console":false}"#), NOW).is_ok());
    let opens = |credential| off.authenticate(Credentials { apikey: Some(credential), ..Credentials::default() }, NOW);
    assert_eq!(opens(&token).err().map(EdgeError::code), Some("CREDENTIALS_INVALID"));
    let (token, _) = mint(&json!({ "clientReferenceId": "u" })).unwrap();
    assert!(opens(&token).is_ok());
    assert!(opens(KEY).is_ok());
}

#[test]
fn a_session_token_needs_a_client_reference_id() {
    for bad in [json!({}), json!({ "console": false }), json!({ "clientReferenceId": null })] {
        assert!(refused(&bad), "{bad}");
    }
    for bad in [json!(""), json!("x".repeat(MAX_SUBJECT + 1)), json!("é".repeat(129)), json!(1), json!(["u"])] {
        assert!(refused(&json!({ "clientReferenceId": bad })), "{bad}");
    }
    assert!(mint(&json!({ "clientReferenceId": "x".repeat(256), "console": false })).is_ok());
}

#[test]
fn a_connection_is_named_only_by_handle() {
    let handle = index().handle("conn_1");
    for bad in ["conn_1", "", "acct_1", &handle.to_uppercase(), &handle[..36], &format!("{handle}0")] {
        assert!(refused(&json!({ "clientReferenceId": "u", "connection": bad })), "{bad}");
    }
}

#[test]
fn permissions_are_a_list_of_texts() {
    for bad in [json!("a"), json!([1]), json!([null]), json!({}), json!([["a"]])] {
        assert!(refused(&json!({ "clientReferenceId": "u", "permissions": bad })), "{bad}");
    }
}

const KNOWN: [&str; 6] =
    ["profile:read", "stories:read", "earnings:read", "access:any", "connections:write", "connections:link"];

#[test]
fn a_permission_that_does_not_exist_is_refused_with_its_index() {
    assert!(mint(&json!({ "clientReferenceId": "u", "permissions": KNOWN })).is_ok());
    for bad in ["", "profile", "profile:reed", "Profile:read", "profile:read ", "*", "access:*", "connections:read"] {
        let refused = mint(&json!({ "clientReferenceId": "u", "permissions": ["posts:read", bad, "x"] })).unwrap_err();
        assert_eq!((refused.code(), refused.status()), ("BAD_REQUEST", 400), "{bad:?}");
        assert!(refused.to_string().contains("permissions[1]"), "{refused}");
    }
}

#[test]
fn an_unknown_or_repeated_key_is_refused() {
    assert!(refused(&json!({ "clientReferenceId": "u", "expires_in": 60 })));
    assert!(refused(&json!({ "clientReferenceId": "u", "permission": ["a"] })));
    let twice: &[u8] = br#"{"clientReferenceId":"u","clientReferenceId":"v"}"#;
    assert_eq!(SessionRequest::parse(twice).unwrap_err().code(), "BAD_REQUEST");
}

#[test]
fn a_request_is_an_object() {
    for bad in ["", "null", "1", "\"u\"", "[]", "{", "{}x", r#"["u",["a"],null,null,null]"#] {
        assert_eq!(SessionRequest::parse(bad.as_bytes()).map_err(EdgeError::code), Err("BAD_REQUEST"), "{bad}");
    }
}

#[test]
fn a_token_that_would_be_too_long_is_not_created() {
    let permissions = vec!["promotions:write"; 700];
    let minted = mint(&json!({ "clientReferenceId": "u", "permissions": permissions }));
    assert_eq!(minted.map(|(token, _)| token.len()).map_err(EdgeError::code), Err("BAD_REQUEST"));
}

proptest! {
    #[test]
    fn any_valid_request_makes_a_token_that_grants_it(
        user in "\\PC{1,64}",
        permissions in prop::collection::vec(prop::sample::select(KNOWN.to_vec()), 0..20),
        bound: Option<String>,
        life in 60_i64..=86_400,
    ) {
        let connection = bound.map(|id| index().handle(&id));
        let request = json!({
            "clientReferenceId": user, "permissions": permissions, "connection": connection, "expiresIn": life,
        });
        let (token, exp) = mint(&request).unwrap();
        prop_assert_eq!(exp, NOW + life);
        prop_assert_eq!(opens(&token, NOW), Ok(session(&user, &permissions, connection.as_deref(), exp)));
    }

    #[test]
    fn no_body_makes_the_reader_panic(body: Vec<u8>) {
        let _ = SessionRequest::parse(&body).is_ok();
    }
}
