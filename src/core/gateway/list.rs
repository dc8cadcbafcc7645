//! The lists of connections and of events: their queries and their cursors.
//!
//! The hub of a user lists the user's connections, the newest first: [`UserPage`]. `page.rs` selects a page of all
//! connections.
//!
//! A list is paged by `offset` or by `cursor`:
//!
//! - `offset` is at most 1,000, and a total is exact up to 1,000.
//! - A cursor reaches any page. It is encrypted and bound to its list and filters, so the gateway refuses a cursor that
//!   it did not make, or that it made for another query.

use ct_codecs::Base64UrlSafeNoPadding;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::error::EdgeError;
use crate::core::{
    base64,
    connection::Record,
    json,
    storage::{NONCE_LEN, Sealer},
};

/// The largest `limit`, in items.
pub const MAX_LIMIT: usize = 100;
/// The `limit` of a query that names none, in items.
pub const DEFAULT_LIMIT: usize = 20;
/// The largest `offset`, and the largest total that is exact, in items.
pub const MAX_OFFSET: usize = 1000;
/// The error for a cursor that the gateway did not make for this list and these filters.
pub const INVALID_CURSOR: EdgeError = EdgeError::BadRequest("the cursor does not belong to this list and its filters");

/// The place to which a cursor of the list of events is sealed (see [`Sealer`]).
const EVENTS_PLACE: &str = "cursor/events";
/// The position of a timeline's first page: larger than any delivery's, and a safe integer of JavaScript.
const TIMELINE_START: i64 = (1 << 53) - 1;

/// The query of `GET /edge/connections`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionQuery {
    /// Only connections with this status, in upper or lower case.
    pub status: Option<String>,
    /// Only this user's connections.
    pub client_reference_id: Option<String>,
    /// Only connections of this OnlyFans user.
    pub platform_user_id: Option<String>,
    /// How many connections the page has at most: 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// How many matching connections come before the page: 0 to [`MAX_OFFSET`].
    pub offset: usize,
    /// The `cursor` of the page before, still sealed: see [`ConnectionQuery::open_cursor`].
    pub cursor: Option<String>,
}

/// The query of `GET /edge/events` and of `GET /edge/connections/{handle or id}/events`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQuery {
    /// How many events the page has at most: 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// The `cursor` of the page before, still sealed.
    pub cursor: Option<String>,
}

/// The end of a page of events, from which the next page continues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCursor {
    /// KV's cursor of the batch with which the next page begins. `None` is the first batch.
    pub batch: Option<String>,
    /// The last key of that batch that was read for an earlier page. Empty if there is none.
    pub after: String,
}

/// The end of a page of connections, from which the next page continues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionCursor {
    /// KV's cursor of the batch with which the next page begins. `None` is the first batch.
    pub batch: Option<String>,
    /// The last handle that the client has received. Empty if there is none.
    pub after: String,
    /// How many matching connections must still be skipped to reach the query's offset.
    pub skip: usize,
    /// The total that the first page reported.
    pub total: Option<usize>,
}

/// A page of one user's connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserPage {
    /// The newest `updatedAt` first; those with the same, in the order of their handles.
    pub records: Vec<Record>,
    /// How many connections match in all.
    pub total: usize,
}

/// One page of connections.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "ConnectionPage"))]
#[serde(rename_all = "camelCase")]
pub struct ConnectionList {
    /// The connections of one user come newest change first. Other lists have no useful order.
    pub list: Vec<Record>,
    /// How many connections match in all. Null if there are more than 1000, or if the gateway does not know.
    pub total: Option<usize>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// Pass it to get the next page. A list of one user's connections has no cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub cursor: Option<String>,
}

impl ConnectionQuery {
    /// Reads the query string. An unknown or repeated key, a value out of range, and a cursor together with an offset
    /// are a [`BadRequest`](EdgeError::BadRequest).
    pub fn parse(query: &str) -> Result<Self, EdgeError> {
        const KEYS: [&str; 6] = ["status", "clientReferenceId", "platformUserId", "limit", "offset", "cursor"];
        let [status, client_reference_id, platform_user_id, limit, offset, cursor] = query_values(query, KEYS)?;
        let offset = parse_number(offset, 0, 0..=MAX_OFFSET, "offset must be a number from 0 to 1000")?;
        if offset > 0 && cursor.is_some() {
            return Err(EdgeError::BadRequest("send either cursor or offset, not both"));
        }
        let limit = parse_limit(limit)?;
        Ok(Self { status, client_reference_id, platform_user_id, limit, offset, cursor })
    }

    /// Selects the page of one user's connections from `records`, which are all of the user's in any order.
    ///
    /// The user's hub selects the same page by an index, if it can.
    pub fn page_of(&self, mut records: Vec<Record>) -> UserPage {
        let matches =
            |filter: &Option<String>, value: Option<&str>| filter.as_deref().is_none_or(|filter| value == Some(filter));
        records.retain(|record| {
            self.status.as_ref().is_none_or(|status| status.eq_ignore_ascii_case(&record.status))
                && matches(&self.platform_user_id, record.platform_user_id.as_deref())
        });
        records.sort_unstable_by(|a, b| b.updated_at.cmp(&a.updated_at).then_with(|| a.handle.cmp(&b.handle)));
        let total = records.len();
        UserPage { records: records.into_iter().skip(self.offset).take(self.limit).collect(), total }
    }

    /// Opens the query's cursor. `None` if the query has none; [`INVALID_CURSOR`] unless the gateway made it for the
    /// same filters.
    pub fn open_cursor(&self, sealer: &Sealer) -> Result<Option<ConnectionCursor>, EdgeError> {
        self.cursor.as_deref().map(|cursor| open_cursor(&self.cursor_place(), cursor, sealer)).transpose()
    }

    /// Seals the cursor of the next page. `nonce` must be fresh and random.
    pub fn seal_cursor(&self, cursor: &ConnectionCursor, sealer: &Sealer, nonce: [u8; NONCE_LEN]) -> String {
        seal_cursor(&self.cursor_place(), cursor, sealer, nonce)
    }

    /// The place to which a cursor is sealed. It names the filters, so the cursor opens with the same filters only.
    fn cursor_place(&self) -> String {
        format!("cursor/{:?}/{:?}/{:?}", self.status, self.client_reference_id, self.platform_user_id)
    }
}

impl EventQuery {
    /// Reads the query string. An unknown or repeated key, and a value out of range, are a
    /// [`BadRequest`](EdgeError::BadRequest).
    pub fn parse(query: &str) -> Result<Self, EdgeError> {
        let [limit, cursor] = query_values(query, ["limit", "cursor"])?;
        Ok(Self { limit: parse_limit(limit)?, cursor })
    }

    /// Opens the query's cursor in the list of events. A query without a cursor begins with the newest event.
    /// [`INVALID_CURSOR`] unless the gateway made the cursor for this list.
    pub fn open_cursor(&self, sealer: &Sealer) -> Result<EventCursor, EdgeError> {
        self.cursor.as_deref().map_or(Ok(EventCursor::default()), |cursor| open_cursor(EVENTS_PLACE, cursor, sealer))
    }

    /// Seals the cursor of the next page of the list of events. `nonce` must be fresh and random.
    pub fn seal_cursor(cursor: &EventCursor, sealer: &Sealer, nonce: [u8; NONCE_LEN]) -> String {
        seal_cursor(EVENTS_PLACE, cursor, sealer, nonce)
    }

    /// Opens the query's cursor in the timeline of one connection. The page has deliveries with a position before the
    /// returned one. A query without a cursor begins with the newest delivery. [`INVALID_CURSOR`] unless the gateway
    /// made the cursor for this connection.
    pub fn open_timeline_cursor(&self, handle: &str, sealer: &Sealer) -> Result<i64, EdgeError> {
        let open = |cursor| open_cursor(&timeline_place(handle), cursor, sealer);
        self.cursor.as_deref().map_or(Ok(TIMELINE_START), open)
    }

    /// Seals the cursor of a timeline's next page, which has deliveries before `position`. `nonce` must be fresh and
    /// random.
    pub fn seal_timeline_cursor(handle: &str, position: i64, sealer: &Sealer, nonce: [u8; NONCE_LEN]) -> String {
        seal_cursor(&timeline_place(handle), &position, sealer, nonce)
    }
}

/// The decoded values of these keys in a query string, in the order of `keys`.
pub(super) fn query_values<const N: usize>(query: &str, keys: [&str; N]) -> Result<[Option<String>; N], EdgeError> {
    let mut values = [const { None }; N];
    read_values(query, &keys, &mut values)?;
    Ok(values)
}

// Apart, so that it is compiled once and not for each number of keys.
fn read_values(query: &str, keys: &[&str], values: &mut [Option<String>]) -> Result<(), EdgeError> {
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let index = keys.iter().position(|known| *known == key);
        let slot = index.and_then(|index| values.get_mut(index));
        let slot = slot.ok_or(EdgeError::BadRequest("the query has an unknown key"))?;
        if slot.replace(value.into_owned()).is_some() {
            return Err(EdgeError::BadRequest("the query has a key twice"));
        }
    }
    Ok(())
}

pub(super) fn parse_limit(limit: Option<String>) -> Result<usize, EdgeError> {
    parse_number(limit, DEFAULT_LIMIT, 1..=MAX_LIMIT, "limit must be a number from 1 to 100")
}

fn parse_number(
    text: Option<String>,
    default: usize,
    range: std::ops::RangeInclusive<usize>,
    message: &'static str,
) -> Result<usize, EdgeError> {
    let Some(text) = text else { return Ok(default) };
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| is_decimal && range.contains(number));
    number.ok_or(EdgeError::BadRequest(message))
}

/// The place to which a cursor of a connection's timeline is sealed.
fn timeline_place(handle: &str) -> String {
    format!("timeline/{handle}")
}

fn open_cursor<T: DeserializeOwned>(place: &str, cursor: &str, sealer: &Sealer) -> Result<T, EdgeError> {
    let sealed = base64::decode::<Base64UrlSafeNoPadding>(cursor).ok_or(INVALID_CURSOR)?;
    let plain = sealer.open(place, &sealed).map_err(|_| INVALID_CURSOR)?;
    json::from_slice(&plain).map_err(|_| INVALID_CURSOR)
}

fn seal_cursor<T: Serialize>(place: &str, cursor: &T, sealer: &Sealer, nonce: [u8; NONCE_LEN]) -> String {
    let plain = serde_json::to_vec(cursor).unwrap_or_default();
    base64::encode::<Base64UrlSafeNoPadding>(&sealer.seal(place, &plain, nonce))
}
