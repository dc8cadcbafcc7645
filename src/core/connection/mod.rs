//! Connections: the state of one linked OnlyFans account, computed from webhooks that arrive in any order.
//!
//! OFAuth may deliver a webhook twice, late, or after a newer one, so the last webhook to arrive does not decide. Each
//! delivery is turned into a [`Fact`], which says what was true at one instant. A [`Connection`] takes the facts one by
//! one and keeps, for each field, the value of the greatest fact. The result does not depend on the order in which the
//! facts arrive, nor on how often each of them arrives.
//!
//! ```
//! use ofauth_edge::core::connection::{Changes, Connection, Fact, FactOrder, Rank};
//!
//! let fact = |stamp, rank, delivery: &str, status| Fact {
//!     at: FactOrder { stamp, rank, delivery: delivery.to_owned() },
//!     changes: Changes::status(status),
//! };
//! let expired = fact(1_705_320_000_000, Rank::Observed, "msg_1", "expired");
//! let reconnected = fact(1_705_320_180_000, Rank::Updated, "msg_2", "active");
//!
//! let mut connection = Connection::new("conn_abc123".to_owned());
//! assert!(connection.apply(reconnected));
//! assert!(!connection.apply(expired), "the older fact arrives late and changes nothing");
//! assert_eq!(connection.record("acct_1".to_owned()).status, "active");
//! ```
//!
//! Read the files in this order:
//!
//! 1. `status` names the statuses that the gateway acts on ([`ACTIVE`] and others).
//! 2. `fact` describes a fact and makes one of a connection event ([`Fact`], [`FactOrder`], [`Rank`], [`Changes`]).
//! 3. `fold` combines facts into the state of a connection ([`Connection`]).
//! 4. `record` is that state as callers see it ([`Record`]).
//! 5. `outcome` says how a webhook was handled ([`Outcome`]).

mod fact;
mod fold;
mod outcome;
mod record;
mod status;

pub use fact::{Changes, Fact, FactOrder, Rank};
pub use fold::Connection;
pub use outcome::Outcome;
pub use record::{Metadata, Record, StatusReason, UserData};
pub use status::{ACTIVE, DISCONNECTED, EXPIRED, MISSING, UNKNOWN};
