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
    fact::{Changes, Fact, FactOrder},
    status::{ACTIVE, EXPIRED, MISSING},
};
use crate::core::webhook::connection_fields;

macro_rules! connection {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// The state of a connection: each field with the order of the fact that set it.
        ///
        /// The ledger of the connection stores it as JSON, so the field names are a contract. Callers see a
        /// [`Record`](super::Record) instead.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Connection {
            pub(super) id: String,
            #[serde(default)]
            erased: bool,
            /// The type of the delivery that set the status. Older builds neither write nor keep it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(super) status_type: Option<String>,
            /// The account before, until it is accepted that it became another one, and the fact that said so.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(super) former_account: Option<Register<String>>,
            $(pub(super) $field: Option<Register<$type>>,)*
            pub(super) live: Option<Register<bool>>,
            pub(super) avatar: Option<Register<Option<String>>>,
        }

        impl Connection {
            /// Sets each field that the changes name, unless a greater or the same fact set it. Returns whether any
            /// field changed.
            fn set_fields(&mut self, changes: Changes, at: &FactOrder) -> bool {
                let mut changed = set_if_newer(&mut self.live, changes.live, at);
                changed |= set_if_newer(&mut self.avatar, changes.avatar, at);
                $(changed |= set_if_newer(&mut self.$field, changes.$field, at);)*
                changed
            }

            /// Whether each field that the changes name has that value.
            fn has_values(&self, changes: &Changes) -> bool {
                has_value(self.live.as_ref(), changes.live.as_ref())
                    && has_value(self.avatar.as_ref(), changes.avatar.as_ref())
                    $(&& has_value(self.$field.as_ref(), changes.$field.as_ref()))*
            }

            /// The newest instant at which a field took its value, in unix ms. 0 if no field has one.
            pub(super) fn newest_stamp(&self) -> i64 {
                let stamps = [stamp_of(self.live.as_ref()), stamp_of(self.avatar.as_ref()), $(stamp_of(self.$field.as_ref()),)*];
                stamps.into_iter().flatten().max().unwrap_or_default()
            }
        }
    };
}
connection_fields!(connection);

/// A value, and the order of the fact that set it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Register<T> {
    pub(super) value: T,
    pub(super) at: FactOrder,
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

    /// Applies one fact of a delivery of this type, and notes if the account thereby became another one. Returns whether any
    /// field changed, and whether the account became another one.
    ///
    /// The note is not order-free: it says that the account shown here has changed, so a fact that comes too late to change it
    /// makes none.
    pub fn receive(&mut self, fact: Fact, kind: &str) -> (bool, bool) {
        let (at, former) = (fact.at.clone(), self.account().map(str::to_owned));
        let is_changed = self.apply(fact);
        if is_changed && self.status.as_ref().is_some_and(|status| status.at == at) {
            self.status_type = Some(kind.to_owned());
        }
        let former = former.filter(|former| self.account() != Some(former));
        let is_other_account = former.is_some();
        if let Some(value) = former {
            self.former_account = Some(Register { value, at });
        }
        (is_changed, is_other_account)
    }

    /// The account before, while it is not accepted that it became another one.
    pub fn former_account(&self) -> Option<&str> {
        self.former_account.as_ref().map(|register| register.value.as_str())
    }

    /// Whether the account became this one, and nobody has accepted that.
    pub fn awaits_acceptance_of(&self, account: &str) -> bool {
        self.former_account.is_some() && self.account() == Some(account)
    }

    /// Accepts that the account is this one. Returns whether that was awaited.
    pub fn accept_account(&mut self, account: &str) -> bool {
        let is_awaited = self.awaits_acceptance_of(account);
        if is_awaited {
            self.former_account = None;
        }
        is_awaited
    }

    /// The OnlyFans user id, if it is known.
    fn account(&self) -> Option<&str> {
        self.platform_user_id.as_ref().map(|register| register.value.as_str())
    }

    /// Applies one fact. Returns whether any field changed.
    pub fn apply(&mut self, fact: Fact) -> bool {
        if self.erased {
            return false;
        }
        let Fact { at, mut changes } = fact;
        // A disconnect beats every other status, even a later one. Between two disconnects, the greater fact wins.
        let is_older = |status: &Register<String>| (status.at.is_final(), &status.at) < (at.is_final(), &at);
        let status = changes.status.take().filter(|_| self.status.as_ref().is_none_or(is_older));
        let is_changed = status.is_some();
        if let Some(value) = status {
            self.status = Some(Register { value, at: at.clone() });
            self.status_type = None;
        }
        self.set_fields(changes, &at) || is_changed
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

    /// Whether a fact asserts nothing but what already holds. A disconnect holds if the connection is disconnected for good.
    pub fn holds(&self, fact: &Fact) -> bool {
        self.has_values(&fact.changes) && (!fact.at.is_final() || self.is_disconnected())
    }

    /// Whether the connection is disconnected for good.
    pub fn is_disconnected(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.at.is_final())
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

fn has_value<T: PartialEq>(register: Option<&Register<T>>, value: Option<&T>) -> bool {
    value.is_none_or(|value| register.is_some_and(|register| register.value == *value))
}

fn stamp_of<T>(register: Option<&Register<T>>) -> Option<i64> {
    register.map(|register| register.at.stamp)
}
