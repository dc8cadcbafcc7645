//! Connections: the record of one linked account and the order-free fold that makes it.
//!
//! Webhooks arrive twice, late and out of order, so a record is not what the last one said. Every delivery is a
//! [`Fact`]: an instant, a rank for events of the same instant, an id that breaks the remaining ties, and what it
//! asserts. Facts compare as (stamp, rank, id) and the larger wins, register by register: any order and any number of
//! copies of the same facts fold to the same [`Connection`].

use serde::{Deserialize, Serialize};

use super::{
    fact::{Fact, FactOrder},
    record::{Metadata, Record, UserData},
    status::{ACTIVE, EXPIRED, MISSING, UNKNOWN},
};
use crate::core::instant::iso_8601;

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
    at: FactOrder,
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
    pub fn is_news(&self, shown: Option<&str>) -> bool {
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

fn set<T>(register: &mut Option<Register<T>>, value: Option<T>, at: &FactOrder) -> bool {
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
