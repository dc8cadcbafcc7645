//! Lanes: events that are not about a connection, on their way to the app. Each has an object of the ledgers' class of its own,
//! named after the event, so no event waits for another one.
//!
//! A lane has the tables `deliveries` and `outbox` of a ledger with one row each, and no table `ledger`. Its body is encrypted for
//! the place of a ledger without a handle. The lane deletes itself when the app has taken the event, and an event that was parked
//! EVENT_TTL_SECONDS later. An event about a Link session can be caused again and again by anybody who knows the user's reference. So
//! its lane only deletes the event when the app has taken it, and stays for EVENT_TTL_SECONDS: a lane that has its tables takes no
//! event. This mark is for a stop of the object between two visits, and the platform stops one that is quiet for some seconds.
//!
//! Acceptance costs one commit, and the end one more.

use serde::{Deserialize, Serialize};
use worker::Env;

use super::{deliveries::NewDelivery, store::LedgerStore};
use crate::{
    core::{config::Config, connection::Outcome},
    worker::platform::{self, Database, Failure, ObjectRequest, State, call_ledger},
};

/// An event for a lane. The raw body is sent beside it.
#[derive(Debug, Serialize, Deserialize)]
pub struct LaneEvent {
    /// The delivery id.
    pub id: String,
    /// The event's type. Empty if the body is no event.
    pub kind: String,
    /// When it happened, in unix ms.
    pub stamp: i64,
}

/// The name of the object of an event.
pub fn name(id: &str, config: &Config) -> String {
    format!("lane:{}", config.index.hash_client_reference_id(id))
}

/// Hands an event to its lane. When this returns, the event is durable.
pub async fn enter_lane(event: &LaneEvent, body: &[u8], config: &Config, env: &Env) -> Result<(), Failure> {
    let head = serde_json::to_string(event).unwrap_or_default();
    let request = ObjectRequest { path: "lane", head: &head, body };
    call_ledger(&name(&event.id, config), request, env).await.map(|_| ())
}

/// Stores an event, unless it is stored already: one commit, in which the alarm is set too.
pub fn enter(
    event: LaneEvent,
    body: &[u8],
    store: &LedgerStore,
    state: &State,
    config: &Config,
) -> platform::Result<()> {
    if store.outbox.exists()? {
        return Ok(());
    }
    let now = platform::now_ms();
    let LaneEvent { id, kind, stamp } = event;
    let delivery =
        NewDelivery { id: id.clone(), received: now, stamp, kind, outcome: Outcome::Kept, actor: None, body };
    Database::new(state).transaction(|| {
        store.deliveries.create_table()?;
        store.deliveries.insert(delivery, "", config)?;
        store.outbox.insert(&id, 0, now)
    })?;
    store.outbox.set_sending(Some(now));
    store.outbox.set_lane_alarm(config, now)
}

/// The alarm of a lane: prepares to send what is due. Returns whether the lane is to be deleted, because its event was parked
/// long ago.
pub fn wake(store: &LedgerStore, config: &Config) -> platform::Result<bool> {
    let now = platform::now_ms();
    if !store.outbox.exists()? {
        return Ok(false);
    }
    let is_over = store.outbox.is_lane_over(config, now)?;
    if !is_over {
        store.outbox.expect_sending(config, now)?;
        store.outbox.set_lane_alarm(config, now)?;
    }
    Ok(is_over)
}
