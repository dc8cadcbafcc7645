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

use ct_codecs::{Base64, Encoder, Hex};
use hmac::{
    KeyInit, Mac, SimpleHmac,
    digest::{CtOutput, Digest, common::BlockSizeUser, consts::U32},
};
use sha2::Sha256;

use crate::secret::{base64, key};
pub(crate) use crate::signature_error::{concat, decimal};
pub use crate::{
    secret::{MAX_SECRETS, SecretFault, Secrets, Written},
    signature_error::SignatureError,
};

/// Default for how far a timestamp may lie from now, in seconds, in both directions, inclusive.
pub const DEFAULT_TOLERANCE: u64 = 300;
/// The longest signature header that is read, in bytes.
pub const MAX_HEADER: usize = 8192;
/// The latest timestamp, in unix seconds: 2^53 − 1, the largest integer JavaScript keeps exact.
pub const MAX_TIMESTAMP: u64 = (1 << 53) - 1;

const SVIX_NAMES: [[&str; 3]; 2] =
    [["svix-id", "svix-timestamp", "svix-signature"], ["webhook-id", "webhook-timestamp", "webhook-signature"]];

/// Which of the two documented schemes signed a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `OFAuth-Signature`.
    Ofauth,
    /// `svix-*` or `webhook-*`.
    Svix,
}

/// The headers that a signature is made of, as received. A header that is absent is `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    ofauth: Option<&'a str>,
    svix: Option<Svix<'a>>,
    /// The header whose absence leaves a svix set that was begun without effect.
    lacking: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
struct Svix<'a> {
    id: &'a str,
    timestamp: &'a str,
    signature: &'a str,
}

/// What the headers claim, well-formed and in time, not yet compared with a body.
pub struct Claim<'a> {
    stated: Stated<'a>,
    keys: &'a [Vec<u8>],
}

/// What the headers of one scheme say. The MACs stay in their header: they are decoded when they are compared.
#[derive(Clone, Copy)]
pub(crate) struct Stated<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) timestamp: &'a [u8],
    pub(crate) seconds: u64,
    /// Whether the MACs are read as hex, else as base64.
    pub(crate) hex: bool,
    pub(crate) id: &'a str,
    pub(crate) signature: &'a str,
}

/// A MAC, compared in constant time; which implementation of SHA-256 made it makes no difference.
pub(crate) type Tag = CtOutput<SimpleHmac<Sha256>>;

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
    verify_with::<Sha256>(body, headers, secrets, tolerance, now)
}

/// The same with another implementation of SHA-256, a platform's say.
pub fn verify_with<'a, D: Digest<OutputSize = U32> + BlockSizeUser>(
    body: &'a [u8],
    headers: Headers<'a>,
    secrets: &'a Secrets,
    tolerance: u64,
    now: u64,
) -> Result<Verified<'a>, SignatureError> {
    Claim::read(headers, secrets, tolerance, now)?.verify_with::<D>(body)
}

/// The value of `OFAuth-Signature` for `body`, signed with `secret` at `timestamp` (unix seconds).
pub fn sign_ofauth(body: &[u8], secret: &str, timestamp: u64) -> Result<String, SignatureError> {
    sign_with::<Sha256>(Scheme::Ofauth, body, secret, "", timestamp)
}

/// The value of `svix-signature` for `body`, signed with `secret` under `id` at `timestamp` (unix seconds).
pub fn sign_svix(body: &[u8], secret: &str, id: &str, timestamp: u64) -> Result<String, SignatureError> {
    sign_with::<Sha256>(Scheme::Svix, body, secret, id, timestamp)
}

/// The signature header of either scheme, made with another implementation of SHA-256; `id` is svix's alone.
pub fn sign_with<D: Digest<OutputSize = U32> + BlockSizeUser>(
    scheme: Scheme,
    body: &[u8],
    secret: &str,
    id: &str,
    timestamp: u64,
) -> Result<String, SignatureError> {
    let key = key(scheme, secret).map_err(|fault| SignatureError::InvalidSecret(Some(scheme), 0, fault))?;
    let t = decimal(timestamp);
    let mac = mac::<D>(&key, &content(scheme, id, ".", t.as_bytes(), body)).into_bytes();
    Ok(match scheme {
        Scheme::Ofauth => concat(&["t=", &t, ",v1=", Hex::encode_to_str(&mut [0; 64], mac).unwrap_or_default()]),
        Scheme::Svix => concat(&["v1,", Base64::encode_to_str(&mut [0; 44], mac).unwrap_or_default()]),
    })
}

impl<'a> Headers<'a> {
    /// Picks the signature headers by name (`get` is asked for lower-case names).
    pub fn collect(get: impl Fn(&str) -> Option<&'a str>) -> Self {
        let (mut svix, mut lacking) = (None, None);
        // One copy of it: this is code that a browser loads.
        let get: &dyn Fn(&str) -> Option<&'a str> = &get;
        for names in SVIX_NAMES {
            match names.map(get) {
                [Some(id), Some(timestamp), Some(signature)] => {
                    svix = Some(Svix { id, timestamp, signature });
                    lacking = None;
                    break;
                }
                [Some(_), Some(_), None] => lacking = Some(names[2]),
                [Some(_), None, _] => lacking = Some(names[1]),
                [None, ..] => {}
            }
        }
        Self { ofauth: get("ofauth-signature"), svix, lacking }
    }

    /// The scheme that is judged, of those that have a secret.
    pub(crate) fn pick(&self, has_secret: impl Fn(Scheme) -> bool) -> Option<Scheme> {
        match self {
            Self { ofauth: Some(_), .. } if has_secret(Scheme::Ofauth) => Some(Scheme::Ofauth),
            Self { svix: Some(_), .. } if has_secret(Scheme::Svix) => Some(Scheme::Svix),
            _ => None,
        }
    }

    /// The name of the absent header that a svix set needs, if the set was begun.
    pub(crate) fn lacking(&self) -> Option<&'static str> {
        self.lacking
    }
}

impl<'a> Claim<'a> {
    /// Judges what can be judged without the body: presence and form of the headers, then the timestamp.
    ///
    /// With headers and secrets of both schemes, ofauth is judged; a failed check never falls through to the other.
    pub fn read(headers: Headers<'a>, secrets: &'a Secrets, tolerance: u64, now: u64) -> Result<Self, SignatureError> {
        let scheme = headers.pick(|scheme| secrets.has(scheme)).ok_or(SignatureError::MissingHeaders)?;
        let keys = secrets.keys(scheme)?;
        let stated = Stated::read(headers, scheme)?;
        if !stated.has_mac(None) {
            return Err(SignatureError::NoValidSignatures);
        }
        let t = stated.seconds;
        if now.saturating_sub(t) > tolerance {
            return Err(SignatureError::TimestampTooOld(now - t));
        }
        if t.saturating_sub(now) > tolerance {
            return Err(SignatureError::TimestampTooNew(t - now));
        }
        Ok(Self { stated, keys })
    }

    /// Compares the MAC of `body` under each secret with every `v1`, in constant time.
    pub fn verify(self, body: &'a [u8]) -> Result<Verified<'a>, SignatureError> {
        self.verify_with::<Sha256>(body)
    }

    /// The same with another implementation of SHA-256.
    pub fn verify_with<D: Digest<OutputSize = U32> + BlockSizeUser>(
        self,
        body: &'a [u8],
    ) -> Result<Verified<'a>, SignatureError> {
        let Stated { scheme, id, timestamp, seconds, .. } = self.stated;
        let content = self.stated.content(".", timestamp, body);
        let matches = |key: &Vec<u8>| self.stated.is_signed_by::<D>(key, &content);
        let secret_index = self.keys.iter().position(matches).ok_or(SignatureError::SignatureMismatch)?;
        let id = (scheme == Scheme::Svix).then_some(id);
        Ok(Verified { body, scheme, id, timestamp: seconds, secret_index })
    }
}

impl<'a> Stated<'a> {
    /// Reads everything but the MACs.
    pub(crate) fn read(headers: Headers<'a>, scheme: Scheme) -> Result<Self, SignatureError> {
        match scheme {
            Scheme::Ofauth => Self::ofauth(headers.ofauth.ok_or(SignatureError::MissingHeaders)?),
            Scheme::Svix => Self::svix(headers.svix.ok_or(SignatureError::MissingHeaders)?),
        }
    }

    fn ofauth(signature: &'a str) -> Result<Self, SignatureError> {
        short_enough(signature)?;
        let mut timestamp = None;
        for segment in (Segments { rest: Some(signature.as_bytes()), separator: b',' }) {
            if let Some(stamp) = segment.trim_ascii().strip_prefix(b"t=")
                && timestamp.replace(stamp).is_some()
            {
                return Err(SignatureError::TwoTimestamps);
            }
        }
        let timestamp = timestamp.ok_or(SignatureError::NoTimestamp)?;
        let seconds = seconds(timestamp)?;
        Ok(Self { scheme: Scheme::Ofauth, id: "", timestamp, seconds, hex: true, signature })
    }

    fn svix(Svix { id, timestamp, signature }: Svix<'a>) -> Result<Self, SignatureError> {
        for header in [id, timestamp, signature] {
            short_enough(header)?;
        }
        if id.is_empty() {
            return Err(SignatureError::EmptyId);
        }
        let timestamp = timestamp.as_bytes();
        let seconds = seconds(timestamp)?;
        Ok(Self { scheme: Scheme::Svix, id, timestamp, seconds, hex: false, signature })
    }

    /// Whether any `v1` is well-formed and the MAC that is wanted, if one is; others are skipped.
    pub(crate) fn has_mac(&self, wanted: Option<&Tag>) -> bool {
        let (separator, start) = if self.scheme == Scheme::Ofauth { (b',', b"v1=") } else { (b' ', b"v1,") };
        (Segments { rest: Some(self.signature.as_bytes()), separator }).any(|part| {
            let part = if self.scheme == Scheme::Ofauth { part.trim_ascii() } else { part };
            let Some(text) = part.strip_prefix(start) else { return false };
            match wanted {
                None => self.mac(text).is_some(),
                Some(wanted) => self.mac(text).is_some_and(|claimed| *wanted == Tag::new(claimed.into())),
            }
        })
    }

    fn mac(&self, text: &[u8]) -> Option<[u8; 32]> {
        if self.hex {
            return unhex(text.try_into().ok()?);
        }
        // Base64 of 32 bytes has room for 33.
        base64(text, &mut [0; 33])?.try_into().ok()
    }

    /// What a MAC is taken over, in parts, put together with `glue`.
    pub(crate) fn content<'b>(&self, glue: &'b str, t: &'b [u8], body: &'b [u8]) -> [&'b [u8]; 5]
    where
        'a: 'b,
    {
        content(self.scheme, self.id, glue, t, body)
    }

    /// Whether any `v1` is the MAC of `content` under `key`, compared in constant time.
    pub(crate) fn is_signed_by<D: Digest<OutputSize = U32> + BlockSizeUser>(
        &self,
        key: &[u8],
        content: &[&[u8]],
    ) -> bool {
        self.has_mac(Some(&mac::<D>(key, content)))
    }
}

impl Scheme {
    /// `ofauth` or `svix`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ofauth => "ofauth",
            Self::Svix => "svix",
        }
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
        self.digest_with::<Sha256>()
    }

    /// The same by another implementation of SHA-256.
    pub fn digest_with<D: Digest<OutputSize = U32>>(&self) -> String {
        Hex::encode_to_str(&mut [0; 64], D::digest(self.body)).unwrap_or_default().to_owned()
    }
}

/// ofauth has neither id nor the first glue.
fn content<'a>(scheme: Scheme, id: &'a str, glue: &'a str, t: &'a [u8], body: &'a [u8]) -> [&'a [u8]; 5] {
    let (id, first) = if scheme == Scheme::Svix { (id, glue) } else { ("", "") };
    [id.as_bytes(), first.as_bytes(), t, glue.as_bytes(), body]
}

/// The parts of a text between separators. `split` calls a closure per byte where code is built for size.
struct Segments<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Iterator for Segments<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let mut end = 0;
        while let Some(byte) = rest.get(end)
            && *byte != self.separator
        {
            end += 1;
        }
        self.rest = rest.get(end + 1..);
        rest.get(..end)
    }
}

/// What is written in hex, of either case, eight digits at a time: a byte at a time takes longer than the MAC.
fn unhex(text: &[u8; 64]) -> Option<[u8; 32]> {
    const ONES: u64 = u64::MAX / 0xFF;
    let mut bytes = [0; 32];
    for (digits, bytes) in text.as_chunks().0.iter().zip(bytes.as_chunks_mut::<4>().0) {
        let digits = u64::from_le_bytes(*digits);
        let letters = (digits >> 6) & ONES;
        let values = (digits & (ONES * 0xF)) + 9 * letters;
        // Each is a digit below ten or a letter from ten to fifteen, and no other character that ends in the same bits.
        let in_range = ((values + ONES * 6) >> 4) & ONES == letters && values & (ONES << 4) == 0;
        if !in_range || digits | (letters << 5) != values + ONES * 0x30 + letters * 0x27 {
            return None;
        }
        let pairs = ((values << 4) | (values >> 8)).to_le_bytes();
        *bytes = [pairs[0], pairs[2], pairs[4], pairs[6]];
    }
    Some(bytes)
}

fn mac<D: Digest<OutputSize = U32> + BlockSizeUser>(key: &[u8], parts: &[&[u8]]) -> Tag {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = SimpleHmac::<D>::new_from_slice(key).expect("any key length");
    for part in parts {
        if !part.is_empty() {
            mac.update(part);
        }
    }
    Tag::new(mac.finalize().into_bytes())
}

fn short_enough(header: &str) -> Result<(), SignatureError> {
    if header.len() > MAX_HEADER { Err(SignatureError::HeaderTooLong(header.len())) } else { Ok(()) }
}

/// Plain decimal ASCII digits, no sign, no leading zero (except `0`), at most 2^53 − 1.
fn seconds(t: &[u8]) -> Result<u64, SignatureError> {
    let plain = matches!(t, b"0" | [b'1'..=b'9', ..]);
    let mut seconds = if plain { Some(0) } else { None };
    for byte in t {
        let digit = byte.wrapping_sub(b'0');
        seconds = seconds.filter(|_| digit < 10).map(|seconds| seconds * 10 + u64::from(digit));
        seconds = seconds.filter(|seconds| *seconds <= MAX_TIMESTAMP);
    }
    seconds.ok_or(SignatureError::InvalidTimestamp)
}
