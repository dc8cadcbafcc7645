//! Session tokens for tests, made without the code under test: HS256 and nothing else.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use ofauth_edge::core::gateway::{Authenticator, Caller, Credentials, EdgeError, Session};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{KEY, SESSION};

/// When every token here is issued and verified, in unix seconds.
pub const NOW: i64 = 1_760_000_000;
/// The secret before [`SESSION`], still listed.
pub const OLD: &str = "old-session-secret-0123456789-0123456789";
pub const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// The caller that a token authenticates, or the error. The time when it expires is left out: see [`expires_at`]. So is the
/// reason of [`INVALID`]: see [`authenticate_with_reason`].
pub fn authenticate(token: &str, now: i64) -> Result<Caller, EdgeError> {
    let caller = authenticate_with_reason(token, now);
    let caller = caller.map_err(|error| if error.code() == "CREDENTIALS_INVALID" { INVALID_ERROR } else { error })?;
    Ok(match caller {
        Caller::Session(session) => Caller::Session(Session { expires_at: 0, ..session }),
        other => other,
    })
}

/// When a session token with these times expires, in unix ms.
pub fn expires_at(payload: &str) -> Option<i64> {
    match authenticate_with_reason(&sign(HEADER, payload, SESSION), NOW) {
        Ok(Caller::Session(session)) => Some(session.expires_at),
        _ => None,
    }
}

/// The caller that a token authenticates, or the error with its reason.
pub fn authenticate_with_reason(token: &str, now: i64) -> Result<Caller, EdgeError> {
    let authenticator = Authenticator::new(vec![KEY.to_owned()], vec![SESSION.to_owned(), OLD.to_owned()]);
    authenticator
        .authenticate(Credentials { apikey: Some(token), ..Credentials::default() }, now)
        .map(|identity| identity.caller)
}

pub fn sign(header: &str, payload: &str, secret: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&signed).finalize().into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
}

/// Claims that are all right, with these instead; null takes one away.
pub fn claims(changes: Value) -> Value {
    let mut claims = json!({ "sub": "user_1", "iat": NOW, "exp": NOW + 3_600 });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| *value != Value::Null);
    claims
}

/// The caller that a token with these changes of its claims authenticates, or the error.
pub fn authenticate_claims(changes: Value) -> Result<Caller, EdgeError> {
    authenticate(&sign(HEADER, &claims(changes).to_string(), SESSION), NOW)
}

/// The caller that a token with this payload authenticates, or the error.
pub fn authenticate_payload(payload: &str) -> Result<Caller, EdgeError> {
    authenticate(&sign(HEADER, payload, SESSION), NOW)
}

#[expect(clippy::unnecessary_wraps, reason = "it stands for a verdict")]
pub fn user(permissions: &[&str]) -> Result<Caller, EdgeError> {
    Ok(Caller::Session(Session {
        client_reference_id: "user_1".to_owned(),
        permissions: permissions.iter().map(|&permission| permission.to_owned()).collect(),
        connection: None,
        expires_at: 0,
    }))
}

const INVALID_ERROR: EdgeError = EdgeError::CredentialsInvalid;
pub const INVALID: Result<Caller, EdgeError> = Err(INVALID_ERROR);
pub const EXPIRED: Result<Caller, EdgeError> = Err(EdgeError::TokenExpired);
