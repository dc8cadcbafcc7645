//! Who is calling, and what for.
//!
//! - A *gateway key* is for servers and opens everything.
//! - A *session token* is for browsers: one user, some permissions, a short life. It is a JWT (RFC 7519) under
//!   SESSION_SECRET, signed with HS256, that any backend can mint with any library.
//! - A *console token* is one for people who look after the gateway: it opens `/edge/*` and sees handles only.
//!
//! A credential comes as `Authorization: Bearer …` or as `apikey: …`; where Authorization is present it alone counts.
//! Keys are compared through a MAC, so the time it takes says nothing of their content.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac, digest::CtOutput};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use sha2::Sha256;

use super::error::EdgeError;
use crate::core::{
    connection::Record,
    id::is_handle,
    json::{Object, present},
    storage::{BlindIndex, StoredBody},
};

/// The shortest gateway key or session secret, in characters.
pub const MIN_KEY_CHARS: usize = 32;
/// The longest token, in bytes.
pub const MAX_TOKEN: usize = 8192;
/// The longest life of a session, in seconds.
pub const MAX_LIFE: i64 = 86_400;
/// The shortest life that the gateway mints, in seconds.
pub const MIN_LIFE: i64 = 60;
/// The life of a session that asks for none, and the longest of a console token, in seconds.
pub const DEFAULT_LIFE: i64 = 3_600;
/// The longest clientReferenceId of a session, in bytes.
pub const MAX_SUBJECT: usize = 256;

/// How far ahead of our clock a token may have been issued, in seconds.
const LEEWAY: i64 = 60;
const AUDIENCE: &str = "ofauth-edge";
const CONSOLE_AUDIENCE: &str = "ofauth-edge-console";
/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A server of the integrator's.
    Gateway,
    /// A user's browser.
    Session(Session),
    /// Somebody who looks after the gateway.
    Console,
}

/// What a session token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The integrator's own user id.
    pub client_reference_id: String,
    /// OFAuth's permissions, and the gateway's own.
    pub permissions: Vec<String>,
    /// The only connection it is for, by handle.
    pub connection: Option<String>,
}

/// Opens credentials and mints tokens. Cannot be printed.
pub struct Authenticator {
    gateway_keys: Vec<String>,
    session_secrets: Vec<String>,
}

/// The credential headers as received, and what tells where the call comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Credentials<'a> {
    /// `Authorization`.
    pub authorization: Option<&'a str>,
    /// `apikey`.
    pub apikey: Option<&'a str>,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// The gateway's own origin.
    pub own_origin: &'a str,
}

/// A wish for a token: the body of `POST /edge/sessions`.
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
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    iat: i64,
    exp: i64,
    #[serde(default, deserialize_with = "present", skip_serializing)]
    nbf: Option<i64>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    permissions: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    aud: Option<Audience>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Caller {
    /// The record as this caller may see it: OFAuth's id is for servers, all others see the handle in its place.
    pub fn view(&self, record: Record) -> Record {
        match self {
            Self::Gateway => record,
            Self::Session(_) | Self::Console => Record { id: record.handle.clone(), ..record },
        }
    }

    /// The body as this caller may see it: only servers see connection ids.
    pub fn view_body(&self, body: StoredBody, index: &BlindIndex) -> StoredBody {
        match self {
            Self::Gateway => body,
            Self::Session(_) | Self::Console => body.without_ids(index),
        }
    }
}

impl Authenticator {
    /// Takes keys and secrets, newest first, that [`crate::config`] has judged.
    pub fn new(gateway_keys: Vec<String>, session_secrets: Vec<String>) -> Self {
        Self { gateway_keys, session_secrets }
    }

    /// Judges the credential at `now` (unix seconds): CREDENTIALS_MISSING without any, TOKEN_EXPIRED for a good token
    /// after its time, ORIGIN_DENIED for a gateway key that another site's page sends, CREDENTIALS_INVALID for all else
    /// that opens nothing.
    pub fn authenticate(&self, credentials: Credentials, now: i64) -> Result<Caller, EdgeError> {
        let credential = match (credentials.authorization, credentials.apikey) {
            (Some(authorization), _) => bearer(authorization).ok_or(EdgeError::CredentialsInvalid)?,
            (None, Some(apikey)) => apikey,
            (None, None) => return Err(EdgeError::CredentialsMissing),
        };
        if self.gateway_keys.iter().any(|key| same(key, credential)) {
            let foreign = credentials.origin.is_some_and(|origin| origin != credentials.own_origin);
            return if foreign { Err(EdgeError::OriginDenied) } else { Ok(Caller::Gateway) };
        }
        self.open(credential, now)
    }

    /// Mints the token that `wish` asks for, at `now` (unix seconds); also says when it expires.
    pub fn mint(&self, wish: SessionRequest, now: i64) -> Result<(String, i64), EdgeError> {
        let claims = wish.claims(now)?;
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).unwrap_or_default());
        let signed = format!("{HEADER}.{payload}");
        let secret = self.session_secrets.first().ok_or(EdgeError::NotConfigured)?;
        let mac = URL_SAFE_NO_PAD.encode(mac(secret, signed.as_bytes()).into_bytes());
        let token = format!("{signed}.{mac}");
        if token.len() > MAX_TOKEN {
            return Err(EdgeError::BadRequest("the token would be over 8192 bytes"));
        }
        Ok((token, claims.exp))
    }

    fn open(&self, token: &str, now: i64) -> Result<Caller, EdgeError> {
        let claims = self.read(token).ok_or(EdgeError::CredentialsInvalid)?;
        let caller = claims.caller(now).ok_or(EdgeError::CredentialsInvalid)?;
        if now < claims.exp { Ok(caller) } else { Err(EdgeError::TokenExpired) }
    }

    /// The claims, if the token is one that a secret of ours signed with HS256.
    fn read(&self, token: &str) -> Option<Claims> {
        let (signed, mac) = token.rsplit_once('.').filter(|_| token.len() <= MAX_TOKEN)?;
        let (header, payload) = signed.split_once('.')?;
        let mac: [u8; 32] = URL_SAFE_NO_PAD.decode(mac).ok()?.try_into().ok()?;
        let claimed = CtOutput::new(mac.into());
        self.session_secrets.iter().find(|secret| self::mac(secret, signed.as_bytes()) == claimed)?;
        let Object(header) = read_part::<JoseHeader>(header)?;
        let plain = header.alg == "HS256" && header.crit.is_none();
        read_part(payload).map(|Object(claims)| claims).filter(|_| plain)
    }
}

impl SessionRequest {
    /// Reads the body.
    pub fn parse(body: &[u8]) -> Result<Self, EdgeError> {
        serde_json::from_slice(body).map(|Object(wish)| wish).map_err(|_| {
            EdgeError::BadRequest("send {clientReferenceId, permissions?, connection?, expiresIn?} or {console: true}")
        })
    }

    fn claims(self, now: i64) -> Result<Claims, EdgeError> {
        let life = self.expires_in.unwrap_or(DEFAULT_LIFE);
        if !(MIN_LIFE..=MAX_LIFE).contains(&life) {
            return Err(EdgeError::BadRequest("expiresIn is 60 to 86400 seconds"));
        }
        if self.connection.as_deref().is_some_and(|connection| !is_handle(connection)) {
            return Err(EdgeError::BadRequest("connection is a handle"));
        }
        match (self.console, self.client_reference_id) {
            (Some(true), None) if self.permissions.is_none() && self.connection.is_none() => Ok(Claims {
                sub: "console".to_owned(),
                iat: now,
                exp: now + life.min(DEFAULT_LIFE),
                nbf: None,
                permissions: None,
                connection: None,
                aud: Some(Audience::One(CONSOLE_AUDIENCE.to_owned())),
            }),
            (None | Some(false), Some(sub)) if is_subject(&sub) => Ok(Claims {
                sub,
                iat: now,
                exp: now + life,
                nbf: None,
                permissions: self.permissions,
                connection: self.connection,
                aud: Some(Audience::One(AUDIENCE.to_owned())),
            }),
            (None | Some(false), _) => Err(EdgeError::BadRequest("clientReferenceId has 1 to 256 bytes")),
            _ => Err(EdgeError::BadRequest("a console token takes nothing but expiresIn")),
        }
    }
}

impl Claims {
    /// Who they make of the caller, if they are all as they must be; whether they have expired is not judged here.
    fn caller(&self, now: i64) -> Option<Caller> {
        let console = matches!(&self.aud, Some(Audience::One(aud)) if aud == CONSOLE_AUDIENCE);
        let ours = match &self.aud {
            None => true,
            Some(Audience::One(aud)) => aud == AUDIENCE || console,
            Some(Audience::Many(auds)) => auds.iter().any(|aud| aud == AUDIENCE),
        };
        let longest = if console { DEFAULT_LIFE } else { MAX_LIFE };
        let begun = self.iat.max(self.nbf.unwrap_or(i64::MIN)) <= now.saturating_add(LEEWAY);
        let timely = begun && self.exp <= self.iat.saturating_add(longest);
        let named = is_subject(&self.sub) && self.connection.as_deref().is_none_or(is_handle);
        (ours && timely && named).then(|| {
            if console {
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
    /// PERMISSION_DENIED unless the token grants it.
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

/// Compares MACs of the two, so that the time it takes says nothing of either. They are the message: as HMAC's key, one
/// with a NUL at its end would be the same.
fn same(key: &str, credential: &str) -> bool {
    mac("gateway key", key.as_bytes()) == mac("gateway key", credential.as_bytes())
}

fn mac(key: &str, message: &[u8]) -> CtOutput<Hmac<Sha256>> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    Hmac::new_from_slice(key.as_bytes()).expect("any key length").chain_update(message).finalize()
}

fn read_part<T: DeserializeOwned>(part: &str) -> Option<Object<T>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
