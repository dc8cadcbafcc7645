//! Facts: what one delivery says about one connection, and at which instant that was true.
//!
//! A delivery is a webhook, an item of OFAuth's list of connections, or the result of one of the gateway's own calls.
//!
//! Facts are ordered by three fields ([`FactOrder`]): first the instant, then the [`Rank`], then the delivery id. Two
//! different deliveries about a connection never have the same order, so one of two facts always wins.
//!
//! The Worker sends facts to the ledger as JSON, and the ledger stores their order. The names of the fields and the
//! numbers of the ranks are therefore a contract.

use serde::{Deserialize, Serialize};

use super::status::{DISCONNECTED, EXPIRED};
use crate::core::{
    instant::iso_8601,
    webhook::{ConnectionChange, ConnectionEvent, Delivery, connection_fields},
};

/// Decides between facts of the same instant: the greater rank wins. JSON has the number, 0 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u8", from = "u8")]
pub enum Rank {
    /// 0: the event `connection.created`.
    Created,
    /// 1: the event `connection.updated`.
    Updated,
    /// 2: an item of OFAuth's list of connections.
    Listed,
    /// 3: the event `connection.expired`, or a status that an answer of the Access API showed.
    Observed,
    /// 4: the event `connection.disconnected`, or a successful DELETE through the gateway. No later fact can replace a
    /// status of this rank.
    Disconnected,
}

/// What one delivery says about one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The position of this fact in the order of all facts.
    pub at: FactOrder,
    /// The values that the delivery names.
    pub changes: Changes,
}

/// The position of a fact in the order of all facts. Compared field by field, from first to last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FactOrder {
    /// When the fact was true, in unix ms: see [`Delivery::stamp`].
    pub stamp: i64,
    /// Decides if the stamps are equal.
    pub rank: Rank,
    /// The delivery id. Decides if the ranks are equal too. For the gateway's own calls it is the request id.
    pub delivery: String,
}

macro_rules! changes {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// The values that a fact gives to the fields of a connection.
        ///
        /// `None` leaves a field unchanged. For `avatar`, `Some(None)` means that there is no avatar.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Changes {
            $($(#[$doc])* pub $field: Option<$type>,)*
            /// `live` of the event: true in production, false in the sandbox.
            pub live: Option<bool>,
            /// `userData.avatar`.
            #[serde(with = "avatar")]
            pub avatar: Option<Option<String>>,
        }

        impl From<ConnectionEvent> for Changes {
            fn from(event: ConnectionEvent) -> Self {
                let changes = Self { $($field: event.$field,)* live: None, avatar: event.avatar };
                match event.change {
                    ConnectionChange::Expired => Self { status: Some(EXPIRED.to_owned()), ..changes },
                    ConnectionChange::Disconnected => Self { status: Some(DISCONNECTED.to_owned()), ..changes },
                    ConnectionChange::Created | ConnectionChange::Updated | ConnectionChange::Listed => changes,
                }
            }
        }
    };
}
connection_fields!(changes);

impl Changes {
    /// Changes the status and nothing else.
    pub fn status(status: &str) -> Self {
        Self { status: Some(status.to_owned()), ..Self::default() }
    }
}

impl Fact {
    /// The fact in a connection event. `live` is the event's own `live` field, if it has one.
    ///
    /// - `connection.expired` and `connection.disconnected` set the status of their name, whatever status the body has.
    /// - `connection.created` sets `created_at` to the instant of the event, unless the body names another one.
    pub fn from_event(event: ConnectionEvent, live: Option<bool>, delivery: Delivery) -> Self {
        let rank = match event.change {
            ConnectionChange::Created => Rank::Created,
            ConnectionChange::Updated => Rank::Updated,
            ConnectionChange::Listed => Rank::Listed,
            ConnectionChange::Expired => Rank::Observed,
            ConnectionChange::Disconnected => Rank::Disconnected,
        };
        let created_at = (rank == Rank::Created).then(|| iso_8601(delivery.stamp));
        let mut changes = Changes { live, ..Changes::from(event) };
        changes.created_at = changes.created_at.or(created_at);
        Self { at: FactOrder { stamp: delivery.stamp, rank, delivery: delivery.id }, changes }
    }
}

impl FactOrder {
    /// Whether a status of this fact is final: a disconnected connection never comes back.
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

/// Writes `Some(avatar)` as a list of one item and `None` as null. With null alone, "there is no avatar" and "the
/// delivery does not name the avatar" would look the same.
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
