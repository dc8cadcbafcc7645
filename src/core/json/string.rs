//! What the strings of JSON say.

use std::borrow::Cow;

use super::cursor::Cursor;

/// What a string says; `None` for any other value, and for a string with half of a surrogate pair.
pub fn string(value: &str) -> Option<Cow<'_, str>> {
    decode(value, |_| None)
}

/// The same, where half of a surrogate pair, which a cut-off emoji leaves, becomes U+FFFD.
pub fn text(value: &str) -> Option<Cow<'_, str>> {
    decode(value, Some)
}

/// `half` says what becomes of half a pair.
fn decode(value: &str, half: fn(char) -> Option<char>) -> Option<Cow<'_, str>> {
    let has_escapes = Cursor::<true> { json: value, at: 0 }.quoted().ok()?;
    let inner = value.get(1..value.len() - 1)?;
    if !has_escapes {
        return Some(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, escape)) = cut_at_backslash(rest) {
        let (char, after) = unescape(escape)?;
        out += before;
        out.push(char.or_else(|| half(char::REPLACEMENT_CHARACTER))?);
        rest = after;
    }
    out += rest;
    Some(Cow::Owned(out))
}

/// What stands before the first backslash, and what after it.
pub(crate) fn cut_at_backslash(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == b'\\')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What the escape at the start stands for, its backslash being read, and what follows; `None` for half a pair.
pub(crate) fn unescape(rest: &str) -> Option<(Option<char>, &str)> {
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
