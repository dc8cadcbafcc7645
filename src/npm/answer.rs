//! What calls answer, as JSON. serde_json would take longer to download than all that is said here.

use super::hmac::sha256;
use crate::core::webhook::{Diagnosis, EventError, EventReading, SignatureError, Value, Verified, decimal};

/// Why a call failed: the code and the message of its error.
pub(super) struct Failure(&'static str, String);

/// What `verifySignature` returns.
pub(super) fn verified(verified: &Verified) -> Vec<u8> {
    let (timestamp, place) = (verified.timestamp().cast_signed(), verified.secret_index() as u64);
    object(
        &mut [
            ("scheme", Some(Value::Text(verified.scheme().name()))),
            ("timestamp", Some(Value::Number(timestamp))),
            ("secretIndex", Some(Value::Number(place.cast_signed()))),
            ("digest", Some(Value::Text(&verified.digest_with(sha256)))),
        ]
        .into_iter(),
    )
}

/// What a reader of JSON may round, by the keys that lead to it, joined by dots; nothing if there is nothing.
pub(super) fn number_ids(event: &EventReading) -> Option<Vec<u8>> {
    let mut ids = event.number_ids().map(|(path, id)| (path, Some(Value::Text(id)))).peekable();
    ids.peek()?;
    Some(object(&mut ids))
}

/// What `explainSignature` returns.
pub(super) fn diagnosis(diagnosis: &Diagnosis) -> Vec<u8> {
    let mut json = object(
        &mut [
            ("ok", Some(Value::Truth(diagnosis.ok))),
            ("cause", Some(Value::Text(diagnosis.cause.as_str()))),
            ("message", Some(Value::Text(&diagnosis.message))),
        ]
        .into_iter(),
    );
    json.pop();
    json.extend_from_slice(b",\"evidence\":");
    json.extend(object(&mut diagnosis.evidence.members().into_iter()));
    json.push(b'}');
    json
}

/// A signature.
pub(super) fn signature(signature: &str) -> Vec<u8> {
    let mut json = Vec::new();
    text(signature, &mut json);
    json
}

impl Failure {
    /// A call before its secrets were judged.
    pub(super) const NO_SECRETS: Self = Self("", String::new());

    /// What is thrown.
    pub(super) fn json(&self) -> Vec<u8> {
        object(&mut [("code", Some(Value::Text(self.0))), ("message", Some(Value::Text(&self.1)))].into_iter())
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

// One copy of it: this is code that a browser loads.
#[inline(never)]
fn object<'a>(members: &mut dyn Iterator<Item = (&'a str, Option<Value<'a>>)>) -> Vec<u8> {
    let mut json = vec![b'{'];
    for (name, value) in members {
        let Some(value) = value else { continue };
        if json.len() > 1 {
            json.push(b',');
        }
        text(name, &mut json);
        json.push(b':');
        match value {
            Value::Text(value) => text(value, &mut json),
            Value::Truth(truth) => json.extend_from_slice(if truth { b"true" } else { b"false" }),
            Value::Number(number) => {
                json.extend_from_slice(if number < 0 { b"-" } else { b"" });
                json.extend_from_slice(decimal(number.unsigned_abs()).as_bytes());
            }
        }
    }
    json.push(b'}');
    json
}

/// None of the texts has control characters.
#[inline(never)]
fn text(text: &str, json: &mut Vec<u8>) {
    json.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            json.push(b'\\');
        }
        json.push(byte);
    }
    json.push(b'"');
}
