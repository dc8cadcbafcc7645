//! Minting: the tokens that `POST /edge/sessions` hands out.
//!
//! 1. What is minted opens as what was asked for, for as long as was asked for.
//! 2. A life has 60 to 86400 seconds, 3600 unless asked; a console's an hour at most.
//! 3. A session is somebody's, its connection a handle, its permissions exist; a console token takes none of them.
//! 4. A wish of another shape, or with an unknown or repeated key, is BAD_REQUEST.
//! 5. Nothing is minted that would not open.
//! 6. With CONSOLE off, no console token is minted, and none opens.
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

fn mint(wish: &Value) -> Result<(String, i64), EdgeError> {
    authenticator().mint(SessionRequest::parse(wish.to_string().as_bytes())?, NOW)
}

fn refused(wish: &Value) -> bool {
    mint(wish).is_err_and(|error| error.code() == "BAD_REQUEST")
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
fn what_is_minted_opens_as_what_was_asked_for() {
    let handle = index().handle("conn_1");
    let wish = json!({ "clientReferenceId": "user é \"1\"", "permissions": ["posts:read", "access:any"], "connection": handle });
    let (token, exp) = mint(&wish).unwrap();
    assert_eq!(exp, NOW + DEFAULT_LIFETIME);
    let expected = session("user é \"1\"", &["posts:read", "access:any"], Some(&handle), exp);
    assert_eq!(opens(&token, NOW), Ok(expected.clone()));
    assert_eq!(opens(&token, exp - 1), Ok(expected));
    assert_eq!(opens(&token, exp), Err(EdgeError::TokenExpired));
}

#[test]
fn a_life_is_60_to_86400_seconds_and_3600_unless_asked() {
    let life = |wish: &Value| mint(wish).unwrap().1 - NOW;
    assert_eq!(life(&json!({ "clientReferenceId": "u" })), 3_600);
    assert_eq!(life(&json!({ "clientReferenceId": "u", "expiresIn": null })), 3_600);
    for seconds in [60, 61, 3_600, 86_400] {
        let wish = json!({ "clientReferenceId": "u", "expiresIn": seconds });
        assert_eq!(life(&wish), seconds);
        let (token, exp) = mint(&wish).unwrap();
        assert_eq!(opens(&token, exp - 1), Ok(session("u", &[], None, exp)));
    }
    for bad in [json!(59), json!(86_401), json!(0), json!(-60), json!("60"), json!(60.0), json!(i64::MAX), json!(true)]
    {
        assert!(refused(&json!({ "clientReferenceId": "u", "expiresIn": bad })), "{bad}");
        assert!(refused(&json!({ "console": true, "expiresIn": bad })), "{bad}");
    }
}

#[test]
fn a_console_token_lives_an_hour_at_most() {
    for (seconds, life) in [(60, 60), (3_600, 3_600), (3_601, 3_600), (86_400, 3_600)] {
        let (token, exp) = mint(&json!({ "console": true, "expiresIn": seconds })).unwrap();
        assert_eq!(exp, NOW + life);
        assert_eq!(opens(&token, exp - 1), Ok(Caller::Console));
        assert_eq!(opens(&token, exp), Err(EdgeError::TokenExpired));
    }
    assert_eq!(mint(&json!({ "console": true })).unwrap().1, NOW + DEFAULT_LIFETIME);
}

#[test]
fn a_console_token_takes_nothing_but_a_life() {
    for key in ["clientReferenceId", "permissions", "connection"] {
        let value = if key == "permissions" { json!([]) } else { json!(index().handle("conn_1")) };
        assert!(refused(&json!({ "console": true, key: value })), "{key}");
    }
}

#[test]
fn without_a_console_no_token_for_it_is_minted_or_opens() {
    let wish = |wish: &[u8]| SessionRequest::parse(wish).unwrap();
    let (token, _) = mint(&json!({ "console": true })).unwrap();
    let off = authenticator().with_console(false);
    let refused = off.mint(wish(br#"{"console":true}"#), NOW).unwrap_err();
    assert_eq!(refused.code(), "BAD_REQUEST");
    assert!(off.mint(wish(br#"{"clientReferenceId":"u","console":false}"#), NOW).is_ok());
    let opens = |credential| off.authenticate(Credentials { apikey: Some(credential), ..Credentials::default() }, NOW);
    assert_eq!(opens(&token).err().map(EdgeError::code), Some("CREDENTIALS_INVALID"));
    let (token, _) = mint(&json!({ "clientReferenceId": "u" })).unwrap();
    assert!(opens(&token).is_ok());
    assert!(opens(KEY).is_ok());
}

#[test]
fn a_session_is_somebody_s() {
    for bad in [json!({}), json!({ "console": false }), json!({ "clientReferenceId": null })] {
        assert!(refused(&bad), "{bad}");
    }
    for bad in [json!(""), json!("x".repeat(MAX_SUBJECT + 1)), json!("é".repeat(129)), json!(1), json!(["u"])] {
        assert!(refused(&json!({ "clientReferenceId": bad })), "{bad}");
    }
    assert!(mint(&json!({ "clientReferenceId": "x".repeat(256), "console": false })).is_ok());
}

#[test]
fn a_connection_is_named_by_handle_alone() {
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
fn a_permission_that_does_not_exist_is_refused_by_its_place() {
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
fn a_wish_is_an_object() {
    for bad in ["", "null", "1", "\"u\"", "[]", "{", "{}x", r#"["u",["a"],null,null,null]"#] {
        assert_eq!(SessionRequest::parse(bad.as_bytes()).map_err(EdgeError::code), Err("BAD_REQUEST"), "{bad}");
    }
}

#[test]
fn no_token_is_minted_that_is_too_long_to_open() {
    let permissions = vec!["promotions:write"; 700];
    let minted = mint(&json!({ "clientReferenceId": "u", "permissions": permissions }));
    assert_eq!(minted.map(|(token, _)| token.len()).map_err(EdgeError::code), Err("BAD_REQUEST"));
}

proptest! {
    #[test]
    fn any_wish_within_bounds_makes_a_round_trip(
        user in "\\PC{1,64}",
        permissions in prop::collection::vec(prop::sample::select(KNOWN.to_vec()), 0..20),
        bound: Option<String>,
        life in 60_i64..=86_400,
    ) {
        let connection = bound.map(|id| index().handle(&id));
        let wish = json!({
            "clientReferenceId": user, "permissions": permissions, "connection": connection, "expiresIn": life,
        });
        let (token, exp) = mint(&wish).unwrap();
        prop_assert_eq!(exp, NOW + life);
        prop_assert_eq!(opens(&token, NOW), Ok(session(&user, &permissions, connection.as_deref(), exp)));
    }

    #[test]
    fn no_body_makes_the_reader_panic(body: Vec<u8>) {
        let _ = SessionRequest::parse(&body).is_ok();
    }
}
