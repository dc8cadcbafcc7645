//! The ledger: a Durable Object per connection, which keeps what was delivered and the record that follows from it.

mod client;
mod entry;
mod object;
mod projector;
mod row;
mod rules;
mod store;

pub use client::{enter, enter_rules, erase, record, timeline};
pub use entry::{Delivered, Entry};
pub use rules::Rules;
