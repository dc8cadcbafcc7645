//! The beginning of Link: the rules of `POST /v2/link/init`, and of the Link sessions that it starts.
//!
//! Link is OFAuth's hosted login, by which a user links an account or reconnects an expired one (OFAuth documentation,
//! Link; Connections API: Reconnecting Expired Connections). A Link session goes this way:
//!
//! 1. The app calls init: [`InitRequest`].
//! 2. The gateway decides which connection is reconnected, if any: [`requested_by_session`],
//!    [`connection_to_reconnect`].
//! 3. OFAuth answers with the page to which the user's browser goes: [`HostedLink`].
//! 4. Until the Link session ends, the user's hub stores it as a [`PendingLink`].
//! 5. OFAuth sends the browser back to [`CALLBACK_PATH`], and a webhook reports the connection. [`match_session`] finds
//!    the Link session of which that connection is the result.
//!
//! A server may send any body. OFAuth then sends the user's browser to the server's own page, with the connection's id in
//! its address. With `"mode": "private"` the browser returns through the gateway instead, and sees only a handle:
//! [`InitRequest::is_private`].
//!
//! A session may not send any body: its user is fixed, it names connections by handle, its browser always returns through
//! the gateway, and it never receives a client secret or an id. The way back is in `callback.rs`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    error::EdgeError,
    fields::Fields,
    origin::{AllowedOrigins, origin_of},
    session::Session,
};
use crate::core::{
    connection::{ACTIVE, EXPIRED, Record},
    instant::unix_ms,
    json::{self, Raw, decode_string},
    webhook::MAX_TEXT_BYTES,
};

/// The path on which a Link session is started, at the gateway and at OFAuth.
pub const INIT_PATH: &str = "/v2/link/init";
/// The path to which OFAuth sends the user's browser back.
pub const CALLBACK_PATH: &str = "/link/callback";
/// The longest body of an init request, in bytes.
pub const MAX_INIT_BODY: usize = 64 * 1024;
/// How many pages of OFAuth's list of connections the gateway reads at most in one look-up.
pub const MAX_PAGES: usize = 3;
/// The shortest time between two look-ups for one Link session, in ms. Anybody who knows or guesses the user's reference can
/// cause look-ups. Their pace is limited, so that they cost little. Their number is not, so that guesses take none from the
/// user.
pub const LOOK_UP_GAP: i64 = 5_000;
/// How many Link sessions of one user are stored at most. A further one replaces the oldest.
pub const MAX_PENDING: i64 = 5;

/// The longest lifetime of a Link session, in ms. It is also the lifetime if OFAuth names none.
const MAX_LIFETIME: i64 = 60 * 60 * 1000;
const NOT_AN_OBJECT: EdgeError = EdgeError::BadRequest("the body must be a JSON object: redirectUrl, connectionId, …");

/// The body of an init request.
#[derive(Debug)]
pub struct InitRequest {
    /// Each value is the JSON of the received body.
    fields: Fields,
    /// The connection that is to be reconnected, from the field `connectionId`.
    pub connection: RequestedConnection,
}

/// The `connectionId` of an init request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedConnection {
    /// It is absent: reconnect the connection that [`connection_to_reconnect`] chooses, or link a new account.
    Unspecified,
    /// It is null: link a new account.
    New,
    /// Reconnect this connection, named by handle or id.
    Named(String),
}

/// A Link session under way, as the user's hub stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLink {
    /// The page to which the user's browser goes after the callback. `None` for that of `APP_RETURN_URL`.
    pub return_url: Option<String>,
    /// OFAuth's id of the connection that is to be reconnected. `None` if a new account is to be linked.
    #[serde(rename = "asked")]
    pub requested_id: Option<String>,
    /// The handles of the connections that the user had when the Link session began.
    #[serde(rename = "had")]
    pub previous_handles: Vec<String>,
    /// The handle of the connection with which the Link session has ended. The browser may come back once more, by a reload
    /// or the back button, and gets the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked: Option<String>,
}

/// The answer to a session's init request: the page of OFAuth to which the user's browser goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostedLink {
    mode: &'static str,
    /// The URL of the page: https, or http on loopback.
    pub url: String,
    /// When the Link session ends, as OFAuth wrote it (ISO 8601).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// The Link session of which a connection is probably the result: see [`match_session`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkMatch<'a> {
    /// The Link session and its key in the hub.
    pub session: &'a (i64, PendingLink),
    /// Whether the Link session has ended with this connection. If not, it is only the most likely one.
    pub ended: bool,
    /// OFAuth's id of the connection that was to be reconnected, if another one was created in its place. OFAuth does
    /// that if it does not know the id, so the status of that connection becomes `missing`.
    pub missing: Option<&'a str>,
}

impl InitRequest {
    /// Reads the body. An empty body counts as an empty object. Returns [`BadRequest`](EdgeError::BadRequest) if the
    /// body is not a JSON object, or if its `connectionId` is neither text nor null.
    pub fn read(body: &[u8]) -> Result<Self, EdgeError> {
        let body = if body.is_empty() { b"{}" } else { body };
        let fields: Fields = json::from_slice(body).map_err(|_| NOT_AN_OBJECT)?;
        let connection = match fields.get("connectionId") {
            None => RequestedConnection::Unspecified,
            Some("null") => RequestedConnection::New,
            Some(name) => RequestedConnection::Named(
                decode_string(name)
                    .ok_or(EdgeError::BadRequest("connectionId must be a handle, a connection id, or null"))?
                    .into_owned(),
            ),
        };
        Ok(Self { fields, connection })
    }

    /// The `clientReferenceId`, if it is text of 1 to [`MAX_TEXT_BYTES`] bytes.
    pub fn client_reference_id(&self) -> Option<String> {
        self.text_field("clientReferenceId").filter(|reference| (1..=MAX_TEXT_BYTES).contains(&reference.len()))
    }

    /// The body that is forwarded to OFAuth for a server: the body as received, with `id` as its `connectionId`.
    pub fn server_body(mut self, id: Option<&str>) -> String {
        self.fields.remove("connectionId");
        self.set_field("connectionId", id);
        self.fields.to_json()
    }

    /// Whether the browser of a server's Link returns through the gateway: the body has `"mode": "private"`. OFAuth has no
    /// such mode, so no other body changes its meaning.
    pub fn is_private(&self) -> bool {
        self.text_field("mode").as_deref() == Some("private")
    }

    /// The body that is sent to OFAuth for a server's private Link: the body as received, with `id` as its `connectionId`,
    /// the gateway's own callback as its `redirectUrl`, and without the mode. `origin` is the gateway's.
    pub fn private_body(mut self, origin: &str, id: Option<&str>) -> String {
        self.fields.remove("mode");
        self.set_field("redirectUrl", Some(&format!("{origin}{CALLBACK_PATH}")));
        self.server_body(id)
    }

    /// The body that is sent to OFAuth for a session. It names the session's own user and the gateway's own callback,
    /// whose `origin` is the gateway's. Of the received body only `clientAppId` and `geolocation` are left.
    pub fn session_body(mut self, session: &Session, origin: &str, id: Option<&str>) -> String {
        self.fields.retain(|name| matches!(name, "clientAppId" | "geolocation"));
        self.set_field("clientReferenceId", Some(&session.client_reference_id));
        self.set_field("redirectUrl", Some(&format!("{origin}{CALLBACK_PATH}")));
        self.set_field("connectionId", id);
        self.fields.to_json()
    }

    /// The page to which the user's browser shall return through the gateway, from `redirectUrl`. `None` if the request
    /// names none, which means the page of `APP_RETURN_URL` (`app`).
    ///
    /// Returns [`BadRequest`](EdgeError::BadRequest) if the page is neither on an `allowed` origin nor on that of
    /// `app`, or if there is no page at all.
    pub fn return_url(&self, allowed: &AllowedOrigins, app: Option<&str>) -> Result<Option<String>, EdgeError> {
        if self.fields.get("redirectUrl").is_none_or(|url| url == "null") {
            let missing = EdgeError::BadRequest("redirectUrl is missing, and APP_RETURN_URL is not set");
            return app.map(|_| None).ok_or(missing);
        }
        let url = self.text_field("redirectUrl").filter(|url| {
            allowed.has_page(url) || origin_of(url).is_some_and(|origin| app.and_then(origin_of) == Some(origin))
        });
        let refused =
            EdgeError::BadRequest("redirectUrl must be a URL on an origin of ALLOWED_ORIGINS or APP_RETURN_URL");
        url.map(Some).ok_or(refused)
    }

    fn text_field(&self, key: &str) -> Option<String> {
        decode_string(self.fields.get(key)?).map(Cow::into_owned)
    }

    fn set_field(&mut self, key: &str, value: Option<&str>) {
        if let Some(raw) = value.and_then(|value| serde_json::to_string(value).ok()) {
            self.fields.insert(key.to_owned(), raw);
        }
    }
}

/// The connection that Link reconnects if the request names none: the user's only expired connection, if none is
/// active. `records` are all connections of the user.
pub fn connection_to_reconnect(records: &[Record]) -> Option<&Record> {
    let mut expired = records.iter().filter(|record| record.status == EXPIRED);
    let only_expired = expired.next().filter(|_| expired.next().is_none());
    only_expired.filter(|_| !records.iter().any(|record| record.status == ACTIVE))
}

/// The connection that Link reconnects for a session. `records` are all connections of its user. `None` if a new
/// account is to be linked.
///
/// # Errors
///
/// - [`ConnectionNotFound`](EdgeError::ConnectionNotFound): the named connection is not the handle of one of the user's
///   connections, is disconnected, or is not the one that the token is for.
/// - [`PermissionDenied`](EdgeError::PermissionDenied): the token is for one connection, and the request is for a new
///   one.
pub fn requested_by_session<'a>(
    requested: &RequestedConnection,
    session: &Session,
    records: &'a [Record],
) -> Result<Option<&'a Record>, EdgeError> {
    let bound = session.connection.as_deref();
    let handle = match (requested, bound) {
        (RequestedConnection::Named(name), None) => name,
        (RequestedConnection::Named(name), Some(bound)) if name == bound => name,
        (RequestedConnection::Named(_), Some(_)) => return Err(EdgeError::ConnectionNotFound),
        (RequestedConnection::Unspecified, Some(bound)) => bound,
        (RequestedConnection::New, Some(_)) => return Err(EdgeError::PermissionDenied),
        (RequestedConnection::New, None) => return Ok(None),
        (RequestedConnection::Unspecified, None) => return Ok(connection_to_reconnect(records)),
    };
    let record = records.iter().find(|record| record.handle == *handle && record.is_connected());
    record.map(Some).ok_or(EdgeError::ConnectionNotFound)
}

impl RequestedConnection {
    /// Whether the received `connectionId` is already what OFAuth must receive for `id`, so that the body can be
    /// forwarded unchanged.
    pub fn is_already(&self, id: Option<&str>) -> bool {
        match self {
            Self::Unspecified => id.is_none(),
            Self::New => false,
            Self::Named(name) => id == Some(name),
        }
    }
}

impl HostedLink {
    /// Reads OFAuth's answer to an init request. `None` if it has no page to which a browser may be sent: see
    /// [`origin_of`].
    pub fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer<'a> {
            mode: Option<String>,
            url: Option<String>,
            #[serde(borrow)]
            expires_at: Option<Raw<'a>>,
        }
        let Answer { mode, url, expires_at } = json::from_slice(body).ok()?;
        let expires_at = expires_at.and_then(|Raw(value)| decode_string(value)).map(Cow::into_owned);
        let url = url.filter(|url| mode.is_none_or(|mode| mode == "hosted") && origin_of(url).is_some())?;
        Some(Self { mode: "hosted", url, expires_at })
    }
}

/// When a Link session ends, in unix ms: at the `expiresAt` of OFAuth's answer, at the latest an hour after `now` (unix
/// ms).
pub fn expires_at(body: &[u8], now: i64) -> i64 {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        expires_at: String,
    }
    let answer: Option<Answer> = json::from_slice(body).ok();
    answer.and_then(|answer| unix_ms(&answer.expires_at)).unwrap_or(now + MAX_LIFETIME).min(now + MAX_LIFETIME)
}

/// Finds the Link session of which a connection is the result. `id` and `handle` are those of the connection;
/// `sessions` are the Link sessions of its user with their keys, newest first. Those that have ended do not count. `None` if
/// there are no others.
///
/// 1. It is the session that requested this connection.
/// 2. Otherwise it is the newest session that requested a new account.
/// 3. Otherwise every session requested another connection, and the newest session is the most likely one. It has ended
///    only if it is the only one and the user did not have this connection before. Then OFAuth did not know the
///    requested connection.
pub fn match_session<'a>(sessions: &'a [(i64, PendingLink)], id: &str, handle: &str) -> Option<LinkMatch<'a>> {
    let open = || sessions.iter().filter(|(_, pending)| pending.linked.is_none());
    let newest_with =
        |requested: Option<&str>| open().find(|(_, pending)| pending.requested_id.as_deref() == requested);
    if let Some(session) = newest_with(Some(id)).or_else(|| newest_with(None)) {
        return Some(LinkMatch { session, ended: true, missing: None });
    }
    let session = open().next()?;
    let pending = &session.1;
    let is_new = !pending.previous_handles.iter().any(|previous| previous == handle);
    let ended = open().count() == 1 && is_new;
    let missing = pending.requested_id.as_deref().filter(|_| ended);
    Some(LinkMatch { session, ended, missing })
}
