//! Reads the members of a JSON text that are asked for, in place and in one pass.
//!
//! Each value is handed out as it is written in the text. No tree is built and no number is parsed. Only strings that
//! contain escapes are copied. Deep nesting uses heap, not stack, so it cannot overflow.

use super::{
    cursor::{Cursor, Syntax},
    string::string,
};

/// A member to read.
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// The index of its value in [`Members::values`].
    pub slot: usize,
    /// The members to read inside it, if its value is an object.
    pub inner: &'static [Field],
}

/// The members that were read, by slot.
#[derive(Clone, Copy)]
pub struct Members<'a, const SLOTS: usize> {
    /// The values as they are written; `null` included. `None` if the member is absent.
    pub values: [Option<&'a str>; SLOTS],
    /// One bit per slot, slot 0 the lowest: set if the key occurs more than once in its object.
    pub duplicates: u32,
    /// One bit per slot: set if the value is an object in which some key contains half of a surrogate pair.
    pub lone_surrogates: u32,
}

impl<const SLOTS: usize> Default for Members<'_, SLOTS> {
    fn default() -> Self {
        const { assert!(SLOTS <= u32::BITS as usize, "a bit for each") };
        Self { values: [None; SLOTS], duplicates: 0, lone_surrogates: 0 }
    }
}

/// Reads the members that `whole` names from a JSON text; `whole` stands for the text's outermost value and has no name.
///
/// Returns `None` if the text is not JSON (RFC 8259). White space around the value is allowed.
pub fn read<'a, const SLOTS: usize>(json: &'a str, whole: &Field) -> Option<Members<'a, SLOTS>> {
    let mut members = Members::default();
    read_into::<true, SLOTS>(json, whole, &mut members).ok()?;
    Some(members)
}

/// Reads the same members from a text that another JSON parser will validate.
///
/// Values that are not asked for are skipped without validation, so this is faster than [`read`]. For a text that is not
/// JSON the result has no meaning. Returns whether the end of the text was reached.
pub fn scan<'a, const SLOTS: usize>(json: &'a str, whole: &Field, members: &mut Members<'a, SLOTS>) -> bool {
    read_into::<false, SLOTS>(json, whole, members).is_ok()
}

/// The elements of an array, each as it is written.
pub fn elements(json: &str) -> Option<Vec<&str>> {
    let mut cursor = Cursor::<true> { json, at: 0 };
    let mut elements = Vec::new();
    cursor.take(b'[').then_some(())?;
    cursor.space();
    if cursor.take(b']') {
        return Some(elements);
    }
    loop {
        cursor.space();
        let start = cursor.at;
        cursor.skip_checked().ok()?;
        elements.push(cursor.since(start).ok()?);
        cursor.space();
        if !cursor.take(b',') {
            return cursor.take(b']').then_some(elements);
        }
    }
}

/// Whether a value is a number, by its first character.
pub fn is_number(value: &str) -> bool {
    matches!(value.as_bytes(), [b'-' | b'0'..=b'9', ..])
}

fn read_into<'a, const STRICT: bool, const SLOTS: usize>(
    json: &'a str,
    whole: &Field,
    members: &mut Members<'a, SLOTS>,
) -> Result<(), Syntax> {
    let mut cursor = Cursor::<STRICT> { json, at: 0 };
    cursor.space();
    cursor.read_members(whole, members)?;
    cursor.space();
    if cursor.at == json.len() { Ok(()) } else { Err(Syntax) }
}

impl<'a, const STRICT: bool> Cursor<'a, STRICT> {
    /// Reads the value of a field and the members that the field asks for. Recurses only as deep as fields are nested.
    fn read_members<const SLOTS: usize>(
        &mut self,
        field: &Field,
        members: &mut Members<'a, SLOTS>,
    ) -> Result<(), Syntax> {
        // A local copy stays in registers.
        let mut cursor = *self;
        let start = cursor.at;
        match cursor.peek() {
            b'{' if !field.inner.is_empty() => {
                cursor.at += 1;
                cursor.space();
                let mut is_done = cursor.take(b'}');
                while !is_done {
                    cursor.space();
                    let mut wanted = field.inner.iter().find(|inner| cursor.take_key(inner.name));
                    if wanted.is_none() {
                        *self = cursor;
                        wanted = self.read_escaped_key(field, members)?;
                        cursor = *self;
                    }
                    cursor.space();
                    cursor.expect(b':')?;
                    cursor.space();
                    *self = cursor;
                    match wanted {
                        Some(inner) => self.read_members(inner, members)?,
                        None => self.skip_value()?,
                    }
                    cursor = *self;
                    cursor.space();
                    is_done = !cursor.take(b',');
                    if is_done {
                        cursor.expect(b'}')?;
                    }
                }
            }
            b'"' => {
                cursor.at += 1;
                cursor.string()?;
            }
            _ => {
                self.skip_value()?;
                cursor = *self;
            }
        }
        *self = cursor;
        let value = self.since(start)?;
        if let Some(known) = members.values.get_mut(field.slot) {
            members.duplicates |= u32::from(known.replace(value).is_some()) << field.slot;
        }
        Ok(())
    }

    /// Takes the key `name` if it comes next and is written without escapes.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "called per key, in a crate that is built for size")]
    fn take_key(&mut self, name: &str) -> bool {
        let (start, end) = (self.at + 1, self.at + 1 + name.len());
        let json = self.json.as_bytes();
        let is_it =
            json.get(end) == Some(&b'"') && self.peek() == b'"' && json.get(start..end) == Some(name.as_bytes());
        self.at = if is_it { end + 1 } else { self.at };
        is_it
    }

    /// Takes any other key and returns the field that it names. A key may be written with escapes.
    fn read_escaped_key<const SLOTS: usize>(
        &mut self,
        of: &Field,
        members: &mut Members<'a, SLOTS>,
    ) -> Result<Option<&'static Field>, Syntax> {
        let start = self.at;
        if !self.quoted()? {
            return Ok(None);
        }
        let Some(key) = string(self.since(start)?) else {
            members.lone_surrogates |= 1 << of.slot;
            return Ok(None);
        };
        Ok(of.inner.iter().find(|field| key == field.name))
    }
}
