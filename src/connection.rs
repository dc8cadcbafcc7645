//! Connections: the record of one linked account and the order-free fold that makes it.
//!
//! Webhooks arrive twice, late and out of order, so a record is not what the last one said. Every delivery is a
//! [`Fact`]: an instant, a rank for events of the same instant, an id that breaks the remaining ties, and what it
//! asserts. Facts compare as (stamp, rank, id) and the larger wins, register by register: any order and any number of
//! copies of the same facts fold to the same [`Connection`].

use serde::{Deserialize, Serialize};

use crate::event::{ConnectionChange, ConnectionEvent, Delivery, iso_8601};
pub use crate::record::{Metadata, Record, UserData};

/// The status that makes a connection usable.
pub const ACTIVE: &str = "active";
/// The status of a connection that can be linked again under the same id.
pub const EXPIRED: &str = "expired";
/// The status that is final.
pub const DISCONNECTED: &str = "disconnected";
/// The status of a connection that Link was asked to reconnect and made another one instead of.
pub const MISSING: &str = "missing";
/// The status shown while no fact has asserted one.
pub const UNKNOWN: &str = "unknown";

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
    pub at: At,
    /// What it asserts; `None` asserts nothing.
    pub changes: Changes,
}

/// The place of a fact in the order, compared field by field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct At {
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

/// The fold's state: each register with the fact that set it. Kept by the ledger, shown to nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    id: String,
    #[serde(default)]
    erased: bool,
    status: Option<Register<String>>,
    permissions: Option<Register<Vec<String>>>,
    client_reference_id: Option<Register<String>>,
    platform_user_id: Option<Register<String>>,
    created_at: Option<Register<String>>,
    expires_at: Option<Register<String>>,
    imported: Option<Register<bool>>,
    live: Option<Register<bool>>,
    user_id: Option<Register<String>>,
    name: Option<Register<String>>,
    username: Option<Register<String>>,
    avatar: Option<Register<Option<String>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Register<T> {
    value: T,
    at: At,
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
        Self { at: At { stamp: delivery.stamp, rank, delivery: delivery.id }, changes }
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

impl Connection {
    /// A connection of which nothing is known but its id.
    pub fn new(id: String) -> Self {
        Self { id, ..Self::default() }
    }

    /// OFAuth's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Lets go of everything but the id. Nothing is folded in from here on.
    pub fn erase(&mut self) {
        *self = Self { erased: true, ..Self::new(std::mem::take(&mut self.id)) };
    }

    /// Whether it was erased.
    pub fn is_erased(&self) -> bool {
        self.erased
    }

    /// Folds one fact in; says whether any register changed.
    pub fn apply(&mut self, fact: Fact) -> bool {
        if self.erased {
            return false;
        }
        let Fact { at, changes } = fact;
        // A tombstone beats any later fact, and only another tombstone beats it.
        let newer = |status: &Register<String>| (status.at.is_final(), &status.at) < (at.is_final(), &at);
        let mut changed = match changes.status {
            Some(value) if self.status.as_ref().is_none_or(newer) => {
                self.status = Some(Register { value, at: at.clone() });
                true
            }
            _ => false,
        };
        changed |= set(&mut self.permissions, changes.permissions, &at);
        changed |= set(&mut self.client_reference_id, changes.client_reference_id, &at);
        changed |= set(&mut self.platform_user_id, changes.platform_user_id, &at);
        changed |= set(&mut self.created_at, changes.created_at, &at);
        changed |= set(&mut self.expires_at, changes.expires_at, &at);
        changed |= set(&mut self.imported, changes.imported, &at);
        changed |= set(&mut self.live, changes.live, &at);
        changed |= set(&mut self.user_id, changes.user_id, &at);
        changed |= set(&mut self.name, changes.name, &at);
        changed |= set(&mut self.username, changes.username, &at);
        changed |= set(&mut self.avatar, changes.avatar, &at);
        changed
    }

    /// Whether a fact is worth keeping. One that only a call showed is `shown` with its status: that it is active is news
    /// over expired or missing only, any other unless the connection has it already, so that the first refusal dates it.
    pub fn hears(&self, shown: Option<&str>) -> bool {
        let status = self.status.as_ref().map(|status| status.value.as_str());
        let news = match shown {
            None => true,
            Some(ACTIVE) => matches!(status, Some(EXPIRED | MISSING)),
            Some(_) => status != shown,
        };
        news && !self.erased
    }

    /// Whether it was disconnected for good.
    pub fn is_disconnected(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.at.is_final())
    }

    /// The record as shown, under `handle`.
    pub fn record(&self, handle: String) -> Record {
        let user_data = UserData {
            id: value(self.user_id.as_ref()).or_else(|| value(self.platform_user_id.as_ref())),
            name: value(self.name.as_ref()),
            username: value(self.username.as_ref()),
            avatar: value(self.avatar.as_ref()).flatten(),
        };
        let metadata = Metadata { username: user_data.username.clone(), display_name: user_data.name.clone() };
        let known = user_data.id.is_some() || user_data.name.is_some() || user_data.username.is_some();
        let expired = self.status.as_ref().filter(|status| status.value == EXPIRED);
        Record {
            id: self.id.clone(),
            handle,
            status: value(self.status.as_ref()).unwrap_or_else(|| UNKNOWN.to_owned()),
            client_reference_id: value(self.client_reference_id.as_ref()),
            platform_user_id: value(self.platform_user_id.as_ref()),
            permissions: value(self.permissions.as_ref()).unwrap_or_default(),
            user_data: (known || user_data.avatar.is_some()).then_some(user_data),
            metadata,
            created_at: value(self.created_at.as_ref()),
            updated_at: iso_8601(self.newest_stamp()),
            expired_at: expired.map(|status| iso_8601(status.at.stamp)),
            expires_at: value(self.expires_at.as_ref()),
            imported: value(self.imported.as_ref()),
            live: value(self.live.as_ref()),
        }
    }

    fn newest_stamp(&self) -> i64 {
        let stamps = [
            stamp(self.status.as_ref()),
            stamp(self.permissions.as_ref()),
            stamp(self.client_reference_id.as_ref()),
            stamp(self.platform_user_id.as_ref()),
            stamp(self.created_at.as_ref()),
            stamp(self.expires_at.as_ref()),
            stamp(self.imported.as_ref()),
            stamp(self.live.as_ref()),
            stamp(self.user_id.as_ref()),
            stamp(self.name.as_ref()),
            stamp(self.username.as_ref()),
            stamp(self.avatar.as_ref()),
        ];
        stamps.into_iter().flatten().max().unwrap_or_default()
    }
}

impl At {
    fn is_final(&self) -> bool {
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

fn set<T>(register: &mut Option<Register<T>>, value: Option<T>, at: &At) -> bool {
    let Some(value) = value else { return false };
    let newer = register.as_ref().is_none_or(|register| register.at < *at);
    if newer {
        *register = Some(Register { value, at: at.clone() });
    }
    newer
}

fn value<T: Clone>(register: Option<&Register<T>>) -> Option<T> {
    register.map(|register| register.value.clone())
}

fn stamp<T>(register: Option<&Register<T>>) -> Option<i64> {
    register.map(|register| register.at.stamp)
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
