//! The search for a MAC that matches: what was signed is tried with each key, and what proves a cause is written down.

use super::{
    candidate::CandidateKey,
    diagnosis::{Cause, Evidence},
    header::SignatureHeader,
    verify::{MacFn, matches_any},
};

/// The search for a MAC that matches. It writes down the evidence when it finds one.
pub(crate) struct Search<'a> {
    pub(crate) body: &'a [u8],
    /// The headers to search with; `None` if they are missing or malformed.
    pub(crate) header: Option<SignatureHeader<'a>>,
    /// Svix headers that the verifier does not use.
    pub(crate) other_svix: Option<SignatureHeader<'a>>,
    pub(crate) mac: MacFn,
    pub(crate) keys: Vec<CandidateKey>,
    pub(crate) has_one_list: bool,
    pub(crate) now: u64,
    pub(crate) evidence: Evidence,
}

impl<'a> Search<'a> {
    /// Returns whether another body was signed with this header, and writes down where the bodies differ.
    pub(crate) fn try_body(&mut self, signed: &[u8]) -> bool {
        let Some(SignatureHeader { timestamp, .. }) = self.header else { return false };
        if signed == self.body || self.try_timestamp(timestamp, signed).is_none() {
            return false;
        }
        let offset = self.body.iter().zip(signed).take_while(|(received, signed)| received == signed).count();
        self.evidence.signed_bytes = Some(signed.len());
        self.evidence.offset = Some(offset);
        true
    }

    pub(crate) fn try_timestamp(&mut self, timestamp: &[u8], body: &[u8]) -> Option<Cause> {
        self.try_parts(true, ".", timestamp, body)
    }

    /// Tries other headers.
    pub(crate) fn try_header(&mut self, other: SignatureHeader<'a>) -> Option<Cause> {
        let header = self.header.replace(other);
        let found = self.try_as_received(true);
        self.header = header;
        found
    }

    /// Tries the request as it was received, with the expected keys or with the others.
    pub(crate) fn try_as_received(&mut self, expected: bool) -> Option<Cause> {
        self.try_parts(expected, ".", self.header?.timestamp, self.body)
    }

    // Never inlined: one copy keeps the wasm of the npm package small.
    #[inline(never)]
    pub(crate) fn try_parts(
        &mut self,
        expected: bool,
        separator: &str,
        timestamp: &[u8],
        body: &[u8],
    ) -> Option<Cause> {
        self.find_signer(expected, &self.header?.signed_parts(separator, timestamp, body))
    }

    /// Searches the expected keys, or the others, for the one that signed `parts`. Returns the cause of that key.
    pub(crate) fn find_signer(&mut self, expected: bool, parts: &[&[u8]]) -> Option<Cause> {
        let header = self.header?;
        let mut keys = self.keys.iter().filter(|key| (key.cause == Cause::None) == expected);
        let key = keys.find(|key| matches_any((self.mac)(&key.bytes, parts), header.macs()))?;
        self.evidence.mac_matches = true;
        self.evidence.secret_list = (!self.has_one_list).then_some(key.list.as_str());
        self.evidence.secret_index = Some(key.index);
        Some(key.cause)
    }
}
