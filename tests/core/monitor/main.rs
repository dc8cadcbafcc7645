//! Monitoring: counts, the counts of each minute.

mod counts;
mod minutes;
