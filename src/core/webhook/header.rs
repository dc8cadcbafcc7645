//! Reads the signature headers of a request: the scheme, the time and the signatures (MACs) in them.
//!
//! Nothing here is compared with a body. Both schemes are described in `scheme.rs`.
//!
//! These rules apply to both schemes:
//!
//! - The timestamp is in unix seconds and plain decimal digits: no sign, no leading zero, at most [`MAX_TIMESTAMP`].
//! - A `v1` is well-formed if it is 64 hex digits (ofauth) or standard padded base64 of 32 bytes (svix). A `v1` that is
//!   not well-formed, and an entry with another name, is skipped.
//! - `OFAuth-Signature` has exactly one `t`. White space around its entries is ignored.

use super::{
    encoding::{ONES, decode_base64, decode_hex},
    error::SignatureError,
    scheme::Scheme,
};

/// The longest signature header that is accepted, in bytes.
pub const MAX_HEADER_BYTES: usize = 8192;
/// The latest timestamp, in unix seconds: 2^53 − 1, the largest integer that a JavaScript number holds exactly.
pub const MAX_TIMESTAMP: u64 = (1 << 53) - 1;

/// The names of the signature headers, in lower case: one of the ofauth scheme, then two sets of three of the svix
/// scheme.
pub const SIGNATURE_HEADER_NAMES: [&str; 7] = [
    "ofauth-signature",
    "svix-id",
    "svix-timestamp",
    "svix-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

/// The signature headers of a request, as received.
///
/// If both sets of svix headers are complete, `svix-*` is used.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestHeaders<'a> {
    ofauth: Option<&'a str>,
    svix: Option<Svix<'a>>,
    /// The first header that an incomplete set of svix headers lacks. `None` if a set is complete, or none has an id.
    missing_header_name: Option<&'static str>,
    /// The headers of both sets together. Where a set that is complete has a header too, this is the one of the other set.
    other_svix: Option<Svix<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Svix<'a> {
    id: &'a str,
    timestamp: &'a str,
    signature: &'a str,
}

/// The signature headers of one scheme, with the timestamp parsed.
///
/// The MACs stay encoded in their header. They are decoded when they are compared.
#[derive(Clone, Copy)]
pub(crate) struct SignatureHeader<'a> {
    pub(crate) scheme: Scheme,
    /// The timestamp as it is written. It is part of what is signed.
    pub(crate) timestamp: &'a [u8],
    /// The timestamp in unix seconds.
    pub(crate) seconds: u64,
    /// Whether the MACs are decoded as hex. Otherwise they are decoded as base64.
    pub(crate) is_hex: bool,
    /// The message id under svix, the empty string under ofauth.
    pub(crate) id: &'a str,
    /// The value of the header that holds the MACs.
    pub(crate) signature: &'a str,
}

/// Decodes the well-formed `v1` entries of a signature header, one by one. Other entries are skipped.
#[derive(Clone)]
pub(crate) struct Macs<'a> {
    entries: Segments<'a>,
    is_hex: bool,
}

impl<'a> RequestHeaders<'a> {
    /// Takes the values of the headers in the order of [`SIGNATURE_HEADER_NAMES`], `None` for a header that is absent.
    pub fn new([ofauth, values @ ..]: [Option<&'a str>; SIGNATURE_HEADER_NAMES.len()]) -> Self {
        let (mut svix, mut missing_header_name) = (None, None);
        let [_, names @ ..] = SIGNATURE_HEADER_NAMES;
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
        let [svix_set @ .., _, _, _] = values;
        let [_, _, _, webhook_set @ ..] = values;
        let is_complete = svix_set.iter().all(Option::is_some);
        let (first, second) = if is_complete { (webhook_set, svix_set) } else { (svix_set, webhook_set) };
        let other_svix = Svix::merge(first, second);
        Self { ofauth, svix, missing_header_name, other_svix }
    }

    /// Returns the scheme to verify: ofauth, else svix, if its headers are complete and it has a secret.
    pub(crate) fn choose_scheme(&self, has_secret: impl Fn(Scheme) -> bool) -> Option<Scheme> {
        match self {
            Self { ofauth: Some(_), .. } if has_secret(Scheme::Ofauth) => Some(Scheme::Ofauth),
            Self { svix: Some(_), .. } if has_secret(Scheme::Svix) => Some(Scheme::Svix),
            _ => None,
        }
    }

    /// Returns svix headers that may be of both sets, with which nothing is verified. They are the headers of a complete
    /// set if there are none of the other.
    pub(crate) fn other_svix_header(&self) -> Option<SignatureHeader<'a>> {
        self.other_svix.and_then(|svix| SignatureHeader::read_svix(svix).ok())
    }

    /// Returns the name of the first header that an incomplete set of svix headers lacks.
    pub(crate) fn missing_header_name(&self) -> Option<&'static str> {
        self.missing_header_name
    }
}

impl<'a> Svix<'a> {
    /// Takes each header from the first set, or else from the second.
    fn merge(
        [id, timestamp, signature]: [Option<&'a str>; 3],
        [second_id, second_timestamp, second_signature]: [Option<&'a str>; 3],
    ) -> Option<Self> {
        let (id, timestamp) = (id.or(second_id)?, timestamp.or(second_timestamp)?);
        Some(Self { id, timestamp, signature: signature.or(second_signature)? })
    }
}

impl<'a> SignatureHeader<'a> {
    /// Reads the headers of a scheme. The MACs are not decoded yet.
    ///
    /// Returns `MissingHeaders`, `HeaderTooLong`, `MissingTimestamp`, `DuplicateTimestamp`, `EmptyId` or
    /// `InvalidTimestamp`.
    pub(crate) fn read(headers: RequestHeaders<'a>, scheme: Scheme) -> Result<Self, SignatureError> {
        match scheme {
            Scheme::Ofauth => Self::read_ofauth(headers.ofauth.ok_or(SignatureError::MissingHeaders)?),
            Scheme::Svix => Self::read_svix(headers.svix.ok_or(SignatureError::MissingHeaders)?),
        }
    }

    fn read_ofauth(signature: &'a str) -> Result<Self, SignatureError> {
        check_length(signature)?;
        let mut timestamp = None;
        for segment in (Segments { rest: Some(signature.as_bytes()), separator: b',' }) {
            if let Some(value) = segment.trim_ascii().strip_prefix(b"t=")
                && timestamp.replace(value).is_some()
            {
                return Err(SignatureError::DuplicateTimestamp);
            }
        }
        let timestamp = timestamp.ok_or(SignatureError::MissingTimestamp)?;
        let seconds = parse_timestamp(timestamp)?;
        Ok(Self { scheme: Scheme::Ofauth, id: "", timestamp, seconds, is_hex: true, signature })
    }

    fn read_svix(Svix { id, timestamp, signature }: Svix<'a>) -> Result<Self, SignatureError> {
        for header in [id, timestamp, signature] {
            check_length(header)?;
        }
        if id.is_empty() {
            return Err(SignatureError::EmptyId);
        }
        let timestamp = timestamp.as_bytes();
        let seconds = parse_timestamp(timestamp)?;
        Ok(Self { scheme: Scheme::Svix, id, timestamp, seconds, is_hex: false, signature })
    }

    /// Returns the well-formed MACs in the headers.
    pub(crate) fn macs(&self) -> Macs<'a> {
        let separator = if self.scheme == Scheme::Ofauth { b',' } else { b' ' };
        Macs { entries: Segments { rest: Some(self.signature.as_bytes()), separator }, is_hex: self.is_hex }
    }

    /// Returns the parts that the signature is computed over. The right `separator` is a dot.
    pub(crate) fn signed_parts<'b>(&self, separator: &'b str, timestamp: &'b [u8], body: &'b [u8]) -> [&'b [u8]; 5]
    where
        'a: 'b,
    {
        signed_parts(self.scheme, self.id, separator, timestamp, body)
    }
}

impl Iterator for Macs<'_> {
    type Item = [u8; 32];

    fn next(&mut self) -> Option<[u8; 32]> {
        let (is_trimmed, prefix) = if self.entries.separator == b',' { (true, b"v1=") } else { (false, b"v1,") };
        loop {
            let entry = self.entries.next()?;
            let entry = if is_trimmed { entry.trim_ascii() } else { entry };
            let Some(text) = entry.strip_prefix(prefix) else { continue };
            let mac = if self.is_hex {
                text.try_into().ok().and_then(decode_hex)
            } else {
                // 44 characters of base64 hold up to 33 bytes. Only a MAC of 32 bytes is well-formed.
                decode_base64(text, &mut [0; 33]).and_then(|mac| mac.try_into().ok())
            };
            if mac.is_some() {
                return mac;
            }
        }
    }
}

/// Returns the parts that a signature is computed over: id, separator, timestamp, separator and body under svix. Under
/// ofauth the id and the first separator are empty.
pub(crate) fn signed_parts<'a>(
    scheme: Scheme,
    id: &'a str,
    separator: &'a str,
    timestamp: &'a [u8],
    body: &'a [u8],
) -> [&'a [u8]; 5] {
    let (id, first_separator) = if scheme == Scheme::Svix { (id, separator) } else { ("", "") };
    [id.as_bytes(), first_separator.as_bytes(), timestamp, separator.as_bytes(), body]
}

/// Splits a text at each separator. It looks at 8 bytes at a time, because a header can be long.
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
        while let Some(chunk) = rest.get(end..).and_then(<[u8]>::first_chunk)
            && !contains_byte(u64::from_le_bytes(*chunk), self.separator)
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

/// Returns whether `byte` is one of 8 bytes. Its difference to itself is 0, and subtracting 1 from that sets the
/// highest bit.
fn contains_byte(bytes: u64, byte: u8) -> bool {
    let differences = bytes ^ (ONES * u64::from(byte));
    differences.wrapping_sub(ONES) & !differences & (ONES << 7) != 0
}

fn check_length(header: &str) -> Result<(), SignatureError> {
    if header.len() > MAX_HEADER_BYTES { Err(SignatureError::HeaderTooLong(header.len())) } else { Ok(()) }
}

/// Parses plain decimal digits without a sign or leading zeros, at most [`MAX_TIMESTAMP`].
fn parse_timestamp(t: &[u8]) -> Result<u64, SignatureError> {
    let is_plain = matches!(t, b"0" | [b'1'..=b'9', ..]) && t.iter().all(u8::is_ascii_digit);
    // MAX_TIMESTAMP has 16 digits. The first 17 are enough to see that a longer number is too large.
    let seconds = t.iter().take(17).fold(0, |seconds, digit| seconds * 10 + u64::from(digit & 0xF));
    if is_plain && seconds <= MAX_TIMESTAMP { Ok(seconds) } else { Err(SignatureError::InvalidTimestamp) }
}
