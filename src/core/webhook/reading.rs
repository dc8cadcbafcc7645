//! What a body says, found in place and judged: what is an event, by the rules that [`crate::event`] documents, with
//! nothing copied of what it carries.

use std::borrow::Cow;

use super::{
    event::{ConnectionChange, EventError, MAX_TYPE},
    verify::Verified,
};
use crate::core::{
    id::is_connection_id,
    json::{self, Field, Members, is_number, read, scan},
};

/// An event where it stands.
pub(crate) struct EventReading<'a, 'm> {
    pub(crate) kind: Cow<'a, str>,
    pub(crate) family: EventFamily,
    pub(crate) members: &'m BodyMembers<'a>,
}

/// What the type makes of `data`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventFamily {
    Connection(ConnectionChange),
    Rules,
    Other,
}

/// The members that are read, as they are written.
#[derive(Default)]
pub(crate) struct BodyMembers<'a>(Members<'a, { slot::COUNT }>);

/// Where each is found. Those of one object follow one another.
pub(crate) mod slot {
    pub(crate) const BODY: usize = 0;
    pub(crate) const TYPE: usize = 1;
    pub(crate) const EVENT_TYPE: usize = 2;
    pub(crate) const TIMESTAMP: usize = 3;
    pub(crate) const LIVE: usize = 4;
    pub(crate) const DATA: usize = 5;
    pub(crate) const REVISION: usize = 6;
    pub(crate) const REFERENCE: usize = 7;
    pub(crate) const CONNECTION: usize = 8;
    pub(crate) const ID: usize = 9;
    pub(crate) const OWN_REFERENCE: usize = 10;
    pub(crate) const STATUS: usize = 11;
    pub(crate) const PERMISSIONS: usize = 12;
    pub(crate) const PLATFORM_USER_ID: usize = 13;
    pub(crate) const CREATED_AT: usize = 14;
    pub(crate) const EXPIRES_AT: usize = 15;
    pub(crate) const IMPORTED: usize = 16;
    pub(crate) const USER: usize = 17;
    pub(crate) const METADATA: usize = 18;
    pub(crate) const USER_ID: usize = 19;
    pub(crate) const OTHER_USER_ID: usize = 20;
    pub(crate) const NAME: usize = 21;
    pub(crate) const USERNAME: usize = 22;
    pub(crate) const AVATAR: usize = 23;
    pub(crate) const OTHER_NAME: usize = 24;
    pub(crate) const OTHER_USERNAME: usize = 25;
    pub(crate) const COUNT: usize = 26;
}

const fn member(name: &'static str, slot: usize) -> Field {
    Field { name, slot, inner: &[] }
}

const BODY: Field = Field {
    name: "",
    slot: slot::BODY,
    inner: &[
        member("type", slot::TYPE),
        member("timestamp", slot::TIMESTAMP),
        Field {
            name: "data",
            slot: slot::DATA,
            inner: &[CONNECTION, member("clientReferenceId", slot::REFERENCE), member("revision", slot::REVISION)],
        },
        member("eventType", slot::EVENT_TYPE),
        member("live", slot::LIVE),
    ],
};

const CONNECTION: Field = Field {
    name: "connection",
    slot: slot::CONNECTION,
    inner: &[
        member("id", slot::ID),
        member("status", slot::STATUS),
        member("permissions", slot::PERMISSIONS),
        Field {
            name: "userData",
            slot: slot::USER,
            inner: &[
                member("id", slot::USER_ID),
                member("name", slot::NAME),
                member("username", slot::USERNAME),
                member("avatar", slot::AVATAR),
                member("userId", slot::OTHER_USER_ID),
            ],
        },
        member("clientReferenceId", slot::OWN_REFERENCE),
        member("platformUserId", slot::PLATFORM_USER_ID),
        member("createdAt", slot::CREATED_AT),
        member("expiresAt", slot::EXPIRES_AT),
        member("imported", slot::IMPORTED),
        Field {
            name: "metadata",
            slot: slot::METADATA,
            inner: &[member("displayName", slot::OTHER_NAME), member("username", slot::OTHER_USERNAME)],
        },
    ],
};

/// What a reader of JSON rounds where it is a number, and the keys that lead to it: of any event the first, of a connection
/// event its ids too.
const NUMBERS: [(usize, &str); 7] = [
    (slot::TIMESTAMP, "timestamp"),
    (slot::REFERENCE, "data.clientReferenceId"),
    (slot::ID, "data.connection.id"),
    (slot::OWN_REFERENCE, "data.connection.clientReferenceId"),
    (slot::PLATFORM_USER_ID, "data.connection.platformUserId"),
    (slot::USER_ID, "data.connection.userData.id"),
    (slot::OTHER_USER_ID, "data.connection.userData.userId"),
];

const FAMILIES: [(&str, EventFamily); 6] = [
    ("connection.created", EventFamily::Connection(ConnectionChange::Created)),
    ("connection.updated", EventFamily::Connection(ConnectionChange::Updated)),
    ("connection.expired", EventFamily::Connection(ConnectionChange::Expired)),
    ("connection.disconnected", EventFamily::Connection(ConnectionChange::Disconnected)),
    ("rules.updated", EventFamily::Rules),
    ("rules.update", EventFamily::Rules),
];

impl<'a> EventReading<'a, '_> {
    /// What a reader of JSON may round: ids, and the timestamp, that are written as numbers, each after the keys that lead
    /// to it, joined by dots.
    #[cfg_attr(not(feature = "npm"), expect(dead_code, reason = "what reads events for good, in Rust, rounds nothing"))]
    pub(crate) fn number_ids(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let all = if matches!(self.family, EventFamily::Connection(_)) { NUMBERS.len() } else { 1 };
        let numbers = NUMBERS.iter().take(all);
        numbers.filter_map(|(slot, path)| Some((*path, self.members.value(*slot).filter(|value| is_number(value))?)))
    }
}

fn body<'a>(verified: &Verified<'a>) -> Option<&'a str> {
    let text = std::str::from_utf8(verified.body()).ok()?;
    Some(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// As [`char::is_control`] has it, by bytes: those below the space, DEL, and U+0080 to U+009F.
fn has_control(text: &str) -> bool {
    let mut last = 0;
    for byte in text.bytes() {
        if matches!((last, byte), (_, ..b' ' | 0x7F) | (0xC2, 0x80..=0x9F)) {
            return true;
        }
        last = byte;
    }
    false
}

fn is_type(kind: &str) -> bool {
    (1..=MAX_TYPE).contains(&kind.len()) && !has_control(kind)
}

impl EventFamily {
    fn of(kind: &str) -> Self {
        let known = |(name, _): &&(&str, Self)| *name == kind;
        FAMILIES.iter().find(known).map_or(Self::Other, |(_, family)| *family)
    }
}

#[expect(clippy::inline_always, reason = "measured: faster, and no larger, in a crate that is built for size")]
impl<'a> BodyMembers<'a> {
    /// Those of a body, whatever it is; `None` if it is not JSON in UTF-8.
    pub(crate) fn of(verified: &Verified<'a>) -> Option<Self> {
        read(body(verified)?, &BODY).map(Self)
    }

    /// Reads those of a body for a platform that has a parser of its own read it too: whether it is JSON is for that one to
    /// say, and goes before whatever is said here. In place: they are many to be moved about.
    #[cfg_attr(not(feature = "npm"), expect(dead_code, reason = "only JavaScript has a parser of its own"))]
    pub(crate) fn scan(&mut self, verified: &Verified<'a>) -> Result<EventReading<'a, '_>, EventError> {
        if !body(verified).is_some_and(|body| scan(body, &BODY, &mut self.0)) {
            return Err(EventError::InvalidJson);
        }
        self.judge()
    }

    /// Those of an item of OFAuth's list, which is a connection; judged.
    pub(crate) fn of_item(item: &'a str) -> Result<Self, EventError> {
        let members = read(item, &CONNECTION).map(Self).ok_or(EventError::InvalidJson)?;
        members.judge_connection().map(|()| members)
    }

    /// A value that is there and not null.
    #[inline(always)]
    pub(crate) fn value(&self, slot: usize) -> Option<&'a str> {
        self.value_or_null(slot).filter(|value| !value.starts_with('n'))
    }

    #[inline(always)]
    pub(crate) fn value_or_null(&self, slot: usize) -> Option<&'a str> {
        *self.0.values.get(slot)?
    }

    /// An id comes as a string or as a number of any size: opaque, so a number is kept as it is written.
    #[inline(never)]
    pub(crate) fn id(&self, slot: usize) -> Option<Cow<'a, str>> {
        let value = self.value(slot)?;
        if is_number(value) { Some(Cow::Borrowed(value)) } else { json::decode_string(value) }
    }

    /// `timestamp` as it came, a number as it is written; `None` where it is absent, null, empty or no scalar.
    pub(crate) fn timestamp(&self) -> Option<Cow<'a, str>> {
        self.id(slot::TIMESTAMP).filter(|timestamp| !timestamp.is_empty())
    }

    pub(crate) fn truth(&self, slot: usize) -> Option<bool> {
        match self.value(slot)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    pub(crate) fn is_object(&self, slot: usize) -> bool {
        self.value(slot).is_some_and(|value| value.starts_with('{'))
    }

    /// Refuses what is no object that can be read with the members from the first to the last.
    #[inline(never)]
    pub(crate) fn object(&self, name: &'static str, slot: usize, first: usize, last: usize) -> Result<(), EventError> {
        if !self.is_object(slot) {
            return Err(EventError::NotAnObject(name));
        }
        if self.0.lone_surrogates >> slot & 1 == 1 {
            return Err(EventError::LoneSurrogate(name));
        }
        let members = (2 << last) - (1 << first);
        if self.0.duplicates & members == 0 { Ok(()) } else { Err(EventError::DuplicateKey(name)) }
    }

    #[inline(never)]
    fn typed(&self, slot: usize) -> Result<Option<Cow<'a, str>>, EventError> {
        self.value(slot).map(|value| json::decode_string(value).ok_or(EventError::InvalidType)).transpose()
    }

    /// The event that a body is.
    pub(crate) fn judge(&self) -> Result<EventReading<'a, '_>, EventError> {
        self.object("the body", slot::BODY, slot::TYPE, slot::DATA)?;
        let (kind, event_type) = (self.typed(slot::TYPE)?, self.typed(slot::EVENT_TYPE)?);
        let kind = kind.or(event_type).ok_or(EventError::MissingType)?;
        if !is_type(&kind) {
            return Err(EventError::InvalidType);
        }
        let family = EventFamily::of(&kind);
        match family {
            EventFamily::Connection(_) => {
                self.object("data", slot::DATA, slot::REFERENCE, slot::CONNECTION)?;
                self.judge_connection()?;
            }
            // The shape of rules is not documented, so only a revision that stands twice is no event.
            EventFamily::Rules if self.is_object(slot::DATA) => {
                self.object("data", slot::DATA, slot::REVISION, slot::REVISION)?;
            }
            EventFamily::Rules | EventFamily::Other => {}
        }
        Ok(EventReading { kind, family, members: self })
    }

    fn judge_connection(&self) -> Result<(), EventError> {
        self.object("data.connection", slot::CONNECTION, slot::ID, slot::METADATA)?;
        // Neither need be an object: any other value is as good as an empty one.
        for (name, slot, first, last) in [
            ("data.connection.userData", slot::USER, slot::USER_ID, slot::AVATAR),
            ("data.connection.metadata", slot::METADATA, slot::OTHER_NAME, slot::OTHER_USERNAME),
        ] {
            if self.is_object(slot) {
                self.object(name, slot, first, last)?;
            }
        }
        let id = self.id(slot::ID).filter(|id| is_connection_id(id));
        if id.is_some() { Ok(()) } else { Err(EventError::InvalidConnectionId) }
    }
}
