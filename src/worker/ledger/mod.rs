//! Ledgers: one Durable Object per connection, named by the connection's handle. A ledger stores the deliveries about
//! its connection and the record that follows from them.
//!
//! Everything that changes a connection enters here: webhooks, and what the gateway learns itself. A delivery that has
//! been entered is durable. From here the record is copied to Workers KV and to the hub of the connection's user.
//!
//! Read `entry` first: what goes in and what comes out. Then `row`, the state of a ledger; `store` and `deliveries`, its
//! tables; `object`, the Durable Object itself; and `projector`, which makes the copies with a `queue` for each
//! destination. `outbox` and `forward` send the deliveries on to the app, and `forwards` is the index of those that the app has
//! not taken. `account` makes the event that a connection's account became another one. `lane` forwards an event that is not about
//! a connection. `reseal` follows a new STORAGE_KEY. `rules` stores the newest dynamic rules in an object of its own. `lease`
//! joins equal changes of a connection at OFAuth. `forget` deletes connections at OFAuth when their user is erased, and those
//! that expired long ago. `client` is what the other rooms call.
//!
//! A delivery that changes the connection costs two commits here and one in the hub: one when the delivery is accepted,
//! one when its copies are made. If it is forwarded to the app, it costs one more, when the app has answered.

mod account;
mod client;
mod deliveries;
mod entry;
mod forget;
mod forward;
mod forwards;
mod lane;
mod lease;
mod object;
mod outbox;
mod projector;
mod queue;
mod reseal;
mod row;
mod rules;
mod store;

pub use client::{end_lease, enter, enter_rules, record, replay, take_lease, timeline};
pub use entry::{Delivered, Entry};
pub use forwards::ask as ask_forwards;
pub use lane::{LaneEvent, enter_lane};
pub use lease::Lease;
pub use rules::Rules;
