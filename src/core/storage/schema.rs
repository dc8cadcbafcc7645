//! The storage schema of Workers KV: keys, values and lifetimes, as data. A shell performs each [`Put`].
//!
//! | key | value | metadata | lifetime |
//! |---|---|---|---|
//! | `conn:{handle}` | sealed [`Record`] as JSON | [`ConnectionMeta`] | until the ledger deletes it |
//! | `event:{9999999999999 − stamp ms, 13 digits}:{delivery id}` | sealed raw body | [`EventMeta`] | EVENT_TTL_SECONDS |
//! | `rules` | sealed raw body of the newest rules event | [`RulesMeta`] | – |
//!
//! A sealed value's place (see [`crate::seal`]) is its key; a summary's is the key followed by `#summary`. KV lists keys
//! in order, so events come newest first and connections by handle. Metadata holds at most [`MAX_METADATA`] bytes and
//! nothing that identifies a person in clear.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    index::Index,
    seal::{NONCE, Sealer},
};
use crate::core::{connection::Record, webhook::Delivery};

/// What every connection's key begins with.
pub const CONNECTION_PREFIX: &str = "conn:";
/// What every kept event's key begins with.
pub const EVENT_PREFIX: &str = "event:";
/// The key of the newest rules.
pub const RULES_KEY: &str = "rules";
/// The most metadata KV takes for a key, in bytes of JSON.
pub const MAX_METADATA: usize = 1024;
/// The shortest lifetime KV takes, in seconds.
pub const MIN_TTL: u64 = 60;

const LAST_STAMP: i64 = 9_999_999_999_999;
// JSON writes a control character in six bytes.
const MAX_META_STATUS: usize = 64;
const MAX_META_REVISION: usize = 128;

/// One write to KV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The key.
    pub key: String,
    /// The sealed value.
    pub value: Vec<u8>,
    /// At most [`MAX_METADATA`] bytes of JSON.
    pub metadata: Value,
    /// Seconds to live.
    pub ttl: Option<u64>,
}

/// What a list of connections can be filtered by without opening anything, and usually shown from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionMeta {
    /// The record's status, cut to 64 bytes.
    pub status: String,
    /// The record's `updatedAt`.
    pub updated_at: String,
    /// [`Index::user`] of the OnlyFans user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// [`Index::reference`] of the user it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The sealed record in base64, where there is room for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

/// What is known of a kept event without opening it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventMeta {
    /// The event's type; `None` for an authentic body that is no event.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// When it arrived, ISO 8601.
    pub received_at: String,
    /// [`Index::reference`] of the user it is about, if it names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The handle of the connection it is about, if it names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
}

/// Which rules are the newest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RulesMeta {
    /// The revision, if the event names one, cut to 128 bytes.
    pub revision: Option<String>,
}

/// What a kept event's key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventKey<'a> {
    /// The delivery id.
    pub id: &'a str,
    /// Unix milliseconds.
    pub stamp: i64,
}

/// The key of a connection.
pub fn connection_key(handle: &str) -> String {
    format!("{CONNECTION_PREFIX}{handle}")
}

/// Writes a connection. Takes two nonces, for the value and for the summary.
pub fn put_connection(record: &Record, index: &Index, sealer: &Sealer, nonces: [[u8; NONCE]; 2]) -> Put {
    let key = connection_key(&record.handle);
    let plain = serde_json::to_vec(record).unwrap_or_default();
    let [value_nonce, summary_nonce] = nonces;
    let summary = sealer.seal(&summary_place(&key), &plain, summary_nonce);
    let mut meta = ConnectionMeta {
        status: meta_status(&record.status).to_owned(),
        updated_at: record.updated_at.clone(),
        user: record.platform_user_id.as_deref().map(|user| index.user(user)),
        reference: record.client_reference_id.as_deref().map(|reference| index.reference(reference)),
        summary: Some(STANDARD_NO_PAD.encode(summary)),
    };
    if serde_json::to_vec(&meta).is_ok_and(|json| json.len() > MAX_METADATA) {
        meta.summary = None;
    }
    Put { value: sealer.seal(&key, &plain, value_nonce), key, metadata: json(&meta), ttl: None }
}

/// Opens a connection's value.
pub fn open_connection(handle: &str, value: &[u8], sealer: &Sealer) -> Option<Record> {
    open_record(&connection_key(handle), value, sealer)
}

/// Opens a connection's summary, if it has one.
pub fn open_summary(handle: &str, meta: &ConnectionMeta, sealer: &Sealer) -> Option<Record> {
    let sealed = STANDARD_NO_PAD.decode(meta.summary.as_ref()?).ok()?;
    open_record(&summary_place(&connection_key(handle)), &sealed, sealer)
}

/// Writes an event that is not about a connection, or an authentic body that is no event. `ttl` is
/// seconds, at least [`MIN_TTL`].
pub fn put_event(
    delivery: &Delivery,
    meta: &EventMeta,
    body: &[u8],
    ttl: u64,
    sealer: &Sealer,
    nonce: [u8; NONCE],
) -> Put {
    let newest_first = LAST_STAMP - delivery.stamp.clamp(0, LAST_STAMP);
    let key = format!("{EVENT_PREFIX}{newest_first:013}:{}", delivery.id);
    Put { value: sealer.seal(&key, body, nonce), key, metadata: json(meta), ttl: Some(ttl) }
}

/// Reads a kept event's key.
pub fn parse_event_key(key: &str) -> Option<EventKey<'_>> {
    let (newest_first, id) = key.strip_prefix(EVENT_PREFIX)?.split_once(':')?;
    let stamp = LAST_STAMP.checked_sub(newest_first.parse().ok()?)?;
    Some(EventKey { id, stamp })
}

/// Writes the newest rules.
pub fn put_rules(revision: Option<&str>, body: &[u8], sealer: &Sealer, nonce: [u8; NONCE]) -> Put {
    let metadata = json(&RulesMeta { revision: revision.map(|text| cut(text, MAX_META_REVISION).to_owned()) });
    Put { key: RULES_KEY.to_owned(), value: sealer.seal(RULES_KEY, body, nonce), metadata, ttl: None }
}

/// The status as metadata holds it, for comparing.
pub fn meta_status(status: &str) -> &str {
    cut(status, MAX_META_STATUS)
}

fn open_record(place: &str, sealed: &[u8], sealer: &Sealer) -> Option<Record> {
    serde_json::from_slice(&sealer.open(place, sealed).ok()?).ok()
}

fn summary_place(key: &str) -> String {
    format!("{key}#summary")
}

fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
