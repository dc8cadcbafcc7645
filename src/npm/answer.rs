//! Writes the answers of calls as JSON, with `serde_json`.
//!
//! What other writers weigh, in gzipped bytes of the wasm:
//!
//! - A writer by hand made it 474 bytes smaller, of 25,336. The names of fields stood in it once more.
//! - In a prototype, `serde-wasm-bindgen` made it 4.5 KB larger, and 2.6 KB without the code that formats its errors.
//!   `serde_json` made the same prototype 0.9 KB larger. The glue of `serde-wasm-bindgen` also keeps one view of the
//!   memory for each module, so it read an instance that was replaced through a stale view.

use serde::{Serialize, Serializer};

use super::hmac::sha256;
use crate::core::webhook::{Diagnosis, EventError, EventReading, SignatureError, Verification, Verified};

/// The error of a call: its code and its message.
#[derive(Serialize)]
pub(super) struct Failure {
    code: &'static str,
    message: String,
}

/// Writes the result of `verifySignature`.
pub(super) fn verified(verified: &Verified) -> Vec<u8> {
    json(&Verification {
        scheme: verified.scheme(),
        timestamp: verified.timestamp(),
        secret_index: verified.secret_index(),
        digest: verified.digest_with(sha256),
    })
}

/// Writes the ids and the timestamp that are numbers in the body, `{path: text}`, because `JSON.parse` may round them.
/// Returns `None` if there are none.
pub(super) fn number_ids(event: &EventReading) -> Option<Vec<u8>> {
    struct Ids<'a>(&'a EventReading<'a, 'a>);
    impl Serialize for Ids<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.number_ids())
        }
    }
    event.number_ids().next()?;
    Some(json(&Ids(event)))
}

/// Writes the result of `explainSignature`.
pub(super) fn diagnosis(diagnosis: &Diagnosis) -> Vec<u8> {
    json(diagnosis)
}

/// Writes the result of `sign`: the signature as a JSON string.
pub(super) fn signature(signature: &str) -> Vec<u8> {
    json(signature)
}

impl Failure {
    /// The error of a call without usable secrets. It is empty, because `use_secrets` has already reported what is
    /// wrong.
    pub(super) const NO_SECRETS: Self = Self { code: "", message: String::new() };

    /// Writes the error that JavaScript throws.
    pub(super) fn json(&self) -> Vec<u8> {
        json(self)
    }
}

impl From<SignatureError> for Failure {
    fn from(error: SignatureError) -> Self {
        Self { code: error.code(), message: error.message() }
    }
}

impl From<EventError> for Failure {
    fn from(error: EventError) -> Self {
        Self { code: error.code(), message: error.message() }
    }
}

/// Nothing here fails to serialise, because all keys are text.
fn json<T: Serialize + ?Sized>(answer: &T) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap_or_default()
}
