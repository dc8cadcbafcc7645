//! The state of one instance of the wasm between two calls from JavaScript.

use std::{cell::RefCell, mem::take, ops::Range};

use super::{
    answer::{self, Failure},
    flags::{HAS_LIVE, HAS_NUMBER_IDS, HAS_TIMESTAMP, KNOWN_TYPE, VERIFIED},
    hmac::hmac,
};
use crate::core::webhook::{
    BodyMembers, EventFamily, EventReading, RequestHeaders, SIGNATURE_HEADER_NAMES, Scheme, SecretStrings, Secrets,
    Verified, explain_with, sign_with, slot, verify_with,
};

thread_local! {
    static SHELL: RefCell<Shell> = const { RefCell::new(Shell::EMPTY) };
}

/// The state. There is one, because an instance of the wasm has one thread and its calls do not overlap.
pub(super) struct Shell {
    input: Vec<u8>,
    /// The parts of the input that are headers of the next call.
    headers: [Option<Range<usize>>; SIGNATURE_HEADER_NAMES.len()],
    /// The secrets that were added for the next call of `use_secrets` or `sign`: for ofauth, then for svix.
    added_secrets: [Vec<String>; 2],
    /// The secrets in use as they are written, for `explain`.
    secret_strings: Option<SecretStrings>,
    /// The secrets in use; `None` if they cannot be used.
    secrets: Option<Secrets>,
    /// The JSON that the last call left for JavaScript.
    answer: Vec<u8>,
}

impl Shell {
    const EMPTY: Self = Self {
        input: Vec::new(),
        headers: [const { None }; SIGNATURE_HEADER_NAMES.len()],
        added_secrets: [Vec::new(), Vec::new()],
        secret_strings: None,
        secrets: None,
        answer: Vec::new(),
    };

    /// Calls a function with the state.
    pub(super) fn with<T>(call: impl FnOnce(&mut Self) -> T) -> T {
        SHELL.with_borrow_mut(call)
    }

    pub(super) fn reserve(&mut self, bytes: usize) -> *const u8 {
        if self.input.len() < bytes {
            self.input.resize(bytes, 0);
        }
        self.input.as_ptr()
    }

    pub(super) fn header(&mut self, index: usize, start: usize, bytes: usize) {
        if let Some(header) = self.headers.get_mut(index) {
            *header = Some(start..start.saturating_add(bytes));
        }
    }

    pub(super) fn secret(&mut self, scheme: Scheme, start: usize, bytes: usize) {
        let bytes = self.input.get(start..start.saturating_add(bytes)).unwrap_or_default();
        let secret = std::str::from_utf8(bytes).unwrap_or_default().to_owned();
        let [ofauth, svix] = &mut self.added_secrets;
        if scheme == Scheme::Ofauth { ofauth } else { svix }.push(secret);
    }

    pub(super) fn use_secrets(&mut self, any_scheme: bool) -> bool {
        let [ofauth, svix] = take(&mut self.added_secrets);
        let secret_strings =
            if any_scheme { SecretStrings::AnyScheme(ofauth) } else { SecretStrings::PerScheme { ofauth, svix } };
        let validated = secret_strings.validate().map_err(Failure::from);
        self.secret_strings = Some(secret_strings);
        match validated {
            Ok(secrets) => self.secrets = Some(secrets),
            Err(failure) => {
                self.secrets = None;
                self.answer = failure.json();
            }
        }
        self.secrets.is_some()
    }

    pub(super) fn verify_signature(&mut self, bytes: usize, tolerance: u64, now: u64) -> bool {
        let outcome = self.verify(bytes, tolerance, now).map(|verified| answer::verified(&verified));
        self.reply(outcome)
    }

    pub(super) fn verify_webhook(&mut self, bytes: usize, tolerance: u64, now: u64) -> u32 {
        let read = |verified: Verified| {
            let mut members = BodyMembers::default();
            let event = members.scan(&verified)?;
            Ok((flags(&event), answer::number_ids(&event)))
        };
        match self.verify(bytes, tolerance, now).and_then(read) {
            Ok((flags, None)) => flags,
            Ok((flags, Some(number_ids))) => {
                self.answer = number_ids;
                flags | HAS_NUMBER_IDS
            }
            Err(failure) => {
                self.answer = failure.json();
                0
            }
        }
    }

    /// Verifies the body and the headers of this call with the secrets in use.
    // Never inlined: one copy keeps the wasm small.
    #[inline(never)]
    fn verify(&mut self, bytes: usize, tolerance: u64, now: u64) -> Result<Verified<'_>, Failure> {
        let ranges = take(&mut self.headers);
        let headers = self.read_headers(ranges);
        let body = self.input.get(..bytes).unwrap_or_default();
        let secrets = self.secrets.as_ref().ok_or(Failure::NO_SECRETS)?;
        Ok(verify_with(hmac, body, headers, secrets, tolerance, now)?)
    }

    pub(super) fn explain(&mut self, bytes: usize, tolerance: u64, now: u64) {
        let ranges = take(&mut self.headers);
        let headers = self.read_headers(ranges);
        let body = self.input.get(..bytes).unwrap_or_default();
        let Some(secret_strings) = &self.secret_strings else { return };
        let diagnosis = explain_with(hmac, body, headers, secret_strings, tolerance, now);
        self.answer = answer::diagnosis(&diagnosis);
    }

    pub(super) fn sign(&mut self, scheme: Scheme, bytes: usize, timestamp: u64) -> bool {
        let [ofauth, svix] = take(&mut self.added_secrets);
        let [id, ..] = take(&mut self.headers);
        let secret = ofauth.first().or(svix.first()).map_or("", String::as_str);
        let body = self.input.get(..bytes).unwrap_or_default();
        let id = id.and_then(|range| std::str::from_utf8(self.input.get(range)?).ok()).unwrap_or_default();
        let signature = sign_with(hmac, scheme, body, secret, id, timestamp);
        self.reply(signature.map(|signature| answer::signature(&signature)).map_err(Failure::from))
    }

    /// Stores a result or an error as the answer. Returns whether it is a result.
    fn reply(&mut self, outcome: Result<Vec<u8>, Failure>) -> bool {
        let is_ok = outcome.is_ok();
        self.answer = outcome.unwrap_or_else(|failure| failure.json());
        is_ok
    }

    pub(super) fn answer(&self) -> &[u8] {
        &self.answer
    }

    fn read_headers(&self, ranges: [Option<Range<usize>>; SIGNATURE_HEADER_NAMES.len()]) -> RequestHeaders<'_> {
        RequestHeaders::new(ranges.map(|range| std::str::from_utf8(self.input.get(range?)?).ok()))
    }
}

/// Returns the flags of an event, except `HAS_NUMBER_IDS`.
fn flags(event: &EventReading) -> u32 {
    let flag = |set: bool, flag: u32| if set { flag } else { 0 };
    VERIFIED
        | flag(event.family != EventFamily::Other, KNOWN_TYPE)
        | flag(event.members.timestamp().is_some(), HAS_TIMESTAMP)
        | flag(event.members.boolean(slot::LIVE).is_some(), HAS_LIVE)
}
