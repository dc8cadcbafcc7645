//! What the Worker gets from Cloudflare's platform. The core is pure, so this room reads the clock, the random source
//! and the configuration for it, and performs what the core describes as data.
//!
//! | file | what it is for |
//! |---|---|
//! | `clock` | the time, and waiting |
//! | `random` | nonces, request ids and the jitter of retries |
//! | `environment` | configuration, and the bindings of wrangler.toml |
//! | `kv` | reading, writing and listing Workers KV |
//! | `object` | calls to Durable Objects |
//! | `state` | the context of a Durable Object |
//! | `sql` | the SQLite database of a Durable Object, and its alarm |
//! | `reseal` | sealing what a database has under the newest key |
//! | `task` | futures and promises |
//! | `log` | JSON lines on the console |
//! | `error` | what the platform throws |
//! | `failure` | an error for the caller, with a detail for the log |
//!
//! The files hardly build on each other: `kv` and `object` use `environment` and `failure`, `sql` uses `state`, and `reseal`
//! uses `sql`. Read them in any order.

mod clock;
pub mod environment;
mod error;
mod failure;
pub mod kv;
mod log;
mod object;
mod random;
mod reseal;
mod sql;
mod state;
mod task;

pub use clock::{now_ms, wait};
pub use error::{Error, Result};
pub use failure::Failure;
pub use log::{log, log_error};
pub use object::{KEY_MISSING, ObjectRequest, call, call_ledger, connect, read_ledger_answer, refuse_missing_key};
pub use random::{nonce, random_fraction, request_id};
pub use reseal::{count_keys, reseal};
pub use sql::{Database, MAX_INTEGER, Value, integer, text_of};
pub use state::State;
pub use task::{Boxed, on_heap, promise};
