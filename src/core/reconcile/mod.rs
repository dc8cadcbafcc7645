//! Reconciliation: compares OFAuth's list of connections with what the gateway knows, and decides what to repair.
//!
//! Webhooks get lost, and connections may be older than the gateway. So the Worker reads OFAuth's list from time to time. One
//! reading of the whole list is a *pass*. The functions here decide; the Worker reads, remembers and stores.
//!
//! 1. `listed` compares an item of the list with the record ([`fact_of_item`]).
//! 2. `missing` decides about connections that the list lacks ([`is_implausible`], [`absence`]).
//! 3. `paging` says where the next page begins and how long to wait for it ([`next_offset`], [`pause`]).
//! 4. `cleanup` decides which expired connections are deleted ([`is_due_for_cleanup`]).

mod cleanup;
mod listed;
mod missing;
mod paging;

pub use cleanup::is_due_for_cleanup;
pub use listed::fact_of_item;
pub use missing::{Absence, MIN_ABSENCE, absence, is_implausible};
pub use paging::{PAGE_SIZE, next_offset, pause};
