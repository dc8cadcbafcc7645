//! Reads the wanted members of a JSON text in one pass.
//!
//! Each value is returned as it is written in the text. No tree is built, no number is parsed, and only keys that
//! contain escapes are copied. The nesting of values is kept on the heap, so deep nesting cannot overflow the stack.

use std::borrow::Cow;

use super::{
    cursor::{Cursor, SyntaxError},
    string::decode_string,
};

/// A member to read. Fields form a tree, because a member can be an object with further members to read.
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// The index of its value in [`Members::values`].
    pub slot: usize,
    /// The members to read inside it, if its value is an object.
    pub inner: &'static [Field],
}

impl Field {
    /// A member whose value is not looked into.
    pub const fn leaf(name: &'static str, slot: usize) -> Self {
        Self { name, slot, inner: &[] }
    }
}

/// The members that were read, by [`Field::slot`]. There are at most 32 slots.
#[derive(Clone, Copy)]
pub struct Members<'a, const SLOTS: usize> {
    /// The values as they are written, also if they are `null`. `None` if the member is absent.
    pub values: [Option<&'a str>; SLOTS],
    /// One bit per slot, slot 0 the lowest: set if the member occurs more than once. The last value is kept.
    pub duplicates: u32,
    /// One bit per slot: set if the member is an object with inner fields, and one of its keys contains half of a
    /// surrogate pair as an escape.
    pub lone_surrogates: u32,
}

impl<const SLOTS: usize> Default for Members<'_, SLOTS> {
    fn default() -> Self {
        const { assert!(SLOTS <= u32::BITS as usize, "one bit per slot") };
        Self { values: [None; SLOTS], duplicates: 0, lone_surrogates: 0 }
    }
}

/// Reads the members that `root` names from a JSON text. `root` is the outermost value itself, so its name is not used.
///
/// The whole text is validated. Returns `None` if it is not JSON (RFC 8259). White space around the value is allowed. A
/// number may have any size, and a string may contain half of a surrogate pair as an escape.
pub fn read<'a, const SLOTS: usize>(json: &'a str, root: &Field) -> Option<Members<'a, SLOTS>> {
    let mut members = Members::default();
    read_into::<true, SLOTS>(json, root, &mut members).ok()?;
    Some(members)
}

/// Reads the same members from a text that another JSON parser will validate.
///
/// Values that are not asked for are skipped without validation, so this is faster than [`read`]. For a text that is
/// not JSON the result has no meaning. Returns whether the end of the text was reached.
pub fn scan<'a, const SLOTS: usize>(json: &'a str, root: &Field, members: &mut Members<'a, SLOTS>) -> bool {
    read_into::<false, SLOTS>(json, root, members).is_ok()
}

/// Returns the elements of an array, each as it is written in the text.
///
/// `json` starts at the array, as a value of [`Members`] does. Returns `None` if the value is not an array.
pub fn elements(json: &str) -> Option<Vec<&str>> {
    let mut cursor = Cursor::<true> { json, at: 0 };
    let mut elements = Vec::new();
    cursor.take(b'[').then_some(())?;
    cursor.skip_white_space();
    if cursor.take(b']') {
        return Some(elements);
    }
    loop {
        cursor.skip_white_space();
        let start = cursor.at;
        cursor.skip_checked().ok()?;
        elements.push(cursor.text_since(start).ok()?);
        cursor.skip_white_space();
        if !cursor.take(b',') {
            return cursor.take(b']').then_some(elements);
        }
    }
}

/// Decodes an array of strings, each as [`decode_string`] does. `json` is as for [`elements`]. Returns `None` for any
/// other value.
pub fn decode_strings(json: &str) -> Option<Vec<String>> {
    elements(json)?.into_iter().map(|element| decode_string(element).map(Cow::into_owned)).collect()
}

/// Returns whether a value is a number. Only its first character is checked, which is enough for a valid value.
pub fn is_number(value: &str) -> bool {
    matches!(value.as_bytes(), [b'-' | b'0'..=b'9', ..])
}

fn read_into<'a, const STRICT: bool, const SLOTS: usize>(
    json: &'a str,
    root: &Field,
    members: &mut Members<'a, SLOTS>,
) -> Result<(), SyntaxError> {
    let mut cursor = Cursor::<STRICT> { json, at: 0 };
    cursor.skip_white_space();
    cursor.read_members(root, members)?;
    cursor.skip_white_space();
    if cursor.at == json.len() { Ok(()) } else { Err(SyntaxError) }
}

impl<'a, const STRICT: bool> Cursor<'a, STRICT> {
    /// Reads the value of a field, and inside it the members that the field names. It recurses only as deep as the
    /// fields are nested, whatever the text contains.
    fn read_members<const SLOTS: usize>(
        &mut self,
        field: &Field,
        members: &mut Members<'a, SLOTS>,
    ) -> Result<(), SyntaxError> {
        // A local copy stays in registers.
        let mut cursor = *self;
        let start = cursor.at;
        match cursor.peek() {
            b'{' if !field.inner.is_empty() => {
                cursor.at += 1;
                cursor.skip_white_space();
                let mut is_done = cursor.take(b'}');
                while !is_done {
                    cursor.skip_white_space();
                    let mut wanted = field.inner.iter().find(|inner| cursor.take_key(inner.name));
                    if wanted.is_none() {
                        *self = cursor;
                        wanted = self.read_escaped_key(field, members)?;
                        cursor = *self;
                    }
                    cursor.skip_white_space();
                    cursor.expect(b':')?;
                    cursor.skip_white_space();
                    *self = cursor;
                    match wanted {
                        Some(inner) => self.read_members(inner, members)?,
                        None => self.skip_value()?,
                    }
                    cursor = *self;
                    cursor.skip_white_space();
                    is_done = !cursor.take(b',');
                    if is_done {
                        cursor.expect(b'}')?;
                    }
                }
            }
            b'"' => {
                cursor.at += 1;
                cursor.skip_string_rest()?;
            }
            _ => {
                self.skip_value()?;
                cursor = *self;
            }
        }
        *self = cursor;
        let value = self.text_since(start)?;
        if let Some(earlier) = members.values.get_mut(field.slot) {
            members.duplicates |= u32::from(earlier.replace(value).is_some()) << field.slot;
        }
        Ok(())
    }

    /// Skips the key `name` if it comes next and is written without escapes. Returns whether it did.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "called per key, in a crate that is built for size")]
    fn take_key(&mut self, name: &str) -> bool {
        let (start, end) = (self.at + 1, self.at + 1 + name.len());
        let json = self.json.as_bytes();
        let is_next =
            json.get(end) == Some(&b'"') && self.peek() == b'"' && json.get(start..end) == Some(name.as_bytes());
        self.at = if is_next { end + 1 } else { self.at };
        is_next
    }

    /// Skips a key that may be written with escapes, and returns the member of `object` that it names.
    fn read_escaped_key<const SLOTS: usize>(
        &mut self,
        object: &Field,
        members: &mut Members<'a, SLOTS>,
    ) -> Result<Option<&'static Field>, SyntaxError> {
        let start = self.at;
        if !self.skip_string()? {
            return Ok(None);
        }
        let Some(key) = decode_string(self.text_since(start)?) else {
            members.lone_surrogates |= 1 << object.slot;
            return Ok(None);
        };
        Ok(object.inner.iter().find(|field| key == field.name))
    }
}
