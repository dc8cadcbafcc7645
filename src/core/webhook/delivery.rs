//! What tells one delivery from another, and when it happened.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::{
    event::Event,
    reading::{BodyMembers, slot},
    scheme::Scheme,
    verify::Verified,
};
use crate::core::instant::{MAX_STAMP, unix_ms};

/// How far the body's own timestamp may lie after the signature's, in seconds, before it is not believed.
pub const MAX_AHEAD: i64 = 300;

/// The longest message id that is used as it came, in bytes.
const MAX_MESSAGE_ID: usize = 128;

/// What tells one delivery from another, and when what it says happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The same for every copy of one delivery.
    pub id: String,
    /// Unix milliseconds.
    pub stamp: i64,
}

impl Delivery {
    /// Names the delivery and dates it. `event` is `None` for a body that is no event, which may carry a timestamp all
    /// the same.
    ///
    /// The id is the signed message id under svix; else SHA-256 of the body if the body carries a timestamp; else
    /// SHA-256 of `{t}.{body}`, since bodies without a timestamp repeat honestly. The stamp is the body's timestamp; if
    /// that is absent, unreadable, or more than [`MAX_AHEAD`] after the signature's time, the signature's time.
    pub fn of(verified: &Verified, event: Option<&Event>) -> Self {
        let undated = || {
            let members = BodyMembers::of(verified)?;
            members.object("the body", slot::BODY, slot::TIMESTAMP, slot::TIMESTAMP).ok()?;
            members.timestamp().map(Cow::into_owned)
        };
        let timestamp = event.map_or_else(undated, |event| event.timestamp.clone());
        let signed = i64::try_from(verified.timestamp()).unwrap_or(i64::MAX).saturating_mul(1000).min(MAX_STAMP);
        let stamp = timestamp
            .as_deref()
            .and_then(unix_ms)
            .filter(|stamp| *stamp <= signed + MAX_AHEAD * 1000)
            .unwrap_or(signed);
        let id = match (verified.scheme(), verified.id()) {
            (Scheme::Svix, Some(id)) if is_plain(id) => id.to_owned(),
            (Scheme::Svix, Some(id)) => hex_sha256(&[id.as_bytes()]),
            _ if timestamp.is_some() => verified.digest(),
            _ => hex_sha256(&[verified.timestamp().to_string().as_bytes(), b".", verified.body()]),
        };
        Self { id, stamp }
    }
}

fn is_plain(id: &str) -> bool {
    id.len() <= MAX_MESSAGE_ID && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn hex_sha256(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    base16ct::lower::encode_string(&hash.finalize())
}
