//! What one instance holds between two calls from JavaScript.

use std::{cell::RefCell, mem::take, ops::Range};

use super::{
    answer::{self, Failure},
    flags::{HAS_LIVE, HAS_NUMBER_IDS, HAS_TIMESTAMP, KNOWN_TYPE, VERIFIED},
    hmac::hmac,
};
use crate::core::webhook::{
    BodyMembers, EventFamily, EventReading, Headers, NAMES, Scheme, SecretStrings, Secrets, Verified, explain_with,
    sign_with, slot, verify_with,
};

thread_local! {
    static SHELL: RefCell<Shell> = const { RefCell::new(Shell::EMPTY) };
}

/// The one shell: an instance of wasm has one thread, and no call begins before the one before has ended.
pub(super) struct Shell {
    input: Vec<u8>,
    headers: [Option<Range<usize>>; NAMES.len()],
    waiting: [Vec<String>; 2],
    written: Option<SecretStrings>,
    secrets: Option<Secrets>,
    answer: Vec<u8>,
}

impl Shell {
    const EMPTY: Self = Self {
        input: Vec::new(),
        headers: [const { None }; NAMES.len()],
        waiting: [Vec::new(), Vec::new()],
        written: None,
        secrets: None,
        answer: Vec::new(),
    };

    pub(super) fn with<T>(act: impl FnOnce(&mut Self) -> T) -> T {
        SHELL.with_borrow_mut(act)
    }

    pub(super) fn reserve(&mut self, bytes: usize) -> *const u8 {
        if self.input.len() < bytes {
            self.input.resize(bytes, 0);
        }
        self.input.as_ptr()
    }

    pub(super) fn header(&mut self, place: usize, start: usize, bytes: usize) {
        if let Some(header) = self.headers.get_mut(place) {
            *header = Some(start..start.saturating_add(bytes));
        }
    }

    pub(super) fn secret(&mut self, scheme: Scheme, start: usize, bytes: usize) {
        let stretch = self.input.get(start..start.saturating_add(bytes)).unwrap_or_default();
        let secret = std::str::from_utf8(stretch).unwrap_or_default().to_owned();
        let [ofauth, svix] = &mut self.waiting;
        if scheme == Scheme::Ofauth { ofauth } else { svix }.push(secret);
    }

    pub(super) fn use_secrets(&mut self, bare: bool) -> bool {
        let [ofauth, svix] = take(&mut self.waiting);
        let written = if bare { SecretStrings::Bare(ofauth) } else { SecretStrings::Each { ofauth, svix } };
        let judged = written.judge().map_err(Failure::from);
        self.written = Some(written);
        match judged {
            Ok(secrets) => self.secrets = Some(secrets),
            Err(failure) => {
                self.secrets = None;
                self.answer = failure.json();
            }
        }
        self.secrets.is_some()
    }

    /// What [`verify_signature`](super::bindings::verify_signature) says.
    pub(super) fn verify_signature(&mut self, bytes: usize, tolerance: u64, now: u64) -> bool {
        let outcome = self.judge(bytes, tolerance, now).map(|verified| answer::verified(&verified));
        self.reply(outcome)
    }

    /// What [`verify_webhook`](super::bindings::verify_webhook) says.
    pub(super) fn verify_webhook(&mut self, bytes: usize, tolerance: u64, now: u64) -> u32 {
        let read = |verified: Verified| {
            let mut members = BodyMembers::default();
            let event = members.scan(&verified)?;
            Ok((flags(&event), answer::number_ids(&event)))
        };
        match self.judge(bytes, tolerance, now).and_then(read) {
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

    // One copy of it: this is code that a browser loads.
    #[inline(never)]
    fn judge(&mut self, bytes: usize, tolerance: u64, now: u64) -> Result<Verified<'_>, Failure> {
        let stretches = take(&mut self.headers);
        let headers = self.read_headers(stretches);
        let body = self.input.get(..bytes).unwrap_or_default();
        let secrets = self.secrets.as_ref().ok_or(Failure::NO_SECRETS)?;
        Ok(verify_with(hmac, body, headers, secrets, tolerance, now)?)
    }

    pub(super) fn explain(&mut self, bytes: usize, tolerance: u64, now: u64) {
        let stretches = take(&mut self.headers);
        let headers = self.read_headers(stretches);
        let body = self.input.get(..bytes).unwrap_or_default();
        let Some(written) = &self.written else { return };
        let diagnosis = explain_with(hmac, body, headers, written, tolerance, now);
        self.answer = answer::diagnosis(&diagnosis);
    }

    pub(super) fn sign(&mut self, scheme: Scheme, bytes: usize, timestamp: u64) -> bool {
        let [ofauth, svix] = take(&mut self.waiting);
        let [id, ..] = take(&mut self.headers);
        let secret = ofauth.first().or(svix.first()).map_or("", String::as_str);
        let body = self.input.get(..bytes).unwrap_or_default();
        let id = id.and_then(|stretch| std::str::from_utf8(self.input.get(stretch)?).ok()).unwrap_or_default();
        let signature = sign_with(hmac, scheme, body, secret, id, timestamp);
        self.reply(signature.map(|signature| answer::signature(&signature)).map_err(Failure::from))
    }

    /// Answers with this, or with the failure; says which.
    fn reply(&mut self, outcome: Result<Vec<u8>, Failure>) -> bool {
        let good = outcome.is_ok();
        self.answer = outcome.unwrap_or_else(|failure| failure.json());
        good
    }

    pub(super) fn answer(&self) -> &[u8] {
        &self.answer
    }

    fn read_headers(&self, stretches: [Option<Range<usize>>; NAMES.len()]) -> Headers<'_> {
        Headers::of(stretches.map(|stretch| std::str::from_utf8(self.input.get(stretch?)?).ok()))
    }
}

fn flags(event: &EventReading) -> u32 {
    let flag = |set: bool, flag: u32| if set { flag } else { 0 };
    VERIFIED
        | flag(event.family != EventFamily::Other, KNOWN_TYPE)
        | flag(event.members.timestamp().is_some(), HAS_TIMESTAMP)
        | flag(event.members.truth(slot::LIVE).is_some(), HAS_LIVE)
}
