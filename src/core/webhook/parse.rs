//! Events read from verified bytes.

use std::borrow::Cow;

use super::{
    event::{ConnectionChange, ConnectionEvent, Event, EventError, MAX_PERMISSIONS, MAX_TEXT, Payload, Subject},
    reading::{BodyMembers, EventFamily, EventReading, slot},
    verify::Verified,
};
use crate::core::json::{self, elements};

impl Event {
    /// Reads the event. One leading byte order mark is dropped. Half a surrogate pair, which JSON can escape, does no
    /// harm in a text or in what is skipped, but makes an id, a type, or a key of an object that is read an
    /// INVALID_EVENT.
    pub fn parse(verified: &Verified) -> Result<Self, EventError> {
        let members = BodyMembers::of(verified).ok_or(EventError::InvalidJson)?;
        let EventReading { kind, family, members } = members.judge()?;
        let payload = match family {
            EventFamily::Connection(change) => Payload::Connection(Box::new(ConnectionEvent::of(members, change)?)),
            EventFamily::Rules => Payload::Rules(opaque(members, slot::REVISION)),
            EventFamily::Other => Payload::Other,
        };
        let timestamp = members.timestamp().map(Cow::into_owned);
        Ok(Self { kind: kind.into_owned(), timestamp, live: members.truth(slot::LIVE), payload })
    }
}

impl ConnectionEvent {
    /// Reads an item of OFAuth's list.
    pub(crate) fn listed(item: &str) -> Result<Self, EventError> {
        Self::of(&BodyMembers::of_item(item)?, ConnectionChange::Listed)
    }

    fn of(members: &BodyMembers, change: ConnectionChange) -> Result<Self, EventError> {
        let user_id = opaque(members, slot::USER_ID).or_else(|| opaque(members, slot::OTHER_USER_ID));
        Ok(Self {
            change,
            id: members.id(slot::ID).ok_or(EventError::InvalidConnectionId)?.into_owned(),
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
        let Some(members) = BodyMembers::of(verified) else { return Self::default() };
        Self {
            client_reference_id: opaque(&members, slot::REFERENCE).or_else(|| opaque(&members, slot::OWN_REFERENCE)),
            connection_id: opaque(&members, slot::ID),
        }
    }
}

/// An id of 1 to [`MAX_TEXT`] bytes; an empty one asserts nothing.
fn opaque(members: &BodyMembers, slot: usize) -> Option<String> {
    members.id(slot).filter(|id| (1..=MAX_TEXT).contains(&id.len())).map(Cow::into_owned)
}

fn string(value: Option<&str>) -> Option<String> {
    value.and_then(json::decode_string).map(Cow::into_owned)
}

fn strings(value: Option<&str>) -> Option<Vec<String>> {
    elements(value?)?.into_iter().map(|element| string(Some(element))).collect()
}

/// Text for people.
fn text(value: Option<&str>) -> Option<String> {
    value.and_then(json::decode_string_lossy).map(Cow::into_owned).filter(|text| text.len() <= MAX_TEXT)
}
