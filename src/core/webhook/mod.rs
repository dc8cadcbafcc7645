//! Webhooks: checks who signed a request, reads the event in its body, and explains why a request does not verify.
//!
//! A webhook passes these steps:
//!
//! 1. [`SignatureClaim::read`] checks the headers and the time, before the body is read.
//! 2. [`SignatureClaim::verify`] compares the signature with the body. [`verify()`] does both steps at once.
//! 3. [`Event::parse`] reads the event. It takes [`Verified`], so an unsigned body is never read.
//! 4. [`Delivery::from_verified`] identifies the delivery, so that a copy of it is recognised.
//!
//! [`explain()`] is for the developer who integrates webhooks: it finds out why a request does not verify.
//!
//! Nothing here reads a clock: the current time is an argument, in whole unix seconds.
//!
//! Read the files in this order:
//!
//! | file | what it holds |
//! |---|---|
//! | `scheme.rs`, `secret.rs`, `header.rs` | the two signature schemes, their secrets and their headers |
//! | `verify.rs` | signing and verifying |
//! | `error.rs` | why a signature or a secret is refused |
//! | `event.rs` | events as types, and why a body is not an event |
//! | `parse.rs`, `reading.rs` | the members that a body has, and making an event of them |
//! | `delivery.rs` | the id and the time of a delivery |
//! | `diagnosis.rs`, `explain.rs`, `search.rs` | the explanation, and the search for it |
//! | `candidate.rs` | the keys that the search tries |
//! | `body_form.rs`, `reserialise.rs`, `reorder.rs` | the forms of the body and of JSON that the search tries |
//! | `encoding.rs` | base64, hex and decimal digits |
//!
//! ```
//! use ofauth_edge::core::webhook::{Event, RequestHeaders, Secrets, sign_ofauth, verify};
//!
//! let body = br#"{"type": "rules.updated", "timestamp": "2024-01-15T10:30:00Z", "data": {}}"#;
//! let signature = sign_ofauth(body, "whsec_test_secret", 1_705_314_600).unwrap();
//!
//! // The values follow the order of SIGNATURE_HEADER_NAMES.
//! let headers = RequestHeaders::new([Some(&*signature), None, None, None, None, None, None]);
//! let secrets = Secrets::new(&["whsec_test_secret"], &[]).unwrap();
//! let (tolerance, now) = (300, 1_705_314_601);
//! let verified = verify(body, headers, &secrets, tolerance, now).unwrap();
//! assert_eq!(Event::parse(&verified).unwrap().kind, "rules.updated");
//! ```

mod body_form;
mod candidate;
mod delivery;
mod diagnosis;
mod encoding;
mod error;
mod event;
mod explain;
mod header;
mod parse;
mod reading;
mod reorder;
mod reserialise;
mod scheme;
mod search;
mod secret;
mod verify;

pub use delivery::{Delivery, MAX_SECONDS_AHEAD};
pub use diagnosis::{Cause, Diagnosis, Evidence};
pub use error::{SecretFault, SignatureError};
pub(crate) use event::connection_fields;
pub use event::{
    ConnectionChange, ConnectionEvent, Event, EventError, MAX_PERMISSIONS_BYTES, MAX_TEXT_BYTES, MAX_TYPE_BYTES,
    Payload, Subject,
};
pub use explain::{MAX_JSON_BYTES, MAX_MILLISECOND_SEARCH_BYTES, explain, explain_with};
pub use header::{MAX_HEADER_BYTES, MAX_TIMESTAMP, RequestHeaders, SIGNATURE_HEADER_NAMES};
#[cfg(all(feature = "npm", target_arch = "wasm32"))]
pub(crate) use parse::{BodyMembers, EventFamily, EventReading, slot};
#[cfg(test)]
pub(crate) use reserialise::{EscapeStyle, LAYOUTS};
pub use scheme::Scheme;
pub use secret::{MAX_SECRETS, SecretStrings, Secrets};
pub use verify::{
    DEFAULT_TOLERANCE, MacFn, SignatureClaim, Verification, Verified, hmac_sha256, sign_ofauth, sign_svix, sign_with,
    verify, verify_with,
};
