//! Why a signature is refused, and the words for it.

use std::fmt;

use super::{
    encoding::{concat, decimal},
    scheme::Scheme,
};

/// Why a request is not authentic, or a secret not usable. [`SignatureError::code`] is the same on every surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// No header of a scheme that has a secret; svix needs all three.
    MissingHeaders,
    /// A header over [`MAX_HEADER`](crate::signature::MAX_HEADER) bytes, given with its length.
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
    /// A secret that cannot be used: the scheme it cannot be used for (`None`: for neither), its place in the list (from
    /// 0), and why.
    InvalidSecret(Option<Scheme>, usize, SecretFault),
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

    /// What [`fmt::Display`] shows. The package's wasm calls this: it is small for having nothing of `core::fmt`.
    pub fn message(&self) -> String {
        let (before, number, after) = match self {
            Self::MissingHeaders => ("no signature header of a scheme that has a secret", None, ""),
            Self::HeaderTooLong(bytes) => {
                ("a signature header of ", Some(*bytes as u64), " bytes; at most 8192 are read")
            }
            Self::NoTimestamp => ("OFAuth-Signature has no t", None, ""),
            Self::TwoTimestamps => ("OFAuth-Signature has more than one t", None, ""),
            Self::EmptyId => ("the message id is empty", None, ""),
            Self::NoValidSignatures => ("no well-formed v1 signature", None, ""),
            Self::InvalidTimestamp => ("the timestamp is not plain decimal unix seconds", None, ""),
            Self::TimestampTooOld(seconds) => ("signed ", Some(*seconds), " s ago, more than the tolerance"),
            Self::TimestampTooNew(seconds) => ("signed ", Some(*seconds), " s ahead, more than the tolerance"),
            Self::SignatureMismatch => ("no signature matches these bytes under any secret", None, ""),
            Self::InvalidSecret(list, place, fault) => return invalid_secret(*list, *place, *fault),
        };
        let number = number.map_or_else(String::new, decimal);
        concat(&[before, &number, after])
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for SignatureError {}

impl SecretFault {
    /// What [`fmt::Display`] shows.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::NoneGiven => "no secret given",
            Self::TooMany => "more than 5 secrets",
            Self::Empty => "empty",
            Self::OuterWhiteSpace => "white space at an end",
            Self::NotBase64 => "not base64 after whsec_",
        }
    }
}

impl fmt::Display for SecretFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

fn invalid_secret(list: Option<Scheme>, place: usize, fault: SecretFault) -> String {
    let list = match list {
        None => "",
        Some(Scheme::Ofauth) => "ofauth ",
        Some(Scheme::Svix) => "svix ",
    };
    match fault {
        SecretFault::NoneGiven => fault.message().to_owned(),
        SecretFault::TooMany => concat(&["more than 5 ", list, "secrets"]),
        _ => concat(&[list, "secret ", &decimal(place as u64), ": ", fault.message()]),
    }
}
