//! The events that OFAuth sends, as types, and the reasons why a body is not an event.
//!
//! [`Event::parse`] reads three forms of body:
//!
//! - the current one (OFAuth documentation, Connection Events):
//!   `{"type": …, "timestamp": …, "data": {"clientReferenceId": …, "connection": {"id": …, "status": …}}}`;
//! - the one of OFAuth's older SDKs, without a timestamp: `{"eventType": …, "live": …, "data": …}`;
//! - realtime events, which have the current form and name their connection in `data.connection`. Their type is
//!   `of.websocket.event.received`, or one of the translated ones such as `realtime.chat_message.received`.
//!
//! OFAuth may add types and members at any time. An event of an unknown type is valid, and its payload is
//! [`Payload::Other`]. Unknown members are skipped; they remain in the raw body.

use std::fmt;

/// The longest event type that is accepted, in bytes. The longest one that OFAuth documents has 32.
pub const MAX_TYPE_BYTES: usize = 128;
/// The longest text that is read from a connection event, in bytes. A longer text counts as absent, because the whole
/// record of a connection must fit into one row of its ledger.
pub const MAX_TEXT_BYTES: usize = 4 * 1024;
/// The longest list of permissions that is read from a connection event, in bytes as JSON. A longer list counts as
/// absent.
pub const MAX_PERMISSIONS_BYTES: usize = 16 * 1024;

/// An event, read from a verified body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `type`, or `eventType` in the form of the older SDKs.
    pub kind: String,
    /// `timestamp` as it is written in the body; a number stays as its digits. `None` if it is absent, null, the empty
    /// string or neither a string nor a number.
    pub timestamp: Option<String>,
    /// `live` in the form of the older SDKs: true for production, false for the sandbox. Or else `data.environment`, which
    /// realtime events have: `live` is true, `test` and `sandbox` are false.
    pub live: Option<bool>,
    /// The contents of `data`, which depend on the type.
    pub payload: Payload,
}

/// The user and the connection that a verified body is about, also if the body is not an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// `data.clientReferenceId`, or else `data.connection.clientReferenceId`.
    pub client_reference_id: Option<String>,
    /// `data.connection.id`.
    pub connection_id: Option<String>,
}

/// The contents of `data` that the gateway uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// The connection of a `connection.created`, `.updated`, `.expired` or `.disconnected` event.
    Connection(Box<ConnectionEvent>),
    /// `data.revision` of a `rules.updated` event, or of `rules.update`, its older name.
    Rules(Option<String>),
    /// A realtime event, or an event of an unknown type.
    Other,
}

/// Calls the macro `$then` with the list of fields that a delivery can give a connection, each with its type.
///
/// The structs on a field's way are made from this one list: [`ConnectionEvent`] here, `Changes` and `Connection` in
/// the room `connection`. Two fields are not in it: `live`, which is the event's own, and `avatar`, which can be null.
macro_rules! connection_fields {
    ($then:ident) => {
        $then! {
            /// `status` as it is written. OFAuth may add values.
            status: String,
            /// `permissions`: what the user allowed.
            permissions: Vec<String>,
            /// `clientReferenceId`: the app's own id of the user.
            client_reference_id: String,
            /// The OnlyFans user id: `platformUserId`, or else the id in `userData`.
            platform_user_id: String,
            /// `createdAt`: when the connection was created, as it is written.
            created_at: String,
            /// `expiresAt`: when the connection will expire, as it is written.
            expires_at: String,
            /// `lastCheckedAt`, or else `metadata.lastActivity`: when OFAuth last used the connection, as it is written.
            last_checked_at: String,
            /// `imported`: whether the connection was imported and not linked by its user.
            imported: bool,
            /// `userData.id`, or else `userData.userId`.
            user_id: String,
            /// `userData.name`, or else `metadata.displayName`.
            name: String,
            /// `userData.username`, or else `metadata.username`.
            username: String,
        }
    };
}
pub(crate) use connection_fields;

macro_rules! connection_event {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// A connection, as a connection event or an item of OFAuth's list of connections describes it.
        ///
        /// A field is `None` if its member is absent, null, too long or of another type. Only the id is required: one
        /// unusual name must not hide that a connection was disconnected. `None` says nothing about the connection, so
        /// it never erases what is known.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct ConnectionEvent {
            /// The event or the list that describes the connection.
            pub change: ConnectionChange,
            /// OFAuth's id of the connection. It is a credential: never log it.
            pub id: String,
            $($(#[$doc])* pub $field: Option<$type>,)*
            /// `userData.avatar`. `Some(None)` if it is null, which says that the user has no avatar.
            pub avatar: Option<Option<String>>,
        }
    };
}
connection_fields!(connection_event);

/// Where a connection is described: in one of the four connection events, or in OFAuth's list of connections.
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
    /// An item of the answer of `GET /v2/account/connections`.
    Listed,
}

/// Why a verified body is not an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventError {
    /// The body is not UTF-8 or not JSON.
    InvalidJson,
    /// The named member is not an object.
    NotAnObject(&'static str),
    /// The named object has two members with the same key, and the gateway reads that key.
    DuplicateKey(&'static str),
    /// A key of the named object contains half of a surrogate pair.
    LoneSurrogate(&'static str),
    /// The body has neither `type` nor `eventType`.
    MissingType,
    /// The type is not a string, is empty, is longer than [`MAX_TYPE_BYTES`] or contains control characters.
    InvalidType,
    /// The connection id is absent, or [`is_connection_id`](crate::core::id::is_connection_id) refuses it.
    InvalidConnectionId,
}

impl EventError {
    /// All codes, and what each says.
    pub const CODES: &[(&'static str, &'static str)] = &[
        ("INVALID_JSON", "The signature is right, but the body is not JSON in UTF-8."),
        ("INVALID_EVENT", "The signature is right and the body is JSON, but not an event."),
    ];

    /// The stable code, which is the same in Rust, in HTTP answers and in JavaScript.
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

    /// The text that [`fmt::Display`] shows. It never contains a part of the body.
    pub fn message(&self) -> String {
        let (name, rest) = match self {
            Self::InvalidJson => ("", "the body is not JSON in UTF-8"),
            Self::NotAnObject(name) => (*name, " is not an object"),
            Self::DuplicateKey(name) => (*name, " has a key twice"),
            Self::LoneSurrogate(name) => (*name, " has a key with half of a surrogate pair"),
            Self::MissingType => ("", "the body has neither type nor eventType"),
            Self::InvalidType => ("", "the type must be 1 to 128 bytes, no control characters"),
            Self::InvalidConnectionId => {
                ("", "the connection id must be 1 to 256 visible ASCII characters, no comma or slash")
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
