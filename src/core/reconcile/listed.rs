//! Compares an item of OFAuth's list with the record of its connection.

use crate::core::{
    connection::{Changes, DISCONNECTED, Fact, FactOrder, MISSING, Rank, Record},
    gateway::account::ListedConnection,
};

/// How far in the future an item's time may lie, in ms. The clocks of OFAuth and of the Worker may differ.
const MAX_AHEAD: i64 = 300_000;

/// The fact for the ledger of an item that disagrees with the connection's record. `None` if there is nothing to repair.
///
/// - `known` is the record, if there is one. `was_disputed` says that it disagreed with the list in the last pass too.
/// - `started` is the start of the pass, in unix ms.
///
/// The fact is dated to when the connection changed, so a newer webhook beats it. It is dated to the start of the pass if
/// the item does not say when it changed, if the record disagreed in the last pass too, and if the record says that OFAuth
/// does not have the connection. A disconnected connection never comes back, so it is not compared.
pub fn fact_of_item(
    item: ListedConnection,
    known: Option<&Record>,
    was_disputed: bool,
    started: i64,
) -> Option<(String, Fact)> {
    let (id, changed_at) = (item.id().to_owned(), item.changed_at());
    let changes = item.changes();
    if known.is_some_and(|record| record.status == DISCONNECTED || agrees(&changes, record)) {
        return None;
    }
    let is_missing = known.is_some_and(|record| record.status == MISSING);
    let own_time = changed_at.filter(|at| !was_disputed && !is_missing && *at <= started + MAX_AHEAD);
    let stamp = own_time.unwrap_or(started);
    // A pass may repeat a page after a crash. Then this is the same delivery.
    let delivery = format!("listed_{started}_{stamp}");
    Some((id, Fact { at: FactOrder { stamp, rank: Rank::Listed, delivery }, changes }))
}

/// Whether the record has what the item says. Two fields are left out, because each difference costs a write: when OFAuth
/// used the connection last, and another time of creation, which webhooks and the list may tell differently.
fn agrees(item: &Changes, record: &Record) -> bool {
    let user = record.user_data.as_ref();
    let field = |said: &Option<String>, known: Option<&String>| said.is_none() || said.as_ref() == known;
    field(&item.status, Some(&record.status))
        && item.permissions.as_ref().is_none_or(|permissions| *permissions == record.permissions)
        && field(&item.client_reference_id, record.client_reference_id.as_ref())
        && field(&item.platform_user_id, record.platform_user_id.as_ref())
        && field(&item.expires_at, record.expires_at.as_ref())
        && field(&item.user_id, user.and_then(|user| user.id.as_ref()))
        && field(&item.name, user.and_then(|user| user.name.as_ref()))
        && field(&item.username, user.and_then(|user| user.username.as_ref()))
        && item.avatar.as_ref().is_none_or(|avatar| avatar.as_ref() == user.and_then(|user| user.avatar.as_ref()))
        && (item.created_at.is_none() || record.created_at.is_some())
        && (item.imported.is_none() || item.imported == record.imported)
}
