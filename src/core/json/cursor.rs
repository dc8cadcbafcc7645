//! A position in a text that should be JSON, and the steps that move it: over a byte, white space, a string or a value.
//!
//! Each `skip_…` function moves the cursor behind what it names. It returns [`SyntaxError`] if the text is not JSON
//! (RFC 8259) there; the position of the cursor then has no meaning. No function recurses, so no depth of nesting
//! overflows the stack.

use super::simd;

/// The text is not JSON.
pub(crate) struct SyntaxError;

/// A position in a text.
///
/// With `STRICT`, every value is validated. Without it, a value that is skipped is not validated, which is faster.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a, const STRICT: bool> {
    pub(crate) json: &'a str,
    /// The index of the next byte. It can be larger than the length of the text after [`Cursor::next`].
    pub(crate) at: usize,
}

// The small functions that run once per token are always inlined: the crate is built for size, and this is its hottest
// code.
#[expect(clippy::inline_always, reason = "measured: twice as fast, and smaller")]
impl<'a, const STRICT: bool> Cursor<'a, STRICT> {
    /// Skips one value, and validates it if the cursor is `STRICT`.
    #[inline(always)]
    pub(crate) fn skip_value(&mut self) -> Result<(), SyntaxError> {
        if STRICT { self.skip_checked() } else { self.skip_unchecked() }
    }

    /// Skips one value of a text that is assumed to be JSON.
    fn skip_unchecked(&mut self) -> Result<(), SyntaxError> {
        let mut cursor = *self;
        let mut depth = 0_usize;
        let mut in_string = false;
        loop {
            // `skip_nested` can stop inside a string. Then the rest of that string comes next.
            match if in_string { b'"' } else { cursor.next() } {
                b'"' => drop(cursor.skip_string_rest()?),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1).ok_or(SyntaxError)?,
                _ if cursor.at > cursor.json.len() => return Err(SyntaxError),
                _ if depth > 0 => {}
                _ => {
                    while !matches!(cursor.peek(), b',' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r' | 0) {
                        cursor.at += 1;
                    }
                }
            }
            if depth > 0 {
                let (skipped, stops_in_string) = simd::skip_nested(cursor.rest(), &mut depth);
                cursor.at += skipped;
                in_string = stops_in_string;
            }
            if depth == 0 {
                *self = cursor;
                return Ok(());
            }
        }
    }

    /// Skips one value of any depth and validates it.
    pub(crate) fn skip_checked(&mut self) -> Result<(), SyntaxError> {
        // A local copy stays in registers.
        let mut cursor = *self;
        let mut nesting = Nesting::default();
        let mut expects_key = false;
        loop {
            match cursor.next() {
                b'"' => {
                    cursor.skip_string_rest()?;
                    if expects_key {
                        cursor.skip_white_space();
                        cursor.expect(b':')?;
                        cursor.skip_white_space();
                        expects_key = false;
                        continue;
                    }
                }
                _ if expects_key => return Err(SyntaxError),
                open @ (b'{' | b'[') => {
                    let is_object = open == b'{';
                    cursor.skip_white_space();
                    if !cursor.take(closing_bracket(is_object)) {
                        nesting.enter(is_object);
                        expects_key = is_object;
                        continue;
                    }
                }
                b't' => cursor = cursor.skip_literal(b"rue")?,
                b'f' => cursor = cursor.skip_literal(b"alse")?,
                b'n' => cursor = cursor.skip_literal(b"ull")?,
                first => cursor.skip_number_rest(first)?,
            }
            // A value has ended. The objects and arrays around it may end here too.
            loop {
                let Some(is_object) = nesting.is_in_object() else {
                    *self = cursor;
                    return Ok(());
                };
                cursor.skip_white_space();
                let next = cursor.next();
                if next == b',' {
                    cursor.skip_white_space();
                    expects_key = is_object;
                    break;
                }
                if next != closing_bracket(is_object) {
                    return Err(SyntaxError);
                }
                nesting.leave();
            }
        }
    }

    /// Skips a string. Returns whether it contains escapes.
    pub(crate) fn skip_string(&mut self) -> Result<bool, SyntaxError> {
        let mut cursor = *self;
        cursor.expect(b'"')?;
        let has_escapes = cursor.skip_string_rest()?;
        *self = cursor;
        Ok(has_escapes)
    }

    /// Skips a string whose first quote has been read. Returns whether it contains escapes.
    #[inline(always)]
    pub(crate) fn skip_string_rest(&mut self) -> Result<bool, SyntaxError> {
        let mut has_escapes = false;
        loop {
            while let Some(chunk) = self.rest().first_chunk() {
                if let Some(position) = simd::position_of_special(chunk) {
                    self.at += position;
                    break;
                }
                self.at += chunk.len();
            }
            match self.next() {
                b'"' => return Ok(has_escapes),
                b'\\' => {
                    has_escapes = true;
                    *self = self.skip_escape_rest()?;
                }
                0..b' ' => return Err(SyntaxError),
                _ => {}
            }
        }
    }

    /// Skips an escape whose backslash has been read.
    fn skip_escape_rest(mut self) -> Result<Self, SyntaxError> {
        match self.next() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(self),
            b'u' if (0..4).all(|_| self.next().is_ascii_hexdigit()) => Ok(self),
            _ => Err(SyntaxError),
        }
    }

    /// Skips a number whose first character has been read.
    #[inline(always)]
    fn skip_number_rest(&mut self, first: u8) -> Result<(), SyntaxError> {
        let first = if first == b'-' { self.next() } else { first };
        if !first.is_ascii_digit() {
            return Err(SyntaxError);
        }
        while first != b'0' && self.take_digit() {}
        if matches!(self.peek(), b'.' | b'e' | b'E') {
            *self = self.skip_fraction()?;
        }
        Ok(())
    }

    /// Skips a fraction, an exponent, or both.
    fn skip_fraction(mut self) -> Result<Self, SyntaxError> {
        if self.take(b'.') {
            self = self.skip_digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self = self.skip_digits()?;
        }
        Ok(self)
    }

    /// Skips at least one digit.
    fn skip_digits(mut self) -> Result<Self, SyntaxError> {
        let start = self.at;
        while self.take_digit() {}
        if self.at == start { Err(SyntaxError) } else { Ok(self) }
    }

    /// Skips a digit if one comes next, and returns whether it did.
    #[inline(always)]
    fn take_digit(&mut self) -> bool {
        let is_digit = self.peek().is_ascii_digit();
        self.at += usize::from(is_digit);
        is_digit
    }

    /// Skips `word`, the rest of `true`, `false` or `null` after its first letter.
    fn skip_literal(mut self, word: &[u8]) -> Result<Self, SyntaxError> {
        self.at += word.len();
        if self.json.as_bytes().get(self.at - word.len()..self.at) == Some(word) { Ok(self) } else { Err(SyntaxError) }
    }

    #[inline(always)]
    pub(crate) fn skip_white_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    /// Skips `byte`, which must come next.
    #[inline(always)]
    pub(crate) fn expect(&mut self, byte: u8) -> Result<(), SyntaxError> {
        if self.next() == byte { Ok(()) } else { Err(SyntaxError) }
    }

    /// Skips `byte` if it comes next, and returns whether it did.
    #[inline(always)]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == byte;
        self.at += usize::from(is_next);
        is_next
    }

    /// Skips one byte and returns it. At the end of the text it returns NUL.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> u8 {
        let next = self.peek();
        self.at += 1;
        next
    }

    /// Returns the next byte. At the end of the text it returns NUL, which never occurs in JSON.
    #[inline(always)]
    pub(crate) fn peek(&self) -> u8 {
        self.json.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn rest(&self) -> &'a [u8] {
        self.json.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Returns the text between `start` and the cursor.
    pub(crate) fn text_since(&self, start: usize) -> Result<&'a str, SyntaxError> {
        self.json.get(start..self.at).ok_or(SyntaxError)
    }
}

const fn closing_bracket(is_object: bool) -> u8 {
    if is_object { b'}' } else { b']' }
}

/// The objects and arrays around the cursor: one bit for each, set for an object.
///
/// The text decides how deep they are nested. One bit per level keeps a deep text from using much memory.
#[derive(Default)]
struct Nesting {
    depth: usize,
    /// The innermost levels, at most 64. The lowest bit is the innermost one.
    bits: u64,
    /// The other levels, in groups of 64.
    outer: Vec<u64>,
}

impl Nesting {
    fn enter(&mut self, is_object: bool) {
        if self.depth.is_multiple_of(64) && self.depth > 0 {
            self.outer.push(self.bits);
        }
        self.bits = self.bits << 1 | u64::from(is_object);
        self.depth += 1;
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.bits = if self.depth.is_multiple_of(64) { self.outer.pop().unwrap_or_default() } else { self.bits >> 1 };
    }

    /// Returns whether the innermost level is an object, and `None` outside every object and array.
    fn is_in_object(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.bits & 1 == 1)
    }
}
