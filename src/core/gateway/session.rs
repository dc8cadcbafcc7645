//! Checks credentials ([`Authenticator::authenticate`]) and creates session tokens ([`Authenticator::mint`]).
//!
//! There are three kinds of credentials:
//!
//! - A *gateway key* is for servers of the app. It permits every call.
//! - A *session token* is for browsers. It permits some calls on the connections of one user, for a short time.
//! - A *console token* is for the operators of the gateway. It permits calls of `/edge/*`, but not creating tokens or
//!   deleting users, and it shows handles in place of connection ids.
//!
//! A call sends its credential as `Authorization: Bearer …` or as `apikey: …`. If it sends both, only `Authorization`
//! counts.
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

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac, digest::CtOutput};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use sha2::Sha256;

use super::{audience::Audience, error::EdgeError};
use crate::core::{
    connection::Record,
    id::is_handle,
    json::{self, some_if_present},
    storage::{BlindIndex, StoredBody},
};

/// The shortest gateway key or session secret, in characters.
pub const MIN_KEY_CHARS: usize = 32;
/// The longest token, in bytes.
pub const MAX_TOKEN: usize = 8192;
/// The longest lifetime of a session token, in seconds.
pub const MAX_LIFETIME: i64 = 86_400;
/// The shortest lifetime of a token that the gateway creates, in seconds.
pub const MIN_LIFETIME: i64 = 60;
/// The lifetime of a token whose request names none, and the longest lifetime of a console token, in seconds.
pub const DEFAULT_LIFETIME: i64 = 3_600;
/// The longest `clientReferenceId` in a token, in bytes.
pub const MAX_SUBJECT: usize = 256;

/// How far `iat` and `nbf` may be in the future, in seconds, because clocks differ.
const LEEWAY: i64 = 60;
/// The header of every token that the gateway creates: `{"alg":"HS256","typ":"JWT"}` in base64url.
const JWT_HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A server of the app, with a gateway key.
    Server,
    /// A user's browser, with a session token.
    Session(Session),
    /// An operator of the gateway, with a console token.
    Console,
}

/// What a session token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The app's own id of the user.
    pub client_reference_id: String,
    /// Permissions of OFAuth, and the gateway's own: `connections:link`, `connections:write`, `access:any`.
    pub permissions: Vec<String>,
    /// The handle of the only connection that the token is for. `None` for all connections of the user.
    pub connection: Option<String>,
}

/// Checks credentials and creates tokens. Its `Debug` shows none of its secrets.
pub struct Authenticator {
    gateway_keys: Vec<String>,
    session_secrets: Vec<String>,
}

/// The headers of a call that [`Authenticator::authenticate`] needs, as received.
#[derive(Clone, Copy, Debug, Default)]
pub struct Credentials<'a> {
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `apikey`.
    pub apikey: Option<&'a str>,
    /// The header `Origin`: a browser sends the origin of the page that makes the call.
    pub origin: Option<&'a str>,
    /// The gateway's own origin, to which the call was sent.
    pub own_origin: &'a str,
}

/// The body of `POST /edge/sessions`: a request for a session token or for a console token.
///
/// ```json
/// {"clientReferenceId": "user_1", "permissions": ["profile:read"], "connection": "acct_…", "expiresIn": 3600}
/// {"console": true, "expiresIn": 600}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionRequest {
    client_reference_id: Option<String>,
    permissions: Option<Vec<String>>,
    connection: Option<String>,
    expires_in: Option<i64>,
    console: Option<bool>,
}

#[derive(Deserialize)]
struct JoseHeader {
    alg: String,
    #[serde(default, deserialize_with = "some_if_present")]
    crit: Option<IgnoredAny>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    iat: i64,
    exp: i64,
    #[serde(default, deserialize_with = "some_if_present", skip_serializing)]
    nbf: Option<i64>,
    #[serde(default, deserialize_with = "some_if_present", skip_serializing_if = "Option::is_none")]
    permissions: Option<Vec<String>>,
    #[serde(default, deserialize_with = "some_if_present", skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    #[serde(default, deserialize_with = "some_if_present", skip_serializing_if = "Option::is_none")]
    aud: Option<Audience>,
}

impl Caller {
    /// The record as this caller may see it. Only a server sees OFAuth's id; the others see the handle in its place.
    pub fn view(&self, record: Record) -> Record {
        match self {
            Self::Server => record,
            Self::Session(_) | Self::Console => Record { id: record.handle.clone(), ..record },
        }
    }

    /// The stored body of a webhook as this caller may see it. Only a server sees OFAuth's connection ids.
    pub fn view_body(&self, body: StoredBody, index: &BlindIndex) -> StoredBody {
        match self {
            Self::Server => body,
            Self::Session(_) | Self::Console => body.without_ids(index),
        }
    }
}

impl Authenticator {
    /// Takes gateway keys and session secrets, newest first, that [`Config`](crate::core::config::Config) has checked.
    /// All of them are accepted; the newest session secret signs.
    pub fn new(gateway_keys: Vec<String>, session_secrets: Vec<String>) -> Self {
        Self { gateway_keys, session_secrets }
    }

    /// Finds out who is calling. `now` is in unix seconds.
    ///
    /// # Errors
    ///
    /// - [`CredentialsMissing`](EdgeError::CredentialsMissing): there is no credential.
    /// - [`TokenExpired`](EdgeError::TokenExpired): the token is valid but has expired.
    /// - [`OriginDenied`](EdgeError::OriginDenied): a page of another site sent a gateway key.
    /// - [`CredentialsInvalid`](EdgeError::CredentialsInvalid): any other credential that is not valid.
    pub fn authenticate(&self, credentials: Credentials, now: i64) -> Result<Caller, EdgeError> {
        let credential = match (credentials.authorization, credentials.apikey) {
            (Some(authorization), _) => bearer(authorization).ok_or(EdgeError::CredentialsInvalid)?,
            (None, Some(apikey)) => apikey,
            (None, None) => return Err(EdgeError::CredentialsMissing),
        };
        if self.gateway_keys.iter().any(|key| is_same_key(key, credential)) {
            let is_cross_origin = credentials.origin.is_some_and(|origin| origin != credentials.own_origin);
            return if is_cross_origin { Err(EdgeError::OriginDenied) } else { Ok(Caller::Server) };
        }
        self.verify_token(credential, now)
    }

    /// Creates the requested token and returns it with the time when it expires. `now` and that time are in unix
    /// seconds.
    ///
    /// # Errors
    ///
    /// - [`BadRequest`](EdgeError::BadRequest): the request breaks a rule, or its token would be over [`MAX_TOKEN`].
    /// - [`NotConfigured`](EdgeError::NotConfigured): there is no session secret.
    pub fn mint(&self, request: SessionRequest, now: i64) -> Result<(String, i64), EdgeError> {
        let claims = request.claims(now)?;
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).unwrap_or_default());
        let signed = format!("{JWT_HEADER}.{payload}");
        let secret = self.session_secrets.first().ok_or(EdgeError::NotConfigured)?;
        let signature = URL_SAFE_NO_PAD.encode(mac(secret, signed.as_bytes()).into_bytes());
        let token = format!("{signed}.{signature}");
        if token.len() > MAX_TOKEN {
            return Err(EdgeError::BadRequest("the token would be longer than 8192 bytes: send fewer permissions"));
        }
        Ok((token, claims.exp))
    }

    fn verify_token(&self, token: &str, now: i64) -> Result<Caller, EdgeError> {
        let claims = self.verify_signature(token).ok_or(EdgeError::CredentialsInvalid)?;
        let caller = claims.caller(now).ok_or(EdgeError::CredentialsInvalid)?;
        if now < claims.exp { Ok(caller) } else { Err(EdgeError::TokenExpired) }
    }

    /// The claims of a token, if one of the session secrets signed it with HS256. Its times are not checked here.
    fn verify_signature(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= MAX_TOKEN)?;
        let (header, payload) = signed.split_once('.')?;
        let signature: [u8; 32] = URL_SAFE_NO_PAD.decode(signature).ok()?.try_into().ok()?;
        let signature = CtOutput::new(signature.into());
        self.session_secrets.iter().find(|secret| mac(secret, signed.as_bytes()) == signature)?;
        let header: JoseHeader = parse_part(header)?;
        // RFC 7515, section 4.1.11: a token with an extension that is not understood must be refused.
        let is_supported = header.alg == "HS256" && header.crit.is_none();
        parse_part(payload).filter(|_| is_supported)
    }
}

impl SessionRequest {
    /// Reads the body. An unknown field, or a field of another type, is a [`BadRequest`](EdgeError::BadRequest).
    pub fn parse(body: &[u8]) -> Result<Self, EdgeError> {
        json::from_slice(body).map_err(|_| {
            EdgeError::BadRequest("send {clientReferenceId, permissions?, connection?, expiresIn?} or {console: true}")
        })
    }

    /// The claims of the requested token, if the request keeps the rules.
    fn claims(self, now: i64) -> Result<Claims, EdgeError> {
        let lifetime = self.expires_in.unwrap_or(DEFAULT_LIFETIME);
        if !(MIN_LIFETIME..=MAX_LIFETIME).contains(&lifetime) {
            return Err(EdgeError::BadRequest("expiresIn must be 60 to 86400 seconds"));
        }
        if self.connection.as_deref().is_some_and(|connection| !is_handle(connection)) {
            return Err(EdgeError::BadRequest("connection must be a handle"));
        }
        match (self.console, self.client_reference_id) {
            (Some(true), None) if self.permissions.is_none() && self.connection.is_none() => Ok(Claims {
                sub: "console".to_owned(),
                iat: now,
                exp: now + lifetime.min(DEFAULT_LIFETIME),
                nbf: None,
                permissions: None,
                connection: None,
                aud: Some(Audience::console()),
            }),
            (None | Some(false), Some(sub)) if is_subject(&sub) => Ok(Claims {
                sub,
                iat: now,
                exp: now + lifetime,
                nbf: None,
                permissions: self.permissions,
                connection: self.connection,
                aud: Some(Audience::gateway()),
            }),
            (None | Some(false), _) => Err(EdgeError::BadRequest("clientReferenceId must have 1 to 256 bytes")),
            _ => Err(EdgeError::BadRequest("a request for a console token may have no other field than expiresIn")),
        }
    }
}

impl Claims {
    /// The caller that these claims describe. `None` if a claim breaks its rule. An expired token is not refused here.
    fn caller(&self, now: i64) -> Option<Caller> {
        let is_console = self.aud.as_ref().is_some_and(Audience::is_console);
        let is_for_gateway = is_console || self.aud.as_ref().is_none_or(Audience::has_gateway);
        let max_lifetime = if is_console { DEFAULT_LIFETIME } else { MAX_LIFETIME };
        let has_begun = self.iat.max(self.nbf.unwrap_or(i64::MIN)) <= now.saturating_add(LEEWAY);
        let has_valid_times = has_begun && self.exp <= self.iat.saturating_add(max_lifetime);
        let has_valid_names = is_subject(&self.sub) && self.connection.as_deref().is_none_or(is_handle);
        (is_for_gateway && has_valid_times && has_valid_names).then(|| {
            if is_console {
                return Caller::Console;
            }
            Caller::Session(Session {
                client_reference_id: self.sub.clone(),
                permissions: self.permissions.clone().unwrap_or_default(),
                connection: self.connection.clone(),
            })
        })
    }
}

impl Session {
    /// Returns [`PermissionDenied`](EdgeError::PermissionDenied) unless the token grants this permission.
    pub fn require(&self, permission: &str) -> Result<(), EdgeError> {
        let granted = self.permissions.iter().any(|granted| granted == permission);
        if granted { Ok(()) } else { Err(EdgeError::PermissionDenied) }
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator")
    }
}

fn is_subject(sub: &str) -> bool {
    (1..=MAX_SUBJECT).contains(&sub.len())
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, credential) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credential.trim_ascii())
}

/// Whether the credential is this gateway key. It compares MACs of both in constant time, so an attacker learns nothing
/// from how long it takes.
///
/// Both are the message of the MAC, not its key: HMAC pads its key with zero bytes (RFC 2104, section 2), so a
/// credential with a NUL at its end would be equal to the key without it.
fn is_same_key(key: &str, credential: &str) -> bool {
    mac("gateway key", key.as_bytes()) == mac("gateway key", credential.as_bytes())
}

fn mac(key: &str, message: &[u8]) -> CtOutput<Hmac<Sha256>> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    Hmac::new_from_slice(key.as_bytes()).expect("any key length").chain_update(message).finalize()
}

/// Decodes and parses one of the parts of a token: base64url of JSON.
fn parse_part<T: DeserializeOwned>(part: &str) -> Option<T> {
    json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
