//! Monitoring: counts, the counts of each minute, the status.

#[path = "../common/mod.rs"]
mod common;
mod counts;
mod minutes;
mod status;
