//! The event that the account of a connection became another one: a delivery of the gateway's own. It is stored right after the
//! delivery that showed the change, in the same commit. The record shows the change too, until a gateway key accepts the account.
//!
//! The delivery is for this crash: the object stops before the app has the event. If OFAuth then repeats its webhook, that is a
//! duplicate and causes no event.

use super::{
    deliveries::{Deliveries, NewDelivery},
    outbox::Outbox,
    row::LedgerRow,
};
use crate::{
    core::{
        config::Config,
        connection::Outcome,
        gateway::{ACCOUNT_CHANGED, account_changed_event},
    },
    worker::platform,
};

/// The delivery about a changed account.
pub struct AccountChange {
    id: String,
    stamp: i64,
    body: String,
}

impl AccountChange {
    /// Makes the delivery after the delivery `cause`, of this stamp (unix ms), which made the account another one. The row gets a
    /// version of its own for it, so that a receiver that drops stale events does not drop this one.
    pub fn new(cause: &str, stamp: i64, row: &mut LedgerRow) -> Self {
        let (former, record) = (row.connection.former_account(), row.record());
        let body = record.map(|record| account_changed_event(former, &record)).unwrap_or_default();
        row.version += 1;
        Self { id: cause.to_owned() + "_account", stamp, body }
    }

    /// Stores the delivery, and its place in the outbox if events are forwarded. Times are unix ms.
    pub fn store(
        self,
        received: i64,
        row: &LedgerRow,
        deliveries: &Deliveries,
        outbox: &Outbox,
        config: &Config,
        now: i64,
    ) -> platform::Result<()> {
        let Self { id, stamp, body } = self;
        if config.forward.is_some() {
            outbox.insert(&id, row.version, now)?;
        }
        let (kind, actor) = (ACCOUNT_CHANGED.to_owned(), Some("gateway".to_owned()));
        let (outcome, body) = (Outcome::Applied, body.as_bytes());
        deliveries.insert(NewDelivery { id, received, stamp, kind, outcome, actor, body }, &row.handle, config)
    }
}
