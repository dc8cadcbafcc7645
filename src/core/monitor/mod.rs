//! Counts what happens at the gateway, and decides what of it the operator must know.
//!
//! 1. `counts` adds up what happened, each kind under a name and a code ([`Counts`], [`name`]).
//! 2. `minutes` has the counts of each minute ([`Minutes`]), for `GET /edge/metrics`.
//! 3. `alert` decides what the operator must hear at once ([`alerts`]).
//! 4. `passes` reads what the reconciler says of its passes ([`Passes`]).
//! 5. `status` says whether everything is all right ([`status()`]), for `GET /edge/status`.
//!
//! An isolate counts in memory and hands over lines of text; the Durable Objects of the metrics store such lines for each
//! minute. The lines are a contract, because objects of older builds may store or send them:
//!
//! ```text
//! @28410000
//! webhook_accepted applied 12
//! webhook_rejected SIGNATURE_MISMATCH 3
//! ```
//!
//! A line `@` has a minute, counted from 1970. A line with a fourth number has the minute in which it was counted last.

mod alert;
mod counts;
mod minutes;
mod passes;
mod status;

pub use alert::{Alert, alerts};
pub use counts::{Count, Counts, MAX_KINDS, is_rate_low, name};
pub use minutes::Minutes;
pub use passes::Passes;
pub use status::{Observations, status};
