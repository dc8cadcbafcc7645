//! Session tokens and console tokens: verifies one ([`verify`]) and creates one ([`sign`]).
//!
//! A token is a JWT (RFC 7519), signed with HS256 (RFC 7518, section 3.2) under `SESSION_SECRET`, so any backend can
//! create one with any JWT library. Its claims:
//!
//! ```json
//! {"sub": "user_1", "iat": 1705314600, "exp": 1705318200, "permissions": ["profile:read"], "aud": "ofauth-edge"}
//! ```
//!
//! | claim | rule |
//! |---|---|
//! | `sub` | the `clientReferenceId` of the user, 1 to 256 bytes |
//! | `iat`, `exp` | unix seconds: `iat` ≤ now + 60, and now < `exp` ≤ `iat` + 86,400 (a console token: + 3,600) |
//! | `nbf` | optional: `nbf` ≤ now + 60 |
//! | `permissions` | optional: a list of texts; without it the token grants no permission |
//! | `connection` | optional: a handle; the token is for this connection only |
//! | `aud` | optional: `ofauth-edge`, or a list that has it; in a console token `ofauth-edge-console` |
//!
//! A time may have a fraction or an exponent (RFC 7519, section 2). It is read to the millisecond.
//!
//! No crate for JWTs is used, because each of them adds more than 15 KB to the gzipped Worker, and none judges all rules
//! above. Measured with only the check of the signature left to the crate:
//!
//! - `jwt-compact` 0.8 adds 23.6 KB. It brings its own reader of JSON and older versions of the crates for SHA-256 and
//!   HMAC.
//! - `jsonwebtoken` 10.4 with `rust_crypto` adds 182 KB, because it links RSA and elliptic curves. It builds for wasm only
//!   with a feature of `getrandom` that it does not set, and takes a header with `"crit": null`.

use ct_codecs::Base64UrlSafeNoPadding;
use hmac::{Hmac, digest::CtOutput};
use serde::Serialize;
use sha2::Sha256;

use super::error::EdgeError;
use crate::core::{
    base64,
    id::is_handle,
    json::{Field, Members, decode_string, decode_strings, is_number, read},
    webhook::hmac_sha256,
};

/// The longest token, in bytes.
pub const MAX_TOKEN: usize = 8192;
/// The longest lifetime of a session token, in seconds.
pub const MAX_LIFETIME: i64 = 86_400;
/// The longest lifetime of a console token, in seconds.
pub(super) const MAX_CONSOLE_LIFETIME: i64 = 3_600;
/// The longest `clientReferenceId` in a token, in bytes.
pub const MAX_SUBJECT: usize = 256;

/// The audience of a session token.
pub(super) const GATEWAY: &str = "ofauth-edge";
/// The audience of a console token. A token for several audiences is not one.
pub(super) const CONSOLE: &str = "ofauth-edge-console";

/// How far `iat` and `nbf` may be in the future, in ms, because clocks differ.
const LEEWAY: i64 = 60_000;
/// The header of every token that the gateway creates: `{"alg":"HS256","typ":"JWT"}` in base64url.
const JWT_HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// The claims of a token to create. Times are in unix seconds.
#[derive(Serialize)]
pub(super) struct Claims {
    pub sub: String,
    pub iat: i64,
    pub exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    pub aud: &'static str,
}

/// What a valid token says.
pub(super) struct VerifiedToken {
    pub is_console: bool,
    pub subject: String,
    pub permissions: Vec<String>,
    pub connection: Option<String>,
    /// In unix ms.
    pub expires_at: i64,
}

/// Creates a token.
pub(super) fn sign(claims: &Claims, secret: &str) -> String {
    let payload = base64::encode::<Base64UrlSafeNoPadding>(&serde_json::to_vec(claims).unwrap_or_default());
    let signed = format!("{JWT_HEADER}.{payload}");
    let signature = base64::encode::<Base64UrlSafeNoPadding>(&hmac_sha256(secret.as_bytes(), &[signed.as_bytes()]));
    format!("{signed}.{signature}")
}

/// Whether a credential has the form of a token: three parts, joined by dots.
pub(super) fn is_token(credential: &str) -> bool {
    credential.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// Verifies a token that one of `secrets` signed. `now` is in unix seconds.
///
/// Returns [`TokenInvalid`](EdgeError::TokenInvalid) with the first rule that the token breaks, and
/// [`TokenExpired`](EdgeError::TokenExpired) if it keeps all rules but has expired. What a token says is judged after
/// its signature, so a reason tells nothing to somebody who has no secret.
pub(super) fn verify(token: &str, secrets: &[String], now: i64) -> Result<VerifiedToken, EdgeError> {
    let now = now.saturating_mul(1000);
    let (header, payload) = verify_signature(token, secrets).ok_or(EdgeError::TokenInvalid(
        "the token is longer than 8192 bytes, or none of the gateway's session secrets has signed it",
    ))?;
    let [algorithm, critical, ..] = read_part(&header, &HEADER)?;
    // RFC 7515, section 4.1.11: a token with an extension that is not understood must be refused.
    if algorithm.and_then(decode_string).as_deref() != Some("HS256") || critical.is_some() {
        return Err(EdgeError::TokenInvalid("the token's header must have the alg HS256 and no crit"));
    }
    let [sub, iat, exp, nbf, permissions, connection, aud] = read_part(&payload, &CLAIMS)?;
    let subject = sub.and_then(decode_string).filter(|sub| (1..=MAX_SUBJECT).contains(&sub.len()));
    let subject = subject.ok_or(EdgeError::TokenInvalid("the token's sub must be a text of 1 to 256 bytes"))?;
    let is_console = is_for_console(aud)?;
    let expires_at = check_times([iat, exp, nbf], is_console, now)?;
    let permissions = permissions.map_or(Some(Vec::new()), decode_strings);
    let permissions = permissions.ok_or(EdgeError::TokenInvalid("the token's permissions must be a list of texts"))?;
    let handle = connection.and_then(decode_string).filter(|connection| is_handle(connection));
    if connection.is_some() && handle.is_none() {
        return Err(EdgeError::TokenInvalid("the token's connection must be a handle"));
    }
    if expires_at <= now {
        return Err(EdgeError::TokenExpired);
    }
    let (subject, connection) = (subject.into_owned(), handle.map(Into::into));
    Ok(VerifiedToken { is_console, subject, permissions, connection, expires_at })
}

/// The MAC of a message, which is compared in constant time.
pub(super) fn mac(key: &str, message: &[u8]) -> CtOutput<Hmac<Sha256>> {
    CtOutput::new(hmac_sha256(key.as_bytes(), &[message]).into())
}

/// How many members are read of a part of a token.
const MEMBERS: usize = 7;
/// The members of a token's header.
const HEADER: [Field; 2] = [Field::leaf("alg", 0), Field::leaf("crit", 1)];
/// The members of a token's payload.
const CLAIMS: [Field; MEMBERS] = [
    Field::leaf("sub", 0),
    Field::leaf("iat", 1),
    Field::leaf("exp", 2),
    Field::leaf("nbf", 3),
    Field::leaf("permissions", 4),
    Field::leaf("connection", 5),
    Field::leaf("aud", 6),
];

/// Header and payload of a token, decoded, if one of the session secrets signed it with HS256.
fn verify_signature(token: &str, secrets: &[String]) -> Option<(String, String)> {
    let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= MAX_TOKEN)?;
    let (header, payload) = signed.split_once('.')?;
    let signature: [u8; 32] = base64::decode::<Base64UrlSafeNoPadding>(signature)?.try_into().ok()?;
    let signature = CtOutput::new(signature.into());
    secrets.iter().find(|secret| mac(secret, signed.as_bytes()) == signature)?;
    Some((decode_part(header)?, decode_part(payload)?))
}

fn decode_part(part: &str) -> Option<String> {
    String::from_utf8(base64::decode::<Base64UrlSafeNoPadding>(part)?).ok()
}

/// The wanted members of a header or payload, each as it is written. What the token does not have is `None`.
fn read_part<'a>(part: &'a str, fields: &'static [Field]) -> Result<[Option<&'a str>; MEMBERS], EdgeError> {
    let members: Option<Members<MEMBERS>> = read(part, &Field { name: "", slot: MEMBERS, inner: fields });
    let members = members.filter(|members| members.duplicates == 0);
    members.map(|members| members.values).ok_or(EdgeError::TokenInvalid(
        "the token's header and payload must be JSON objects in which no member that counts occurs twice",
    ))
}

/// Whether a token is for the console, by its `aud`. An error if it is neither for the console nor for the gateway.
fn is_for_console(aud: Option<&str>) -> Result<bool, EdgeError> {
    let Some(aud) = aud else { return Ok(false) };
    let names =
        decode_string(aud).map(|name| vec![name.into_owned()]).or_else(|| decode_strings(aud)).unwrap_or_default();
    let is_console = aud.starts_with('"') && names.iter().any(|name| name == CONSOLE);
    if is_console || names.iter().any(|name| name == GATEWAY) {
        return Ok(is_console);
    }
    Err(EdgeError::TokenInvalid("the token's aud must be ofauth-edge, or a list that has it"))
}

/// Checks `iat`, `exp` and `nbf`, and returns when the token expires, in unix ms. That may be in the past.
fn check_times(times: [Option<&str>; 3], is_console: bool, now: i64) -> Result<i64, EdgeError> {
    let [iat, exp, nbf] = times.map(|time| time.map(millis));
    let (Some(Some(iat)), Some(Some(exp)), Some(nbf)) = (iat, exp, nbf.unwrap_or(Some(i64::MIN))) else {
        return Err(EdgeError::TokenInvalid(
            "the token's iat and exp, and nbf if it has one, must be numbers of seconds",
        ));
    };
    if iat.max(nbf) > now.saturating_add(LEEWAY) {
        return Err(EdgeError::TokenInvalid("the token's iat or nbf is more than 60 s in the future"));
    }
    let lifetime = if is_console { MAX_CONSOLE_LIFETIME } else { MAX_LIFETIME };
    if exp > iat.saturating_add(lifetime * 1000) {
        return Err(EdgeError::TokenInvalid(
            "the token's exp must be at most 86400 s after iat, and that of a console token at most 3600 s",
        ));
    }
    Ok(exp)
}

/// The milliseconds in a JSON number of seconds, rounded towards zero. A number that no i64 can hold becomes the nearest
/// one that does. `None` if `number` is not a number, or if its exponent does not fit an i32.
///
/// It reads the digits, because a floating-point number would cost the Worker more bytes.
fn millis(number: &str) -> Option<i64> {
    let (sign, amount) = number.strip_prefix('-').map_or((1, number), |amount| (-1, amount));
    let (digits, exponent) = amount.split_once(['e', 'E']).unwrap_or((amount, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let exponent: i32 = exponent.parse().ok().filter(|_| is_number(number))?;
    // How many digits the milliseconds have. After all that are written, 19 zeros fill any i64.
    let count = i64::try_from(whole.len()).ok()?.saturating_add(i64::from(exponent)).saturating_add(3);
    let count = usize::try_from(count).unwrap_or_default().min(digits.len() + 19);
    let written = whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat(b'0'));
    Some(written.take(count).fold(0_i64, |value, digit| {
        value.saturating_mul(10).saturating_add(sign * i64::from(digit.wrapping_sub(b'0')))
    }))
}
