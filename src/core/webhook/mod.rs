//! Webhooks: who sent these bytes, and what they say.

mod delivery;
mod diagnosis;
mod encoding;
mod error;
mod event;
mod explain;
mod header;
mod parse;
mod reading;
mod reserialise;
mod scheme;
mod secret;
mod verify;

pub use delivery::{Delivery, MAX_AHEAD};
#[cfg(all(feature = "npm", target_arch = "wasm32"))]
pub(crate) use diagnosis::Value;
pub use diagnosis::{Cause, Diagnosis, Evidence};
#[cfg(all(feature = "npm", target_arch = "wasm32"))]
pub(crate) use encoding::decimal;
pub use error::{SecretFault, SignatureError};
pub use event::{
    ConnectionChange, ConnectionEvent, Event, EventError, MAX_PERMISSIONS, MAX_TEXT, MAX_TYPE, Payload, Subject,
};
pub use explain::{MAX_JSON, MAX_SMALL, explain, explain_with};
pub use header::{Headers, MAX_HEADER, MAX_TIMESTAMP, NAMES};
#[cfg(all(feature = "npm", target_arch = "wasm32"))]
pub(crate) use reading::{BodyMembers, EventFamily, EventReading, slot};
pub use scheme::Scheme;
pub use secret::{MAX_SECRETS, SecretStrings, Secrets};
pub use verify::{
    Claim, DEFAULT_TOLERANCE, MacFn, Verified, hmac_sha256, sign_ofauth, sign_svix, sign_with, verify, verify_with,
};
