//! The keys that a sender may have signed with, by mistake or not.
//!
//! A common mistake is to use the text of a secret where the scheme needs the decoded bytes, to use the decoded bytes
//! where it needs the text, to remove or add `whsec_`, or to leave quotes around it.

use super::{
    diagnosis::Cause,
    reserialise::joined,
    scheme::Scheme,
    secret::{MAX_SECRETS, SecretStrings, decode_key, trim},
};

const PREFIX: &[u8] = b"whsec_";

/// A key that the sender may have signed with.
pub(crate) struct CandidateKey {
    pub(crate) bytes: Vec<u8>,
    /// What the sender did wrong if this is the key; [`Cause::None`] for an expected key.
    pub(crate) cause: Cause,
    /// The list that holds the secret.
    pub(crate) list: Scheme,
    /// The position of the secret in its list, from 0.
    pub(crate) index: usize,
}

/// Returns the keys that a sender who signs under `scheme` may make of the secrets, by mistake or not. White space
/// around secrets is ignored.
pub(crate) fn candidate_keys(scheme: Scheme, secrets: &SecretStrings) -> Vec<CandidateKey> {
    let mut keys = Vec::new();
    let other = if scheme == Scheme::Ofauth { Scheme::Svix } else { Scheme::Ofauth };
    for list in [scheme, other] {
        let (text_cause, decoded_cause) = match (list == scheme, scheme) {
            (true, Scheme::Ofauth) => (Cause::None, Cause::SecretDecoded),
            (true, Scheme::Svix) => (Cause::SecretNotDecoded, Cause::None),
            (false, _) if secrets.is_for_any_scheme() => continue,
            (false, _) => (Cause::OtherSchemeSecret, Cause::OtherSchemeSecret),
        };
        for (index, secret) in secrets.list(list).iter().take(MAX_SECRETS).enumerate() {
            let secret = trim(secret);
            let unquoted = unquote(secret);
            if unquoted.len() < secret.len() {
                let bytes = decode_key(scheme, unquoted).unwrap_or_default();
                keys.push(CandidateKey { bytes, cause: Cause::SecretQuoted, list, index });
            }
            let with_prefix = joined(PREFIX, secret.as_bytes());
            let (prefix_cause, changed) = match secret.as_bytes().strip_prefix(PREFIX) {
                Some(without_prefix) => (Cause::SecretPrefixRemoved, without_prefix),
                None => (Cause::SecretPrefixAdded, &*with_prefix),
            };
            let prefix_cause = if text_cause == Cause::None { prefix_cause } else { text_cause };
            let decoded = decode_key(Scheme::Svix, secret).unwrap_or_default();
            let variants = [(text_cause, secret.as_bytes()), (decoded_cause, &decoded), (prefix_cause, changed)];
            for (cause, bytes) in variants {
                keys.push(CandidateKey { bytes: bytes.to_vec(), cause, list, index });
            }
        }
    }
    keys.retain(|key| !key.bytes.is_empty());
    keys
}

/// Removes quotes around a secret, and line breaks that are written out at its end, as files of variables are misread.
fn unquote(mut secret: &str) -> &str {
    loop {
        let text = trim(secret);
        let range = match text.as_bytes() {
            [first @ (b'"' | b'\'' | b'`'), .., last] if first == last => 1..text.len() - 1,
            [.., b'\\', b'n' | b'r'] => 0..text.len() - 2,
            _ => return text,
        };
        secret = text.get(range).unwrap_or_default();
    }
}
