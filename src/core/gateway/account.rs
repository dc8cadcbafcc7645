//! OFAuth's routes for servers: the account and its connections, Dynamic Rules, and Vault (OFAuth documentation,
//! Connections API; SDK, Connections).
//!
//! The gateway forwards these calls. It understands them only as far as it must:
//!
//! - A path may name a connection by handle. OFAuth must receive the id: [`AccountCall::upstream_path`].
//! - Some calls change a connection, and the connection's ledger must learn of it: [`AccountEffect`].
//! - A page of OFAuth's list of connections, and the answer to an import, describe connections: [`ListedConnection`].

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;

use super::{
    error::EdgeError,
    upstream_error::{ApiError, RetryHeaders},
};
use crate::core::{
    connection::Changes,
    id::is_connection_id,
    instant::unix_ms,
    json::{self, Raw},
    webhook::ConnectionEvent,
};

/// The path of OFAuth's list of connections.
pub const CONNECTIONS_PATH: &str = "/v2/account/connections";

/// The path of the same list in older documents of OFAuth (Connections API: List Connections).
const OLD_CONNECTIONS_PATH: &str = "/v2/connections";
const PREFIXES: [&str; 4] = ["/v2/account/", "/v2/dynamic-rules/", "/v2/vault-plus/", "/v2/vault/"];
/// The characters that are percent-encoded in a path segment: all but the unreserved ones of RFC 3986, section 2.3.
const ENCODED_IN_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a call does to a connection if it succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountEffect {
    /// Deletes the connection that the path names.
    Delete,
    /// Marks the connection that the path names as expired.
    Invalidate,
    /// Creates a connection from a raw OnlyFans session, or replaces the session of the connection that the path names.
    /// OFAuth's answer describes the connection.
    Import,
    /// Changes no connection.
    None,
}

/// A call on a route for servers.
///
/// Its path is read as OFAuth might read it: segments are percent-decoded, and empty segments are ignored. So no
/// spelling of a path hides a change from the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountCall<'a> {
    /// The segment that names a connection, by handle or id, still percent-encoded.
    pub connection: Option<&'a str>,
    /// What the call does to a connection.
    pub effect: AccountEffect,
    segments: Vec<&'a str>,
    /// The index of the segment that names a connection. 0 if none does.
    connection_index: usize,
    /// The index at which `account` must be inserted into an older path. `None` if the path is not an older one.
    account_index: Option<usize>,
}

/// A connection as OFAuth lists it, in the current shape or in the older shape of the SDK (OFAuth documentation, SDK:
/// Connections, Get All Connections).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedConnection {
    item: ConnectionEvent,
    changed_at: Option<i64>,
}

/// Whether a path belongs to a route for servers.
pub fn is_account_path(path: &str) -> bool {
    let is_old = path.strip_prefix(OLD_CONNECTIONS_PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    is_old || path == "/v2/dynamic-rules" || PREFIXES.iter().any(|prefix| path.starts_with(prefix))
}

/// Whether an answer means that OFAuth did what the call asked for. Its status must be 2xx, its body must not say
/// `success: false`, and it must not be an HTML page: only a proxy on the way would send one.
///
/// `json` is the body, if it is JSON and was read. `is_html` says whether the body is HTML.
pub fn is_success(status: u16, json: Option<&[u8]>, is_html: bool) -> bool {
    #[derive(Deserialize)]
    struct Answer {
        success: Option<bool>,
    }
    let answer = json.and_then(|json| json::from_slice::<Answer>(json).ok());
    let says_failure = answer.is_some_and(|answer| answer.success == Some(false));
    (200..=299).contains(&status) && !says_failure && !is_html
}

/// Whether the answer to a DELETE of a connection means that OFAuth no longer has the connection: it was deleted, or
/// OFAuth does not know it (404). A `ROUTE_NOT_FOUND` does not mean that. The arguments are those of [`is_success`].
pub fn is_deleted(status: u16, json: Option<&[u8]>, is_html: bool) -> bool {
    let code = || ApiError::read(status, RetryHeaders::default(), json.unwrap_or_default()).code;
    is_success(status, json, is_html) || (status == 404 && !is_html && code() != "ROUTE_NOT_FOUND")
}

/// The path of a connection at OFAuth, followed by `under`, such as `/invalidate`. The id is percent-encoded as one
/// segment.
///
/// Returns [`BadRequest`](EdgeError::BadRequest) if `id` is not a connection id: see [`is_connection_id`].
pub fn connection_path(id: &str, under: &str) -> Result<String, EdgeError> {
    if !is_connection_id(id) {
        return Err(EdgeError::BadRequest("the connection's id cannot be part of a path"));
    }
    Ok(format!("{CONNECTIONS_PATH}/{}{under}", utf8_percent_encode(id, ENCODED_IN_SEGMENT)))
}

impl<'a> AccountCall<'a> {
    /// Reads the method and the path (as received, without the query) of a call.
    pub fn read(method: &str, path: &'a str) -> Self {
        let segments: Vec<&str> = path.split('/').collect();
        let decoded = segments.iter().map(|raw| percent_decode_str(raw).decode_utf8().unwrap_or_default());
        let decoded: Vec<_> = decoded.enumerate().filter(|(_, segment)| !segment.is_empty()).collect();
        let names: Vec<&str> = decoded.iter().map(|(_, segment)| &**segment).collect();
        let (rest_index, rest) = match names.as_slice() {
            ["v2", "account", "connections", rest @ ..] => (3, rest),
            ["v2", "connections", rest @ ..] => (2, rest),
            _ => (0, &[][..]),
        };
        let (connection, effect) = match (method, rest) {
            ("POST", ["import"]) => (None, AccountEffect::Import),
            ("PATCH", ["import", _]) => (Some(rest_index + 1), AccountEffect::Import),
            (_, ["import", _, ..]) => (Some(rest_index + 1), AccountEffect::None),
            (_, ["import"] | []) => (None, AccountEffect::None),
            ("DELETE", [_]) => (Some(rest_index), AccountEffect::Delete),
            ("POST", [_, "invalidate"]) => (Some(rest_index), AccountEffect::Invalidate),
            (_, [_, ..]) => (Some(rest_index), AccountEffect::None),
        };
        // `decoded` has no empty segments, so its indexes are not those of `segments`.
        let original_index = |index: usize| decoded.get(index).map(|(original, _)| *original);
        let connection_index = connection.and_then(original_index);
        let connection = connection_index.and_then(|index| segments.get(index).copied());
        let account_index = (rest_index == 2).then(|| original_index(1)).flatten();
        let connection_index = connection_index.unwrap_or_default();
        Self { connection, effect, segments, connection_index, account_index }
    }

    /// The path that is forwarded to OFAuth: the path as received, with two changes. If `id` is given, it replaces the
    /// name of the connection. An older path becomes the current one.
    pub fn upstream_path(&self, id: Option<&str>) -> String {
        let id = id.filter(|_| self.connection.is_some());
        let id = id.map(|id| utf8_percent_encode(id, ENCODED_IN_SEGMENT).to_string());
        let mut segments: Vec<&str> = self.segments.clone();
        if let (Some(id), Some(connection)) = (&id, segments.get_mut(self.connection_index)) {
            *connection = id;
        }
        if let Some(index) = self.account_index {
            segments.insert(index, "account");
        }
        segments.join("/")
    }
}

impl ListedConnection {
    /// Reads an item of the list, or the answer to an import: a connection, or `{connection, clientReferenceId?}`.
    /// `None` if it is not a connection.
    pub fn read(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wrapped<'a> {
            #[serde(borrow)]
            connection: Option<Raw<'a>>,
            #[serde(borrow)]
            client_reference_id: Option<Raw<'a>>,
            #[serde(borrow)]
            updated_at: Option<Raw<'a>>,
            #[serde(borrow)]
            expired_at: Option<Raw<'a>>,
        }
        let text = std::str::from_utf8(json).ok()?;
        let wrapped: Wrapped = json::from_slice(json).ok()?;
        let mut item =
            ConnectionEvent::from_list_item(wrapped.connection.map_or(text, |Raw(connection)| connection)).ok()?;
        let outer_reference = wrapped.client_reference_id.and_then(|Raw(reference)| json::decode_string(reference));
        let outer_reference = outer_reference.filter(|reference| !reference.is_empty()).map(Cow::into_owned);
        item.client_reference_id = item.client_reference_id.or(outer_reference);
        let instant = |Raw(time)| json::decode_string(time).and_then(|time| unix_ms(&time));
        let times = [wrapped.updated_at, wrapped.expired_at].into_iter().flatten();
        Some(Self { changed_at: times.filter_map(instant).max(), item })
    }

    /// Reads a page of the list, `{list, hasMore}`: its items, and whether there is a next page. An item that is not a
    /// connection is ignored. `None` if the body is not a page.
    pub fn read_page(json: &[u8]) -> Option<(Vec<Self>, bool)> {
        let (items, has_more) = Self::split_page(json)?;
        Some((items.into_iter().filter_map(|item| Self::read(item.as_bytes())).collect(), has_more))
    }

    /// As [`ListedConnection::read_page`], but returns the items as they are written, whatever they are.
    pub fn split_page(json: &[u8]) -> Option<(Vec<&str>, bool)> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page<'a> {
            #[serde(borrow)]
            list: Vec<Raw<'a>>,
            #[serde(borrow)]
            has_more: Option<Raw<'a>>,
        }
        let page: Page = json::from_slice(json).ok()?;
        let items = page.list.into_iter().map(|Raw(item)| item).collect();
        Some((items, page.has_more.is_some_and(|Raw(more)| more == "true")))
    }

    /// OFAuth's id of the connection.
    pub fn id(&self) -> &str {
        &self.item.id
    }

    /// The app's own id of the user to whom the connection belongs.
    pub fn client_reference_id(&self) -> Option<&str> {
        self.item.client_reference_id.as_deref()
    }

    /// When the item says that the connection changed, in unix ms: the later one of `updatedAt` and `expiredAt`.
    pub fn changed_at(&self) -> Option<i64> {
        self.changed_at
    }

    /// What the item says about the connection, for its ledger.
    pub fn changes(self) -> Changes {
        self.item.into()
    }
}
