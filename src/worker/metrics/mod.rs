//! Metrics: counts of what happens, for people who run the gateway.
//!
//! 1. `counters` counts in the isolate's memory, and hands the counts over now and then.
//! 2. `object` is a Durable Object that stores the counts of each minute for 24 hours.
//! 3. `client` reads them.
//! 4. `watch` sends alerts to the operator.
//!
//! An isolate hands its counts over about [every 10 s](counters), in a task of its own that no answer waits for. So a
//! webhook costs no further request to an object, and a wrong signature none at all. A Durable Object may live in an isolate
//! that serves no request, and must not be kept awake. So when a ledger or the reconciler counts something that must be known
//! soon, it hands everything over at once. What an isolate has counted since its last batch is lost if it is evicted. There are
//! [`SHARDS`](client::SHARDS) objects, and each batch goes to a random one.
//!
//! Without the binding `METRICS_STORE`, nothing is stored. With the binding `METRICS`, a data set of Workers Analytics
//! Engine, each batch is also written there.

mod client;
mod counters;
mod object;
mod watch;

pub use client::{minutes, sum};
pub use counters::{count, hand_over, hand_over_forwards, hand_over_later};
