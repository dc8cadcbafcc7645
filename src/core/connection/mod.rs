//! Connections: the record of one linked account and the order-free fold that makes it.

mod fact;
mod fold;
mod outcome;
mod record;
mod status;

pub use fact::{Changes, Fact, FactOrder, Rank};
pub use fold::Connection;
pub use outcome::Outcome;
pub use record::{Metadata, Record, UserData};
pub use status::{ACTIVE, DISCONNECTED, EXPIRED, MISSING, UNKNOWN};
