//! What is wrong with the configuration, in words for the operator: a [`Problem`] stops the gateway, a [`Warning`] does
//! not.

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

/// An item of a list that is not valid, and that the gateway ignores. It works as if the item were not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The name of the variable.
    pub name: &'static str,
    /// The place of the item in the list, counted from 1.
    pub item: usize,
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
    /// An item has a colon but is not `name:rights:key`: see [`GatewayKey`](crate::core::gateway::GatewayKey).
    NotANamedKey,
    /// The list has more than 5 items.
    TooMany,
    /// An item is not base64 of exactly 32 bytes.
    NotAKey,
    /// The part of an item after `whsec_`, or the whole item, is not base64.
    NotBase64,
    /// The text is not an https origin, nor an http origin on loopback.
    NotAnOrigin,
    /// An item is not an origin that pages can have: see
    /// [`is_page_origin`](crate::core::gateway::origin::is_page_origin).
    NotAPageOrigin,
    /// The text is not an https URL, nor an http URL on loopback.
    NotAUrl,
    /// The URL is on loopback, a private address or another one that is not of the public internet, and the API key is no sandbox key.
    NotPublic,
    /// The text is not a whole number from the first of these to the second, both included.
    OutOfRange(u64, u64),
    /// The text is neither `on` nor `off`.
    NotOnOrOff,
    /// The text has a character that an HTTP header's value cannot have.
    NotAHeaderValue,
    /// An item is empty after `!`, or has `*` or `!` in another place than
    /// [`EventFilter::parse`](super::EventFilter::parse) allows.
    NotAPattern,
    /// The Worker lacks this binding. Only the Worker finds this problem.
    NotBound,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.reason)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: item {} is ignored, because it {}", self.name, self.item, self.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::Empty => f.write_str("is empty or has an empty item"),
            Self::OuterWhiteSpace => f.write_str("has an item that begins or ends with white space"),
            Self::TooShort => write!(f, "has an item of fewer than {MIN_KEY_CHARS} characters"),
            Self::NotANamedKey => f.write_str(
                "has an item with a colon that is not name:rights:key; a name begins with a letter, and the rights are \
                 access, sessions, link, manage and read, joined by +",
            ),
            Self::TooMany => write!(f, "has more than {MAX_ITEMS} items"),
            Self::NotAKey => f.write_str("has an item that is not base64 of 32 bytes"),
            Self::NotBase64 => f.write_str("has an item that is not base64 after whsec_"),
            Self::NotAnOrigin => {
                f.write_str("must be an https origin without a path, or such an http origin on loopback")
            }
            Self::NotAPageOrigin => f.write_str(
                "is not an origin as browsers send it, such as https://app.example or capacitor://localhost; http is \
                 for loopback, and for private addresses if OFAUTH_API_KEY is a sandbox key",
            ),
            Self::NotAUrl => f.write_str("must be an https URL, or an http URL on loopback"),
            Self::NotPublic => {
                f.write_str("must not be on loopback or a private address, unless OFAUTH_API_KEY is a sandbox key")
            }
            Self::OutOfRange(min, max) => write!(f, "is not a whole number from {min} to {max}"),
            Self::NotOnOrOff => f.write_str("must be on or off"),
            Self::NotAHeaderValue => f.write_str("has a character that an HTTP header's value cannot have"),
            Self::NotAPattern => f.write_str("is not an event type, nor the beginning of one and *, nor ! and these"),
            Self::NotBound => f.write_str("is not bound to the Worker"),
        }
    }
}
