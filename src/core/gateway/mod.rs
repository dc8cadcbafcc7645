//! The gateway's rules: who may call what, what goes up to OFAuth, and what comes back.

pub mod access;
pub mod account;
mod error;
pub mod health;
pub mod link;
pub mod list;
pub mod origin;
pub mod route;
mod session;
mod upstream_error;

pub use error::{EdgeError, RELINK, Verdict};
pub use session::{
    Caller, DEFAULT_LIFE, Doorkeeper, MAX_LIFE, MAX_SUBJECT, MAX_TOKEN, MIN_KEY, MIN_LIFE, Presented, Session, Wish,
};
pub use upstream_error::{ApiError, DEFAULT_RETRY_AFTER, RetryHeaders};
