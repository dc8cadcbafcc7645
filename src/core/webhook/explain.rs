//! Finds out why a webhook does not verify, for the developer who integrates webhooks.
//!
//! A cause is named only if it is proven: a MAC matches once the cause is undone, or the form of a header or a secret
//! shows it. Everything else is [`Cause::Unknown`]. The answer names the secret by its position, the kind of change,
//! and numbers of bytes and seconds. It never contains a secret, a body or a computed MAC, with which a request could
//! be forged.
//!
//! 1. The secrets and the form of the headers are checked.
//! 2. The signature is tried as it was received, whatever its time.
//! 3. Then the search tries other times, other ways to join timestamp and body, the other encoding, other keys, and
//!    other forms of the body. It stops at the first match. It does not combine two changes of a body.
//!
//! The search takes at most 80 MACs over the body per secret. 50 of them are only for a JSON text of at most
//! [`MAX_JSON_BYTES`]. A body of at most [`MAX_MILLISECOND_SEARCH_BYTES`] takes 999 more. Memory holds the body, what
//! the HMAC function needs, and one changed copy of the body, or two of a JSON text, each at most four times
//! [`MAX_JSON_BYTES`].

use super::{
    body_form::{BOM, cause_of_form, undo_latin1, with_line_breaks},
    candidate::candidate_keys,
    diagnosis::{Cause, Diagnosis, Evidence},
    encoding::{concat, decimal, decode_base64},
    error::{SecretFault, SignatureError},
    header::{RequestHeaders, SignatureHeader},
    reorder::in_documented_order,
    reserialise::{EscapeStyle, LAYOUTS, joined, reformat},
    scheme::Scheme,
    search::Search,
    secret::{SecretStrings, trim},
    verify::{MacFn, hmac_sha256, verify_with},
};

/// The longest body that is tried as JSON that another program wrote, in bytes.
pub const MAX_JSON_BYTES: usize = 1024 * 1024;
/// The longest body that is tried with every millisecond of the timestamp's second, in bytes.
pub const MAX_MILLISECOND_SEARCH_BYTES: usize = 4096;

/// The longest changed copy of a JSON text, in bytes. A copy can be slightly longer.
const MAX_COPY_BYTES: usize = 4 * MAX_JSON_BYTES;
/// A timestamp from this number on is in milliseconds. In seconds it would be after the year 5138.
const FIRST_MS: u64 = 100_000_000_000;

/// Verifies a request as [`verify()`](super::verify()) does and, if that fails, searches for the cause.
///
/// `tolerance` is in seconds, `now` in unix seconds. Secrets that cannot be used are explained too.
pub fn explain(body: &[u8], headers: RequestHeaders, secrets: &SecretStrings, tolerance: u64, now: u64) -> Diagnosis {
    explain_with(hmac_sha256, body, headers, secrets, tolerance, now)
}

/// Does what [`explain()`] does, with another implementation of HMAC-SHA256.
pub fn explain_with(
    mac: MacFn,
    body: &[u8],
    headers: RequestHeaders,
    secrets: &SecretStrings,
    tolerance: u64,
    now: u64,
) -> Diagnosis {
    let error = secrets
        .validate()
        .and_then(|secrets| verify_with(mac, body, headers, &secrets, tolerance, now).map(drop))
        .err();
    let verified_scheme = headers.choose_scheme(|scheme| !secrets.list(scheme).is_empty());
    let scheme = verified_scheme.or_else(|| headers.choose_scheme(|_| true));
    let header = scheme.and_then(|scheme| SignatureHeader::read(headers, scheme).ok());
    let mixed = headers.other_svix_header().filter(|_| scheme.is_none() && !secrets.list(Scheme::Svix).is_empty());
    let (scheme, header) = if mixed.is_some() { (Some(Scheme::Svix), mixed) } else { (scheme, header) };
    let mut search = Search {
        body,
        header,
        other_svix: headers.other_svix_header(),
        mac,
        keys: scheme.map_or_else(Vec::new, |scheme| candidate_keys(scheme, secrets)),
        has_one_list: secrets.is_for_any_scheme(),
        now,
        evidence: Evidence {
            body_bytes: body.len(),
            code: error.as_ref().map(SignatureError::code),
            scheme: scheme.map(Scheme::as_str),
            skew_seconds: header.map(|header| skew_seconds(now, header.seconds)),
            ..Evidence::default()
        },
    };
    let cause = match &error {
        None => search.try_as_received(true).unwrap_or(Cause::None),
        Some(SignatureError::MissingHeaders) if mixed.is_some() => {
            search.try_as_received(true);
            Cause::MixedHeaderFamilies
        }
        Some(SignatureError::MissingHeaders) if scheme.is_none() => {
            search.evidence.missing_header =
                headers.missing_header_name().filter(|_| !secrets.list(Scheme::Svix).is_empty());
            Cause::MissingHeaders
        }
        Some(error) => search.find_cause(error, verified_scheme),
    };
    let message = match error {
        None | Some(SignatureError::SignatureMismatch | SignatureError::MissingHeaders) => cause.message().to_owned(),
        Some(error) => concat(&[cause.message(), " The verifier says: ", &error.message(), "."]),
    };
    Diagnosis { ok: cause == Cause::None, cause, message, evidence: search.evidence }
}

impl Search<'_> {
    /// Finds the cause of the verifier's error. `verified_scheme` is the scheme that it verified, if there was one.
    fn find_cause(&mut self, error: &SignatureError, verified_scheme: Option<Scheme>) -> Cause {
        match error {
            SignatureError::InvalidSecret { scheme, index, fault } => {
                self.cause_of_invalid_secret(*scheme, *index, *fault, verified_scheme)
            }
            SignatureError::MissingHeaders => {
                self.try_as_received(false);
                Cause::WrongSchemeHeader
            }
            SignatureError::NoValidSignatures => self.try_other_encoding(true).unwrap_or(Cause::NoValidSignatures),
            SignatureError::InvalidTimestamp => Cause::InvalidTimestamp,
            SignatureError::TimestampTooOld(_)
            | SignatureError::TimestampTooNew(_)
            | SignatureError::SignatureMismatch => self.cause_of_mismatch().unwrap_or(Cause::Unknown),
            SignatureError::HeaderTooLong(_)
            | SignatureError::MissingTimestamp
            | SignatureError::DuplicateTimestamp
            | SignatureError::EmptyId => Cause::MalformedHeader,
        }
    }

    /// The refused secret is the cause. A MAC shows whether the sender signed with that secret, except for its fault.
    fn cause_of_invalid_secret(
        &mut self,
        list: Option<Scheme>,
        index: usize,
        fault: SecretFault,
        verified_scheme: Option<Scheme>,
    ) -> Cause {
        let has_white_space = fault == SecretFault::OuterWhiteSpace;
        // A fault in the list of the other scheme is not the cause, unless the scheme of the headers has no secrets.
        if (has_white_space || fault == SecretFault::NotBase64)
            && (verified_scheme.is_none() || list.is_none_or(|list| verified_scheme == Some(list)))
            && let Some(cause) = self.try_as_received(has_white_space)
        {
            match verified_scheme {
                None => return Cause::WrongSchemeHeader,
                Some(_) if !has_white_space => return cause,
                Some(_) => self.evidence.mac_matches = self.evidence.secret_index == Some(index),
            }
        }
        self.evidence.secret_list = list.filter(|_| !self.has_one_list).map(Scheme::as_str);
        self.evidence.secret_index = (fault != SecretFault::NoneGiven).then_some(index);
        if has_white_space { Cause::SecretWhiteSpace } else { Cause::InvalidSecret }
    }

    /// Tries everything that another MAC can prove. What is cheap and likely comes first.
    fn cause_of_mismatch(&mut self) -> Option<Cause> {
        self.try_times()
            .or_else(|| self.try_separators())
            .or_else(|| self.try_other_encoding(false))
            .or_else(|| self.try_as_received(false))
            .or_else(|| self.try_ids())
            .or_else(|| self.try_outer_white_space_and_line_breaks())
            .or_else(|| self.try_bom())
            .or_else(|| self.try_encodings())
            .or_else(|| self.try_json_variants())
            .or_else(|| self.try_signed_milliseconds())
            .or_else(|| cause_of_form(self.body))
    }

    /// Tries other svix headers: those of the other set, and another message id or none.
    fn try_ids(&mut self) -> Option<Cause> {
        let header = self.header.filter(|header| header.scheme == Scheme::Svix)?;
        let other = self.other_svix.unwrap_or(header);
        let trimmed = SignatureHeader { id: trim(header.id), ..header };
        for (changed, cause) in [(other, Cause::MixedHeaderFamilies), (trimmed, Cause::WrongSvixId)] {
            if self.try_header(changed).is_some() {
                return Some(cause);
            }
        }
        self.find_signer(true, &[header.timestamp, b".", self.body]).and(Some(Cause::WrongSvixId))
    }

    /// Tries the body that base64 or Latin-1 was made of.
    fn try_encodings(&mut self) -> Option<Cause> {
        let mut buffer = vec![0; self.body.len()];
        if decode_base64(self.body.trim_ascii(), &mut buffer).is_some_and(|body| self.try_body(body)) {
            return Some(Cause::BodyBase64);
        }
        self.try_body(&undo_latin1(self.body)?).then_some(Cause::BodyLatin1)
    }

    /// Tries whether only the time is wrong: the signature is right, or the timestamp can only be in milliseconds.
    fn try_times(&mut self) -> Option<Cause> {
        let SignatureHeader { seconds, .. } = self.header?;
        let found = self.try_as_received(true);
        if self.now >= FIRST_MS || !(FIRST_MS..FIRST_MS * 1000).contains(&seconds) {
            return found.and(Some(Cause::ClockSkew));
        }
        let seconds = seconds / 1000;
        if found.is_none() {
            self.try_timestamp(decimal(seconds).as_bytes(), self.body);
        }
        self.evidence.skew_seconds = Some(skew_seconds(self.now, seconds));
        Some(Cause::Milliseconds)
    }

    /// Tries other ways to join the timestamp and the body.
    fn try_separators(&mut self) -> Option<Cause> {
        if self.try_parts(true, ",", self.header?.timestamp, self.body).is_some() {
            return Some(Cause::CommaForDot);
        }
        self.find_signer(true, &[self.body]).and(Some(Cause::BodyWithoutTimestamp))
    }

    /// Tries the encoding of the other scheme. A MAC proves it or, if `form_proves`, the form of the signatures does.
    fn try_other_encoding(&mut self, form_proves: bool) -> Option<Cause> {
        let header = self.header?;
        let other = SignatureHeader { is_hex: !header.is_hex, ..header };
        other.macs().next()?;
        let found = self.try_header(other);
        let cause = if header.is_hex { Cause::Base64ForHex } else { Cause::HexForBase64 };
        (form_proves || found.is_some()).then_some(cause)
    }

    /// Tries the body with other line breaks, and with or without white space at its ends.
    fn try_outer_white_space_and_line_breaks(&mut self) -> Option<Cause> {
        for line_break in [&b"\n"[..], b"\r\n"] {
            if let Some(body) = self.body.strip_suffix(line_break)
                && self.try_body(body)
            {
                return Some(Cause::TrailingNewlineAdded);
            }
            if self.try_body(&joined(self.body, line_break)) {
                return Some(Cause::TrailingNewlineRemoved);
            }
            if self.try_body(&with_line_breaks(self.body, line_break)) {
                return Some(if line_break.len() == 1 { Cause::NewlinesToCrlf } else { Cause::NewlinesToLf });
            }
        }
        if self.try_body(self.body.trim_ascii()) {
            return Some(Cause::OuterWhiteSpaceAdded);
        }
        self.try_body(&joined(self.body, b" ")).then_some(Cause::OuterWhiteSpaceRemoved)
    }

    /// Tries the body with or without a byte order mark.
    fn try_bom(&mut self) -> Option<Cause> {
        if let Some(body) = self.body.strip_prefix(BOM) {
            return self.try_body(body).then_some(Cause::BomAdded);
        }
        self.try_body(&joined(BOM, self.body)).then_some(Cause::BomRemoved)
    }

    /// Tries the body as other programs write JSON.
    fn try_json_variants(&mut self) -> Option<Cause> {
        let json = self.body.trim_ascii();
        if self.body.len() > MAX_JSON_BYTES || !matches!(json, [b'{' | b'[', ..]) || str::from_utf8(json).is_err() {
            return None;
        }
        if let Some(is_on_one_line) = self.try_json_forms(json) {
            let is_pretty = is_on_one_line && json.contains(&b'\n');
            return Some(if is_pretty { Cause::JsonPrettyPrinted } else { Cause::JsonReserialised });
        }
        let compact = reformat(json, &LAYOUTS[0], MAX_COPY_BYTES);
        let ordered = in_documented_order(&compact);
        (ordered != compact).then(|| self.try_json_forms(&ordered)).flatten().and(Some(Cause::JsonKeysReordered))
    }

    /// Tries the forms in which other programs write a JSON text, with and without a line break at the end. Returns whether
    /// the form that was signed is on one line.
    fn try_json_forms(&mut self, json: &[u8]) -> Option<bool> {
        let mut text = Vec::new();
        for escapes in EscapeStyle::ALL {
            let rewritten = escapes.rewrite(if text.is_empty() { json } else { &text }, MAX_COPY_BYTES);
            if rewritten == text {
                continue;
            }
            text = rewritten;
            for layout in &LAYOUTS {
                let form = reformat(&text, layout, MAX_COPY_BYTES);
                if self.try_body(&form) || self.try_body(&joined(&form, b"\n")) {
                    self.evidence.layout = Some(layout.name);
                    self.evidence.escapes = Some(escapes.as_str());
                    return Some(layout.indent.is_empty());
                }
            }
        }
        None
    }

    /// Tries whether a timestamp in milliseconds was signed. The header holds only its seconds, so every millisecond of
    /// that second is tried; of a long body only the first.
    fn try_signed_milliseconds(&mut self) -> Option<Cause> {
        let SignatureHeader { seconds, .. } = self.header?;
        let tries = if self.body.len() > MAX_MILLISECOND_SEARCH_BYTES { 1 } else { 1000 };
        let is_signed = |ms: u64| self.try_timestamp(decimal(seconds * 1000 + ms).as_bytes(), self.body).is_some();
        (0..tries).any(is_signed).then_some(Cause::Milliseconds)
    }
}

/// Returns how long ago `timestamp` was, in seconds; negative if it is in the future.
fn skew_seconds(now: u64, timestamp: u64) -> i64 {
    now.cast_signed().saturating_sub(timestamp.cast_signed())
}
