//! Lists: what a query asks for, and which of the keys that KV lists are the answer.
//!
//! KV lists keys in order, at most 1,000 at a time, and can filter by nothing but a prefix. A [`PageBuilder`] is fed those
//! batches; filters read metadata only. Offsets and totals are exact to 1,000; further on there is the cursor, which is
//! sealed, so that a made-up one, or one from another query, is refused.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::error::EdgeError;
use crate::core::storage::{BlindIndex, ConnectionMeta, NONCE_LEN, Sealer, truncate_status};

/// The most items of a page, and how many there are unless `limit` says otherwise.
pub const MAX_LIMIT: usize = 100;
/// How many items a page has unless `limit` says otherwise.
pub const DEFAULT_LIMIT: usize = 20;
/// The furthest `offset`, and the largest exact total.
pub const MAX_OFFSET: usize = 1000;
/// How many batches of KV's list one request reads at most.
pub const MAX_BATCHES: usize = 10;

const EVENTS: &str = "cursor/events";
/// What a cursor that does not open is answered with.
pub const INVALID_CURSOR: EdgeError = EdgeError::BadRequest("the cursor is not one of this list's");

/// A query of `GET /edge/connections`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionQuery {
    /// Only connections of this status.
    pub status: Option<String>,
    /// Only this user's connections.
    pub client_reference_id: Option<String>,
    /// Only connections of this OnlyFans user.
    pub platform_user_id: Option<String>,
    /// 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// 0 to [`MAX_OFFSET`].
    pub offset: usize,
    /// Where a page before this one ended.
    pub cursor: Option<String>,
}

/// A query of `GET /edge/events`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQuery {
    /// 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// Where a page before this one ended.
    pub cursor: Option<String>,
}

/// Where a page of events ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCursor {
    /// KV's own cursor of the batch to begin with.
    pub batch: Option<String>,
    /// The last key of that batch that was shown; empty if none was.
    pub after: String,
}

/// Where a page of connections ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionCursor {
    /// KV's own cursor of the batch to begin with.
    pub batch: Option<String>,
    /// The last handle that was shown or passed over.
    pub after: String,
    /// How much of the offset is still to be passed over.
    pub skip: usize,
    /// The total, as the first page knew it.
    pub total: Option<usize>,
}

/// A page in the making.
#[derive(Debug)]
pub struct PageBuilder {
    status: Option<String>,
    user: Option<String>,
    limit: usize,
    skip: usize,
    start: Option<ConnectionCursor>,
    seen: usize,
    items: Vec<(String, ConnectionMeta)>,
    last_batch: Option<String>,
    overflow: bool,
}

/// A page, made.
#[derive(Debug, PartialEq, Eq)]
pub struct ConnectionPage {
    /// Handles in order, with their metadata.
    pub items: Vec<(String, ConnectionMeta)>,
    /// How many match in all, if at most [`MAX_OFFSET`] and all were seen.
    pub total: Option<usize>,
    /// Where the next page begins, if there is one.
    pub next: Option<ConnectionCursor>,
}

impl ConnectionQuery {
    /// Reads the query string. An unknown or repeated key, or a value out of range, is a BAD_REQUEST.
    pub fn parse(query: &str) -> Result<Self, EdgeError> {
        const KEYS: [&str; 6] = ["status", "clientReferenceId", "platformUserId", "limit", "offset", "cursor"];
        let [status, client_reference_id, platform_user_id, limit, offset, cursor] = pairs(query, KEYS)?;
        let offset = number(offset, 0, 0..=MAX_OFFSET, "offset is 0 to 1000")?;
        if offset > 0 && cursor.is_some() {
            return Err(EdgeError::BadRequest("a cursor takes no offset"));
        }
        let limit = limit_of(limit)?;
        Ok(Self { status, client_reference_id, platform_user_id, limit, offset, cursor })
    }

    /// Opens the query's cursor, which must come from a list with the same filters.
    pub fn open_cursor(&self, sealer: &Sealer) -> Result<Option<ConnectionCursor>, EdgeError> {
        self.cursor.as_deref().map(|cursor| open_cursor(&self.place(), cursor, sealer)).transpose()
    }

    /// Seals the cursor of the next page.
    pub fn seal_cursor(&self, cursor: &ConnectionCursor, sealer: &Sealer, nonce: [u8; NONCE_LEN]) -> String {
        seal_cursor(&self.place(), cursor, sealer, nonce)
    }

    fn place(&self) -> String {
        format!("cursor/{:?}/{:?}/{:?}", self.status, self.client_reference_id, self.platform_user_id)
    }
}

impl EventQuery {
    /// Reads the query string. An unknown or repeated key, or a value out of range, is a BAD_REQUEST.
    pub fn parse(query: &str) -> Result<Self, EdgeError> {
        let [limit, cursor] = pairs(query, ["limit", "cursor"])?;
        Ok(Self { limit: limit_of(limit)?, cursor })
    }

    /// Opens the query's cursor; without one, the beginning.
    pub fn open_cursor(&self, sealer: &Sealer) -> Result<EventCursor, EdgeError> {
        self.cursor.as_deref().map_or(Ok(EventCursor::default()), |cursor| open_cursor(EVENTS, cursor, sealer))
    }

    /// Opens the cursor of a connection's timeline: the place to begin before; without one, beyond the newest.
    pub fn open_place(&self, handle: &str, sealer: &Sealer) -> Result<i64, EdgeError> {
        let newest = Ok(1 << 53);
        self.cursor.as_deref().map_or(newest, |cursor| open_cursor(&format!("timeline/{handle}"), cursor, sealer))
    }

    /// Seals the cursor of a timeline's next page.
    pub fn seal_place(handle: &str, place: i64, sealer: &Sealer, nonce: [u8; NONCE_LEN]) -> String {
        seal_cursor(&format!("timeline/{handle}"), &place, sealer, nonce)
    }

    /// Seals the cursor of the next page.
    pub fn seal_cursor(cursor: &EventCursor, sealer: &Sealer, nonce: [u8; NONCE_LEN]) -> String {
        seal_cursor(EVENTS, cursor, sealer, nonce)
    }
}

impl PageBuilder {
    /// Begins a page at `start`.
    pub fn new(query: &ConnectionQuery, start: Option<ConnectionCursor>, index: &BlindIndex) -> Self {
        Self {
            status: query.status.clone(),
            user: query.platform_user_id.as_deref().map(|user| index.hash_platform_user_id(user)),
            limit: query.limit,
            skip: start.as_ref().map_or(query.offset, |start| start.skip),
            start,
            seen: 0,
            items: Vec::new(),
            last_batch: None,
            overflow: false,
        }
    }

    /// Whether the metadata match and the key lies after the cursor.
    pub fn matches(&self, handle: &str, meta: &ConnectionMeta) -> bool {
        let after = self.start.as_ref().is_none_or(|start| handle > start.after.as_str());
        // The status is compared as metadata holds it: a longer one than fits is cut on both sides.
        let status = self.status.as_deref().is_none_or(|status| truncate_status(status) == meta.status);
        after && status && (self.user.is_none() || self.user == meta.user)
    }

    /// Takes what [`PageBuilder::matches`] of the batch that KV gave for the cursor `batch`.
    pub fn add_batch(&mut self, batch: Option<&str>, wanted: impl IntoIterator<Item = (String, ConnectionMeta)>) {
        for item in wanted {
            self.seen += 1;
            if self.skip > 0 {
                self.skip -= 1;
            } else if self.items.len() < self.limit {
                self.items.push(item);
                self.last_batch = batch.map(str::to_owned);
            } else {
                self.overflow = true;
            }
        }
    }

    /// Whether another batch is of use: the page is not known to have a successor, or the total may still be exact.
    pub fn needs_more(&self) -> bool {
        !self.overflow || (self.start.is_none() && self.seen <= MAX_OFFSET)
    }

    /// Ends the page. `rest` is KV's cursor for what was not read, if there is more.
    pub fn finish(self, rest: Option<String>) -> ConnectionPage {
        let exact = rest.is_none() && self.seen <= MAX_OFFSET;
        let total = self.start.as_ref().map_or(exact.then_some(self.seen), |start| start.total);
        let before = self.start.map(|start| start.after).unwrap_or_default();
        let after = self.items.last().map_or(before, |(handle, _)| handle.clone());
        let next = match (self.overflow, rest) {
            (true, _) => Some(ConnectionCursor { batch: self.last_batch, after, skip: 0, total }),
            (false, Some(rest)) => Some(ConnectionCursor { batch: Some(rest), after, skip: self.skip, total }),
            (false, None) => None,
        };
        ConnectionPage { items: self.items, total, next }
    }
}

fn pairs<const N: usize>(query: &str, keys: [&str; N]) -> Result<[Option<String>; N], EdgeError> {
    let mut values = [const { None }; N];
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let place = keys.iter().position(|known| *known == key);
        let slot = place.and_then(|place| values.get_mut(place)).ok_or(EdgeError::BadRequest("unknown query key"))?;
        if slot.replace(value.into_owned()).is_some() {
            return Err(EdgeError::BadRequest("a query key is given twice"));
        }
    }
    Ok(values)
}

fn limit_of(limit: Option<String>) -> Result<usize, EdgeError> {
    number(limit, DEFAULT_LIMIT, 1..=MAX_LIMIT, "limit is 1 to 100")
}

fn number(
    text: Option<String>,
    default: usize,
    range: std::ops::RangeInclusive<usize>,
    reason: &'static str,
) -> Result<usize, EdgeError> {
    let Some(text) = text else { return Ok(default) };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && range.contains(number));
    number.ok_or(EdgeError::BadRequest(reason))
}

fn open_cursor<T: DeserializeOwned>(place: &str, cursor: &str, sealer: &Sealer) -> Result<T, EdgeError> {
    let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| INVALID_CURSOR)?;
    let plain = sealer.open(place, &sealed).map_err(|_| INVALID_CURSOR)?;
    serde_json::from_slice(&plain).map_err(|_| INVALID_CURSOR)
}

fn seal_cursor<T: Serialize>(place: &str, cursor: &T, sealer: &Sealer, nonce: [u8; NONCE_LEN]) -> String {
    let plain = serde_json::to_vec(cursor).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(sealer.seal(place, &plain, nonce))
}
