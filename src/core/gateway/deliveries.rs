//! The list of forwarded events that the app has not taken: its query and its items.
//!
//! ```json
//! {
//!   "id": "d008118ce15380a434578a94ed5851d5f2ba7a6766a94f72c9e27bdf2a7e2bd2", "type": "connection.expired",
//!   "handle": "acct_00112233445566778899aabbccddeeff", "state": "pending", "tries": 3, "unanswered": 1, "refused": 2,
//!   "lastAnswer": "503", "firstTriedAt": "2026-11-28T07:56:46.505Z", "nextTryAt": "2026-11-28T07:57:21.120Z",
//!   "parkedAt": null
//! }
//! ```

use serde::Serialize;

use super::{
    error::EdgeError,
    forward::{Answer, Next, TOO_LARGE, Waiting},
    list::{EventQuery, parse_limit, query_values},
};
use crate::core::{
    instant::iso_8601,
    storage::{NONCE_LEN, Sealer},
};

/// The state of an event that is sent again.
pub const PENDING: &str = "pending";
/// The state of an event that is not sent any more.
pub const PARKED: &str = "parked";

/// The query of `GET /edge/deliveries`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// [`PENDING`] or [`PARKED`], which is the default.
    pub state: &'static str,
    /// How many events the page has at most: 1 to [`MAX_LIMIT`](super::list::MAX_LIMIT).
    pub limit: usize,
    /// The `cursor` of the page before, still sealed.
    pub cursor: Option<String>,
}

/// An event that waits or is parked, as `GET /edge/deliveries` lists it. Instants are ISO 8601.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryItem<'a> {
    id: &'a str,
    r#type: &'a str,
    handle: Option<&'a str>,
    state: &'a str,
    tries: i64,
    unanswered: i64,
    refused: i64,
    last_answer: String,
    first_tried_at: Option<String>,
    next_try_at: Option<String>,
    parked_at: Option<String>,
}

/// The item of an event after an attempt that ended at `now` (unix ms), as JSON: its id, type and handle, and what `waiting`
/// counts. Empty if the app has taken it.
pub fn delivery_item(
    [id, kind, handle]: [&str; 3],
    waiting: Waiting,
    answer: Answer<'_>,
    next: Next,
    now: i64,
) -> String {
    let (state, next_try_at, parked_at) = match next {
        Next::Taken => return String::new(),
        Next::Parked => (PARKED, None, Some(now)),
        Next::Again(at) => (PENDING, Some(at), None),
    };
    let last_answer = match answer {
        Answer::None(reason) => reason.to_owned(),
        Answer::TooLarge => TOO_LARGE.to_owned(),
        Answer::Status(status, _) => status.to_string(),
    };
    let item = DeliveryItem {
        id,
        r#type: kind,
        handle: (!handle.is_empty()).then_some(handle),
        state,
        tries: waiting.attempts,
        unanswered: waiting.unanswered,
        refused: waiting.attempts - waiting.unanswered,
        last_answer,
        first_tried_at: waiting.first_at.map(iso_8601),
        next_try_at: next_try_at.map(iso_8601),
        parked_at: parked_at.map(iso_8601),
    };
    serde_json::to_string(&item).unwrap_or_default()
}

impl DeliveryQuery {
    /// Reads the query string. An unknown or repeated key, another state, and a value out of range are a
    /// [`BadRequest`](EdgeError::BadRequest).
    pub fn parse(query: &str) -> Result<Self, EdgeError> {
        let [state, limit, cursor] = query_values(query, ["state", "limit", "cursor"])?;
        let state = match state.as_deref() {
            None | Some(PARKED) => PARKED,
            Some(PENDING) => PENDING,
            Some(_) => return Err(EdgeError::BadRequest("state must be pending or parked")),
        };
        Ok(Self { state, limit: parse_limit(limit)?, cursor })
    }

    /// Opens the query's cursor: the page has events before the returned place.
    /// [`INVALID_CURSOR`](super::list::INVALID_CURSOR) unless the gateway made it for this state.
    pub fn open_cursor(&self, sealer: &Sealer) -> Result<i64, EdgeError> {
        let query = EventQuery { limit: self.limit, cursor: self.cursor.clone() };
        query.open_timeline_cursor(self.state, sealer)
    }

    /// Seals the cursor of the next page, which has events before `place`. `nonce` must be fresh and random.
    pub fn seal_cursor(&self, place: i64, sealer: &Sealer, nonce: [u8; NONCE_LEN]) -> String {
        EventQuery::seal_timeline_cursor(self.state, place, sealer, nonce)
    }
}
