//! The decisions of reconciliation.

mod listed;
mod missing;
mod paging;
