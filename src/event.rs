//! Events: what a verified webhook says.
//!
//! [`Event::parse`] takes [`Verified`] only, so that nothing unsigned is ever read. It reads three envelopes: the current
//! `{type, timestamp, data}`, the SDK's `{eventType, live, data}` without a timestamp, and the realtime one, whose
//! connection stands in `data.connection`. The set of types is open: what is not known here is [`Payload::Other`],
//! acknowledged and kept. Unknown fields are skipped, the raw body keeps them.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    json::{Id, Object, Text, present},
    signature::{Scheme, Verified},
};

/// The longest event type, in bytes; OFAuth's longest today has 27.
pub const MAX_TYPE: usize = 128;
/// The longest connection id, in bytes.
pub const MAX_ID: usize = 256;
/// The longest text that a connection event asserts, in bytes; a longer one asserts nothing. What all registers hold must
/// fit a row of the ledger.
pub const MAX_TEXT: usize = 4 * 1024;
/// The most text that the permissions of a connection event have together, in bytes.
pub const MAX_PERMISSIONS: usize = 16 * 1024;
/// How far the body's own timestamp may lie after the signature's, in seconds, before it is not believed.
pub const MAX_AHEAD: i64 = 300;
/// The latest instant that can be written down, 9999-12-31, in unix milliseconds.
const MAX_STAMP: i64 = 253_402_300_799_999;
/// The longest message id that is used as it came, in bytes.
const MAX_MESSAGE_ID: usize = 128;

/// An event, read from bytes that a holder of the secret signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `type`, or `eventType` in the SDK envelope.
    pub kind: String,
    /// `timestamp` as it came, a number as it is written; `None` where it is absent, null, empty or no scalar.
    pub timestamp: Option<String>,
    /// `live` of the SDK envelope: true for production, false for the sandbox.
    pub live: Option<bool>,
    /// What the type makes of `data`.
    pub payload: Payload,
}

/// Whom an authentic body is about, whatever else it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// `data.clientReferenceId`, else that of its connection.
    pub client_reference_id: Option<String>,
    /// `data.connection.id`.
    pub connection_id: Option<String>,
}

/// `data`, as far as this crate acts on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// `connection.created`, `.updated`, `.expired`, `.disconnected`.
    Connection(Box<ConnectionEvent>),
    /// `rules.updated`, once `rules.update`, with its revision if it names one.
    Rules(Option<String>),
    /// Realtime and unknown types.
    Other,
}

/// What a connection event, or an item of OFAuth's list, asserts. An absent field asserts nothing, nor does null, except for the avatar, nor does one of
/// another type or too long: an odd name must not keep a `disconnected` from being heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionEvent {
    /// Where it was said.
    pub change: ConnectionChange,
    /// OFAuth's id of the connection: a credential, never logged.
    pub id: String,
    /// `status` as it came; the set is open.
    pub status: Option<String>,
    /// The permissions granted.
    pub permissions: Option<Vec<String>>,
    /// The integrator's own user id.
    pub client_reference_id: Option<String>,
    /// The OnlyFans user id: `platformUserId`, else that of `userData`.
    pub platform_user_id: Option<String>,
    /// `userData.id`, else `userData.userId`.
    pub user_id: Option<String>,
    /// When the connection was created, as it came.
    pub created_at: Option<String>,
    /// When the connection will expire, as it came.
    pub expires_at: Option<String>,
    /// Whether it was imported rather than linked.
    pub imported: Option<bool>,
    /// `userData.name`.
    pub name: Option<String>,
    /// `userData.username`.
    pub username: Option<String>,
    /// `userData.avatar`; null asserts that there is none.
    pub avatar: Option<Option<String>>,
}

/// Where it was said: in one of the four connection events, or in OFAuth's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionChange {
    /// `connection.created`
    Created,
    /// `connection.updated`
    Updated,
    /// `connection.expired`
    Expired,
    /// `connection.disconnected`
    Disconnected,
    /// An item of OFAuth's own list.
    Listed,
}

/// Why an authentic body is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventError {
    /// Not UTF-8, or not JSON.
    InvalidJson,
    /// JSON, but no object, a type of the wrong type, no connection id, or a key that is read here twice; in the
    /// parser's words, which may quote the body.
    Shape(String),
    /// Neither `type` nor `eventType`.
    NoType,
    /// A type that is empty, longer than [`MAX_TYPE`], or has control characters.
    BadType,
    /// A connection id that [`is_connection_id`] refuses.
    BadConnectionId,
}

/// What tells one delivery from another, and when what it says happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The same for every copy of one delivery.
    pub id: String,
    /// Unix milliseconds.
    pub stamp: i64,
}

/// What became of a delivery: the `outcome` of a webhook's 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Some register of the connection changed.
    Applied,
    /// A new delivery that changed nothing: a newer one came before it.
    Stale,
    /// Another copy of this delivery came before it.
    Duplicate,
    /// Not about a connection, and kept.
    Kept,
    /// Not about a connection, and of a type that is not kept.
    Ignored,
}

impl Outcome {
    /// The word itself.
    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Stale => "stale",
            Self::Duplicate => "duplicate",
            Self::Kept => "kept",
            Self::Ignored => "ignored",
        }
    }
}

impl Event {
    /// Reads the event. One leading byte order mark is dropped. Half a surrogate pair, which JSON can escape, does no
    /// harm in a text or in what is skipped, but makes an id, a type, or a key of an object that is read an
    /// INVALID_EVENT.
    pub fn parse(verified: &Verified) -> Result<Self, EventError> {
        let text = std::str::from_utf8(verified.body()).map_err(|_| EventError::InvalidJson)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        read(text).map_err(|error| match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => error,
            Err(_) => EventError::InvalidJson,
        })
    }
}

impl Subject {
    /// Reads as much of it as is there.
    pub fn of(verified: &Verified) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Named<'a> {
            #[serde(borrow)]
            client_reference_id: Option<&'a RawValue>,
            #[serde(borrow)]
            connection: Option<&'a RawValue>,
            #[serde(borrow)]
            id: Option<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct Body<'a> {
            #[serde(borrow)]
            data: Object<Named<'a>>,
        }
        let body = serde_json::from_slice::<Object<Body>>(verified.body()).ok();
        let Some(Object(Body { data: Object(data) })) = body else { return Self::default() };
        let connection = scalar::<Object<Named>>(data.connection).map(|Object(named)| named).unwrap_or_default();
        Self {
            client_reference_id: opaque(data.client_reference_id).or_else(|| opaque(connection.client_reference_id)),
            connection_id: opaque(connection.id),
        }
    }
}

impl Delivery {
    /// Names the delivery and dates it. `event` is `None` for a body that is no event, which may carry a timestamp all
    /// the same.
    ///
    /// The id is the signed message id under svix; else SHA-256 of the body if the body carries a timestamp; else
    /// SHA-256 of `{t}.{body}`, since bodies without a timestamp repeat honestly. The stamp is the body's timestamp; if
    /// that is absent, unreadable, or more than [`MAX_AHEAD`] after the signature's time, the signature's time.
    pub fn of(verified: &Verified, event: Option<&Event>) -> Self {
        let undated = || {
            let Object(dated) = serde_json::from_slice::<Object<Dated>>(verified.body()).ok()?;
            self::timestamp(dated.timestamp)
        };
        let timestamp = event.map_or_else(undated, |event| event.timestamp.clone());
        let signed = i64::try_from(verified.timestamp()).unwrap_or(i64::MAX).saturating_mul(1000).min(MAX_STAMP);
        let stamp = timestamp
            .as_deref()
            .and_then(unix_ms)
            .filter(|stamp| *stamp <= signed + MAX_AHEAD * 1000)
            .unwrap_or(signed);
        let id = match (verified.scheme(), verified.id()) {
            (Scheme::Svix, Some(id)) if is_plain(id) => id.to_owned(),
            (Scheme::Svix, Some(id)) => hex_sha256(&[id.as_bytes()]),
            _ if timestamp.is_some() => verified.digest(),
            _ => hex_sha256(&[verified.timestamp().to_string().as_bytes(), b".", verified.body()]),
        };
        Self { id, stamp }
    }
}

impl EventError {
    /// The stable code, the same in Rust, in HTTP answers and in JavaScript.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidJson => "INVALID_JSON",
            Self::Shape(_) | Self::NoType | Self::BadType | Self::BadConnectionId => "INVALID_EVENT",
        }
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidJson => f.write_str("the body is not JSON in UTF-8"),
            Self::Shape(reason) => write!(f, "the body is no event: {reason}"),
            Self::NoType => f.write_str("the body has neither type nor eventType"),
            Self::BadType => write!(f, "a type has 1 to {MAX_TYPE} bytes and no control characters"),
            Self::BadConnectionId => {
                write!(f, "a connection id has 1 to {MAX_ID} visible ASCII characters other than the comma")
            }
        }
    }
}

impl std::error::Error for EventError {}

impl From<serde_json::Error> for EventError {
    fn from(error: serde_json::Error) -> Self {
        Self::Shape(error.to_string())
    }
}

/// An RFC 3339 instant from 1970 to 9999, in unix milliseconds.
pub fn unix_ms(timestamp: &str) -> Option<i64> {
    let instant = OffsetDateTime::parse(timestamp, &Rfc3339).ok()?.unix_timestamp_nanos().div_euclid(1_000_000);
    i64::try_from(instant).ok().filter(|ms| (0..=MAX_STAMP).contains(ms))
}

/// Unix milliseconds in RFC 3339, UTC, always with three decimals, as JavaScript writes it. Clamped to 1970 to 9999.
pub fn iso_8601(ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms.clamp(0, MAX_STAMP)) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second, milli) = at.to_hms_milli();
    format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z", u8::from(month))
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "eventType")]
    event_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    live: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionData<'a> {
    #[serde(borrow)]
    client_reference_id: Option<&'a RawValue>,
    #[serde(borrow)]
    connection: Object<ConnectionBody<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct ConnectionBody<'a> {
    id: Id,
    client_reference_id: Option<&'a RawValue>,
    status: Option<&'a RawValue>,
    permissions: Option<&'a RawValue>,
    platform_user_id: Option<&'a RawValue>,
    user_data: Option<&'a RawValue>,
    metadata: Option<&'a RawValue>,
    created_at: Option<&'a RawValue>,
    expires_at: Option<&'a RawValue>,
    imported: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct UserData<'a> {
    id: Option<&'a RawValue>,
    user_id: Option<&'a RawValue>,
    name: Option<&'a RawValue>,
    username: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "present")]
    avatar: Option<&'a RawValue>,
}

/// The older documents' words for a profile.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Metadata<'a> {
    username: Option<&'a RawValue>,
    display_name: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RulesData<'a> {
    #[serde(borrow)]
    revision: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Dated<'a> {
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
}

fn read(text: &str) -> Result<Event, EventError> {
    let Object(envelope) = serde_json::from_str::<Object<Envelope>>(text)?;
    let kind = envelope.kind.or(envelope.event_type).ok_or(EventError::NoType)?;
    if kind.is_empty() || kind.len() > MAX_TYPE || kind.chars().any(char::is_control) {
        return Err(EventError::BadType);
    }
    let data = envelope.data.map_or("null", RawValue::get);
    let payload = match &*kind {
        "connection.created" => connection(data, ConnectionChange::Created),
        "connection.updated" => connection(data, ConnectionChange::Updated),
        "connection.expired" => connection(data, ConnectionChange::Expired),
        "connection.disconnected" => connection(data, ConnectionChange::Disconnected),
        "rules.updated" | "rules.update" => rules(data),
        _ => Ok(Payload::Other),
    }?;
    Ok(Event {
        kind: kind.into_owned(),
        timestamp: timestamp(envelope.timestamp),
        live: scalar(envelope.live),
        payload,
    })
}

fn connection(data: &str, change: ConnectionChange) -> Result<Payload, EventError> {
    let Object(data) = serde_json::from_str::<Object<ConnectionData>>(data)?;
    let Object(body) = data.connection;
    let mut event = ConnectionEvent::of(body, change)?;
    event.client_reference_id = opaque(data.client_reference_id).or(event.client_reference_id);
    Ok(Payload::Connection(Box::new(event)))
}

impl ConnectionEvent {
    /// Reads an item of OFAuth's list.
    pub(crate) fn listed(item: &str) -> Result<Self, EventError> {
        Self::of(serde_json::from_str::<Object<ConnectionBody>>(item)?.0, ConnectionChange::Listed)
    }

    fn of(body: ConnectionBody, change: ConnectionChange) -> Result<Self, EventError> {
        let id = body.id.0;
        if !is_connection_id(&id) {
            return Err(EventError::BadConnectionId);
        }
        let user: UserData = object(body.user_data)?;
        let metadata: Metadata = object(body.metadata)?;
        let user_id = opaque(user.id).or_else(|| opaque(user.user_id));
        Ok(Self {
            change,
            id,
            status: scalar::<String>(body.status).filter(|text| text.len() <= MAX_TEXT),
            permissions: scalar(body.permissions).filter(|all: &Vec<String>| {
                all.iter().map(|one| one.len() + "\"\",".len()).sum::<usize>() <= MAX_PERMISSIONS
            }),
            client_reference_id: opaque(body.client_reference_id),
            platform_user_id: opaque(body.platform_user_id).or_else(|| user_id.clone()),
            user_id,
            created_at: text(body.created_at),
            expires_at: text(body.expires_at),
            imported: scalar(body.imported),
            name: text(user.name).or_else(|| text(metadata.display_name)),
            username: text(user.username).or_else(|| text(metadata.username)),
            avatar: user.avatar.and_then(|avatar| match avatar.get() {
                "null" => Some(None),
                _ => text(Some(avatar)).map(Some),
            }),
        })
    }
}

/// A field that is an object; any other is as good as an empty one.
fn object<'a, T: Default + Deserialize<'a>>(raw: Option<&'a RawValue>) -> Result<T, EventError> {
    match raw.map(RawValue::get) {
        Some(object) if object.starts_with('{') => Ok(serde_json::from_str::<Object<T>>(object)?.0),
        _ => Ok(T::default()),
    }
}

/// A field's value, if it has the type that is asked for.
fn scalar<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

fn opaque(raw: Option<&RawValue>) -> Option<String> {
    scalar::<Id>(raw).map(|id| id.0).filter(|id| id.len() <= MAX_TEXT)
}

fn text(raw: Option<&RawValue>) -> Option<String> {
    scalar::<Text>(raw).map(|text| text.0).filter(|text| text.len() <= MAX_TEXT)
}

fn timestamp(raw: Option<&RawValue>) -> Option<String> {
    scalar::<Id>(raw).map(|id| id.0).filter(|timestamp| !timestamp.is_empty())
}

/// The shape of rules is not documented, so only a revision that stands twice is no event.
fn rules(data: &str) -> Result<Payload, EventError> {
    if !data.starts_with('{') {
        return Ok(Payload::Rules(None));
    }
    let Object(rules) = serde_json::from_str::<Object<RulesData>>(data)?;
    Ok(Payload::Rules(opaque(rules.revision)))
}

/// Whether `id` can be a connection id: it must survive being a header's value and a path's segment, and one that holds a
/// comma or a space could be two.
pub fn is_connection_id(id: &str) -> bool {
    let dots = matches!(id, "." | "..");
    !dots && (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

fn is_plain(id: &str) -> bool {
    id.len() <= MAX_MESSAGE_ID && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn hex_sha256(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    base16ct::lower::encode_string(&hash.finalize())
}
