//! OFAuth's routes for servers: the account's connections, rules and Vault. They pass as they are; what some of them do
//! to a connection its ledger must hear too.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    error::EdgeError,
    upstream_error::{ApiError, RetryHeaders},
};
use crate::core::{connection::Changes, id::is_connection_id, json::Object, webhook::ConnectionEvent};

/// Where OFAuth's list of connections is.
pub const CONNECTIONS: &str = "/v2/account/connections";

/// The path of the same in OFAuth's older documents.
const OLD_CONNECTIONS: &str = "/v2/connections";
const PREFIXES: [&str; 4] = ["/v2/account/", "/v2/dynamic-rules/", "/v2/vault-plus/", "/v2/vault/"];
/// What a path segment may hold without being escaped: RFC 3986, section 2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a call does to connections, if OFAuth grants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountEffect {
    /// Removes the one that the path names.
    Delete,
    /// Marks the one that the path names as expired.
    Invalidate,
    /// Makes one of a session, or renews the one that the path names; the answer says which.
    Import,
    /// Nothing.
    None,
}

/// A call for a server, understood as leniently as OFAuth might: segments decoded, empty ones passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountCall<'a> {
    /// The segment that names a connection, as it came.
    pub connection: Option<&'a str>,
    /// What it does.
    pub effect: AccountEffect,
    segments: Vec<&'a str>,
    /// Where among the segments the connection is named.
    named: usize,
    /// Where `account` is to be put in: before `connections` of the older documents.
    old: Option<usize>,
}

/// One item of OFAuth's list, in today's shape or the older one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedConnection(ConnectionEvent);

/// Whether a path is one of these.
pub fn is_account(path: &str) -> bool {
    let old = path.strip_prefix(OLD_CONNECTIONS).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    old || path == "/v2/dynamic-rules" || PREFIXES.iter().any(|prefix| path.starts_with(prefix))
}

/// Whether OFAuth has done what it was asked: a 2xx, unless it is a page of somebody else's or says otherwise. `json` is the
/// body if it is JSON that was read, `is_page` whether it is HTML.
pub fn is_success(status: u16, json: Option<&[u8]>, is_page: bool) -> bool {
    #[derive(Deserialize)]
    struct Said {
        success: Option<bool>,
    }
    let said = json.and_then(|json| serde_json::from_slice::<Object<Said>>(json).ok());
    let refused = said.is_some_and(|Object(said)| said.success == Some(false));
    (200..=299).contains(&status) && !refused && !is_page
}

/// Whether OFAuth's answer to a DELETE means that the connection is no more: it is done, or OFAuth does not know the
/// connection. That nothing is at that path, or a page of somebody else's, means nothing. Arguments as for [`is_success`].
pub fn is_deleted(status: u16, json: Option<&[u8]>, is_page: bool) -> bool {
    let code = || ApiError::read(status, RetryHeaders::default(), json.unwrap_or_default()).code;
    is_success(status, json, is_page) || (status == 404 && !is_page && code() != "ROUTE_NOT_FOUND")
}

/// The path of one connection at OFAuth, followed by `under`, with the id percent-encoded as one segment.
///
/// Returns BAD_REQUEST for what is no connection id: see [`is_connection_id`].
pub fn connection_path(id: &str, under: &str) -> Result<String, EdgeError> {
    if !is_connection_id(id) {
        return Err(EdgeError::BadRequest("the connection's id cannot be part of a path"));
    }
    Ok(format!("{CONNECTIONS}/{}{under}", utf8_percent_encode(id, SEGMENT)))
}

impl<'a> AccountCall<'a> {
    /// Understands a call.
    pub fn read(method: &str, path: &'a str) -> Self {
        let segments: Vec<&str> = path.split('/').collect();
        let decoded = segments.iter().map(|raw| percent_decode_str(raw).decode_utf8().unwrap_or_default());
        let decoded: Vec<_> = decoded.enumerate().filter(|(_, segment)| !segment.is_empty()).collect();
        let words: Vec<&str> = decoded.iter().map(|(_, segment)| &**segment).collect();
        let (first, rest) = match words.as_slice() {
            ["v2", "account", "connections", rest @ ..] => (3, rest),
            ["v2", "connections", rest @ ..] => (2, rest),
            _ => (0, &[][..]),
        };
        let (named, effect) = match (method, rest) {
            ("POST", ["import"]) => (None, AccountEffect::Import),
            ("PATCH", ["import", _]) => (Some(first + 1), AccountEffect::Import),
            (_, ["import", _, ..]) => (Some(first + 1), AccountEffect::None),
            (_, ["import"] | []) => (None, AccountEffect::None),
            ("DELETE", [_]) => (Some(first), AccountEffect::Delete),
            ("POST", [_, "invalidate"]) => (Some(first), AccountEffect::Invalidate),
            (_, [_, ..]) => (Some(first), AccountEffect::None),
        };
        let place = |index: usize| decoded.get(index).map(|(place, _)| *place);
        let named = named.and_then(place);
        let connection = named.and_then(|place| segments.get(place).copied());
        let old = (first == 2).then(|| place(1)).flatten();
        Self { connection, effect, segments, named: named.unwrap_or_default(), old }
    }

    /// The path that goes up: as it came, but for an older one in today's words, and `id` where a connection is named.
    pub fn path(&self, id: Option<&str>) -> String {
        let id = id.filter(|_| self.connection.is_some()).map(|id| utf8_percent_encode(id, SEGMENT).to_string());
        let mut segments: Vec<&str> = self.segments.clone();
        if let (Some(id), Some(named)) = (&id, segments.get_mut(self.named)) {
            *named = id;
        }
        if let Some(old) = self.old {
            segments.insert(old, "account");
        }
        segments.join("/")
    }
}

impl ListedConnection {
    /// Reads one item, or the answer to an import, which may wrap it as `connection`.
    pub fn read(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wrapped<'a> {
            #[serde(borrow)]
            connection: Option<&'a RawValue>,
            #[serde(borrow)]
            client_reference_id: Option<&'a RawValue>,
        }
        let text = std::str::from_utf8(json).ok()?;
        let Object(wrapped) = serde_json::from_str::<Object<Wrapped>>(text).ok()?;
        let mut item = ConnectionEvent::listed(wrapped.connection.map_or(text, RawValue::get)).ok()?;
        let beside = wrapped.client_reference_id.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
        item.client_reference_id = item.client_reference_id.or(beside.filter(|reference| !reference.is_empty()));
        Some(Self(item))
    }

    /// Reads a page of the list: its items, and whether more follow. An item that cannot be read is passed over.
    pub fn read_page(json: &[u8]) -> Option<(Vec<Self>, bool)> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page<'a> {
            #[serde(borrow)]
            list: Vec<&'a RawValue>,
            #[serde(borrow)]
            has_more: Option<&'a RawValue>,
        }
        let Object(page) = serde_json::from_slice::<Object<Page>>(json).ok()?;
        let items = page.list.iter().filter_map(|item| Self::read(item.get().as_bytes())).collect();
        Some((items, page.has_more.is_some_and(|more| more.get() == "true")))
    }

    /// OFAuth's id of the connection.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The user it belongs to, in the integrator's words.
    pub fn client_reference_id(&self) -> Option<&str> {
        self.0.client_reference_id.as_deref()
    }

    /// What it says of the connection.
    pub fn changes(self) -> Changes {
        self.0.into()
    }
}
