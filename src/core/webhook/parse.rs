//! Says which members of a webhook's body the gateway reads, decides whether the body is an event, and makes the event.
//!
//! The npm package only needs the decision, because `JSON.parse` gives JavaScript the event itself.

use std::borrow::Cow;

use super::{
    event::{
        ConnectionChange, ConnectionEvent, Event, EventError, MAX_PERMISSIONS_BYTES, MAX_TEXT_BYTES, Payload, Subject,
    },
    reading::{ReadMembers, body_text, is_valid_type, short_id, short_text, string},
    verify::Verified,
};
use crate::core::{
    id::is_connection_id,
    json::{self, Field, decode_strings, is_number, read, scan},
};

impl Event {
    /// Reads the event in a verified body.
    ///
    /// A leading byte order mark is ignored. JSON can escape half of a surrogate pair, which no text can contain. In a
    /// text for people it is replaced by U+FFFD. In the type, in the connection's id and in the keys of an object that
    /// is read, it is an error.
    ///
    /// Returns [`EventError::InvalidJson`] if the body is not JSON in UTF-8, and another [`EventError`] if it is JSON
    /// and not an event.
    pub fn parse(verified: &Verified) -> Result<Self, EventError> {
        let members = BodyMembers::read(verified).ok_or(EventError::InvalidJson)?;
        let EventReading { kind, family, members } = members.event()?;
        let payload = match family {
            EventFamily::Connection(change) => {
                Payload::Connection(Box::new(ConnectionEvent::from_members(members, change)?))
            }
            EventFamily::Rules => Payload::Rules(short_id(members, slot::REVISION)),
            EventFamily::Realtime | EventFamily::Other => Payload::Other,
        };
        let timestamp = members.timestamp().map(Cow::into_owned);
        Ok(Self { kind: kind.into_owned(), timestamp, live: members.live(), payload })
    }
}

impl ConnectionEvent {
    /// Reads an item of OFAuth's list of connections. Returns an [`EventError`] if it is not one.
    pub(crate) fn from_list_item(item: &str) -> Result<Self, EventError> {
        Self::from_members(&BodyMembers::read_list_item(item)?, ConnectionChange::Listed)
    }

    fn from_members(members: &BodyMembers, change: ConnectionChange) -> Result<Self, EventError> {
        let user_id = short_id(members, slot::USER_DATA_ID).or_else(|| short_id(members, slot::USER_DATA_USER_ID));
        Ok(Self {
            change,
            id: members.id(slot::CONNECTION_ID).ok_or(EventError::InvalidConnectionId)?.into_owned(),
            status: string(members.value(slot::STATUS)).filter(|text| text.len() <= MAX_TEXT_BYTES),
            permissions: members
                .value(slot::PERMISSIONS)
                .and_then(decode_strings)
                .filter(|all| all.iter().map(|one| one.len() + "\"\",".len()).sum::<usize>() <= MAX_PERMISSIONS_BYTES),
            client_reference_id: short_id(members, slot::DATA_REFERENCE)
                .or_else(|| short_id(members, slot::CONNECTION_REFERENCE)),
            platform_user_id: short_id(members, slot::PLATFORM_USER_ID).or_else(|| user_id.clone()),
            user_id,
            created_at: short_text(members.value(slot::CREATED_AT)),
            expires_at: short_text(members.value(slot::EXPIRES_AT)),
            last_checked_at: short_text(members.value(slot::LAST_CHECKED_AT))
                .or_else(|| short_text(members.value(slot::METADATA_LAST_ACTIVITY))),
            imported: members.boolean(slot::IMPORTED),
            name: short_text(members.value(slot::USER_DATA_NAME))
                .or_else(|| short_text(members.value(slot::METADATA_DISPLAY_NAME))),
            username: short_text(members.value(slot::USER_DATA_USERNAME))
                .or_else(|| short_text(members.value(slot::METADATA_USERNAME))),
            avatar: members.value_or_null(slot::USER_DATA_AVATAR).and_then(|avatar| match avatar {
                "null" => Some(None),
                _ => short_text(Some(avatar)).map(Some),
            }),
        })
    }
}

impl Subject {
    /// Reads the ids that the body has. A body that is not JSON has none.
    pub fn read(verified: &Verified) -> Self {
        let Some(members) = BodyMembers::read(verified) else { return Self::default() };
        Self {
            client_reference_id: short_id(&members, slot::DATA_REFERENCE)
                .or_else(|| short_id(&members, slot::CONNECTION_REFERENCE)),
            connection_id: short_id(&members, slot::CONNECTION_ID),
        }
    }
}

/// The members of a body.
pub(crate) type BodyMembers<'a> = ReadMembers<'a, { slot::COUNT }>;

/// A body that is an event.
pub(crate) struct EventReading<'a, 'm> {
    /// `type` or `eventType`.
    pub(crate) kind: Cow<'a, str>,
    pub(crate) family: EventFamily,
    pub(crate) members: &'m BodyMembers<'a>,
}

/// The kinds of events that differ in their `data`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventFamily {
    Connection(ConnectionChange),
    Rules,
    Realtime,
    Other,
}

/// The index of each member in [`BodyMembers`]. The members of one object have consecutive numbers, because
/// [`BodyMembers::check_object`] takes a range of them.
pub(crate) mod slot {
    pub(crate) const BODY: usize = 0;
    pub(crate) const TYPE: usize = 1;
    pub(crate) const EVENT_TYPE: usize = 2;
    pub(crate) const TIMESTAMP: usize = 3;
    pub(crate) const LIVE: usize = 4;
    pub(crate) const DATA: usize = 5;
    pub(crate) const REVISION: usize = 6;
    pub(crate) const DATA_REFERENCE: usize = 7;
    pub(crate) const ENVIRONMENT: usize = 8;
    pub(crate) const CONNECTION: usize = 9;
    pub(crate) const CONNECTION_ID: usize = 10;
    pub(crate) const CONNECTION_REFERENCE: usize = 11;
    pub(crate) const STATUS: usize = 12;
    pub(crate) const PERMISSIONS: usize = 13;
    pub(crate) const PLATFORM_USER_ID: usize = 14;
    pub(crate) const CREATED_AT: usize = 15;
    pub(crate) const EXPIRES_AT: usize = 16;
    pub(crate) const LAST_CHECKED_AT: usize = 17;
    pub(crate) const IMPORTED: usize = 18;
    pub(crate) const USER_DATA: usize = 19;
    pub(crate) const METADATA: usize = 20;
    pub(crate) const USER_DATA_ID: usize = 21;
    pub(crate) const USER_DATA_USER_ID: usize = 22;
    pub(crate) const USER_DATA_NAME: usize = 23;
    pub(crate) const USER_DATA_USERNAME: usize = 24;
    pub(crate) const USER_DATA_AVATAR: usize = 25;
    pub(crate) const METADATA_DISPLAY_NAME: usize = 26;
    pub(crate) const METADATA_USERNAME: usize = 27;
    pub(crate) const METADATA_LAST_ACTIVITY: usize = 28;
    pub(crate) const COUNT: usize = 29;
}

/// The members of a body: of the current form, and `eventType` and `live` of the older SDKs.
const BODY: Field = Field {
    name: "",
    slot: slot::BODY,
    inner: &[
        Field::leaf("type", slot::TYPE),
        Field::leaf("timestamp", slot::TIMESTAMP),
        Field {
            name: "data",
            slot: slot::DATA,
            inner: &[
                CONNECTION,
                Field::leaf("clientReferenceId", slot::DATA_REFERENCE),
                Field::leaf("environment", slot::ENVIRONMENT),
                Field::leaf("revision", slot::REVISION),
            ],
        },
        Field::leaf("eventType", slot::EVENT_TYPE),
        Field::leaf("live", slot::LIVE),
    ],
};

/// The members of a connection: of the current form (OFAuth documentation, Connection Events), `lastCheckedAt` of OFAuth's
/// list, and `platformUserId`, `expiresAt`, `userData.userId` and `metadata` of the older SDKs.
const CONNECTION: Field = Field {
    name: "connection",
    slot: slot::CONNECTION,
    inner: &[
        Field::leaf("id", slot::CONNECTION_ID),
        Field::leaf("status", slot::STATUS),
        Field::leaf("permissions", slot::PERMISSIONS),
        Field {
            name: "userData",
            slot: slot::USER_DATA,
            inner: &[
                Field::leaf("id", slot::USER_DATA_ID),
                Field::leaf("name", slot::USER_DATA_NAME),
                Field::leaf("username", slot::USER_DATA_USERNAME),
                Field::leaf("avatar", slot::USER_DATA_AVATAR),
                Field::leaf("userId", slot::USER_DATA_USER_ID),
            ],
        },
        Field::leaf("clientReferenceId", slot::CONNECTION_REFERENCE),
        Field::leaf("platformUserId", slot::PLATFORM_USER_ID),
        Field::leaf("createdAt", slot::CREATED_AT),
        Field::leaf("expiresAt", slot::EXPIRES_AT),
        Field::leaf("lastCheckedAt", slot::LAST_CHECKED_AT),
        Field::leaf("imported", slot::IMPORTED),
        Field {
            name: "metadata",
            slot: slot::METADATA,
            inner: &[
                Field::leaf("displayName", slot::METADATA_DISPLAY_NAME),
                Field::leaf("username", slot::METADATA_USERNAME),
                Field::leaf("lastActivity", slot::METADATA_LAST_ACTIVITY),
            ],
        },
    ],
};

/// The ids and the timestamp, with their paths in the body. They may be written as numbers that `JSON.parse` rounds.
/// The first is read from every event, the others only from connection events.
const IDS: [(usize, &str); 7] = [
    (slot::TIMESTAMP, "timestamp"),
    (slot::DATA_REFERENCE, "data.clientReferenceId"),
    (slot::CONNECTION_ID, "data.connection.id"),
    (slot::CONNECTION_REFERENCE, "data.connection.clientReferenceId"),
    (slot::PLATFORM_USER_ID, "data.connection.platformUserId"),
    (slot::USER_DATA_ID, "data.connection.userData.id"),
    (slot::USER_DATA_USER_ID, "data.connection.userData.userId"),
];

/// The types that OFAuth documents. `rules.update` is the older name of `rules.updated`. The data of realtime events is not
/// read; their types are in OFAuth's documentation of Realtime webhooks.
const FAMILIES: [(&str, EventFamily); 10] = [
    ("connection.created", EventFamily::Connection(ConnectionChange::Created)),
    ("connection.updated", EventFamily::Connection(ConnectionChange::Updated)),
    ("connection.expired", EventFamily::Connection(ConnectionChange::Expired)),
    ("connection.disconnected", EventFamily::Connection(ConnectionChange::Disconnected)),
    ("rules.updated", EventFamily::Rules),
    ("rules.update", EventFamily::Rules),
    ("of.websocket.event.received", EventFamily::Realtime),
    ("realtime.chat_message.received", EventFamily::Realtime),
    ("realtime.chat_typing.updated", EventFamily::Realtime),
    ("realtime.system_messages.updated", EventFamily::Realtime),
];

impl<'a> EventReading<'a, '_> {
    /// Returns the ids and the timestamp that are written as numbers, each with its path, whose keys are joined by
    /// dots. `JSON.parse` may round them.
    #[cfg_attr(not(feature = "npm"), expect(dead_code, reason = "only JavaScript rounds numbers"))]
    pub(crate) fn number_ids(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let count = if matches!(self.family, EventFamily::Connection(_)) { IDS.len() } else { 1 };
        let ids = IDS.iter().take(count);
        ids.filter_map(|(slot, path)| Some((*path, self.members.value(*slot).filter(|value| is_number(value))?)))
    }
}

impl EventFamily {
    fn from_type(kind: &str) -> Self {
        let is_named = |(name, _): &&(&str, Self)| *name == kind;
        FAMILIES.iter().find(is_named).map_or(Self::Other, |(_, family)| *family)
    }
}

impl<'a> BodyMembers<'a> {
    /// Reads the members of a body, which need not be an event. Returns `None` if it is not JSON in UTF-8.
    pub(crate) fn read(verified: &Verified<'a>) -> Option<Self> {
        read(body_text(verified)?, &BODY).map(ReadMembers)
    }

    /// Reads the members of a body and decides whether it is an event, for a caller that passes the body to
    /// `JSON.parse` too.
    ///
    /// `JSON.parse` decides whether the body is JSON, so this function does not validate the values that it skips. If
    /// `JSON.parse` refuses the body, the result has no meaning. The members are stored in `self`, because moving so
    /// many takes time.
    #[cfg_attr(not(feature = "npm"), expect(dead_code, reason = "only JavaScript has JSON.parse"))]
    pub(crate) fn scan(&mut self, verified: &Verified<'a>) -> Result<EventReading<'a, '_>, EventError> {
        if !body_text(verified).is_some_and(|body| scan(body, &BODY, &mut self.0)) {
            return Err(EventError::InvalidJson);
        }
        self.event()
    }

    /// Reads an item of OFAuth's list of connections, and checks that it is a connection.
    pub(crate) fn read_list_item(item: &'a str) -> Result<Self, EventError> {
        let members = read(item, &CONNECTION).map(ReadMembers).ok_or(EventError::InvalidJson)?;
        members.check_connection().map(|()| members)
    }

    /// Returns `timestamp` as it is written. Returns `None` if it is absent, null, the empty string or neither a string
    /// nor a number.
    pub(crate) fn timestamp(&self) -> Option<Cow<'a, str>> {
        self.id(slot::TIMESTAMP).filter(|timestamp| !timestamp.is_empty())
    }

    /// Returns whether the event is from production: see [`Event::live`].
    fn live(&self) -> Option<bool> {
        let environment = || json::decode_string(self.value(slot::ENVIRONMENT)?);
        self.boolean(slot::LIVE).or_else(|| match &*environment()? {
            "live" => Some(true),
            "test" | "sandbox" => Some(false),
            _ => None,
        })
    }

    /// Returns a member that holds the event's type, and an error if it is not a string.
    #[inline(never)]
    fn type_name(&self, slot: usize) -> Result<Option<Cow<'a, str>>, EventError> {
        self.value(slot).map(|value| json::decode_string(value).ok_or(EventError::InvalidType)).transpose()
    }

    /// Decides whether the body is an event. Returns every [`EventError`] except `InvalidJson`.
    pub(crate) fn event(&self) -> Result<EventReading<'a, '_>, EventError> {
        self.check_object("the body", slot::BODY, slot::TYPE, slot::DATA)?;
        let (kind, event_type) = (self.type_name(slot::TYPE)?, self.type_name(slot::EVENT_TYPE)?);
        let kind = kind.or(event_type).ok_or(EventError::MissingType)?;
        if !is_valid_type(&kind) {
            return Err(EventError::InvalidType);
        }
        let family = EventFamily::from_type(&kind);
        match family {
            EventFamily::Connection(_) => {
                self.check_object("data", slot::DATA, slot::DATA_REFERENCE, slot::CONNECTION)?;
                self.check_connection()?;
            }
            // OFAuth does not document the shape of rules. Only a revision that occurs twice is refused.
            EventFamily::Rules if self.is_object(slot::DATA) => {
                self.check_object("data", slot::DATA, slot::REVISION, slot::REVISION)?;
            }
            EventFamily::Rules | EventFamily::Realtime | EventFamily::Other => {}
        }
        Ok(EventReading { kind, family, members: self })
    }

    fn check_connection(&self) -> Result<(), EventError> {
        self.check_object("data.connection", slot::CONNECTION, slot::CONNECTION_ID, slot::METADATA)?;
        // These two are optional. A value that is not an object is read as an empty object.
        for (name, slot, first, last) in [
            ("data.connection.userData", slot::USER_DATA, slot::USER_DATA_ID, slot::USER_DATA_AVATAR),
            ("data.connection.metadata", slot::METADATA, slot::METADATA_DISPLAY_NAME, slot::METADATA_LAST_ACTIVITY),
        ] {
            if self.is_object(slot) {
                self.check_object(name, slot, first, last)?;
            }
        }
        let id = self.id(slot::CONNECTION_ID).filter(|id| is_connection_id(id));
        if id.is_some() { Ok(()) } else { Err(EventError::InvalidConnectionId) }
    }
}
