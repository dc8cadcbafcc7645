//! Identifies a delivery and gives it a time.
//!
//! OFAuth repeats a webhook that was not answered with 2xx, and events may arrive late or out of order. The id
//! recognises a copy of a delivery. The time decides which of two events is newer.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::{
    event::Event,
    parse::{BodyMembers, slot},
    scheme::Scheme,
    verify::Verified,
};
use crate::core::instant::{MAX_STAMP, unix_ms};

/// How far the timestamp in a body may be after the time of the signature, in seconds. A later timestamp is ignored.
pub const MAX_SECONDS_AHEAD: i64 = 300;

/// The longest message id that is used without hashing it, in bytes.
const MAX_MESSAGE_ID_BYTES: usize = 128;

/// The id and the time of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The id, which is the same for every copy of one delivery. It has at most 128 characters: ASCII letters, digits,
    /// `-`, `_` and `.`.
    pub id: String,
    /// The time of the event, in unix milliseconds.
    pub stamp: i64,
}

impl Delivery {
    /// Identifies the delivery of a verified body.
    ///
    /// `event` is the event that was read from it, or `None` if the body is not an event. Such a body can have a
    /// timestamp too.
    ///
    /// The id is the first of these that applies:
    ///
    /// 1. Under svix it is the message id, or the SHA-256 of the message id if that is long or has other characters.
    /// 2. If the body has a timestamp, it is the SHA-256 of the body.
    /// 3. Otherwise it is the SHA-256 of `{t}.{body}`, where `t` is the time of the signature. Two events without a
    ///    timestamp can have equal bodies, so the body alone does not identify them.
    ///
    /// The time is the timestamp in the body. If that is absent, unreadable or more than [`MAX_SECONDS_AHEAD`] after
    /// the time of the signature, it is the time of the signature.
    pub fn from_verified(verified: &Verified, event: Option<&Event>) -> Self {
        let timestamp_of_other_body = || {
            let members = BodyMembers::read(verified)?;
            members.check_object("the body", slot::BODY, slot::TIMESTAMP, slot::TIMESTAMP).ok()?;
            members.timestamp().map(Cow::into_owned)
        };
        let timestamp = event.map_or_else(timestamp_of_other_body, |event| event.timestamp.clone());
        let signed = i64::try_from(verified.timestamp()).unwrap_or(i64::MAX).saturating_mul(1000).min(MAX_STAMP);
        let stamp = timestamp
            .as_deref()
            .and_then(unix_ms)
            .filter(|stamp| *stamp <= signed + MAX_SECONDS_AHEAD * 1000)
            .unwrap_or(signed);
        let id = match (verified.scheme(), verified.message_id()) {
            (Scheme::Svix, Some(id)) if is_plain_id(id) => id.to_owned(),
            (Scheme::Svix, Some(id)) => hex_sha256(&[id.as_bytes()]),
            _ if timestamp.is_some() => verified.digest(),
            _ => hex_sha256(&[verified.timestamp().to_string().as_bytes(), b".", verified.body()]),
        };
        Self { id, stamp }
    }
}

fn is_plain_id(id: &str) -> bool {
    id.len() <= MAX_MESSAGE_ID_BYTES && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn hex_sha256(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    base16ct::lower::encode_string(&hash.finalize())
}
