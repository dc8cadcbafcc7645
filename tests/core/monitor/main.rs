//! Monitoring: counts, the counts of each minute, alerts, the status.

mod alert;
#[path = "../common/mod.rs"]
mod common;
mod counts;
mod minutes;
mod status;
