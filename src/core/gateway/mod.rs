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
    Authenticator, Caller, Credentials, DEFAULT_LIFE, MAX_LIFE, MAX_SUBJECT, MAX_TOKEN, MIN_KEY_CHARS, MIN_LIFE,
    Session, SessionRequest,
};
pub use upstream_error::{ApiError, DEFAULT_RETRY_AFTER, RetryHeaders};
