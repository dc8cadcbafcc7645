//! OFAuth's routes for servers: the account's connections, rules and Vault. They pass as they are; what some of them do
//! to a connection its ledger must hear too.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{access, api_error::EdgeError, connection::Changes, event::ConnectionEvent, json::Object};

/// Where OFAuth's list of connections is.
pub const CONNECTIONS: &str = "/v2/account/connections";

/// The path of the same in OFAuth's older documents.
const OLD_CONNECTIONS: &str = "/v2/connections";
const PREFIXES: [&str; 4] = ["/v2/account/", "/v2/dynamic-rules/", "/v2/vault-plus/", "/v2/vault/"];
/// What a path segment may hold without being escaped: RFC 3986, section 2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a call does to connections, if OFAuth grants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// Removes the one that the path names.
    Delete,
    /// Marks the one that the path names as expired.
    Invalidate,
    /// Makes one of a session, or renews the one that the path names; the answer says which.
    Import,
    /// Nothing.
    None,
}

/// A call for a server, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountCall<'a> {
    /// The segment that names a connection, as it came.
    pub connection: Option<&'a str>,
    /// What it does.
    pub upkeep: Upkeep,
    before: &'a str,
    after: &'a str,
}

/// One item of OFAuth's list, in today's shape or the older one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item(ConnectionEvent);

/// Whether a path is one of these.
pub fn is_account(path: &str) -> bool {
    let old = path.strip_prefix(OLD_CONNECTIONS).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    old || path == "/v2/dynamic-rules" || PREFIXES.iter().any(|prefix| path.starts_with(prefix))
}

/// Judges a path beyond [`access::check_path`]: one that OFAuth may read as another, with an empty segment or with
/// letters, digits or `-._~` escaped for no reason, could do to a connection what its ledger would not hear.
pub fn check_path(path: &str) -> Result<(), EdgeError> {
    access::check_path(path)?;
    let empty = path.split('/').skip(1).any(str::is_empty);
    let needless = path.split('%').skip(1).any(|escape| {
        let byte = escape.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        byte.is_none_or(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    });
    if empty || needless { Err(EdgeError::BadRequest("the path is ambiguous")) } else { Ok(()) }
}

/// The path of one connection, or of what is under it; a BAD_REQUEST for an id that would make it another path.
pub fn connection_path(id: &str, under: &str) -> Result<String, EdgeError> {
    let path = format!("{CONNECTIONS}/{}{under}", utf8_percent_encode(id, SEGMENT));
    access::check_path(&path).map(|()| path)
}

impl<'a> AccountCall<'a> {
    /// Understands a call.
    pub fn read(method: &str, path: &'a str) -> Self {
        let rest = path.strip_prefix(CONNECTIONS).or_else(|| path.strip_prefix(OLD_CONNECTIONS));
        let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
            return Self { connection: None, upkeep: Upkeep::None, before: path, after: "" };
        };
        let (before, named) = match rest.strip_prefix("/import") {
            Some(named) if named.is_empty() || named.starts_with('/') => ("/v2/account/connections/import", named),
            _ => (CONNECTIONS, rest),
        };
        let (connection, after) = match named.strip_prefix('/') {
            Some(named) => named.split_at(named.find('/').unwrap_or(named.len())),
            None => ("", ""),
        };
        let connection = Some(connection).filter(|connection| !connection.is_empty());
        let import = before != CONNECTIONS;
        let upkeep = match (method, connection, after) {
            ("POST", None, "") | ("PATCH", Some(_), "") if import && named != "/" => Upkeep::Import,
            ("DELETE", Some(_), "") if !import => Upkeep::Delete,
            ("POST", Some(_), "/invalidate") if !import => Upkeep::Invalidate,
            _ => Upkeep::None,
        };
        let after = if connection.is_some() { after } else { named };
        Self { connection, upkeep, before, after }
    }

    /// The path that goes up: an older one in today's words, and with `id` where a connection is named.
    pub fn path(&self, id: Option<&str>) -> String {
        let Self { before, after, .. } = self;
        match (id, self.connection) {
            (Some(id), Some(_)) => format!("{before}/{}{after}", utf8_percent_encode(id, SEGMENT)),
            (None, Some(named)) => format!("{before}/{named}{after}"),
            (_, None) => format!("{before}{after}"),
        }
    }
}

impl Item {
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
        let beside = wrapped.client_reference_id.and_then(|raw| serde_json::from_str(raw.get()).ok());
        item.client_reference_id = item.client_reference_id.or(beside);
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
