//! Writes the answers of calls as JSON.
//!
//! It does not use `serde_json`, which would make the wasm larger than all of this code.

use super::hmac::sha256;
use crate::core::webhook::{Diagnosis, EventError, EventReading, EvidenceValue, SignatureError, Verified, decimal};

/// The error of a call: its code and its message.
pub(super) struct Failure(&'static str, String);

/// Writes the result of `verifySignature`.
pub(super) fn verified(verified: &Verified) -> Vec<u8> {
    let (timestamp, index) = (verified.timestamp().cast_signed(), verified.secret_index() as u64);
    write_object(
        &mut [
            ("scheme", Some(EvidenceValue::Text(verified.scheme().as_str()))),
            ("timestamp", Some(EvidenceValue::Number(timestamp))),
            ("secretIndex", Some(EvidenceValue::Number(index.cast_signed()))),
            ("digest", Some(EvidenceValue::Text(&verified.digest_with(sha256)))),
        ]
        .into_iter(),
    )
}

/// Writes the ids and the timestamp that are numbers in the body, `{path: text}`, because `JSON.parse` may round them.
/// Returns `None` if there are none.
pub(super) fn number_ids(event: &EventReading) -> Option<Vec<u8>> {
    let mut ids = event.number_ids().map(|(path, id)| (path, Some(EvidenceValue::Text(id)))).peekable();
    ids.peek()?;
    Some(write_object(&mut ids))
}

/// Writes the result of `explainSignature`.
pub(super) fn diagnosis(diagnosis: &Diagnosis) -> Vec<u8> {
    let mut json = write_object(
        &mut [
            ("ok", Some(EvidenceValue::Boolean(diagnosis.ok))),
            ("cause", Some(EvidenceValue::Text(diagnosis.cause.as_str()))),
            ("message", Some(EvidenceValue::Text(&diagnosis.message))),
        ]
        .into_iter(),
    );
    json.pop();
    json.extend_from_slice(b",\"evidence\":");
    json.extend(write_object(&mut diagnosis.evidence.members().into_iter()));
    json.push(b'}');
    json
}

/// Writes the result of `sign`: the signature as a JSON string.
pub(super) fn signature(signature: &str) -> Vec<u8> {
    let mut json = Vec::new();
    write_string(signature, &mut json);
    json
}

impl Failure {
    /// The error of a call without usable secrets. It is empty, because `use_secrets` has already reported what is
    /// wrong.
    pub(super) const NO_SECRETS: Self = Self("", String::new());

    /// Writes the error that JavaScript throws.
    pub(super) fn json(&self) -> Vec<u8> {
        write_object(
            &mut [("code", Some(EvidenceValue::Text(self.0))), ("message", Some(EvidenceValue::Text(&self.1)))]
                .into_iter(),
        )
    }
}

impl From<SignatureError> for Failure {
    fn from(error: SignatureError) -> Self {
        Self(error.code(), error.message())
    }
}

impl From<EventError> for Failure {
    fn from(error: EventError) -> Self {
        Self(error.code(), error.message())
    }
}

/// Writes an object. Members that are `None` are left out.
// Never inlined: one copy keeps the wasm small.
#[inline(never)]
fn write_object<'a>(members: &mut dyn Iterator<Item = (&'a str, Option<EvidenceValue<'a>>)>) -> Vec<u8> {
    let mut json = vec![b'{'];
    for (name, value) in members {
        let Some(value) = value else { continue };
        if json.len() > 1 {
            json.push(b',');
        }
        write_string(name, &mut json);
        json.push(b':');
        match value {
            EvidenceValue::Text(value) => write_string(value, &mut json),
            EvidenceValue::Boolean(boolean) => json.extend_from_slice(if boolean { b"true" } else { b"false" }),
            EvidenceValue::Number(number) => {
                json.extend_from_slice(if number < 0 { b"-" } else { b"" });
                json.extend_from_slice(decimal(number.unsigned_abs()).as_bytes());
            }
        }
    }
    json.push(b'}');
    json
}

/// Writes a string. It does not escape control characters, because none of the texts here contains one.
#[inline(never)]
fn write_string(text: &str, json: &mut Vec<u8>) {
    json.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            json.push(b'\\');
        }
        json.push(byte);
    }
    json.push(b'"');
}
