//! The members of a JSON object that were read in place, and the values that the gateway takes from them.
//!
//! Nothing is copied: values are slices of the body, as they are written. `parse.rs` says which members a body has, and
//! makes an [`Event`](super::Event) of them.

use std::borrow::Cow;

use super::{
    event::{EventError, MAX_TEXT_BYTES, MAX_TYPE_BYTES},
    verify::Verified,
};
use crate::core::json::{self, Members, is_number};

/// The members that were read, each as it is written. Each has its index, a *slot*: see `slot` in `parse.rs`.
#[derive(Default)]
pub(crate) struct ReadMembers<'a, const SLOTS: usize>(pub(super) Members<'a, SLOTS>);

#[expect(clippy::inline_always, reason = "measured: faster, and no larger, in a crate that is built for size")]
impl<'a, const SLOTS: usize> ReadMembers<'a, SLOTS> {
    /// Returns a value, or `None` if it is absent or null.
    #[inline(always)]
    pub(crate) fn value(&self, slot: usize) -> Option<&'a str> {
        self.value_or_null(slot).filter(|value| !value.starts_with('n'))
    }

    /// Returns a value, also if it is null, or `None` if it is absent.
    #[inline(always)]
    pub(crate) fn value_or_null(&self, slot: usize) -> Option<&'a str> {
        *self.0.values.get(slot)?
    }

    /// Returns an id, which may be a string or a number of any size. A number is returned as it is written: an id is
    /// opaque, and parsing it would round it. Returns `None` for any other value.
    #[inline(never)]
    pub(crate) fn id(&self, slot: usize) -> Option<Cow<'a, str>> {
        let value = self.value(slot)?;
        if is_number(value) { Some(Cow::Borrowed(value)) } else { json::decode_string(value) }
    }

    /// Returns a boolean, or `None` for any other value.
    pub(crate) fn boolean(&self, slot: usize) -> Option<bool> {
        match self.value(slot)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    pub(crate) fn is_object(&self, slot: usize) -> bool {
        self.value(slot).is_some_and(|value| value.starts_with('{'))
    }

    /// Checks that a value is an object, that its keys are valid text, and that none of its members from slot `first`
    /// to slot `last` occurs twice. Errors contain `name`.
    #[inline(never)]
    pub(crate) fn check_object(
        &self,
        name: &'static str,
        slot: usize,
        first: usize,
        last: usize,
    ) -> Result<(), EventError> {
        if !self.is_object(slot) {
            return Err(EventError::NotAnObject(name));
        }
        if self.0.lone_surrogates >> slot & 1 == 1 {
            return Err(EventError::LoneSurrogate(name));
        }
        let members = (2 << last) - (1 << first);
        if self.0.duplicates & members == 0 { Ok(()) } else { Err(EventError::DuplicateKey(name)) }
    }
}

/// Returns the body as text without a leading byte order mark, or `None` if it is not UTF-8.
pub(super) fn body_text<'a>(verified: &Verified<'a>) -> Option<&'a str> {
    let text = std::str::from_utf8(verified.body()).ok()?;
    Some(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Returns whether [`char::is_control`] is true for one of the characters: U+0000 to U+001F, U+007F or U+0080 to
/// U+009F. It looks at bytes, which takes less code than decoding characters.
fn has_control_character(text: &str) -> bool {
    let mut previous = 0;
    for byte in text.bytes() {
        if matches!((previous, byte), (_, ..b' ' | 0x7F) | (0xC2, 0x80..=0x9F)) {
            return true;
        }
        previous = byte;
    }
    false
}

pub(super) fn is_valid_type(kind: &str) -> bool {
    (1..=MAX_TYPE_BYTES).contains(&kind.len()) && !has_control_character(kind)
}

/// Returns an id of 1 to [`MAX_TEXT_BYTES`] bytes. An empty id asserts nothing.
pub(super) fn short_id<const SLOTS: usize>(members: &ReadMembers<SLOTS>, slot: usize) -> Option<String> {
    members.id(slot).filter(|id| (1..=MAX_TEXT_BYTES).contains(&id.len())).map(Cow::into_owned)
}

pub(super) fn string(value: Option<&str>) -> Option<String> {
    value.and_then(json::decode_string).map(Cow::into_owned)
}

/// Returns a text for people of at most [`MAX_TEXT_BYTES`].
pub(super) fn short_text(value: Option<&str>) -> Option<String> {
    value.and_then(json::decode_string_lossy).map(Cow::into_owned).filter(|text| text.len() <= MAX_TEXT_BYTES)
}
