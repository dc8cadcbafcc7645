//! What signature headers say: which scheme, which time, which MACs. Nothing here is compared with a body.

use super::{
    encoding::{base64, unhex},
    error::SignatureError,
    scheme::Scheme,
};

/// The longest signature header that is read, in bytes.
pub const MAX_HEADER: usize = 8192;
/// The latest timestamp, in unix seconds: 2^53 − 1, the largest integer JavaScript keeps exact.
pub const MAX_TIMESTAMP: u64 = (1 << 53) - 1;

/// The names of the headers that signatures are made of, in lower case.
pub const NAMES: [&str; 7] = [
    "ofauth-signature",
    "svix-id",
    "svix-timestamp",
    "svix-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

/// The headers that a signature is made of, as received. A header that is absent is `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    ofauth: Option<&'a str>,
    svix: Option<Svix<'a>>,
    /// The header whose absence leaves a svix set that was begun without effect.
    missing_header_name: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
struct Svix<'a> {
    id: &'a str,
    timestamp: &'a str,
    signature: &'a str,
}

/// What the headers of one scheme say. The MACs stay in their header: they are decoded when they are compared.
#[derive(Clone, Copy)]
pub(crate) struct SignatureHeader<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) timestamp: &'a [u8],
    pub(crate) seconds: u64,
    /// Whether the MACs are read as hex, else as base64.
    pub(crate) hex: bool,
    pub(crate) id: &'a str,
    pub(crate) signature: &'a str,
}

/// The well-formed `v1` of a header, decoded one by one; others are skipped.
#[derive(Clone)]
pub(crate) struct Macs<'a> {
    parts: Segments<'a>,
    hex: bool,
}

impl<'a> Headers<'a> {
    /// Takes their values in the order of [`NAMES`].
    pub fn of([ofauth, values @ ..]: [Option<&'a str>; NAMES.len()]) -> Self {
        let (mut svix, mut missing_header_name) = (None, None);
        let [_, names @ ..] = NAMES;
        for (names, values) in names.as_chunks::<3>().0.iter().zip(values.as_chunks().0) {
            match *values {
                [Some(id), Some(timestamp), Some(signature)] => {
                    svix = Some(Svix { id, timestamp, signature });
                    missing_header_name = None;
                    break;
                }
                [Some(_), Some(_), None] => missing_header_name = Some(names[2]),
                [Some(_), None, _] => missing_header_name = Some(names[1]),
                [None, ..] => {}
            }
        }
        Self { ofauth, svix, missing_header_name }
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
    pub(crate) fn missing_header_name(&self) -> Option<&'static str> {
        self.missing_header_name
    }
}

impl<'a> SignatureHeader<'a> {
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

    /// Its MACs.
    pub(crate) fn macs(&self) -> Macs<'a> {
        let separator = if self.scheme == Scheme::Ofauth { b',' } else { b' ' };
        Macs { parts: Segments { rest: Some(self.signature.as_bytes()), separator }, hex: self.hex }
    }

    /// What a MAC is taken over, in parts, put together with `glue`.
    pub(crate) fn content<'b>(&self, glue: &'b str, t: &'b [u8], body: &'b [u8]) -> [&'b [u8]; 5]
    where
        'a: 'b,
    {
        content(self.scheme, self.id, glue, t, body)
    }
}

impl Iterator for Macs<'_> {
    type Item = [u8; 32];

    fn next(&mut self) -> Option<[u8; 32]> {
        let (trimmed, start) = if self.parts.separator == b',' { (true, b"v1=") } else { (false, b"v1,") };
        loop {
            let part = self.parts.next()?;
            let part = if trimmed { part.trim_ascii() } else { part };
            let Some(text) = part.strip_prefix(start) else { continue };
            let mac = if self.hex {
                text.try_into().ok().and_then(unhex)
            } else {
                // Base64 of 32 bytes has room for 33.
                base64(text, &mut [0; 33]).and_then(|mac| mac.try_into().ok())
            };
            if mac.is_some() {
                return mac;
            }
        }
    }
}

/// ofauth has neither id nor the first glue.
pub(crate) fn content<'a>(scheme: Scheme, id: &'a str, glue: &'a str, t: &'a [u8], body: &'a [u8]) -> [&'a [u8]; 5] {
    let (id, first) = if scheme == Scheme::Svix { (id, glue) } else { ("", "") };
    [id.as_bytes(), first.as_bytes(), t, glue.as_bytes(), body]
}

/// The parts of a text between separators, which are sought eight bytes at a time.
#[derive(Clone)]
struct Segments<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Iterator for Segments<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let mut end = 0;
        while let Some(eight) = rest.get(end..).and_then(<[u8]>::first_chunk)
            && !has(u64::from_le_bytes(*eight), self.separator)
        {
            end += 8;
        }
        while let Some(byte) = rest.get(end)
            && *byte != self.separator
        {
            end += 1;
        }
        self.rest = rest.get(end + 1..);
        rest.get(..end)
    }
}

/// A one in each of eight bytes.
const ONES: u64 = u64::MAX / 0xFF;

/// Whether any of eight bytes is this one: its difference is zero, from which a one borrows.
fn has(bytes: u64, byte: u8) -> bool {
    let differences = bytes ^ (ONES * u64::from(byte));
    differences.wrapping_sub(ONES) & !differences & (ONES << 7) != 0
}

fn short_enough(header: &str) -> Result<(), SignatureError> {
    if header.len() > MAX_HEADER { Err(SignatureError::HeaderTooLong(header.len())) } else { Ok(()) }
}

/// Plain decimal ASCII digits, no sign, no leading zero (except `0`), at most 2^53 − 1.
fn seconds(t: &[u8]) -> Result<u64, SignatureError> {
    let is_plain = matches!(t, b"0" | [b'1'..=b'9', ..]) && t.iter().all(u8::is_ascii_digit);
    // What fits has no more digits than this reads.
    let seconds = t.iter().take(17).fold(0, |seconds, digit| seconds * 10 + u64::from(digit & 0xF));
    if is_plain && seconds <= MAX_TIMESTAMP { Ok(seconds) } else { Err(SignatureError::InvalidTimestamp) }
}
