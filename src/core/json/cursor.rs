//! A place in a text that is JSON or is not, and how it moves on: over a token, a string, a whole value.

use super::simd;

/// Not JSON.
pub(crate) struct Syntax;

/// `STRICT` judges what it passes.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a, const STRICT: bool> {
    pub(crate) json: &'a str,
    pub(crate) at: usize,
}

// What is small and called per token is always inlined: the crate is built for size, and this is the hot loop.
#[expect(clippy::inline_always, reason = "measured: twice as fast, and smaller")]
impl<'a, const STRICT: bool> Cursor<'a, STRICT> {
    #[inline(always)]
    pub(crate) fn skip_value(&mut self) -> Result<(), Syntax> {
        if STRICT { self.skip_checked() } else { self.skip_unchecked() }
    }

    /// Passes one value, which is taken to be JSON.
    fn skip_unchecked(&mut self) -> Result<(), Syntax> {
        let mut cursor = *self;
        let mut depth = 0_usize;
        let mut in_string = false;
        loop {
            // In a string that was stopped in, it goes on as if its first quote had just been passed.
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
            if depth > 0 {
                let (passed, stops_in_string) = simd::skip_nested(cursor.rest(), &mut depth);
                cursor.at += passed;
                in_string = stops_in_string;
            }
            if depth == 0 {
                *self = cursor;
                return Ok(());
            }
        }
    }

    /// Passes one value, however deep.
    pub(crate) fn skip_checked(&mut self) -> Result<(), Syntax> {
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
                b't' => cursor = cursor.literal(b"rue")?,
                b'f' => cursor = cursor.literal(b"alse")?,
                b'n' => cursor = cursor.literal(b"ull")?,
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
    pub(crate) fn quoted(&mut self) -> Result<bool, Syntax> {
        let mut cursor = *self;
        cursor.expect(b'"')?;
        let escaped = cursor.string()?;
        *self = cursor;
        Ok(escaped)
    }

    /// The rest of a string, its first quote being passed; says whether it has escapes.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Result<bool, Syntax> {
        let mut escaped = false;
        loop {
            while let Some(chunk) = self.rest().first_chunk() {
                if let Some(plain) = simd::position_of_special(chunk) {
                    self.at += plain;
                    break;
                }
                self.at += chunk.len();
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

    fn literal(mut self, word: &[u8]) -> Result<Self, Syntax> {
        self.at += word.len();
        if self.json.as_bytes().get(self.at - word.len()..self.at) == Some(word) { Ok(self) } else { Err(Syntax) }
    }

    #[inline(always)]
    pub(crate) fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    #[inline(always)]
    pub(crate) fn expect(&mut self, byte: u8) -> Result<(), Syntax> {
        if self.next() == byte { Ok(()) } else { Err(Syntax) }
    }

    #[inline(always)]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == byte;
        self.at += usize::from(taken);
        taken
    }

    #[inline(always)]
    pub(crate) fn next(&mut self) -> u8 {
        let next = self.peek();
        self.at += 1;
        next
    }

    /// The byte that comes next; at the end NUL, which no JSON has.
    #[inline(always)]
    pub(crate) fn peek(&self) -> u8 {
        self.json.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn rest(&self) -> &'a [u8] {
        self.json.as_bytes().get(self.at..).unwrap_or_default()
    }

    pub(crate) fn since(&self, start: usize) -> Result<&'a str, Syntax> {
        self.json.get(start..self.at).ok_or(Syntax)
    }
}

const fn closer(object: bool) -> u8 {
    if object { b'}' } else { b']' }
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
