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
//! clock: `now` is an argument.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac, digest::CtOutput};
use sha2::{Digest, Sha256};

/// Default for how far a timestamp may lie from now, in seconds, in both directions, inclusive.
pub const DEFAULT_TOLERANCE: u64 = 300;
/// The longest signature header that is read, in bytes.
pub const MAX_HEADER: usize = 8192;
/// The most secrets a scheme may have at once: a rotation needs two.
pub const MAX_SECRETS: usize = 5;
/// The latest timestamp, in unix seconds: 2^53 − 1, the largest integer JavaScript keeps exact.
pub const MAX_TIMESTAMP: u64 = (1 << 53) - 1;

/// Which of the two documented schemes signed a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `OFAuth-Signature`.
    Ofauth,
    /// `svix-*` or `webhook-*`.
    Svix,
}

/// Why a request is not authentic, or a secret not usable. [`SignatureError::code`] is the same on every surface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// No header of a scheme that has a secret; svix needs all three.
    MissingHeaders,
    /// A header over [`MAX_HEADER`] bytes, given with its length.
    HeaderTooLong(usize),
    /// An `OFAuth-Signature` without `t`.
    NoTimestamp,
    /// An `OFAuth-Signature` with more than one `t`.
    TwoTimestamps,
    /// An empty `svix-id`.
    EmptyId,
    /// No well-formed `v1` at all.
    NoValidSignatures,
    /// A timestamp that is not plain decimal digits of at most 2^53 − 1.
    InvalidTimestamp,
    /// Signed this many seconds ago, which is more than the tolerance.
    TimestampTooOld(u64),
    /// Signed this many seconds in the future, which is more than the tolerance.
    TimestampTooNew(u64),
    /// No `v1` is the MAC of these bytes under any secret.
    SignatureMismatch,
    /// A secret that cannot be used: its scheme, its place in the list (from 0), and why.
    InvalidSecret(Scheme, usize, SecretFault),
}

/// What is wrong with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretFault {
    /// No secret was given for either scheme.
    NoneGiven,
    /// More than [`MAX_SECRETS`].
    TooMany,
    /// The empty string.
    Empty,
    /// White space at either end.
    OuterWhiteSpace,
    /// A svix secret that is not base64, or is of nothing.
    NotBase64,
}

/// The signing secrets, newest first. Cannot be printed.
pub struct Secrets {
    ofauth: Vec<Vec<u8>>,
    svix: Vec<Vec<u8>>,
}

/// The headers that a signature is made of, as received. A header that is absent is `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    ofauth: Option<&'a str>,
    svix: Option<Svix<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Svix<'a> {
    id: &'a str,
    timestamp: &'a str,
    signature: &'a str,
}

/// What the headers claim, well-formed and in time, not yet compared with a body.
pub struct Claim<'a> {
    scheme: Scheme,
    id: &'a str,
    timestamp: &'a str,
    seconds: u64,
    macs: Vec<[u8; 32]>,
    keys: &'a [Vec<u8>],
}

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
    Claim::read(headers, secrets, tolerance, now)?.verify(body)
}

/// The value of `OFAuth-Signature` for `body`, signed with `secret` at `timestamp` (unix seconds).
pub fn sign_ofauth(body: &[u8], secret: &str, timestamp: u64) -> Result<String, SignatureError> {
    let key = ofauth_key(secret).map_err(|fault| SignatureError::InvalidSecret(Scheme::Ofauth, 0, fault))?;
    let t = timestamp.to_string();
    let mac = mac(&key, &[t.as_bytes(), b".", body]).finalize().into_bytes();
    Ok(format!("t={t},v1={}", base16ct::lower::encode_string(&mac)))
}

/// The value of `svix-signature` for `body`, signed with `secret` under `id` at `timestamp` (unix seconds).
pub fn sign_svix(body: &[u8], secret: &str, id: &str, timestamp: u64) -> Result<String, SignatureError> {
    let key = svix_key(secret).map_err(|fault| SignatureError::InvalidSecret(Scheme::Svix, 0, fault))?;
    let t = timestamp.to_string();
    let mac = mac(&key, &[id.as_bytes(), b".", t.as_bytes(), b".", body]).finalize().into_bytes();
    Ok(format!("v1,{}", STANDARD.encode(mac)))
}

impl Secrets {
    /// Takes the secrets of each scheme, newest first; a scheme without any is off. Every secret is judged here, once:
    /// an unusable one is refused by its place.
    pub fn new<S: AsRef<str>>(ofauth: &[S], svix: &[S]) -> Result<Self, SignatureError> {
        if ofauth.is_empty() && svix.is_empty() {
            return Err(SignatureError::InvalidSecret(Scheme::Ofauth, 0, SecretFault::NoneGiven));
        }
        Ok(Self { ofauth: keys(Scheme::Ofauth, ofauth, ofauth_key)?, svix: keys(Scheme::Svix, svix, svix_key)? })
    }
}

impl<'a> Headers<'a> {
    /// Picks the signature headers by name (`get` is asked for lower-case names).
    pub fn collect(get: impl Fn(&str) -> Option<&'a str>) -> Self {
        let svix = |prefix: &str| {
            Some(Svix {
                id: get(&format!("{prefix}-id"))?,
                timestamp: get(&format!("{prefix}-timestamp"))?,
                signature: get(&format!("{prefix}-signature"))?,
            })
        };
        Self { ofauth: get("ofauth-signature"), svix: svix("svix").or_else(|| svix("webhook")) }
    }
}

impl<'a> Claim<'a> {
    /// Judges what can be judged without the body: presence and form of the headers, then the timestamp.
    ///
    /// With headers and secrets of both schemes, ofauth is judged; a failed check never falls through to the other.
    pub fn read(headers: Headers<'a>, secrets: &'a Secrets, tolerance: u64, now: u64) -> Result<Self, SignatureError> {
        let claim = match headers {
            Headers { ofauth: Some(header), .. } if !secrets.ofauth.is_empty() => Self::ofauth(header, &secrets.ofauth),
            Headers { svix: Some(svix), .. } if !secrets.svix.is_empty() => Self::svix(svix, &secrets.svix),
            _ => Err(SignatureError::MissingHeaders),
        }?;
        let t = claim.seconds;
        if now.saturating_sub(t) > tolerance {
            return Err(SignatureError::TimestampTooOld(now - t));
        }
        if t.saturating_sub(now) > tolerance {
            return Err(SignatureError::TimestampTooNew(t - now));
        }
        Ok(claim)
    }

    /// Compares the MAC of `body` under each secret with every `v1`, in constant time.
    pub fn verify(self, body: &'a [u8]) -> Result<Verified<'a>, SignatureError> {
        let signed: &[&[u8]] = match self.scheme {
            Scheme::Ofauth => &[self.timestamp.as_bytes(), b".", body],
            Scheme::Svix => &[self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", body],
        };
        let matches = |key: &Vec<u8>| {
            let mac = mac(key, signed).finalize();
            self.macs.iter().any(|claimed| mac == CtOutput::new((*claimed).into()))
        };
        let secret_index = self.keys.iter().position(matches).ok_or(SignatureError::SignatureMismatch)?;
        let id = (self.scheme == Scheme::Svix).then_some(self.id);
        Ok(Verified { body, scheme: self.scheme, id, timestamp: self.seconds, secret_index })
    }

    fn ofauth(header: &'a str, keys: &'a [Vec<u8>]) -> Result<Self, SignatureError> {
        short_enough(header)?;
        let segments = || header.split(',').filter_map(|segment| segment.trim_ascii().split_once('='));
        let mut stamps = segments().filter_map(|(key, value)| (key == "t").then_some(value));
        let timestamp = stamps.next().ok_or(SignatureError::NoTimestamp)?;
        if stamps.next().is_some() {
            return Err(SignatureError::TwoTimestamps);
        }
        let seconds = seconds(timestamp)?;
        let macs = segments().filter(|(key, _)| *key == "v1").filter_map(|(_, hex)| {
            let mut mac = [0; 32];
            (base16ct::mixed::decode(hex, &mut mac).ok()?.len() == 32).then_some(mac)
        });
        Self { scheme: Scheme::Ofauth, id: "", timestamp, seconds, macs: macs.collect(), keys }.with_macs()
    }

    fn svix(svix: Svix<'a>, keys: &'a [Vec<u8>]) -> Result<Self, SignatureError> {
        let Svix { id, timestamp, signature } = svix;
        for header in [id, timestamp, signature] {
            short_enough(header)?;
        }
        if id.is_empty() {
            return Err(SignatureError::EmptyId);
        }
        let seconds = seconds(timestamp)?;
        let macs = signature.split(' ').filter_map(|entry| {
            let mac = STANDARD.decode(entry.strip_prefix("v1,")?).ok()?;
            <[u8; 32]>::try_from(mac).ok()
        });
        Self { scheme: Scheme::Svix, id, timestamp, seconds, macs: macs.collect(), keys }.with_macs()
    }

    fn with_macs(self) -> Result<Self, SignatureError> {
        if self.macs.is_empty() { Err(SignatureError::NoValidSignatures) } else { Ok(self) }
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
        base16ct::lower::encode_string(&Sha256::digest(self.body))
    }
}

impl SignatureError {
    /// The stable code, the same in Rust, in HTTP answers and in JavaScript.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingHeaders => "MISSING_HEADERS",
            Self::HeaderTooLong(_) | Self::NoTimestamp | Self::TwoTimestamps | Self::EmptyId => "MALFORMED_HEADER",
            Self::NoValidSignatures => "NO_VALID_SIGNATURES",
            Self::InvalidTimestamp => "INVALID_TIMESTAMP",
            Self::TimestampTooOld(_) => "TIMESTAMP_TOO_OLD",
            Self::TimestampTooNew(_) => "TIMESTAMP_TOO_NEW",
            Self::SignatureMismatch => "SIGNATURE_MISMATCH",
            Self::InvalidSecret(..) => "INVALID_SECRET",
        }
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingHeaders => f.write_str("no signature header of a scheme that has a secret"),
            Self::HeaderTooLong(bytes) => {
                write!(f, "a signature header of {bytes} bytes; at most {MAX_HEADER} are read")
            }
            Self::NoTimestamp => f.write_str("OFAuth-Signature has no t"),
            Self::TwoTimestamps => f.write_str("OFAuth-Signature has more than one t"),
            Self::EmptyId => f.write_str("the message id is empty"),
            Self::NoValidSignatures => f.write_str("no well-formed v1 signature"),
            Self::InvalidTimestamp => f.write_str("the timestamp is not plain decimal unix seconds"),
            Self::TimestampTooOld(seconds) => write!(f, "signed {seconds} s ago, more than the tolerance"),
            Self::TimestampTooNew(seconds) => write!(f, "signed {seconds} s ahead, more than the tolerance"),
            Self::SignatureMismatch => f.write_str("no signature matches these bytes under any secret"),
            Self::InvalidSecret(scheme, place, fault) => write!(f, "{scheme:?} secret {place}: {fault}"),
        }
    }
}

impl fmt::Display for SecretFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoneGiven => "no secret given",
            Self::TooMany => "more than 5 secrets",
            Self::Empty => "empty",
            Self::OuterWhiteSpace => "white space at an end",
            Self::NotBase64 => "not base64 after whsec_",
        })
    }
}

impl std::error::Error for SignatureError {}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets {{ ofauth: {}, svix: {} }}", self.ofauth.len(), self.svix.len())
    }
}

fn keys<S: AsRef<str>>(
    scheme: Scheme,
    secrets: &[S],
    key: impl Fn(&str) -> Result<Vec<u8>, SecretFault>,
) -> Result<Vec<Vec<u8>>, SignatureError> {
    if secrets.len() > MAX_SECRETS {
        return Err(SignatureError::InvalidSecret(scheme, MAX_SECRETS, SecretFault::TooMany));
    }
    let judged = |(place, secret): (usize, &S)| {
        key(secret.as_ref()).map_err(|fault| SignatureError::InvalidSecret(scheme, place, fault))
    };
    secrets.iter().enumerate().map(judged).collect()
}

fn ofauth_key(secret: &str) -> Result<Vec<u8>, SecretFault> {
    match secret {
        "" => Err(SecretFault::Empty),
        _ if secret.trim() != secret => Err(SecretFault::OuterWhiteSpace),
        _ => Ok(secret.as_bytes().to_vec()),
    }
}

fn svix_key(secret: &str) -> Result<Vec<u8>, SecretFault> {
    ofauth_key(secret)?;
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).map_err(|_| SecretFault::NotBase64)?;
    if key.is_empty() { Err(SecretFault::NotBase64) } else { Ok(key) }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    for part in parts {
        mac.update(part);
    }
    mac
}

fn short_enough(header: &str) -> Result<(), SignatureError> {
    if header.len() > MAX_HEADER { Err(SignatureError::HeaderTooLong(header.len())) } else { Ok(()) }
}

/// Plain decimal ASCII digits, no sign, no leading zero (except `0`), at most 2^53 − 1.
fn seconds(t: &str) -> Result<u64, SignatureError> {
    let plain = t.bytes().all(|byte| byte.is_ascii_digit()) && (t == "0" || !t.starts_with('0'));
    let seconds = t.parse().ok().filter(|seconds| plain && *seconds <= MAX_TIMESTAMP);
    seconds.ok_or(SignatureError::InvalidTimestamp)
}
