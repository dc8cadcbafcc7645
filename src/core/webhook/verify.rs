//! Signs and verifies webhooks.
//!
//! `scheme.rs` describes the two schemes. The checks run in this order, and the first that fails is the error:
//!
//! 1. The headers of a scheme that has secrets are present. If a request has headers of both schemes and both have
//!    secrets, ofauth is verified. If it fails, svix is not tried.
//! 2. The secrets of that scheme are usable.
//! 3. The headers are well-formed: first the timestamp, then at least one `v1`.
//! 4. The timestamp is at most `tolerance` seconds away from `now`, in either direction.
//! 5. One `v1` is the MAC of the body under one of the secrets.
//!
//! [`SignatureClaim::read`] does steps 1 to 4, so that a caller can refuse a request before it reads the body.
//! [`SignatureClaim::verify`] does step 5. [`crate::core::webhook::explain()`] finds out why a request was refused.

use std::iter::Peekable;

use ct_codecs::{Base64, Encoder, Hex};
use hmac::{
    Hmac, KeyInit, Mac,
    digest::{CtOutput, Digest},
};
use serde::Serialize;
use sha2::Sha256;

use super::{
    encoding::{concat, decimal},
    error::SignatureError,
    header::{Macs, RequestHeaders, SignatureHeader, signed_parts},
    scheme::Scheme,
    secret::{Secrets, decode_key},
};

/// The default tolerance: how far a timestamp may be from now, in seconds and in either direction. The limit itself is
/// accepted.
pub const DEFAULT_TOLERANCE: u64 = 300;

/// The signature that a request claims to have. Its headers are well-formed and its time is within the tolerance, but
/// the signature has not been compared with the body.
pub struct SignatureClaim<'a> {
    header: SignatureHeader<'a>,
    macs: Peekable<Macs<'a>>,
    keys: &'a [Vec<u8>],
}

/// A function that computes the HMAC-SHA256 (RFC 2104) of `parts`, joined, under `key`. A platform may have a faster
/// one than [`hmac_sha256`].
pub type MacFn = fn(key: &[u8], parts: &[&[u8]]) -> [u8; 32];

/// A body that the holder of a secret has signed. Only the functions here that verify a signature return one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<'a> {
    body: &'a [u8],
    scheme: Scheme,
    message_id: Option<&'a str>,
    timestamp: u64,
    secret_index: usize,
}

/// What a verified signature says, as `verifySignature` of the npm package returns it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "Verified"))]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// The scheme of the signature.
    pub scheme: Scheme,
    /// When the body was signed, in unix seconds.
    pub timestamp: u64,
    /// The index of the secret that matched, in the list of that scheme.
    pub secret_index: usize,
    /// The SHA-256 of the raw body, in lower-case hex.
    pub digest: String,
}

/// Verifies the headers and the body of a request. `tolerance` is in seconds, `now` in unix seconds.
///
/// Returns the first error in the order of checks that this module's head lists: every [`SignatureError`] can occur.
pub fn verify<'a>(
    body: &'a [u8],
    headers: RequestHeaders<'a>,
    secrets: &'a Secrets,
    tolerance: u64,
    now: u64,
) -> Result<Verified<'a>, SignatureError> {
    verify_with(hmac_sha256, body, headers, secrets, tolerance, now)
}

/// Does what [`verify`] does, with another implementation of HMAC-SHA256.
pub fn verify_with<'a>(
    mac: MacFn,
    body: &'a [u8],
    headers: RequestHeaders<'a>,
    secrets: &'a Secrets,
    tolerance: u64,
    now: u64,
) -> Result<Verified<'a>, SignatureError> {
    SignatureClaim::read(headers, secrets, tolerance, now)?.verify_with(mac, body)
}

/// Signs `body` at `timestamp` (unix seconds) and returns the value of `OFAuth-Signature`.
///
/// Returns [`SignatureError::InvalidSecret`] if the secret is empty or has outer white space.
pub fn sign_ofauth(body: &[u8], secret: &str, timestamp: u64) -> Result<String, SignatureError> {
    sign_with(hmac_sha256, Scheme::Ofauth, body, secret, "", timestamp)
}

/// Signs `body` as the message `id` at `timestamp` (unix seconds) and returns the value of `svix-signature`.
///
/// Returns [`SignatureError::InvalidSecret`] if the secret is empty, has outer white space or is not base64.
pub fn sign_svix(body: &[u8], secret: &str, id: &str, timestamp: u64) -> Result<String, SignatureError> {
    sign_with(hmac_sha256, Scheme::Svix, body, secret, id, timestamp)
}

/// Does what [`sign_ofauth`] or [`sign_svix`] does, with another implementation of HMAC-SHA256. ofauth ignores `id`.
pub fn sign_with(
    mac: MacFn,
    scheme: Scheme,
    body: &[u8],
    secret: &str,
    id: &str,
    timestamp: u64,
) -> Result<String, SignatureError> {
    let invalid = |fault| SignatureError::InvalidSecret { scheme: Some(scheme), index: 0, fault };
    let key = decode_key(scheme, secret).map_err(invalid)?;
    let t = decimal(timestamp);
    let mac = mac(&key, &signed_parts(scheme, id, ".", t.as_bytes(), body));
    Ok(match scheme {
        Scheme::Ofauth => concat(&["t=", &t, ",v1=", Hex::encode_to_str(&mut [0; 64], mac).unwrap_or_default()]),
        Scheme::Svix => concat(&["v1,", Base64::encode_to_str(&mut [0; 44], mac).unwrap_or_default()]),
    })
}

impl<'a> SignatureClaim<'a> {
    /// Checks everything that can be checked without the body. `tolerance` is in seconds, `now` in unix seconds.
    ///
    /// Returns every [`SignatureError`] except `SignatureMismatch`.
    pub fn read(
        headers: RequestHeaders<'a>,
        secrets: &'a Secrets,
        tolerance: u64,
        now: u64,
    ) -> Result<Self, SignatureError> {
        let scheme = headers.choose_scheme(|scheme| secrets.has(scheme)).ok_or(SignatureError::MissingHeaders)?;
        let keys = secrets.keys(scheme)?;
        let header = SignatureHeader::read(headers, scheme)?;
        let mut macs = header.macs().peekable();
        macs.peek().ok_or(SignatureError::NoValidSignatures)?;
        let t = header.seconds;
        if now.saturating_sub(t) > tolerance {
            return Err(SignatureError::TimestampTooOld(now - t));
        }
        if t.saturating_sub(now) > tolerance {
            return Err(SignatureError::TimestampTooNew(t - now));
        }
        Ok(Self { header, macs, keys })
    }

    /// Compares every `v1` with the MAC of `body` under each secret, in constant time.
    ///
    /// `body` is the raw body. Returns [`SignatureError::SignatureMismatch`] if none is equal.
    pub fn verify(self, body: &'a [u8]) -> Result<Verified<'a>, SignatureError> {
        self.verify_with(hmac_sha256, body)
    }

    /// Does what [`SignatureClaim::verify`] does, with another implementation of HMAC-SHA256.
    pub fn verify_with(self, mac: MacFn, body: &'a [u8]) -> Result<Verified<'a>, SignatureError> {
        let SignatureHeader { scheme, id, timestamp, seconds, .. } = self.header;
        let parts = self.header.signed_parts(".", timestamp, body);
        let matches = |key: &Vec<u8>| matches_any(mac(key, &parts), self.macs.clone());
        let secret_index = self.keys.iter().position(matches).ok_or(SignatureError::SignatureMismatch)?;
        let message_id = (scheme == Scheme::Svix).then_some(id);
        Ok(Verified { body, scheme, message_id, timestamp: seconds, secret_index })
    }
}

impl<'a> Verified<'a> {
    /// The raw body, with exactly the bytes that were signed.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The scheme that the body was signed under.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The id of the message (`svix-id`), which is signed too. `None` under ofauth, which has no such id.
    pub fn message_id(&self) -> Option<&'a str> {
        self.message_id
    }

    /// The time of the signature, in unix seconds.
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// The position of the secret that matched in the list of its scheme, from 0.
    pub fn secret_index(&self) -> usize {
        self.secret_index
    }

    /// The SHA-256 of the raw body, in lower-case hex.
    pub fn digest(&self) -> String {
        self.digest_with(|body| Sha256::digest(body).into())
    }

    /// Returns what [`Verified::digest`] returns, with another implementation of SHA-256.
    pub fn digest_with(&self, sha256: fn(&[u8]) -> [u8; 32]) -> String {
        Hex::encode_to_str(&mut [0; 64], sha256(self.body)).unwrap_or_default().to_owned()
    }
}

/// Computes HMAC-SHA256 (RFC 2104) in Rust, with the crates `hmac` and `sha2`. The key may have any length.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Returns whether a MAC is one of the MACs in a header. The comparison takes the same time wherever two MACs differ,
/// so that nobody can find out a MAC byte by byte.
pub(crate) fn matches_any(mac: [u8; 32], mut received: impl Iterator<Item = [u8; 32]>) -> bool {
    let tag = |mac: [u8; 32]| CtOutput::<Hmac<Sha256>>::new(mac.into());
    let mac = tag(mac);
    received.any(|received| mac == tag(received))
}
