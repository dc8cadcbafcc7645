//! Events: what a verified webhook says.
//!
//! [`Event::parse`] takes [`Verified`] only, so that nothing unsigned is ever read. It reads three envelopes: the current
//! `{type, timestamp, data}`, the SDK's `{eventType, live, data}` without a timestamp, and the realtime one, whose
//! connection stands in `data.connection`. The set of types is open: what is not known here is [`Payload::Other`],
//! acknowledged and kept. Unknown fields are skipped, the raw body keeps them.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    reading::{Family, Members, Reading, slot},
    scan::{self, elements},
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

/// What a connection event, or an item of OFAuth's list, asserts. An absent field asserts nothing, nor does null, except for
/// the avatar, nor does one of another type or too long: an odd name must not keep a `disconnected` from being heard.
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
    /// This is no object.
    NoObject(&'static str),
    /// This has a key that is read here twice.
    Twice(&'static str),
    /// This has a key with half of a surrogate pair.
    HalfPair(&'static str),
    /// Neither `type` nor `eventType`.
    NoType,
    /// A type that is no string, empty, longer than [`MAX_TYPE`], or has control characters.
    BadType,
    /// No connection id, or one that [`is_connection_id`] refuses.
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
        let members = Members::of(verified).ok_or(EventError::InvalidJson)?;
        let Reading { kind, family, members } = members.judge()?;
        let payload = match family {
            Family::Connection(change) => Payload::Connection(Box::new(ConnectionEvent::of(members, change)?)),
            Family::Rules => Payload::Rules(opaque(members, slot::REVISION)),
            Family::Other => Payload::Other,
        };
        let timestamp = members.timestamp().map(Cow::into_owned);
        Ok(Self { kind: kind.into_owned(), timestamp, live: members.truth(slot::LIVE), payload })
    }
}

impl ConnectionEvent {
    /// Reads an item of OFAuth's list.
    pub(crate) fn listed(item: &str) -> Result<Self, EventError> {
        Self::of(&Members::of_item(item)?, ConnectionChange::Listed)
    }

    fn of(members: &Members, change: ConnectionChange) -> Result<Self, EventError> {
        let user_id = opaque(members, slot::USER_ID).or_else(|| opaque(members, slot::OTHER_USER_ID));
        Ok(Self {
            change,
            id: members.id(slot::ID).ok_or(EventError::BadConnectionId)?.into_owned(),
            status: string(members.value(slot::STATUS)).filter(|text| text.len() <= MAX_TEXT),
            permissions: strings(members.value(slot::PERMISSIONS))
                .filter(|all| all.iter().map(|one| one.len() + "\"\",".len()).sum::<usize>() <= MAX_PERMISSIONS),
            client_reference_id: opaque(members, slot::REFERENCE).or_else(|| opaque(members, slot::OWN_REFERENCE)),
            platform_user_id: opaque(members, slot::PLATFORM_USER_ID).or_else(|| user_id.clone()),
            user_id,
            created_at: text(members.value(slot::CREATED_AT)),
            expires_at: text(members.value(slot::EXPIRES_AT)),
            imported: members.truth(slot::IMPORTED),
            name: text(members.value(slot::NAME)).or_else(|| text(members.value(slot::OTHER_NAME))),
            username: text(members.value(slot::USERNAME)).or_else(|| text(members.value(slot::OTHER_USERNAME))),
            avatar: members.value_or_null(slot::AVATAR).and_then(|avatar| match avatar {
                "null" => Some(None),
                _ => text(Some(avatar)).map(Some),
            }),
        })
    }
}

impl Subject {
    /// Reads as much of it as is there.
    pub fn of(verified: &Verified) -> Self {
        let Some(members) = Members::of(verified) else { return Self::default() };
        Self {
            client_reference_id: opaque(&members, slot::REFERENCE).or_else(|| opaque(&members, slot::OWN_REFERENCE)),
            connection_id: opaque(&members, slot::ID),
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
            let members = Members::of(verified)?;
            members.object("the body", slot::BODY, slot::TIMESTAMP, slot::TIMESTAMP).ok()?;
            members.timestamp().map(Cow::into_owned)
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
            Self::NoObject(_)
            | Self::Twice(_)
            | Self::HalfPair(_)
            | Self::NoType
            | Self::BadType
            | Self::BadConnectionId => "INVALID_EVENT",
        }
    }
}

impl EventError {
    /// What is wrong, for a person.
    pub fn message(&self) -> String {
        let (name, rest) = match self {
            Self::InvalidJson => ("", "the body is not JSON in UTF-8"),
            Self::NoObject(name) => (*name, " is no object"),
            Self::Twice(name) => (*name, " has a key twice"),
            Self::HalfPair(name) => (*name, " has a key with half of a surrogate pair"),
            Self::NoType => ("", "the body has neither type nor eventType"),
            Self::BadType => ("", "a type has 1 to 128 bytes and no control characters"),
            Self::BadConnectionId => ("", "a connection id has 1 to 256 visible ASCII characters other than the comma"),
        };
        [name, rest].concat()
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for EventError {}

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

fn opaque(members: &Members, slot: usize) -> Option<String> {
    members.id(slot).filter(|id| id.len() <= MAX_TEXT).map(Cow::into_owned)
}

fn string(value: Option<&str>) -> Option<String> {
    value.and_then(scan::string).map(Cow::into_owned)
}

fn strings(value: Option<&str>) -> Option<Vec<String>> {
    elements(value?)?.into_iter().map(|element| string(Some(element))).collect()
}

/// Text for people.
fn text(value: Option<&str>) -> Option<String> {
    value.and_then(scan::text).map(Cow::into_owned).filter(|text| text.len() <= MAX_TEXT)
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
