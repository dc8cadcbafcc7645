//! Link: what starts a session, what its answer must be, and what the user's browser may be believed when it comes back.
//!
//! `POST /v2/link/init` takes a user to OFAuth's hosted pages. What a browser brings back from there proves nothing: see
//! [`Callback`]. A session token's user gets neither a client secret nor an id: its redirect always goes through the
//! gateway's own [`CALLBACK`], and the page it wished to return to waits in the user's hub.

use std::collections::BTreeMap;

use form_urlencoded::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{
    error::EdgeError,
    origin::{AllowedOrigins, origin_of},
    session::Session,
};
use crate::core::{
    connection::{ACTIVE, EXPIRED, Record},
    id::is_connection_id,
    instant::unix_ms,
    json::Object,
    webhook::MAX_TEXT,
};

/// The permission a session needs to start Link.
pub const PERMISSION: &str = "connections:link";
/// Where a Link session is started, here and at OFAuth.
pub const INIT: &str = "/v2/link/init";
/// Where OFAuth sends the user's browser back to.
pub const CALLBACK: &str = "/link/callback";
/// The longest body of an init that is read, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
/// How many pages of OFAuth's list one Link session may cost at most.
pub const MAX_PAGES: i64 = 3;
/// How many Link sessions of a user are remembered at once: the newest.
pub const MAX_PENDING: i64 = 5;

/// How long a Link session lives unless OFAuth says otherwise, and the longest that is believed, in milliseconds.
const LIFE: i64 = 60 * 60 * 1000;
const NO_OBJECT: EdgeError = EdgeError::BadRequest("the body is a JSON object: redirectUrl, connectionId, …");

/// The body of an init.
#[derive(Debug)]
pub struct Init {
    fields: BTreeMap<String, Box<RawValue>>,
    /// The connection to link again.
    pub asked: RequestedConnection,
}

/// Which connection an init asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedConnection {
    /// None was named: the user's only expired one is meant, if none is active.
    Any,
    /// Null: a new one.
    New,
    /// This one, by handle or id.
    Named(String),
}

/// A Link session under way: waits in the user's hub until it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLink {
    /// Where the user's browser goes after the callback; `None` for APP_RETURN_URL.
    pub return_url: Option<String>,
    /// OFAuth's id of the connection that is to be linked again.
    pub asked: Option<String>,
    /// The handles of the connections that the user had when it began.
    pub had: Vec<String>,
}

/// An answer that a user may be sent on with: on OFAuth's own pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostedLink {
    mode: &'static str,
    /// OFAuth's page: https, or http on loopback.
    pub url: String,
    /// As it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// What it means to a user's Link sessions that a connection turned out to be theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkMatch<'a> {
    /// The session it most likely came of, by its key.
    pub session: &'a (i64, PendingLink),
    /// Whether that session has ended with it.
    pub ended: bool,
    /// The connection that was to be linked again, where another one came of it: OFAuth does not know it any more.
    pub missing: Option<&'a str>,
}

/// What a browser says when it comes back. It may say anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// The user it claims to be; some of OFAuth's documents leave it out unless Link succeeded.
    pub client_reference_id: Option<String>,
    /// How it claims that Link ended.
    pub ending: LinkEnding,
}

/// How Link ended, as claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEnding {
    /// `status=success`, with OFAuth's id if it is one.
    Success(Option<String>),
    /// `status=cancelled`, and at which step.
    Cancelled(Option<String>),
    /// `status=error`, and why.
    Failed(Option<String>),
}

/// What the page that the user returns to is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReturnStatus {
    /// The account is linked; its handle.
    Success(String),
    /// It probably is: OFAuth's webhook will tell.
    Pending,
    /// The user gave up, at this step.
    Cancelled(Option<String>),
    /// It failed, for this reason.
    Failed(Option<String>),
    /// Nobody here waits for this.
    Unknown,
}

impl Init {
    /// Reads the body: a JSON object, or nothing at all.
    pub fn read(body: &[u8]) -> Result<Self, EdgeError> {
        let body = if body.is_empty() { b"{}" } else { body };
        let Object(fields) =
            serde_json::from_slice::<Object<BTreeMap<String, Box<RawValue>>>>(body).map_err(|_| NO_OBJECT)?;
        let asked = match fields.get("connectionId").map(|id| serde_json::from_str::<Value>(id.get())) {
            None => RequestedConnection::Any,
            Some(Ok(Value::Null)) => RequestedConnection::New,
            Some(Ok(Value::String(id))) => RequestedConnection::Named(id),
            Some(_) => return Err(EdgeError::BadRequest("connectionId is a handle, an id, or null")),
        };
        Ok(Self { fields, asked })
    }

    /// The user it is for, if it names one.
    pub fn client_reference_id(&self) -> Option<String> {
        self.text("clientReferenceId").filter(|reference| (1..=MAX_TEXT).contains(&reference.len()))
    }

    /// A server's body as it goes up: as it came, but for the connection that is asked for.
    pub fn for_server(mut self, asked: Option<&str>) -> String {
        self.fields.remove("connectionId");
        self.put("connectionId", asked);
        json(&self.fields)
    }

    /// A session's body as it goes up: for its own user, through the gateway's own callback.
    pub fn for_session(mut self, session: &Session, origin: &str, asked: Option<&str>) -> String {
        self.fields.retain(|key, _| matches!(key.as_str(), "clientAppId" | "geolocation"));
        self.put("clientReferenceId", Some(&session.client_reference_id));
        self.put("redirectUrl", Some(&format!("{origin}{CALLBACK}")));
        self.put("connectionId", asked);
        json(&self.fields)
    }

    /// The page that a session wishes to return to: on a site that is allowed, or that of APP_RETURN_URL.
    pub fn return_url(&self, allowed: &AllowedOrigins, app: Option<&str>) -> Result<Option<String>, EdgeError> {
        if self.fields.get("redirectUrl").is_none_or(|url| url.get() == "null") {
            let missing = EdgeError::BadRequest("redirectUrl is missing, and APP_RETURN_URL is not set");
            return app.map(|_| None).ok_or(missing);
        }
        let url = self.text("redirectUrl").filter(|url| {
            origin_of(url).is_some_and(|origin| allowed.allow(&origin) || app.and_then(origin_of) == Some(origin))
        });
        let refused = EdgeError::BadRequest("redirectUrl is a URL on a site of ALLOWED_ORIGINS or APP_RETURN_URL");
        url.map(Some).ok_or(refused)
    }

    fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.fields.get(key)?.get()).ok()
    }

    fn put(&mut self, key: &str, value: Option<&str>) {
        if let Some(raw) = value.and_then(|value| serde_json::value::to_raw_value(value).ok()) {
            self.fields.insert(key.to_owned(), raw);
        }
    }
}

/// The connection that a user without a wish links again: the only expired one, if none is active.
pub fn connection_to_reconnect(theirs: &[Record]) -> Option<&Record> {
    let mut expired = theirs.iter().filter(|record| record.status == EXPIRED);
    let only = expired.next().filter(|_| expired.next().is_none());
    only.filter(|_| !theirs.iter().any(|record| record.status == ACTIVE))
}

/// The connection that a session links again: one of the user's own, by handle. A token for one connection links no other.
pub fn requested_by_session<'a>(
    asked: &RequestedConnection,
    session: &Session,
    theirs: &'a [Record],
) -> Result<Option<&'a Record>, EdgeError> {
    let bound = session.connection.as_deref();
    let named = match (asked, bound) {
        (RequestedConnection::Named(name), None) => name,
        (RequestedConnection::Named(name), Some(bound)) if name == bound => name,
        (RequestedConnection::Named(_), Some(_)) => return Err(EdgeError::ConnectionNotFound),
        (RequestedConnection::Any, Some(bound)) => bound,
        (RequestedConnection::New, Some(_)) => return Err(EdgeError::PermissionDenied),
        (RequestedConnection::New, None) => return Ok(None),
        (RequestedConnection::Any, None) => return Ok(connection_to_reconnect(theirs)),
    };
    let own = theirs.iter().find(|record| record.handle == *named && record.is_connected());
    own.map(Some).ok_or(EdgeError::ConnectionNotFound)
}

impl RequestedConnection {
    /// Whether the body as it came asks for this very connection.
    pub fn is(&self, id: Option<&str>) -> bool {
        match self {
            Self::Any => id.is_none(),
            Self::New => false,
            Self::Named(named) => id == Some(named),
        }
    }
}

impl HostedLink {
    /// Reads OFAuth's answer; `None` for anything but a page to send the user to.
    pub fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            mode: Option<String>,
            url: Option<String>,
            #[serde(default)]
            expires_at: Value,
        }
        let Object(Answer { mode, url, expires_at }) = serde_json::from_slice::<Object<Answer>>(body).ok()?;
        let expires_at = expires_at.as_str().map(str::to_owned);
        let url = url.filter(|url| mode.is_none_or(|mode| mode == "hosted") && origin_of(url).is_some())?;
        Some(Self { mode: "hosted", url, expires_at })
    }
}

/// When a Link session ends, by OFAuth's answer: an hour from `now` at the latest. Both in unix milliseconds.
pub fn ends_at(body: &[u8], now: i64) -> i64 {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        expires_at: String,
    }
    let answer = serde_json::from_slice::<Object<Answer>>(body).ok();
    answer.and_then(|Object(answer)| unix_ms(&answer.expires_at)).unwrap_or(now + LIFE).min(now + LIFE)
}

impl Callback {
    /// Reads the query; `None` if it says nothing that Link says.
    pub fn read(query: &str) -> Option<Self> {
        let value = |wanted: &str| {
            let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == wanted);
            values.next().map(|(_, value)| value.into_owned()).filter(|_| values.next().is_none())
        };
        let word = |name| value(name).filter(|word| is_word(word));
        let ending = match value("status")?.as_str() {
            "success" => LinkEnding::Success(value("connection_id").filter(|id| is_connection_id(id))),
            "cancelled" => LinkEnding::Cancelled(word("step")),
            "error" => LinkEnding::Failed(word("error_code")),
            _ => return None,
        };
        let client_reference_id = value("client_reference_id").filter(|it| (1..=MAX_TEXT).contains(&it.len()));
        Some(Self { client_reference_id, ending })
    }
}

/// Finds the session that a connection of the user's came of, by its id and handle, among those under way, newest first.
/// `None` without any session.
///
/// One that asked for this very connection goes before one that asked for none. Where all asked for others, it came of
/// one of them only if the user did not have it before; and only where there is but one it is known which.
pub fn settle<'a>(sessions: &'a [(i64, PendingLink)], id: &str, handle: &str) -> Option<LinkMatch<'a>> {
    let asked = |wanted: Option<&str>| sessions.iter().find(|(_, pending)| pending.asked.as_deref() == wanted);
    if let Some(session) = asked(Some(id)).or_else(|| asked(None)) {
        return Some(LinkMatch { session, ended: true, missing: None });
    }
    let session = sessions.first()?;
    let pending = &session.1;
    let came_of_it = sessions.len() == 1 && !pending.had.iter().any(|had| had == handle);
    let missing = pending.asked.as_deref().filter(|_| came_of_it);
    Some(LinkMatch { session, ended: came_of_it, missing })
}

impl ReturnStatus {
    /// `url` with `status` and what belongs to it in its query, in the place of what it said there itself.
    pub fn to(&self, url: &str) -> String {
        let (status, detail) = match self {
            Self::Success(handle) => ("success", Some(("connection", handle))),
            Self::Pending => ("pending", None),
            Self::Cancelled(step) => ("cancelled", step.as_ref().map(|step| ("step", step))),
            Self::Failed(code) => ("error", code.as_ref().map(|code| ("error_code", code))),
            Self::Unknown => ("unknown", None),
        };
        let query = Serializer::new(String::new()).append_pair("status", status).extend_pairs(detail).finish();
        let (before, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
        let (path, own) = before.split_once('?').unwrap_or((before, ""));
        let is_ours = |pair: &&str| {
            let key = form_urlencoded::parse(pair.as_bytes()).next().map(|(key, _)| key);
            key.is_some_and(|key| matches!(&*key, "status" | "connection" | "step" | "error_code"))
        };
        let own = own.split('&').filter(|pair| !own.is_empty() && !is_ours(pair));
        let query = own.chain([query.as_str()]).collect::<Vec<_>>().join("&");
        format!("{path}?{query}{fragment}")
    }
}

/// OFAuth's words for steps and errors.
fn is_word(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    (1..=64).contains(&word.len()) && word.bytes().all(plain)
}

fn json(fields: &BTreeMap<String, Box<RawValue>>) -> String {
    serde_json::to_string(fields).unwrap_or_default()
}
