//! Webhook signatures: who sent these bytes, and when.
//!
//! OFAuth documents two schemes and not which one an account gets, so both are here, told apart by header:
//!
//! - **ofauth**: `OFAuth-Signature: t=<unix seconds>,v1=<hex>`, HMAC-SHA256 over `{t}.{raw body}`, the key being the
//!   secret's bytes as written (a `whsec_` prefix is part of it);
//! - **svix** (Standard Webhooks): `svix-id`, `svix-timestamp`, `svix-signature: v1,<base64> …`, also under `webhook-*`
//!   names, HMAC-SHA256 over `{id}.{timestamp}.{raw body}`, the key being the base64 after `whsec_`.
//!
//! Order of judgement: secrets, header presence, header form, timestamp, MAC. [`Claim::read`] goes as far as the
//! timestamp, so that a caller can refuse before it reads a body; [`Claim::verify`] does the rest. Nothing here reads a
//! clock: `now` is an argument. Why a good-looking request was refused is told by [`crate::explain`].

use std::iter::Peekable;

use ct_codecs::{Base64, Encoder, Hex};
use hmac::{
    Hmac, KeyInit, Mac,
    digest::{CtOutput, Digest},
};
use sha2::Sha256;

use super::{
    encoding::{concat, decimal},
    error::SignatureError,
    header::{Headers, Macs, SignatureHeader, content},
    scheme::Scheme,
    secret::{Secrets, key},
};

/// Default for how far a timestamp may lie from now, in seconds, in both directions, inclusive.
pub const DEFAULT_TOLERANCE: u64 = 300;

/// What the headers claim, well-formed and in time, not yet compared with a body.
pub struct Claim<'a> {
    stated: SignatureHeader<'a>,
    macs: Peekable<Macs<'a>>,
    keys: &'a [Vec<u8>],
}

/// HMAC-SHA256 of parts, one after the other, under a key: a platform may have a faster one than [`hmac_sha256`].
pub type MacFn = fn(key: &[u8], parts: &[&[u8]]) -> [u8; 32];

/// Bytes that a holder of a secret signed. Only [`Claim::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<'a> {
    body: &'a [u8],
    scheme: Scheme,
    id: Option<&'a str>,
    timestamp: u64,
    secret_index: usize,
}

/// Judges headers and body in one call. `now` and `tolerance` are whole unix seconds.
pub fn verify<'a>(
    body: &'a [u8],
    headers: Headers<'a>,
    secrets: &'a Secrets,
    tolerance: u64,
    now: u64,
) -> Result<Verified<'a>, SignatureError> {
    verify_with(hmac_sha256, body, headers, secrets, tolerance, now)
}

/// The same with another implementation of HMAC.
pub fn verify_with<'a>(
    mac: MacFn,
    body: &'a [u8],
    headers: Headers<'a>,
    secrets: &'a Secrets,
    tolerance: u64,
    now: u64,
) -> Result<Verified<'a>, SignatureError> {
    Claim::read(headers, secrets, tolerance, now)?.verify_with(mac, body)
}

/// The value of `OFAuth-Signature` for `body`, signed with `secret` at `timestamp` (unix seconds).
pub fn sign_ofauth(body: &[u8], secret: &str, timestamp: u64) -> Result<String, SignatureError> {
    sign_with(hmac_sha256, Scheme::Ofauth, body, secret, "", timestamp)
}

/// The value of `svix-signature` for `body`, signed with `secret` under `id` at `timestamp` (unix seconds).
pub fn sign_svix(body: &[u8], secret: &str, id: &str, timestamp: u64) -> Result<String, SignatureError> {
    sign_with(hmac_sha256, Scheme::Svix, body, secret, id, timestamp)
}

/// The signature header of either scheme, made with another implementation of HMAC; `id` is svix's alone.
pub fn sign_with(
    mac: MacFn,
    scheme: Scheme,
    body: &[u8],
    secret: &str,
    id: &str,
    timestamp: u64,
) -> Result<String, SignatureError> {
    let key = key(scheme, secret).map_err(|fault| SignatureError::InvalidSecret(Some(scheme), 0, fault))?;
    let t = decimal(timestamp);
    let mac = mac(&key, &content(scheme, id, ".", t.as_bytes(), body));
    Ok(match scheme {
        Scheme::Ofauth => concat(&["t=", &t, ",v1=", Hex::encode_to_str(&mut [0; 64], mac).unwrap_or_default()]),
        Scheme::Svix => concat(&["v1,", Base64::encode_to_str(&mut [0; 44], mac).unwrap_or_default()]),
    })
}

impl<'a> Claim<'a> {
    /// Judges what can be judged without the body: presence and form of the headers, then the timestamp.
    ///
    /// With headers and secrets of both schemes, ofauth is judged; a failed check never falls through to the other.
    pub fn read(headers: Headers<'a>, secrets: &'a Secrets, tolerance: u64, now: u64) -> Result<Self, SignatureError> {
        let scheme = headers.pick(|scheme| secrets.has(scheme)).ok_or(SignatureError::MissingHeaders)?;
        let keys = secrets.keys(scheme)?;
        let stated = SignatureHeader::read(headers, scheme)?;
        let mut macs = stated.macs().peekable();
        macs.peek().ok_or(SignatureError::NoValidSignatures)?;
        let t = stated.seconds;
        if now.saturating_sub(t) > tolerance {
            return Err(SignatureError::TimestampTooOld(now - t));
        }
        if t.saturating_sub(now) > tolerance {
            return Err(SignatureError::TimestampTooNew(t - now));
        }
        Ok(Self { stated, macs, keys })
    }

    /// Compares the MAC of `body` under each secret with every `v1`, in constant time.
    pub fn verify(self, body: &'a [u8]) -> Result<Verified<'a>, SignatureError> {
        self.verify_with(hmac_sha256, body)
    }

    /// The same with another implementation of HMAC.
    pub fn verify_with(self, mac: MacFn, body: &'a [u8]) -> Result<Verified<'a>, SignatureError> {
        let SignatureHeader { scheme, id, timestamp, seconds, .. } = self.stated;
        let content = self.stated.content(".", timestamp, body);
        let matches = |key: &Vec<u8>| matches_any(mac(key, &content), self.macs.clone());
        let secret_index = self.keys.iter().position(matches).ok_or(SignatureError::SignatureMismatch)?;
        let id = (scheme == Scheme::Svix).then_some(id);
        Ok(Verified { body, scheme, id, timestamp: seconds, secret_index })
    }
}

impl<'a> Verified<'a> {
    /// The raw body, byte for byte.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The scheme that was judged.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The signed message id, which only svix has.
    pub fn id(&self) -> Option<&'a str> {
        self.id
    }

    /// When it was signed, in unix seconds.
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// Which secret matched, counted from 0.
    pub fn secret_index(&self) -> usize {
        self.secret_index
    }

    /// SHA-256 of the raw body, in lower-case hex.
    pub fn digest(&self) -> String {
        self.digest_with(|body| Sha256::digest(body).into())
    }

    /// The same by another implementation of SHA-256.
    pub fn digest_with(&self, sha256: fn(&[u8]) -> [u8; 32]) -> String {
        Hex::encode_to_str(&mut [0; 64], sha256(self.body)).unwrap_or_default().to_owned()
    }
}

/// HMAC-SHA256 by the crates hmac and sha2.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Whether a MAC is among those that are claimed, compared in constant time.
pub(crate) fn matches_any(mac: [u8; 32], mut claimed: impl Iterator<Item = [u8; 32]>) -> bool {
    let tag = |mac: [u8; 32]| CtOutput::<Hmac<Sha256>>::new(mac.into());
    let mac = tag(mac);
    claimed.any(|claimed| mac == tag(claimed))
}
