//! Why a webhook does not verify: a diagnosis for the person who integrates.
//!
//! A cause is named only if it is proven: by a MAC that matches once it is undone, or by the form of a header or a secret
//! alone. All else is [`Cause::Unknown`]. What is shown tells which secret, which change, how many bytes and seconds;
//! never a secret, a body or a MAC that was computed (that would be a signature for a forger).
//!
//! The form of secrets and headers is judged first. Then the time is set aside, and these are tried in turn: the
//! signature as it stands (right but late), what was signed, the keys, the body. The first that is proven is told, with
//! [`Evidence::skew_seconds`] beside it. Two changes to a body are not searched.
//!
//! That is at most 40 MACs over the body per secret; 20 of them only for a JSON text of at most [`MAX_JSON`], and 999
//! more only for a body of at most [`MAX_SMALL`]. Beside the body itself, and what the implementation of HMAC collects, memory
//! holds one changed copy of it at a time, two of a JSON text, each at most four times [`MAX_JSON`].

use super::{
    diagnosis::{Cause, Diagnosis, Evidence},
    encoding::{concat, decimal},
    error::{SecretFault, SignatureError},
    header::{Headers, SignatureHeader},
    reserialise::{Escapes, LAYOUTS, add, laid_out},
    scheme::Scheme,
    secret::{MAX_SECRETS, SecretStrings, key, trim},
    verify::{MacFn, hmac_sha256, matches_any, verify_with},
};

/// The longest body that is written as other JSON serialisers would, in bytes.
pub const MAX_JSON: usize = 1024 * 1024;
/// The longest body that is tried with every millisecond of a second, in bytes.
pub const MAX_SMALL: usize = 4096;

/// About the longest changed copy of JSON, in bytes.
const MAX_CHANGED: usize = 4 * MAX_JSON;
/// From here on a timestamp is one in milliseconds: as seconds it would lie after the year 5138.
const FIRST_MS: u64 = 100_000_000_000;
const BOM: &[u8] = b"\xEF\xBB\xBF";
const PREFIX: &[u8] = b"whsec_";

/// Judges as [`verify`](crate::signature::verify) does and, if that refuses, searches for the cause. `now` and `tolerance`
/// are whole seconds, now since 1970.
pub fn explain(body: &[u8], headers: Headers, secrets: &SecretStrings, tolerance: u64, now: u64) -> Diagnosis {
    explain_with(hmac_sha256, body, headers, secrets, tolerance, now)
}

/// The same with another implementation of HMAC.
pub fn explain_with(
    mac: MacFn,
    body: &[u8],
    headers: Headers,
    secrets: &SecretStrings,
    tolerance: u64,
    now: u64,
) -> Diagnosis {
    let judged = secrets.judge();
    let error = judged.and_then(|judged| verify_with(mac, body, headers, &judged, tolerance, now).map(drop)).err();
    let picked = headers.pick(|scheme| !secrets.of(scheme).is_empty());
    let scheme = picked.or_else(|| headers.pick(|_| true));
    let stated = scheme.and_then(|scheme| SignatureHeader::read(headers, scheme).ok());
    let mut search = Search {
        body,
        stated,
        mac,
        keys: scheme.map_or_else(Vec::new, |scheme| keys(scheme, secrets)),
        is_bare: secrets.is_bare(),
        now,
        evidence: Evidence {
            body_bytes: body.len(),
            code: error.as_ref().map(SignatureError::code),
            scheme: scheme.map(Scheme::name),
            skew_seconds: stated.map(|stated| skew(now, stated.seconds)),
            ..Evidence::default()
        },
    };
    let cause = match &error {
        None => search.as_stated(true).unwrap_or(Cause::None),
        Some(SignatureError::MissingHeaders) if scheme.is_none() => {
            search.evidence.missing_header =
                headers.missing_header_name().filter(|_| !secrets.of(Scheme::Svix).is_empty());
            Cause::MissingHeaders
        }
        Some(error) => search.cause(error, picked),
    };
    let message = match error {
        None | Some(SignatureError::SignatureMismatch | SignatureError::MissingHeaders) => cause.message().to_owned(),
        Some(error) => concat(&[cause.message(), " The verifier says: ", &error.message(), "."]),
    };
    Diagnosis { ok: cause == Cause::None, cause, message, evidence: search.evidence }
}

/// The search for a MAC that matches. What proves a cause is noted as evidence on the way.
struct Search<'a> {
    body: &'a [u8],
    stated: Option<SignatureHeader<'a>>,
    mac: MacFn,
    keys: Vec<Key>,
    is_bare: bool,
    now: u64,
    evidence: Evidence,
}

/// What a sender may have signed with.
struct Key {
    bytes: Vec<u8>,
    /// What was wrong then; [`Cause::None`] for the key that it should be.
    cause: Cause,
    list: Scheme,
    place: usize,
}

impl Search<'_> {
    /// Why the verifier refused; `picked` is the scheme that it judged.
    fn cause(&mut self, error: &SignatureError, picked: Option<Scheme>) -> Cause {
        match error {
            SignatureError::InvalidSecret(list, place, fault) => self.invalid_secret(*list, *place, *fault, picked),
            SignatureError::MissingHeaders => {
                self.as_stated(false);
                Cause::WrongSchemeHeader
            }
            SignatureError::NoValidSignatures => self.other_encoding(true).unwrap_or(Cause::NoValidSignatures),
            SignatureError::InvalidTimestamp => Cause::InvalidTimestamp,
            SignatureError::TimestampTooOld(_)
            | SignatureError::TimestampTooNew(_)
            | SignatureError::SignatureMismatch => self.mismatch().unwrap_or(Cause::Unknown),
            SignatureError::HeaderTooLong(_)
            | SignatureError::NoTimestamp
            | SignatureError::TwoTimestamps
            | SignatureError::EmptyId => Cause::MalformedHeader,
        }
    }

    /// A secret that is refused proves itself; whether it is the sender's but for that, a MAC tells.
    fn invalid_secret(
        &mut self,
        list: Option<Scheme>,
        place: usize,
        fault: SecretFault,
        picked: Option<Scheme>,
    ) -> Cause {
        let white = fault == SecretFault::OuterWhiteSpace;
        // Another list's secret says nothing about these headers, unless they have none of their own.
        if (white || fault == SecretFault::NotBase64)
            && (picked.is_none() || list.is_none_or(|list| picked == Some(list)))
            && let Some(cause) = self.as_stated(white)
        {
            match picked {
                None => return Cause::WrongSchemeHeader,
                Some(_) if !white => return cause,
                Some(_) => self.evidence.mac_matches = self.evidence.secret_index == Some(place),
            }
        }
        self.evidence.secret_list = list.filter(|_| !self.is_bare).map(Scheme::name);
        self.evidence.secret_index = (fault != SecretFault::NoneGiven).then_some(place);
        if white { Cause::SecretWhiteSpace } else { Cause::InvalidSecret }
    }

    /// Everything that another MAC can prove, the cheap and likely first.
    fn mismatch(&mut self) -> Option<Cause> {
        self.time()
            .or_else(|| self.content())
            .or_else(|| self.other_encoding(false))
            .or_else(|| self.as_stated(false))
            .or_else(|| self.ends_and_lines())
            .or_else(|| self.json())
            .or_else(|| self.signed_milliseconds())
    }

    /// A right signature, at another time; or a time that can only be in milliseconds.
    fn time(&mut self) -> Option<Cause> {
        let SignatureHeader { seconds, .. } = self.stated?;
        let right = self.as_stated(true);
        if self.now >= FIRST_MS || !(FIRST_MS..FIRST_MS * 1000).contains(&seconds) {
            return right.and(Some(Cause::ClockSkew));
        }
        let seconds = seconds / 1000;
        if right.is_none() {
            self.signed_at(decimal(seconds).as_bytes(), self.body);
        }
        self.evidence.skew_seconds = Some(skew(self.now, seconds));
        Some(Cause::Milliseconds)
    }

    /// The body, put together with the timestamp in another way.
    fn content(&mut self) -> Option<Cause> {
        if self.signed(true, ",", self.stated?.timestamp, self.body).is_some() {
            return Some(Cause::CommaForDot);
        }
        self.signer(true, &[self.body]).and(Some(Cause::BodyWithoutTimestamp))
    }

    /// Signatures in the other scheme's encoding, proven by a MAC or, if that suffices, by their form.
    fn other_encoding(&mut self, form_proves: bool) -> Option<Cause> {
        let stated = self.stated?;
        let other = SignatureHeader { hex: !stated.hex, ..stated };
        other.macs().next()?;
        self.stated = Some(other);
        let right = self.as_stated(true);
        self.stated = Some(stated);
        let cause = if stated.hex { Cause::Base64ForHex } else { Cause::HexForBase64 };
        (form_proves || right.is_some()).then_some(cause)
    }

    /// The body as it may have been before something touched its ends or its line breaks.
    fn ends_and_lines(&mut self) -> Option<Cause> {
        for line_break in [&b"\n"[..], b"\r\n"] {
            if let Some(body) = self.body.strip_suffix(line_break)
                && self.signed_body(body)
            {
                return Some(Cause::TrailingNewlineAdded);
            }
            if self.signed_body(&joined(self.body, line_break)) {
                return Some(Cause::TrailingNewlineRemoved);
            }
            if self.signed_body(&with_line_breaks(self.body, line_break)) {
                return Some(if line_break.len() == 1 { Cause::NewlinesToCrlf } else { Cause::NewlinesToLf });
            }
        }
        if let Some(body) = self.body.strip_prefix(BOM) {
            return self.signed_body(body).then_some(Cause::BomAdded);
        }
        self.signed_body(&joined(BOM, self.body)).then_some(Cause::BomRemoved)
    }

    /// The body as other serialisers write it.
    fn json(&mut self) -> Option<Cause> {
        let json = self.body.trim_ascii();
        if self.body.len() > MAX_JSON || !matches!(json, [b'{' | b'[', ..]) || str::from_utf8(json).is_err() {
            return None;
        }
        let mut last = Vec::new();
        for escapes in Escapes::ALL {
            let text = escapes.rewrite(if last.is_empty() { json } else { &last }, MAX_CHANGED);
            if text == last {
                continue;
            }
            last = text;
            for layout in &LAYOUTS {
                if self.signed_body(&laid_out(&last, layout, MAX_CHANGED)) {
                    self.evidence.layout = Some(layout.word);
                    self.evidence.escapes = Some(escapes.as_str());
                    let is_pretty = layout.indent.is_empty() && json.contains(&b'\n');
                    return Some(if is_pretty { Cause::JsonPrettyPrinted } else { Cause::JsonReserialised });
                }
            }
        }
        None
    }

    /// A timestamp in milliseconds was signed, and stated in seconds: the rest can only be tried out.
    fn signed_milliseconds(&mut self) -> Option<Cause> {
        let SignatureHeader { seconds, .. } = self.stated?;
        let tries = if self.body.len() > MAX_SMALL { 1 } else { 1000 };
        let is_signed = |rest: u64| self.signed_at(decimal(seconds * 1000 + rest).as_bytes(), self.body).is_some();
        (0..tries).any(is_signed).then_some(Cause::Milliseconds)
    }

    /// Whether another body was signed, in all else as stated.
    fn signed_body(&mut self, signed: &[u8]) -> bool {
        let Some(SignatureHeader { timestamp, .. }) = self.stated else { return false };
        if signed == self.body || self.signed_at(timestamp, signed).is_none() {
            return false;
        }
        let same = self.body.iter().zip(signed).take_while(|(given, signed)| given == signed).count();
        self.evidence.signed_bytes = Some(signed.len());
        self.evidence.offset = Some(same);
        true
    }

    fn signed_at(&mut self, t: &[u8], body: &[u8]) -> Option<Cause> {
        self.signed(true, ".", t, body)
    }

    /// Whether a right key, or a wrong one, signed the body at the time that is stated.
    fn as_stated(&mut self, right: bool) -> Option<Cause> {
        self.signed(right, ".", self.stated?.timestamp, self.body)
    }

    // One copy of it: this is code that a browser loads.
    #[inline(never)]
    fn signed(&mut self, right: bool, glue: &str, t: &[u8], body: &[u8]) -> Option<Cause> {
        self.signer(right, &self.stated?.content(glue, t, body))
    }

    /// What is wrong with the key that signed `content`, of the right ones or of the wrong ones.
    fn signer(&mut self, right: bool, content: &[&[u8]]) -> Option<Cause> {
        let stated = self.stated?;
        let mut keys = self.keys.iter().filter(|key| (key.cause == Cause::None) == right);
        let key = keys.find(|key| matches_any((self.mac)(&key.bytes, content), stated.macs()))?;
        self.evidence.mac_matches = true;
        self.evidence.secret_list = (!self.is_bare).then_some(key.list.name());
        self.evidence.secret_index = Some(key.place);
        Some(key.cause)
    }
}

/// The keys that a sender may take the secrets for who signs under `own`, secrets without the white space around them.
fn keys(own: Scheme, secrets: &SecretStrings) -> Vec<Key> {
    let mut keys = Vec::new();
    let other = if own == Scheme::Ofauth { Scheme::Svix } else { Scheme::Ofauth };
    for list in [own, other] {
        let (text_is, decoded_is) = match (list == own, own) {
            (true, Scheme::Ofauth) => (Cause::None, Cause::SecretDecoded),
            (true, Scheme::Svix) => (Cause::SecretNotDecoded, Cause::None),
            (false, _) if secrets.is_bare() => continue,
            (false, _) => (Cause::OtherSchemeSecret, Cause::OtherSchemeSecret),
        };
        for (place, secret) in secrets.of(list).iter().take(MAX_SECRETS).enumerate() {
            let secret = trim(secret);
            let long = joined(PREFIX, secret.as_bytes());
            let (prefix_is, prefixed) = match secret.as_bytes().strip_prefix(PREFIX) {
                Some(short) => (Cause::SecretPrefixRemoved, short),
                None => (Cause::SecretPrefixAdded, &*long),
            };
            let prefix_is = if text_is == Cause::None { prefix_is } else { text_is };
            let decoded = key(Scheme::Svix, secret).unwrap_or_default();
            for (cause, bytes) in [(text_is, secret.as_bytes()), (decoded_is, &decoded), (prefix_is, prefixed)] {
                if !bytes.is_empty() {
                    keys.push(Key { bytes: bytes.to_vec(), cause, list, place });
                }
            }
        }
    }
    keys
}

/// `body` with every line break as `one`.
fn with_line_breaks(body: &[u8], one: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                add(&mut out, text.strip_suffix(b"\r").unwrap_or(text));
                add(&mut out, one);
            }
            None => add(&mut out, line),
        }
    }
    out
}

fn joined(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut out = first.to_vec();
    add(&mut out, second);
    out
}

fn skew(now: u64, t: u64) -> i64 {
    now.cast_signed().saturating_sub(t.cast_signed())
}
