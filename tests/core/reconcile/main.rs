//! The decisions of reconciliation.

mod cleanup;
mod listed;
mod missing;
mod paging;
