//! What Cloudflare gives: clock, randomness, log, bindings, KV, SQL; and how a failure of any of them is told.

mod clock;
pub mod environment;
mod failure;
pub mod kv;
mod log;
mod random;
mod sql;

pub use clock::{now_ms, wait};
pub use failure::Failure;
pub use log::{log, log_error};
pub use random::{nonce, random, request_id};
pub use sql::first;
