//! JSON read in place, in one pass: the members that are wanted are found in the text and handed out as they are written.
//! No tree is built, no number is parsed, nothing is copied but strings that have escapes, no depth overflows the stack.

use std::borrow::Cow;

/// A member that is wanted.
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// Where it goes among what is found.
    pub slot: usize,
    /// The members wanted of it, if it is an object.
    pub inner: &'static [Field],
}

/// What became of a member that is wanted.
#[derive(Clone, Copy, Default)]
pub struct Found<'a> {
    /// The value as it is written, null too.
    pub value: Option<&'a str>,
    /// Whether the key stands twice in its object.
    pub twice: bool,
    /// Whether the value is an object with half of a surrogate pair in a key.
    pub half_pair: bool,
}

/// Finds what `whole`, which has no key, wants of the text; the rest is skipped. `None` if this is not JSON. White space
/// may surround it.
pub fn find<'a, const SLOTS: usize>(json: &'a str, whole: &Field) -> Option<[Found<'a>; SLOTS]> {
    let mut found = [Found::default(); SLOTS];
    find_into::<true>(json, whole, &mut found).ok()?;
    Some(found)
}

/// The same of a text that another parser is about to judge: of what is not wanted, only strings and brackets are looked
/// at. What this makes of a text that is not JSON means nothing. Says whether it got to the end; `found` is where what is found goes.
pub fn skim<'a>(json: &'a str, whole: &Field, found: &mut [Found<'a>]) -> bool {
    find_into::<false>(json, whole, found).is_ok()
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
    value.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// What a string says; `None` for any other value, and for a string with half of a surrogate pair.
pub fn string(value: &str) -> Option<Cow<'_, str>> {
    decode(value, |_| None)
}

/// The same, where half of a surrogate pair, which a cut-off emoji leaves, becomes U+FFFD.
pub fn text(value: &str) -> Option<Cow<'_, str>> {
    decode(value, Some)
}

fn find_into<'a, const STRICT: bool>(json: &'a str, whole: &Field, found: &mut [Found<'a>]) -> Result<(), Syntax> {
    let mut cursor = Cursor::<STRICT> { json, at: 0 };
    cursor.space();
    cursor.find(whole, found)?;
    cursor.space();
    if cursor.at == json.len() { Ok(()) } else { Err(Syntax) }
}

/// `half` says what becomes of half a pair.
fn decode(value: &str, half: fn(char) -> Option<char>) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.bytes().any(|byte| byte == b'\\') {
        return Some(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.bytes().position(|byte| byte == b'\\') {
        out.push_str(rest.get(..at)?);
        let (char, after) = escaped(rest.get(at + 1..)?)?;
        out.push(char.or_else(|| half(char::REPLACEMENT_CHARACTER))?);
        rest = after;
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}

/// What the escape at the start stands for, its backslash being read, and what follows; `None` for half a pair.
fn escaped(rest: &str) -> Option<(Option<char>, &str)> {
    let (letter, after) = rest.split_at_checked(1)?;
    let char = match letter {
        "b" => '\u{8}',
        "f" => '\u{c}',
        "n" => '\n',
        "r" => '\r',
        "t" => '\t',
        "u" => return unicode(after),
        itself => itself.chars().next()?,
    };
    Some((Some(char), after))
}

/// The same for four hex digits, and the escape of the other half after them.
fn unicode(rest: &str) -> Option<(Option<char>, &str)> {
    let (unit, after) = unit(rest)?;
    if let Some((low, after)) = after.strip_prefix("\\u").and_then(self::unit)
        && (unit >> 10, low >> 10) == (0xD800 >> 10, 0xDC00 >> 10)
    {
        return Some((char::from_u32(0x1_0000 + ((unit & 0x3FF) << 10) + (low & 0x3FF)), after));
    }
    Some((char::from_u32(unit), after))
}

fn unit(rest: &str) -> Option<(u32, &str)> {
    let (digits, after) = rest.split_at_checked(4)?;
    Some((u32::from_str_radix(digits, 16).ok()?, after))
}

/// Not JSON.
struct Syntax;

/// `STRICT` judges what it passes.
#[derive(Clone, Copy)]
struct Cursor<'a, const STRICT: bool> {
    json: &'a str,
    at: usize,
}

// What is small and called per token is always inlined: the crate is built for size, and this is the hot loop.
#[expect(clippy::inline_always, reason = "measured: twice as fast, and smaller")]
impl<'a, const STRICT: bool> Cursor<'a, STRICT> {
    /// Passes the value of a field, noting what is found in it. Goes no deeper than fields do.
    fn find(&mut self, field: &Field, found: &mut [Found<'a>]) -> Result<(), Syntax> {
        let start = self.at;
        match self.peek() {
            b'{' if !field.inner.is_empty() => {
                self.at += 1;
                self.space();
                if !self.take(b'}') {
                    self.find_members(field, found)?;
                }
            }
            b'"' => drop(self.quoted()?),
            _ => self.pass()?,
        }
        let value = self.since(start)?;
        if let Some(found) = found.get_mut(field.slot) {
            found.twice = found.value.replace(value).is_some();
        }
        Ok(())
    }

    fn find_members(&mut self, of: &Field, found: &mut [Found<'a>]) -> Result<(), Syntax> {
        loop {
            self.space();
            let start = self.at;
            let key = if self.quoted()? { string(self.since(start)?) } else { self.between(start).map(Cow::Borrowed) };
            if let (None, Some(object)) = (&key, found.get_mut(of.slot)) {
                object.half_pair = true;
            }
            self.space();
            self.expect(b':')?;
            self.space();
            match of.inner.iter().find(|field| key.as_deref() == Some(field.name)) {
                Some(field) => self.find(field, found)?,
                None => self.pass()?,
            }
            self.space();
            if !self.take(b',') {
                return self.expect(b'}');
            }
        }
    }

    #[inline(always)]
    fn pass(&mut self) -> Result<(), Syntax> {
        if STRICT { self.skip() } else { self.leap() }
    }

    /// Passes one value, which is taken to be JSON.
    fn leap(&mut self) -> Result<(), Syntax> {
        let mut cursor = *self;
        let mut depth = 0_usize;
        let mut in_string = false;
        loop {
            match if in_string { b'"' } else { cursor.next() } {
                b'"' => drop(cursor.string()?),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1).ok_or(Syntax)?,
                _ if cursor.at > cursor.json.len() => return Err(Syntax),
                _ if depth > 0 => {}
                _ => {
                    while !matches!(cursor.peek(), b',' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r' | 0) {
                        cursor.at += 1;
                    }
                }
            }
            in_string = depth > 0 && cursor.glide(&mut depth);
            if depth == 0 {
                *self = cursor;
                return Ok(());
            }
        }
    }

    /// Passes what is nested, out to where nothing is, sixteen bytes at a time, or as far as that goes: an escape, or the end of the
    /// text, may be near. Says whether it ends within a string. Where the build has no vectors, it goes nowhere.
    #[cfg(target_feature = "simd128")]
    #[inline(always)]
    fn glide(&mut self, depth: &mut usize) -> bool {
        use std::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_splat, v128_any_true, v128_or};
        // Of bytes in a string all bits, else none.
        let mut strings = 0_u32;
        while let Some(bytes) = self.rest().first_chunk().map(vector) {
            let quotes = u8x16_eq(bytes, u8x16_splat(b'"'));
            let backslashes = u8x16_eq(bytes, u8x16_splat(b'\\'));
            if v128_any_true(backslashes) {
                break;
            }
            if strings == 0 || v128_any_true(quotes) {
                // A bit for each byte: whether the number of quotes up to it is odd, so that it is in a string.
                let mut odd = u32::from(u8x16_bitmask(quotes));
                for step in [1, 2, 4, 8] {
                    odd ^= odd << step;
                }
                odd ^= strings;
                // Brackets and braces differ by one bit.
                let bytes = v128_or(bytes, u8x16_splat(b'{' ^ b'['));
                let opening = u32::from(u8x16_bitmask(u8x16_eq(bytes, u8x16_splat(b'{')))) & !odd;
                let closing = u32::from(u8x16_bitmask(u8x16_eq(bytes, u8x16_splat(b'}')))) & !odd;
                let closed = closing.count_ones() as usize;
                if closed >= *depth {
                    let mut both = opening | closing;
                    while both != 0 {
                        let last = both & both.wrapping_neg();
                        both ^= last;
                        if opening & last != 0 {
                            *depth += 1;
                        } else {
                            *depth -= 1;
                            if *depth == 0 {
                                self.at += last.trailing_zeros() as usize + 1;
                                return false;
                            }
                        }
                    }
                } else {
                    *depth = *depth + opening.count_ones() as usize - closed;
                }
                strings = if odd & 1 << 15 == 0 { 0 } else { u32::MAX };
            }
            self.at += 16;
        }
        strings != 0
    }

    #[cfg(not(target_feature = "simd128"))]
    #[expect(clippy::unused_self, reason = "as where there are vectors")]
    fn glide(&mut self, _: &mut usize) -> bool {
        false
    }

    /// Passes one value, however deep.
    fn skip(&mut self) -> Result<(), Syntax> {
        // A copy, which stays in registers.
        let mut cursor = *self;
        let mut nesting = Nesting::default();
        let mut key_is_due = false;
        loop {
            match cursor.next() {
                b'"' => {
                    cursor.string()?;
                    if key_is_due {
                        cursor.space();
                        cursor.expect(b':')?;
                        cursor.space();
                        key_is_due = false;
                        continue;
                    }
                }
                _ if key_is_due => return Err(Syntax),
                open @ (b'{' | b'[') => {
                    let object = open == b'{';
                    cursor.space();
                    if !cursor.take(closer(object)) {
                        nesting.enter(object);
                        key_is_due = object;
                        continue;
                    }
                }
                b't' => cursor = cursor.word(b"rue")?,
                b'f' => cursor = cursor.word(b"alse")?,
                b'n' => cursor = cursor.word(b"ull")?,
                first => cursor.number(first)?,
            }
            // A value has ended, and with it perhaps what it stands in.
            loop {
                let Some(object) = nesting.inside_object() else {
                    *self = cursor;
                    return Ok(());
                };
                cursor.space();
                let next = cursor.next();
                if next == b',' {
                    cursor.space();
                    key_is_due = object;
                    break;
                }
                if next != closer(object) {
                    return Err(Syntax);
                }
                nesting.leave();
            }
        }
    }

    /// A whole string; says whether it has escapes.
    fn quoted(&mut self) -> Result<bool, Syntax> {
        let mut cursor = *self;
        cursor.expect(b'"')?;
        let escaped = cursor.string()?;
        *self = cursor;
        Ok(escaped)
    }

    /// The rest of a string, its first quote being passed; says whether it has escapes.
    #[inline(always)]
    fn string(&mut self) -> Result<bool, Syntax> {
        let mut escaped = false;
        let start = self.at;
        loop {
            while let Some(eight) = self.rest().first_chunk::<8>() {
                let plain = plain(*eight);
                self.at += plain;
                if plain < 8 {
                    break;
                }
                if self.at >= start + 16 {
                    self.at += long_plain(self.rest());
                }
            }
            match self.next() {
                b'"' => return Ok(escaped),
                b'\\' => {
                    escaped = true;
                    *self = self.escape()?;
                }
                0..b' ' => return Err(Syntax),
                _ => {}
            }
        }
    }

    fn escape(mut self) -> Result<Self, Syntax> {
        match self.next() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(self),
            b'u' if (0..4).all(|_| self.next().is_ascii_hexdigit()) => Ok(self),
            _ => Err(Syntax),
        }
    }

    /// The rest of a number, its first character being passed.
    #[inline(always)]
    fn number(&mut self, first: u8) -> Result<(), Syntax> {
        let first = if first == b'-' { self.next() } else { first };
        if !first.is_ascii_digit() {
            return Err(Syntax);
        }
        while first != b'0' && self.digit() {}
        if matches!(self.peek(), b'.' | b'e' | b'E') {
            *self = self.fraction()?;
        }
        Ok(())
    }

    /// A fraction, an exponent, or both.
    fn fraction(mut self) -> Result<Self, Syntax> {
        if self.take(b'.') {
            self = self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self = self.digits()?;
        }
        Ok(self)
    }

    fn digits(mut self) -> Result<Self, Syntax> {
        let start = self.at;
        while self.digit() {}
        if self.at == start { Err(Syntax) } else { Ok(self) }
    }

    #[inline(always)]
    fn digit(&mut self) -> bool {
        let digit = self.peek().is_ascii_digit();
        self.at += usize::from(digit);
        digit
    }

    fn word(mut self, word: &[u8]) -> Result<Self, Syntax> {
        self.at += word.len();
        if self.json.as_bytes().get(self.at - word.len()..self.at) == Some(word) { Ok(self) } else { Err(Syntax) }
    }

    #[inline(always)]
    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Result<(), Syntax> {
        if self.next() == byte { Ok(()) } else { Err(Syntax) }
    }

    #[inline(always)]
    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == byte;
        self.at += usize::from(taken);
        taken
    }

    #[inline(always)]
    fn next(&mut self) -> u8 {
        let next = self.peek();
        self.at += 1;
        next
    }

    /// The byte that comes next; at the end NUL, which no JSON has.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.json.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn rest(&self) -> &'a [u8] {
        self.json.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// What a string says that began at `start` and has no escapes.
    fn between(&self, start: usize) -> Option<&'a str> {
        self.json.get(start + 1..self.at - 1)
    }

    fn since(&self, start: usize) -> Result<&'a str, Syntax> {
        self.json.get(start..self.at).ok_or(Syntax)
    }
}

const fn closer(object: bool) -> u8 {
    if object { b'}' } else { b']' }
}

/// How many of eight bytes, from the first, are neither quote, backslash nor control character. All are looked at together.
#[inline(always)]
fn plain(bytes: [u8; 8]) -> usize {
    const ONES: u64 = u64::MAX / 0xFF;
    const QUOTES: u64 = ONES * b'"' as u64;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    const BLANKS: u64 = ONES * b' ' as u64;
    let bytes = u64::from_le_bytes(bytes);
    // A difference goes below zero, into its highest bit, for what is special; that of bytes after the first may be wrong.
    let quotes = (bytes ^ QUOTES).wrapping_sub(ONES);
    let backslashes = (bytes ^ BACKSLASHES).wrapping_sub(ONES);
    let controls = bytes.wrapping_sub(BLANKS);
    let special = (quotes | backslashes | controls) & !bytes & (ONES << 7);
    special.trailing_zeros() as usize / 8
}

/// How many bytes are plain at the start of a long text, sixteen at a time, where the build has vectors.
#[cfg(target_feature = "simd128")]
#[inline(never)]
fn long_plain(bytes: &[u8]) -> usize {
    use std::arch::wasm32::{u8x16_eq, u8x16_lt, u8x16_splat, v128_any_true, v128_or};
    let (chunks, _) = bytes.as_chunks();
    let is_plain = |bytes: &&[u8; 16]| {
        let bytes = vector(bytes);
        let quotes = u8x16_eq(bytes, u8x16_splat(b'"'));
        let backslashes = u8x16_eq(bytes, u8x16_splat(b'\\'));
        let controls = u8x16_lt(bytes, u8x16_splat(b' '));
        !v128_any_true(v128_or(v128_or(quotes, backslashes), controls))
    };
    16 * chunks.iter().take_while(is_plain).count()
}

#[cfg(target_feature = "simd128")]
#[inline(always)]
fn vector(bytes: &[u8; 16]) -> std::arch::wasm32::v128 {
    let all = u128::from_le_bytes(*bytes);
    #[expect(clippy::cast_possible_truncation, reason = "halves")]
    std::arch::wasm32::u64x2(all as u64, (all >> 64) as u64)
}

#[cfg(not(target_feature = "simd128"))]
fn long_plain(_: &[u8]) -> usize {
    0
}

/// Which of the objects and arrays that are open are objects: a bit for each, the innermost lowest.
#[derive(Default)]
struct Nesting {
    depth: usize,
    bits: u64,
    outer: Vec<u64>,
}

impl Nesting {
    fn enter(&mut self, object: bool) {
        if self.depth.is_multiple_of(64) && self.depth > 0 {
            self.outer.push(self.bits);
        }
        self.bits = self.bits << 1 | u64::from(object);
        self.depth += 1;
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.bits = if self.depth.is_multiple_of(64) { self.outer.pop().unwrap_or_default() } else { self.bits >> 1 };
    }

    /// `None` outside of all.
    fn inside_object(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.bits & 1 == 1)
    }
}
