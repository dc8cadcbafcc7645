//! JSON read in place, in one pass: the members that are wanted are found in the text and handed out as they are written.
//! No tree is built, no number is parsed, nothing is copied but strings that have escapes, no depth overflows the stack.

use super::{
    cursor::{Cursor, Syntax},
    string::string,
};

/// A member that is wanted.
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// Where it goes among what is found: its place, below the number of slots.
    pub slot: usize,
    /// The members wanted of it, if it is an object.
    pub inner: &'static [Field],
}

/// What became of the members that are wanted, by slot.
#[derive(Clone, Copy)]
pub struct Found<'a, const SLOTS: usize> {
    /// The values as they are written, null too.
    pub values: [Option<&'a str>; SLOTS],
    /// A bit for each slot, the first one's the lowest: whether its key stands twice in its object.
    pub twice: u32,
    /// The same: whether the value is an object with half of a surrogate pair in a key.
    pub half_pair: u32,
}

impl<const SLOTS: usize> Default for Found<'_, SLOTS> {
    fn default() -> Self {
        const { assert!(SLOTS <= u32::BITS as usize, "a bit for each") };
        Self { values: [None; SLOTS], twice: 0, half_pair: 0 }
    }
}

/// Finds what `whole`, which has no key, wants of the text; the rest is skipped. `None` if this is not JSON. White space
/// may surround it.
pub fn find<'a, const SLOTS: usize>(json: &'a str, whole: &Field) -> Option<Found<'a, SLOTS>> {
    let mut found = Found::default();
    find_into::<true, SLOTS>(json, whole, &mut found).ok()?;
    Some(found)
}

/// The same of a text that another parser is about to judge: of what is not wanted, only strings and brackets are looked
/// at. What this makes of a text that is not JSON means nothing. Says whether it got to the end; `found` is where what is found goes.
pub fn skim<'a, const SLOTS: usize>(json: &'a str, whole: &Field, found: &mut Found<'a, SLOTS>) -> bool {
    find_into::<false, SLOTS>(json, whole, found).is_ok()
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
        cursor.skip().ok()?;
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

fn find_into<'a, const STRICT: bool, const SLOTS: usize>(
    json: &'a str,
    whole: &Field,
    found: &mut Found<'a, SLOTS>,
) -> Result<(), Syntax> {
    let mut cursor = Cursor::<STRICT> { json, at: 0 };
    cursor.space();
    cursor.find(whole, found)?;
    cursor.space();
    if cursor.at == json.len() { Ok(()) } else { Err(Syntax) }
}

impl<'a, const STRICT: bool> Cursor<'a, STRICT> {
    /// Passes the value of a field, noting what is found in it. Goes no deeper than fields do.
    fn find<const SLOTS: usize>(&mut self, field: &Field, found: &mut Found<'a, SLOTS>) -> Result<(), Syntax> {
        // A copy, which stays in registers.
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
                        wanted = self.find_escaped(field, found)?;
                        cursor = *self;
                    }
                    cursor.space();
                    cursor.expect(b':')?;
                    cursor.space();
                    *self = cursor;
                    match wanted {
                        Some(inner) => self.find(inner, found)?,
                        None => self.pass()?,
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
                self.pass()?;
                cursor = *self;
            }
        }
        *self = cursor;
        let value = self.since(start)?;
        if let Some(known) = found.values.get_mut(field.slot) {
            found.twice |= u32::from(known.replace(value).is_some()) << field.slot;
        }
        Ok(())
    }

    /// Passes a key that is written as it is named, if this is it.
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

    /// Passes any other key, which may be written with escapes.
    fn find_escaped<const SLOTS: usize>(
        &mut self,
        of: &Field,
        found: &mut Found<'a, SLOTS>,
    ) -> Result<Option<&'static Field>, Syntax> {
        let start = self.at;
        if !self.quoted()? {
            return Ok(None);
        }
        let Some(key) = string(self.since(start)?) else {
            found.half_pair |= 1 << of.slot;
            return Ok(None);
        };
        Ok(of.inner.iter().find(|field| key == field.name))
    }
}
