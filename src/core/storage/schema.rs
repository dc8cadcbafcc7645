//! What stands in Workers KV: keys, values, metadata and lifetimes. The functions return each write as a [`KvPut`], and
//! the Worker performs it.
//!
//! | key | value, sealed | metadata | lifetime |
//! |---|---|---|---|
//! | `conn:{handle}` | a [`Record`] as JSON | [`ConnectionMeta`] | until the connection's ledger deletes it |
//! | `event:{age}:{delivery id}` | the raw body of any other event | [`EventMeta`] | `EVENT_TTL_SECONDS` |
//! | `rules` | the raw body of the newest rules event | [`RulesMeta`] | unlimited |
//!
//! - `{age}` is 9999999999999 minus the event's stamp (unix ms), in 13 digits. An older event has a larger age. KV
//!   lists keys in lexicographic order
//!   ([Workers KV: List keys](https://developers.cloudflare.com/kv/api/list-keys/)), so the newest event comes first.
//! - A value is sealed for the place that is its key: see [`Sealer`].
//! - Metadata come with every list of keys, so lists are filtered and shown without reading the values. Metadata have
//!   at most [`MAX_METADATA`] bytes and hold nothing in clear that identifies a person. A *summary* in the metadata of
//!   a connection is a second sealed copy of its record, in the compact form of `summary.rs`. Its place is the key
//!   followed by `#summary`, and by the status and the `updatedAt` that stand beside it. Older builds sealed the
//!   record as JSON, for the key and `#summary` alone.

use ct_codecs::Base64NoPadding;
use serde::{Deserialize, Serialize};

use super::{
    index::BlindIndex,
    seal::{NONCE_LEN, Sealer},
    summary::{pack, unpack},
};
use crate::core::{
    base64,
    connection::{Record, StatusReason},
    json,
    webhook::Delivery,
};

/// The beginning of a connection's key. The handle follows.
pub const CONNECTION_PREFIX: &str = "conn:";
/// The beginning of a stored event's key: see [`parse_event_key`].
pub const EVENT_PREFIX: &str = "event:";
/// The key of the newest rules event.
pub const RULES_KEY: &str = "rules";
/// The most metadata of one key, in bytes of JSON
/// ([Workers KV: Limits](https://developers.cloudflare.com/kv/platform/limits/)).
pub const MAX_METADATA: usize = 1024;
/// The shortest lifetime of a key, in seconds
/// ([Workers KV: Write key-value pairs](https://developers.cloudflare.com/kv/api/write-key-value-pairs/)).
pub const MIN_TTL: u64 = 60;

/// The latest stamp that 13 digits can hold, in unix ms.
const LAST_STAMP: i64 = 9_999_999_999_999;
/// The longest status in metadata, in bytes. JSON may write one byte as six (`\u0001`), so this is far below
/// [`MAX_METADATA`].
const MAX_META_STATUS: usize = 64;
/// The longest revision in metadata, in bytes.
const MAX_META_REVISION: usize = 128;

/// One write to Workers KV, for the Worker to perform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KvPut {
    /// The key, at most 512 bytes.
    pub key: String,
    /// The sealed value.
    pub value: Vec<u8>,
    /// The metadata as JSON, at most [`MAX_METADATA`] bytes.
    pub metadata: String,
    /// The lifetime in seconds. `None` for a value that stays.
    pub ttl: Option<u64>,
}

/// The metadata of a connection. Lists are filtered by them without decrypting anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionMeta {
    /// The record's status, at most 64 bytes of it: see [`truncate_status`].
    pub status: String,
    /// The record's `updatedAt`, ISO 8601.
    pub updated_at: String,
    /// The record's `statusReason`: its type, then a space and its instant, unless that is the record's `expiredAt`.
    /// Older builds neither write nor read it, so it is not in the summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The record's `accountChangedAt`, which older builds do not know either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_changed_at: Option<String>,
    /// The hash of the OnlyFans user id, from [`BlindIndex::hash_platform_user_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The hash of the user's clientReferenceId, from [`BlindIndex::hash_client_reference_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The sealed record, in base64 without padding. `None` if it does not fit, or cannot be read back from the compact
    /// form: then a list reads the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

/// The metadata of a stored event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventMeta {
    /// The event's type. `None` for a body whose signature is valid but that is not an event.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// When the webhook arrived, ISO 8601.
    pub received_at: String,
    /// The hash of the clientReferenceId that the event names, from [`BlindIndex::hash_client_reference_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The handle of the connection that the event names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
}

/// The metadata of the newest rules event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RulesMeta {
    /// The revision that the event names, at most 128 bytes of it.
    pub revision: Option<String>,
}

/// The parts of a stored event's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventKey<'a> {
    /// The delivery id: see [`Delivery::id`].
    pub id: &'a str,
    /// When the event happened, in unix ms.
    pub stamp: i64,
}

/// The key of a connection: `conn:{handle}`.
pub fn connection_key(handle: &str) -> String {
    format!("{CONNECTION_PREFIX}{handle}")
}

/// The write that stores a connection. It has no lifetime: the connection's ledger deletes the key.
///
/// The two nonces are for the value and for the summary. Both must be fresh: see [`Sealer::seal`].
pub fn put_connection(record: &Record, index: &BlindIndex, sealer: &Sealer, nonces: [[u8; NONCE_LEN]; 2]) -> KvPut {
    let key = connection_key(&record.handle);
    let plain = serde_json::to_vec(record).unwrap_or_default();
    let [value_nonce, summary_nonce] = nonces;
    let mut meta = ConnectionMeta {
        status: truncate_status(&record.status).to_owned(),
        updated_at: record.updated_at.clone(),
        reason: pack_reason(record),
        account_changed_at: record.account_changed_at.clone(),
        user: record.platform_user_id.as_deref().map(|user| index.hash_platform_user_id(user)),
        reference: record.client_reference_id.as_deref().map(|reference| index.hash_client_reference_id(reference)),
        summary: None,
    };
    let packed = pack(record);
    if unpack_beside(&meta, packed.as_bytes(), &record.handle).as_ref() == Some(record) {
        let summary = sealer.seal(&summary_place(&key, &meta), packed.as_bytes(), summary_nonce);
        meta.summary = Some(base64::encode::<Base64NoPadding>(&summary));
    }
    let mut metadata = to_json(&meta);
    if metadata.len() > MAX_METADATA {
        meta.summary = None;
        metadata = to_json(&meta);
    }
    KvPut { value: sealer.seal(&key, &plain, value_nonce), key, metadata, ttl: None }
}

/// Decrypts a connection's value. `None` if it does not open or is not a record.
pub fn open_connection(handle: &str, value: &[u8], sealer: &Sealer) -> Option<Record> {
    open_record(&connection_key(handle), value, sealer)
}

/// Decrypts a connection's summary, also one that an older build wrote. `None` if there is none, if it does not open, or
/// if it is not a record.
pub fn open_summary(handle: &str, meta: &ConnectionMeta, sealer: &Sealer) -> Option<Record> {
    let sealed = base64::decode::<Base64NoPadding>(meta.summary.as_ref()?)?;
    let key = connection_key(handle);
    match sealer.open(&summary_place(&key, meta), &sealed) {
        Ok(packed) => unpack_beside(meta, &packed, handle),
        Err(_) => open_record(&format!("{key}#summary"), &sealed, sealer),
    }
}

/// The write that stores a webhook body that is not a connection event.
///
/// `ttl` is the lifetime in seconds, at least [`MIN_TTL`]. The nonce must be fresh: see [`Sealer::seal`].
pub fn put_event(
    delivery: &Delivery,
    meta: &EventMeta,
    body: &[u8],
    ttl: u64,
    sealer: &Sealer,
    nonce: [u8; NONCE_LEN],
) -> KvPut {
    let age = LAST_STAMP - delivery.stamp.clamp(0, LAST_STAMP);
    let key = format!("{EVENT_PREFIX}{age:013}:{}", delivery.id);
    KvPut { value: sealer.seal(&key, body, nonce), key, metadata: to_json(meta), ttl: Some(ttl) }
}

/// Reads a stored event's key, `event:{age}:{delivery id}`. `None` if it has another form.
///
/// ```
/// use ofauth_edge::core::storage::{EventKey, parse_event_key};
///
/// let key = parse_event_key("event:8294685399999:msg_1");
/// assert_eq!(key, Some(EventKey { id: "msg_1", stamp: 1_705_314_600_000 }));
/// assert_eq!(parse_event_key("rules"), None);
/// ```
pub fn parse_event_key(key: &str) -> Option<EventKey<'_>> {
    let (age, id) = key.strip_prefix(EVENT_PREFIX)?.split_once(':')?;
    let stamp = LAST_STAMP.checked_sub(age.parse().ok()?)?;
    Some(EventKey { id, stamp })
}

/// The write that stores the newest rules event. It has no lifetime. The nonce must be fresh: see [`Sealer::seal`].
pub fn put_rules(revision: Option<&str>, body: &[u8], sealer: &Sealer, nonce: [u8; NONCE_LEN]) -> KvPut {
    let metadata = to_json(&RulesMeta { revision: revision.map(|text| truncate(text, MAX_META_REVISION).to_owned()) });
    KvPut { key: RULES_KEY.to_owned(), value: sealer.seal(RULES_KEY, body, nonce), metadata, ttl: None }
}

/// The status as metadata hold it: its first 64 bytes, or fewer so that no character is split.
pub fn truncate_status(status: &str) -> &str {
    truncate(status, MAX_META_STATUS)
}

fn open_record(place: &str, sealed: &[u8], sealer: &Sealer) -> Option<Record> {
    json::from_slice(&sealer.open(place, sealed).ok()?).ok()
}

/// Reads a compact summary, and what the metadata beside it have.
fn unpack_beside(meta: &ConnectionMeta, packed: &[u8], handle: &str) -> Option<Record> {
    let record = unpack(packed, handle, &meta.status, &meta.updated_at)?;
    let status_reason = meta.reason.as_deref().and_then(|reason| unpack_reason(reason, record.expired_at.as_deref()));
    Some(Record { status_reason, account_changed_at: meta.account_changed_at.clone(), ..record })
}

fn pack_reason(record: &Record) -> Option<String> {
    let StatusReason { kind, at } = record.status_reason.as_ref()?;
    let is_expiry = record.expired_at.as_ref() == Some(at);
    Some(if is_expiry { kind.clone() } else { [kind.as_str(), at].join(" ") })
}

fn unpack_reason(reason: &str, expired_at: Option<&str>) -> Option<StatusReason> {
    let (kind, at) = reason.split_once(' ').or_else(|| Some((reason, expired_at?)))?;
    Some(StatusReason { kind: kind.to_owned(), at: at.to_owned() })
}

/// The place of a compact summary. It names the metadata that the summary leaves out, so it opens beside these only.
fn summary_place(key: &str, meta: &ConnectionMeta) -> String {
    format!("{key}#summary/{}/{}", meta.updated_at, meta.status)
}

fn truncate(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
