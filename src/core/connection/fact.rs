//! Facts: what one delivery asserts about one connection.

use serde::{Deserialize, Serialize};

use super::status::{DISCONNECTED, EXPIRED};
use crate::core::{
    instant::iso_8601,
    webhook::{ConnectionChange, ConnectionEvent, Delivery},
};

/// What decides between facts of the same instant: the larger wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u8", from = "u8")]
pub enum Rank {
    /// `connection.created`
    Created,
    /// `connection.updated`
    Updated,
    /// An item of OFAuth's own list.
    Listed,
    /// `connection.expired`, and what an Access answer showed.
    Observed,
    /// `connection.disconnected`, and a delete of ours: a status of this rank is a tombstone.
    Disconnected,
}

/// One delivery's assertions about one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The order among facts.
    pub at: FactOrder,
    /// What it asserts; `None` asserts nothing.
    pub changes: Changes,
}

/// The place of a fact in the order, compared field by field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FactOrder {
    /// Unix milliseconds.
    pub stamp: i64,
    /// Breaks ties of the stamp.
    pub rank: Rank,
    /// The delivery id: breaks ties of the rank.
    pub delivery: String,
}

/// A value for each register, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "named as in the record")]
pub struct Changes {
    pub status: Option<String>,
    pub permissions: Option<Vec<String>>,
    pub client_reference_id: Option<String>,
    pub platform_user_id: Option<String>,
    pub created_at: Option<String>,
    pub expires_at: Option<String>,
    pub imported: Option<bool>,
    pub live: Option<bool>,
    pub user_id: Option<String>,
    pub name: Option<String>,
    pub username: Option<String>,
    #[serde(with = "avatar")]
    pub avatar: Option<Option<String>>,
}

impl Changes {
    /// A status and nothing else.
    pub fn status(status: &str) -> Self {
        Self { status: Some(status.to_owned()), ..Self::default() }
    }
}

impl Fact {
    /// What a connection event asserts. `expired` and `disconnected` assert their status whatever the body says;
    /// `created` asserts its own instant as the time of creation unless the body names one.
    pub fn of(event: ConnectionEvent, live: Option<bool>, delivery: Delivery) -> Self {
        let rank = match event.change {
            ConnectionChange::Created => Rank::Created,
            ConnectionChange::Updated => Rank::Updated,
            ConnectionChange::Listed => Rank::Listed,
            ConnectionChange::Expired => Rank::Observed,
            ConnectionChange::Disconnected => Rank::Disconnected,
        };
        let created = (rank == Rank::Created).then(|| iso_8601(delivery.stamp));
        let mut changes = Changes { live, ..Changes::from(event) };
        changes.created_at = changes.created_at.or(created);
        Self { at: FactOrder { stamp: delivery.stamp, rank, delivery: delivery.id }, changes }
    }
}

impl From<ConnectionEvent> for Changes {
    fn from(event: ConnectionEvent) -> Self {
        let status = match event.change {
            ConnectionChange::Expired => Some(EXPIRED.to_owned()),
            ConnectionChange::Disconnected => Some(DISCONNECTED.to_owned()),
            ConnectionChange::Created | ConnectionChange::Updated | ConnectionChange::Listed => event.status,
        };
        Self {
            status,
            permissions: event.permissions,
            client_reference_id: event.client_reference_id,
            platform_user_id: event.platform_user_id,
            created_at: event.created_at,
            expires_at: event.expires_at,
            imported: event.imported,
            live: None,
            user_id: event.user_id,
            name: event.name,
            username: event.username,
            avatar: event.avatar,
        }
    }
}

impl FactOrder {
    pub(super) fn is_final(&self) -> bool {
        self.rank == Rank::Disconnected
    }
}

impl From<Rank> for u8 {
    fn from(rank: Rank) -> Self {
        rank as Self
    }
}

impl From<u8> for Rank {
    fn from(rank: u8) -> Self {
        match rank {
            0 => Self::Created,
            1 => Self::Updated,
            2 => Self::Listed,
            3 => Self::Observed,
            _ => Self::Disconnected,
        }
    }
}

/// Tells "no avatar" from "nothing said", which JSON's null alone cannot: a list of none or one.
mod avatar {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, clippy::option_option, reason = "serde's signature")]
    pub fn serialize<S: Serializer>(avatar: &Option<Option<String>>, serializer: S) -> Result<S::Ok, S::Error> {
        avatar.as_ref().map(|avatar| [avatar]).serialize(serializer)
    }

    #[expect(clippy::option_option, reason = "serde's signature")]
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
        Ok(Option::<[Option<String>; 1]>::deserialize(deserializer)?.map(|[avatar]| avatar))
    }
}
