//! Makes an event of the members of a verified body.

use std::borrow::Cow;

use super::{
    event::{
        ConnectionChange, ConnectionEvent, Event, EventError, MAX_PERMISSIONS_BYTES, MAX_TEXT_BYTES, Payload, Subject,
    },
    reading::{BodyMembers, EventFamily, EventReading, slot},
    verify::Verified,
};
use crate::core::json::{self, elements};

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
            EventFamily::Other => Payload::Other,
        };
        let timestamp = members.timestamp().map(Cow::into_owned);
        Ok(Self { kind: kind.into_owned(), timestamp, live: members.boolean(slot::LIVE), payload })
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
            permissions: string_list(members.value(slot::PERMISSIONS))
                .filter(|all| all.iter().map(|one| one.len() + "\"\",".len()).sum::<usize>() <= MAX_PERMISSIONS_BYTES),
            client_reference_id: short_id(members, slot::DATA_REFERENCE)
                .or_else(|| short_id(members, slot::CONNECTION_REFERENCE)),
            platform_user_id: short_id(members, slot::PLATFORM_USER_ID).or_else(|| user_id.clone()),
            user_id,
            created_at: short_text(members.value(slot::CREATED_AT)),
            expires_at: short_text(members.value(slot::EXPIRES_AT)),
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

/// Returns an id of 1 to [`MAX_TEXT_BYTES`] bytes. An empty id asserts nothing.
fn short_id(members: &BodyMembers, slot: usize) -> Option<String> {
    members.id(slot).filter(|id| (1..=MAX_TEXT_BYTES).contains(&id.len())).map(Cow::into_owned)
}

fn string(value: Option<&str>) -> Option<String> {
    value.and_then(json::decode_string).map(Cow::into_owned)
}

fn string_list(value: Option<&str>) -> Option<Vec<String>> {
    elements(value?)?.into_iter().map(|element| string(Some(element))).collect()
}

/// Returns a text for people of at most [`MAX_TEXT_BYTES`].
fn short_text(value: Option<&str>) -> Option<String> {
    value.and_then(json::decode_string_lossy).map(Cow::into_owned).filter(|text| text.len() <= MAX_TEXT_BYTES)
}
