//! Why a signature or a secret is refused: the variants, their stable codes and their messages.

use std::fmt;

use super::{
    encoding::{concat, decimal},
    scheme::Scheme,
};

/// Why a request is not authentic, or why a secret cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// The request lacks the headers of every scheme that has a secret. The svix scheme needs all three of its headers.
    MissingHeaders,
    /// A signature header is longer than [`MAX_HEADER_BYTES`](super::MAX_HEADER_BYTES). The value is its length in
    /// bytes.
    HeaderTooLong(usize),
    /// `OFAuth-Signature` has no `t`.
    MissingTimestamp,
    /// `OFAuth-Signature` has more than one `t`.
    DuplicateTimestamp,
    /// `svix-id` is empty.
    EmptyId,
    /// The signature header has no well-formed `v1`: 64 hex digits under ofauth, base64 of 32 bytes under svix.
    NoValidSignatures,
    /// The timestamp is not written in plain decimal digits, or is larger than
    /// [`MAX_TIMESTAMP`](super::MAX_TIMESTAMP).
    InvalidTimestamp,
    /// The timestamp is further in the past than the tolerance allows. The value is its distance from now, in seconds.
    TimestampTooOld(u64),
    /// The timestamp is further in the future than the tolerance allows. The value is its distance from now, in
    /// seconds.
    TimestampTooNew(u64),
    /// No `v1` is the MAC of the body under any of the secrets.
    SignatureMismatch,
    /// A secret or a list of secrets cannot be used.
    InvalidSecret {
        /// The scheme that it cannot be used for; `None` if it cannot be used for either scheme.
        scheme: Option<Scheme>,
        /// The position of the secret in its list, from 0. With `TooMany` it is the first position over the limit, with
        /// `NoneGiven` it is 0.
        index: usize,
        /// What is wrong with it.
        fault: SecretFault,
    },
}

/// What is wrong with a secret, or with a list of secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretFault {
    /// No secret was given for any scheme.
    NoneGiven,
    /// A list has more than [`MAX_SECRETS`](super::MAX_SECRETS) secrets.
    TooMany,
    /// The secret is the empty string.
    Empty,
    /// The secret starts or ends with white space.
    OuterWhiteSpace,
    /// The secret is for svix and is not base64, or is base64 of zero bytes.
    NotBase64,
}

impl SignatureError {
    /// All codes, in the order in which faults are judged, and what each says.
    pub const CODES: &[(&'static str, &'static str)] = &[
        (
            "INVALID_SECRET",
            "A secret is empty, has white space at an end, or is not base64 (svix); or there is none, or more than 5.",
        ),
        ("MISSING_HEADERS", "There are no signature headers of a scheme that has a secret."),
        (
            "MALFORMED_HEADER",
            "A header has no timestamp or two, has over 8,192 bytes, or was given more than once; or `svix-id` is empty.",
        ),
        ("INVALID_TIMESTAMP", "The timestamp is not a decimal number of unix seconds."),
        ("NO_VALID_SIGNATURES", "The header contains no well-formed signature."),
        ("TIMESTAMP_TOO_OLD", "The timestamp is further in the past than the tolerance."),
        ("TIMESTAMP_TOO_NEW", "The timestamp is further in the future than the tolerance."),
        ("SIGNATURE_MISMATCH", "No signature matches this body with any of the secrets."),
    ];

    /// The stable code, which is the same in Rust, in HTTP answers and in JavaScript.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingHeaders => "MISSING_HEADERS",
            Self::HeaderTooLong(_) | Self::MissingTimestamp | Self::DuplicateTimestamp | Self::EmptyId => {
                "MALFORMED_HEADER"
            }
            Self::NoValidSignatures => "NO_VALID_SIGNATURES",
            Self::InvalidTimestamp => "INVALID_TIMESTAMP",
            Self::TimestampTooOld(_) => "TIMESTAMP_TOO_OLD",
            Self::TimestampTooNew(_) => "TIMESTAMP_TOO_NEW",
            Self::SignatureMismatch => "SIGNATURE_MISMATCH",
            Self::InvalidSecret { .. } => "INVALID_SECRET",
        }
    }

    /// The text that [`fmt::Display`] shows. It never contains a secret.
    ///
    /// The npm package calls this function instead, because `core::fmt` would make its wasm larger.
    pub fn message(&self) -> String {
        let (before, number, after) = match self {
            Self::MissingHeaders => ("no signature header for a scheme with a secret", None, ""),
            Self::HeaderTooLong(bytes) => ("a signature header has ", Some(*bytes as u64), " bytes; the limit is 8192"),
            Self::MissingTimestamp => ("OFAuth-Signature has no t", None, ""),
            Self::DuplicateTimestamp => ("OFAuth-Signature has more than one t", None, ""),
            Self::EmptyId => ("the message id is empty", None, ""),
            Self::NoValidSignatures => ("no well-formed v1 signature", None, ""),
            Self::InvalidTimestamp => ("the timestamp is not plain decimal unix seconds", None, ""),
            Self::TimestampTooOld(seconds) => ("signed ", Some(*seconds), " s ago, more than the tolerance"),
            Self::TimestampTooNew(seconds) => ("signed ", Some(*seconds), " s in the future, more than the tolerance"),
            Self::SignatureMismatch => ("no signature matches the body with any secret", None, ""),
            Self::InvalidSecret { scheme, index, fault } => return invalid_secret_message(*scheme, *index, *fault),
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
    /// The text that [`fmt::Display`] shows.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::NoneGiven => "no secret given",
            Self::TooMany => "more than 5 secrets",
            Self::Empty => "empty",
            Self::OuterWhiteSpace => "starts or ends with white space",
            Self::NotBase64 => "not base64 after whsec_",
        }
    }
}

impl fmt::Display for SecretFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

fn invalid_secret_message(scheme: Option<Scheme>, index: usize, fault: SecretFault) -> String {
    let scheme = match scheme {
        None => "",
        Some(Scheme::Ofauth) => "ofauth ",
        Some(Scheme::Svix) => "svix ",
    };
    match fault {
        SecretFault::NoneGiven => fault.message().to_owned(),
        SecretFault::TooMany => concat(&["more than 5 ", scheme, "secrets"]),
        _ => concat(&[scheme, "secret ", &decimal(index as u64), ": ", fault.message()]),
    }
}
