//! What is wrong with the configuration, in words for the operator.

use std::fmt;

use crate::core::{gateway::MIN_KEY_CHARS, storage::MAX_STORAGE_KEYS};

/// The most items in a list of secrets or keys.
pub(super) const MAX_ITEMS: usize = MAX_STORAGE_KEYS;

/// A variable or binding that is missing or not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name of the variable.
    pub name: &'static str,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The variable is not set.
    Missing,
    /// The text is empty, or an item of the list is.
    Empty,
    /// An item begins or ends with white space.
    OuterWhiteSpace,
    /// An item has fewer than [`MIN_KEY_CHARS`] characters.
    TooShort,
    /// The list has more than 5 items.
    TooMany,
    /// An item is not base64 of exactly 32 bytes.
    NotAKey,
    /// The part of an item after `whsec_`, or the whole item, is not base64.
    NotBase64,
    /// An item is not an https origin, nor an http origin on loopback.
    NotAnOrigin,
    /// The text is not an https URL, nor an http URL on loopback.
    NotAUrl,
    /// The text is not a whole number from the first of these to the second, both included.
    OutOfRange(u64, u64),
    /// The text has a character that an HTTP header's value cannot have.
    NotAHeaderValue,
    /// A pattern is empty after `!`, or has `*` or `!` in another place than
    /// [`EventFilter::parse`](super::EventFilter::parse) allows.
    NotAPattern,
    /// The Worker lacks this binding. Only the Worker finds this problem.
    NotBound,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.name)?;
        match self.reason {
            Reason::Missing => f.write_str("is missing"),
            Reason::Empty => f.write_str("is empty or has an empty item"),
            Reason::OuterWhiteSpace => f.write_str("has an item that begins or ends with white space"),
            Reason::TooShort => write!(f, "has an item of fewer than {MIN_KEY_CHARS} characters"),
            Reason::TooMany => write!(f, "has more than {MAX_ITEMS} items"),
            Reason::NotAKey => f.write_str("has an item that is not base64 of 32 bytes"),
            Reason::NotBase64 => f.write_str("has an item that is not base64 after whsec_"),
            Reason::NotAnOrigin => {
                f.write_str("must be an https origin without a path, or such an http origin on loopback")
            }
            Reason::NotAUrl => f.write_str("must be an https URL, or an http URL on loopback"),
            Reason::OutOfRange(min, max) => write!(f, "is not a whole number from {min} to {max}"),
            Reason::NotAHeaderValue => f.write_str("has a character that an HTTP header's value cannot have"),
            Reason::NotAPattern => f.write_str(
                "has an invalid pattern; valid are an event type, the beginning of one and *, and ! before these",
            ),
            Reason::NotBound => f.write_str("is not bound to the Worker"),
        }
    }
}
