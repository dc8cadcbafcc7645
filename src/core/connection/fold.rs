//! Combines facts into the state of a connection, independent of their order.
//!
//! Webhooks arrive twice, late and out of order, so the last one to arrive does not decide. Each field of a connection
//! is a *register*: a value together with the order of the fact that set it. A fact sets a register only if the fact is
//! greater than the one that set it before. Therefore the same facts always give the same [`Connection`], in any order
//! and with any number of copies.
//!
//! One rule is added for the status: a disconnect beats every other fact, even a later one.

use serde::{Deserialize, Serialize};

use super::{
    fact::{Fact, FactOrder},
    record::{Metadata, Record, UserData},
    status::{ACTIVE, EXPIRED, MISSING, UNKNOWN},
};
use crate::core::instant::iso_8601;

/// The state of a connection: each field with the order of the fact that set it.
///
/// The ledger of the connection stores it as JSON, so the field names are a contract. Callers see a [`Record`] instead.
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

/// A value, and the order of the fact that set it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Register<T> {
    value: T,
    at: FactOrder,
}

impl Connection {
    /// A connection of which only OFAuth's id is known.
    pub fn new(id: String) -> Self {
        Self { id, ..Self::default() }
    }

    /// OFAuth's connection id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Removes everything except the id. From now on [`Connection::apply`] changes nothing.
    pub fn erase(&mut self) {
        *self = Self { erased: true, ..Self::new(std::mem::take(&mut self.id)) };
    }

    /// Whether [`Connection::erase`] was called.
    pub fn is_erased(&self) -> bool {
        self.erased
    }

    /// Applies one fact. Returns whether any field changed.
    pub fn apply(&mut self, fact: Fact) -> bool {
        if self.erased {
            return false;
        }
        let Fact { at, changes } = fact;
        // A disconnect beats every other status, even a later one. Between two disconnects, the greater fact wins.
        let is_older = |status: &Register<String>| (status.at.is_final(), &status.at) < (at.is_final(), &at);
        let mut changed = match changes.status {
            Some(value) if self.status.as_ref().is_none_or(is_older) => {
                self.status = Some(Register { value, at: at.clone() });
                true
            }
            _ => false,
        };
        changed |= set_if_newer(&mut self.permissions, changes.permissions, &at);
        changed |= set_if_newer(&mut self.client_reference_id, changes.client_reference_id, &at);
        changed |= set_if_newer(&mut self.platform_user_id, changes.platform_user_id, &at);
        changed |= set_if_newer(&mut self.created_at, changes.created_at, &at);
        changed |= set_if_newer(&mut self.expires_at, changes.expires_at, &at);
        changed |= set_if_newer(&mut self.imported, changes.imported, &at);
        changed |= set_if_newer(&mut self.live, changes.live, &at);
        changed |= set_if_newer(&mut self.user_id, changes.user_id, &at);
        changed |= set_if_newer(&mut self.name, changes.name, &at);
        changed |= set_if_newer(&mut self.username, changes.username, &at);
        changed |= set_if_newer(&mut self.avatar, changes.avatar, &at);
        changed
    }

    /// Whether a fact tells something new, so that the ledger should store its delivery.
    ///
    /// `observed` is the status that the answer to an Access API call showed, or that the result of Link implied. It is
    /// `None` for all other facts, such as those of webhooks.
    ///
    /// - For an erased connection nothing is news.
    /// - Otherwise a fact without an observed status is always news.
    /// - An observed `active` is news only if the status is expired or missing.
    /// - Any other observed status is news only if it differs from the present one. The first refused call thus
    ///   decides since when a connection is expired.
    pub fn is_news(&self, observed: Option<&str>) -> bool {
        let status = self.status.as_ref().map(|status| status.value.as_str());
        let is_news = match observed {
            None => true,
            Some(ACTIVE) => matches!(status, Some(EXPIRED | MISSING)),
            Some(_) => status != observed,
        };
        is_news && !self.erased
    }

    /// Whether the connection is disconnected for good.
    pub fn is_disconnected(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.at.is_final())
    }

    /// The connection as callers see it. `handle` is the gateway's name for it.
    ///
    /// `expiredAt` and `updatedAt` are computed here from the instants of the facts.
    pub fn record(&self, handle: String) -> Record {
        let user_data = UserData {
            id: value_of(self.user_id.as_ref()).or_else(|| value_of(self.platform_user_id.as_ref())),
            name: value_of(self.name.as_ref()),
            username: value_of(self.username.as_ref()),
            avatar: value_of(self.avatar.as_ref()).flatten(),
        };
        let metadata = Metadata { username: user_data.username.clone(), display_name: user_data.name.clone() };
        let profile = [&user_data.id, &user_data.name, &user_data.username, &user_data.avatar];
        let has_profile = profile.into_iter().any(Option::is_some);
        let expired = self.status.as_ref().filter(|status| status.value == EXPIRED);
        Record {
            id: self.id.clone(),
            handle,
            status: value_of(self.status.as_ref()).unwrap_or_else(|| UNKNOWN.to_owned()),
            client_reference_id: value_of(self.client_reference_id.as_ref()),
            platform_user_id: value_of(self.platform_user_id.as_ref()),
            permissions: value_of(self.permissions.as_ref()).unwrap_or_default(),
            user_data: has_profile.then_some(user_data),
            metadata,
            created_at: value_of(self.created_at.as_ref()),
            updated_at: iso_8601(self.newest_stamp()),
            expired_at: expired.map(|status| iso_8601(status.at.stamp)),
            expires_at: value_of(self.expires_at.as_ref()),
            imported: value_of(self.imported.as_ref()),
            live: value_of(self.live.as_ref()),
        }
    }

    /// The newest instant at which a field took its value, in unix ms. 0 if no field has one.
    fn newest_stamp(&self) -> i64 {
        let stamps = [
            stamp_of(self.status.as_ref()),
            stamp_of(self.permissions.as_ref()),
            stamp_of(self.client_reference_id.as_ref()),
            stamp_of(self.platform_user_id.as_ref()),
            stamp_of(self.created_at.as_ref()),
            stamp_of(self.expires_at.as_ref()),
            stamp_of(self.imported.as_ref()),
            stamp_of(self.live.as_ref()),
            stamp_of(self.user_id.as_ref()),
            stamp_of(self.name.as_ref()),
            stamp_of(self.username.as_ref()),
            stamp_of(self.avatar.as_ref()),
        ];
        stamps.into_iter().flatten().max().unwrap_or_default()
    }
}

/// Sets a register, unless it was set by a greater or the same fact. Returns whether it was set.
fn set_if_newer<T>(register: &mut Option<Register<T>>, value: Option<T>, at: &FactOrder) -> bool {
    let Some(value) = value else { return false };
    let is_newer = register.as_ref().is_none_or(|register| register.at < *at);
    if is_newer {
        *register = Some(Register { value, at: at.clone() });
    }
    is_newer
}

fn value_of<T: Clone>(register: Option<&Register<T>>) -> Option<T> {
    register.map(|register| register.value.clone())
}

fn stamp_of<T>(register: Option<&Register<T>>) -> Option<i64> {
    register.map(|register| register.at.stamp)
}
