//! Checks credentials ([`Authenticator::authenticate`]) and creates session tokens ([`Authenticator::mint`]).
//!
//! There are three kinds of credentials:
//!
//! - A *gateway key* is for servers of the app. It permits every call, or those for which it has the right: see `key.rs`.
//! - A *session token* is for browsers. It permits some calls on the connections of one user, for a short time.
//! - A *console token* is for the operators of the gateway. It permits calls of `/edge/*`, but not creating tokens or
//!   deleting users, and it shows handles in place of connection ids.
//!
//! A call sends its credential as `Authorization: Bearer …` or as `apikey: …`. If it sends both, only `Authorization`
//! counts.
//!
//! What a token must be is in `token.rs`.

use std::fmt;

use serde::Deserialize;

use super::{
    error::EdgeError,
    key::{GatewayKey, Right},
    permission,
    token::{
        self, CONSOLE, Claims, GATEWAY, MAX_CONSOLE_LIFETIME, MAX_LIFETIME, MAX_SUBJECT, MAX_TOKEN, VerifiedToken,
        is_token,
    },
};
use crate::core::{
    connection::Record,
    id::is_handle,
    json,
    storage::{BlindIndex, StoredBody},
};

/// The shortest gateway key or session secret, in characters.
pub const MIN_KEY_CHARS: usize = 32;
/// The shortest lifetime of a token that the gateway creates, in seconds.
pub const MIN_LIFETIME: i64 = 60;
/// The lifetime of a token whose request names none, in seconds.
pub const DEFAULT_LIFETIME: i64 = 3_600;
const NO_CONSOLE: &str = "there are no console tokens, because CONSOLE is off";

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
    /// When the token expires, in unix ms.
    pub expires_at: i64,
}

/// Who makes a call, and with which gateway key.
pub struct Identity<'a> {
    /// Who calls.
    pub caller: Caller,
    /// The gateway key of a [`Caller::Server`].
    pub key: Option<&'a GatewayKey>,
}

/// Checks credentials and creates tokens. Its `Debug` shows none of its secrets.
pub struct Authenticator {
    gateway_keys: Vec<GatewayKey>,
    session_secrets: Vec<String>,
    has_console: bool,
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

impl Caller {
    /// Fails with PERMISSION_DENIED unless a server calls.
    pub fn require_server(&self) -> Result<(), EdgeError> {
        if *self == Self::Server { Ok(()) } else { Err(EdgeError::PermissionDenied) }
    }

    /// Fails with PERMISSION_DENIED if a user's browser calls. Servers and the console may see the data of all users.
    pub fn refuse_session(&self) -> Result<(), EdgeError> {
        if let Self::Session(_) = self { Err(EdgeError::PermissionDenied) } else { Ok(()) }
    }

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

impl Identity<'_> {
    /// Who does what this call does, for a connection's timeline and for the log: `key:` and the key's name, `session` or
    /// `console`.
    pub fn actor(&self) -> String {
        match (self.key, &self.caller) {
            (Some(key), _) => format!("key:{}", key.name()),
            (None, Caller::Console) => "console".to_owned(),
            (None, _) => "session".to_owned(),
        }
    }

    /// Returns [`RightMissing`](EdgeError::RightMissing) if the call is made with a gateway key that lacks this right.
    pub fn require(&self, right: Right) -> Result<(), EdgeError> {
        let has_right = self.key.is_none_or(|key| key.has(right));
        if has_right { Ok(()) } else { Err(EdgeError::RightMissing(right.name())) }
    }
}

impl Authenticator {
    /// Takes the items of `GATEWAY_KEY` and the session secrets, newest first, that
    /// [`Config`](crate::core::config::Config) has checked. All of them are accepted; the newest session secret signs. An
    /// item that [`GatewayKey::parse`] cannot read is left out.
    pub fn new(gateway_keys: Vec<String>, session_secrets: Vec<String>) -> Self {
        let gateway_keys =
            (1..).zip(gateway_keys).filter_map(|(place, item)| GatewayKey::parse(&item, place)).collect();
        Self { gateway_keys, session_secrets, has_console: true }
    }

    /// With or without console tokens. Without them, none is created and none is accepted.
    #[must_use]
    pub fn with_console(self, has_console: bool) -> Self {
        Self { has_console, ..self }
    }

    /// The gateway keys, the newest first.
    pub fn keys(&self) -> &[GatewayKey] {
        &self.gateway_keys
    }

    /// Finds out who is calling. `now` is in unix seconds.
    ///
    /// # Errors
    ///
    /// - [`CredentialsMissing`](EdgeError::CredentialsMissing): there is no credential.
    /// - [`TokenExpired`](EdgeError::TokenExpired): the token is valid but has expired.
    /// - [`OriginDenied`](EdgeError::OriginDenied): a page of another site sent a gateway key.
    /// - [`TokenInvalid`](EdgeError::TokenInvalid): the token breaks another rule.
    /// - [`CredentialsInvalid`](EdgeError::CredentialsInvalid): the credential is neither a gateway key nor a token.
    pub fn authenticate(&self, credentials: Credentials, now: i64) -> Result<Identity<'_>, EdgeError> {
        let credential = match (credentials.authorization, credentials.apikey) {
            (Some(authorization), _) => bearer(authorization).ok_or(EdgeError::CredentialsInvalid)?,
            (None, Some(apikey)) => apikey,
            (None, None) => return Err(EdgeError::CredentialsMissing),
        };
        // Each key is compared, whichever it is, so the time does not tell the place of the right one.
        let same = |first: Option<_>, key| {
            Some(key).filter(|key: &&GatewayKey| key.is(credential) && first.is_none()).or(first)
        };
        if let Some(key) = self.gateway_keys.iter().fold(None, same) {
            let is_cross_origin = credentials.origin.is_some_and(|origin| origin != credentials.own_origin);
            let identity = Identity { caller: Caller::Server, key: Some(key) };
            return if is_cross_origin { Err(EdgeError::OriginDenied) } else { Ok(identity) };
        }
        if !is_token(credential) {
            return Err(EdgeError::CredentialsInvalid);
        }
        let caller = token::verify(credential, &self.session_secrets, now)?.into();
        if caller == Caller::Console && !self.has_console {
            return Err(EdgeError::TokenInvalid(NO_CONSOLE));
        }
        Ok(Identity { caller, key: None })
    }

    /// Creates the requested token and returns it with the time when it expires. `now` and that time are in unix
    /// seconds.
    ///
    /// # Errors
    ///
    /// - [`BadRequest`](EdgeError::BadRequest): the request breaks a rule, its token would be over [`MAX_TOKEN`], or it is for
    ///   the console and there are no console tokens.
    /// - [`UnknownPermission`](EdgeError::UnknownPermission): a permission does not exist. A misspelt one would open
    ///   nothing, and nobody would know why.
    /// - [`NotConfigured`](EdgeError::NotConfigured): there is no session secret.
    pub fn mint(&self, request: SessionRequest, now: i64) -> Result<(String, i64), EdgeError> {
        if request.is_console() && !self.has_console {
            return Err(EdgeError::BadRequest(NO_CONSOLE));
        }
        let claims = request.claims(now)?;
        let secret = self.session_secrets.first().ok_or(EdgeError::NotConfigured)?;
        let token = token::sign(&claims, secret);
        if token.len() > MAX_TOKEN {
            return Err(EdgeError::BadRequest("the token would be longer than 8192 bytes: send fewer permissions"));
        }
        Ok((token, claims.exp))
    }
}

impl SessionRequest {
    /// Reads the body. An unknown field, or a field of another type, is a [`BadRequest`](EdgeError::BadRequest).
    pub fn parse(body: &[u8]) -> Result<Self, EdgeError> {
        json::from_slice(body).map_err(|_| {
            EdgeError::BadRequest("send {clientReferenceId, permissions?, connection?, expiresIn?} or {console: true}")
        })
    }

    /// Whether a console token is requested.
    pub fn is_console(&self) -> bool {
        self.console == Some(true)
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
        let is_unknown = |permission: &String| !permission::exists(permission);
        if let Some(index) = self.permissions.iter().flatten().position(is_unknown) {
            return Err(EdgeError::UnknownPermission(index));
        }
        match (self.console, self.client_reference_id) {
            (Some(true), None) if self.permissions.is_none() && self.connection.is_none() => Ok(Claims {
                sub: "console".to_owned(),
                iat: now,
                exp: now + lifetime.min(MAX_CONSOLE_LIFETIME),
                permissions: None,
                connection: None,
                aud: CONSOLE,
            }),
            (None | Some(false), Some(sub)) if (1..=MAX_SUBJECT).contains(&sub.len()) => Ok(Claims {
                sub,
                iat: now,
                exp: now + lifetime,
                permissions: self.permissions,
                connection: self.connection,
                aud: GATEWAY,
            }),
            (None | Some(false), _) => Err(EdgeError::BadRequest("clientReferenceId must have 1 to 256 bytes")),
            _ => Err(EdgeError::BadRequest("a request for a console token may have no other field than expiresIn")),
        }
    }
}

impl Session {
    /// Returns [`PermissionMissing`](EdgeError::PermissionMissing) unless the token grants this permission.
    pub fn require(&self, permission: &'static str) -> Result<(), EdgeError> {
        let granted = self.permissions.iter().any(|granted| granted == permission);
        if granted { Ok(()) } else { Err(EdgeError::PermissionMissing(permission)) }
    }
}

impl From<VerifiedToken> for Caller {
    fn from(token: VerifiedToken) -> Self {
        let VerifiedToken { is_console, subject: client_reference_id, permissions, connection, expires_at } = token;
        if is_console {
            return Self::Console;
        }
        Self::Session(Session { client_reference_id, permissions, connection, expires_at })
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator")
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, credential) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credential.trim_ascii())
}
