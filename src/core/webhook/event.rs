//! Events: what a verified webhook says.
//!
//! [`Event::parse`] takes [`Verified`] only, so that nothing unsigned is ever read. It reads three envelopes: the current
//! `{type, timestamp, data}`, the SDK's `{eventType, live, data}` without a timestamp, and the realtime one, whose
//! connection stands in `data.connection`. The set of types is open: what is not known here is [`Payload::Other`],
//! acknowledged and kept. Unknown fields are skipped, the raw body keeps them.

use std::fmt;

/// The longest event type, in bytes; OFAuth's longest today has 27.
pub const MAX_TYPE: usize = 128;
/// The longest text that a connection event asserts, in bytes; a longer one asserts nothing. What all registers hold must
/// fit a row of the ledger.
pub const MAX_TEXT: usize = 4 * 1024;
/// The most text that the permissions of a connection event have together, in bytes.
pub const MAX_PERMISSIONS: usize = 16 * 1024;

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
    NotAnObject(&'static str),
    /// This has a key that is read here twice.
    DuplicateKey(&'static str),
    /// This has a key with half of a surrogate pair.
    LoneSurrogate(&'static str),
    /// Neither `type` nor `eventType`.
    MissingType,
    /// A type that is no string, empty, longer than [`MAX_TYPE`], or has control characters.
    InvalidType,
    /// No connection id, or one that [`is_connection_id`] refuses.
    InvalidConnectionId,
}

impl EventError {
    /// The stable code, the same in Rust, in HTTP answers and in JavaScript.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidJson => "INVALID_JSON",
            Self::NotAnObject(_)
            | Self::DuplicateKey(_)
            | Self::LoneSurrogate(_)
            | Self::MissingType
            | Self::InvalidType
            | Self::InvalidConnectionId => "INVALID_EVENT",
        }
    }
}

impl EventError {
    /// What is wrong, for a person.
    pub fn message(&self) -> String {
        let (name, rest) = match self {
            Self::InvalidJson => ("", "the body is not JSON in UTF-8"),
            Self::NotAnObject(name) => (*name, " is no object"),
            Self::DuplicateKey(name) => (*name, " has a key twice"),
            Self::LoneSurrogate(name) => (*name, " has a key with half of a surrogate pair"),
            Self::MissingType => ("", "the body has neither type nor eventType"),
            Self::InvalidType => ("", "a type has 1 to 128 bytes and no control characters"),
            Self::InvalidConnectionId => {
                ("", "a connection id has 1 to 256 visible ASCII characters, no comma, slash or backslash")
            }
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
