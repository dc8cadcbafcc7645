//! Decodes JSON strings into the text that they stand for (RFC 8259 §7).
//!
//! JSON can escape half of a surrogate pair, `"\ud83d"` for example, which no text can contain. It occurs where a
//! program has cut a text in the middle of an emoji.

use std::borrow::Cow;

use super::cursor::Cursor;

/// Decodes a string, quotes included. Returns `None` for any other value, and for a string with half of a surrogate
/// pair.
///
/// Use this for ids and other text that programs compare. Only a string with escapes is copied.
pub fn decode_string(value: &str) -> Option<Cow<'_, str>> {
    decode(value, |_| None)
}

/// Decodes a string, quotes included, with U+FFFD in place of half of a surrogate pair. Returns `None` for any other
/// value.
///
/// Use this for text that people read. Only a string with escapes is copied.
pub fn decode_string_lossy(value: &str) -> Option<Cow<'_, str>> {
    decode(value, Some)
}

/// `replace` receives U+FFFD and returns what stands for half of a surrogate pair, or `None` to give up.
fn decode(value: &str, replace: fn(char) -> Option<char>) -> Option<Cow<'_, str>> {
    let has_escapes = Cursor::<true> { json: value, at: 0 }.skip_string().ok()?;
    let inner = value.get(1..value.len() - 1)?;
    if !has_escapes {
        return Some(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, escape)) = split_at_backslash(rest) {
        let (char, after) = decode_escape(escape)?;
        out += before;
        out.push(char.or_else(|| replace(char::REPLACEMENT_CHARACTER))?);
        rest = after;
    }
    out += rest;
    Some(Cow::Owned(out))
}

/// Applies `map` to each string of a JSON text, keys included, and leaves everything else as it is.
///
/// `json` is valid JSON, or a part of it that begins and ends outside of strings.
pub(crate) fn map_strings(json: &str, map: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(json.len());
    let mut cursor = Cursor::<true> { json, at: 0 };
    let mut copied = 0;
    while cursor.at < json.len() {
        let start = cursor.at;
        if cursor.skip_string().is_err() {
            cursor.at = start + 1;
            continue;
        }
        let decoded = json.get(start..cursor.at).and_then(decode_string_lossy).unwrap_or_default();
        let mapped = map(&decoded);
        if mapped != decoded {
            out += json.get(copied..start).unwrap_or_default();
            out += &serde_json::to_string(&mapped).unwrap_or_default();
            copied = cursor.at;
        }
    }
    out + json.get(copied..).unwrap_or_default()
}

/// Returns the text before the first backslash and the text after it, or `None` if there is no backslash.
pub(crate) fn split_at_backslash(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == b'\\')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Decodes the escape at the start of `rest`, which begins after the backslash. A pair of surrogates is one character.
///
/// Returns the character and the text after the escape. The character is `None` for half of a surrogate pair, and the
/// whole result is `None` if there is no escape.
pub(crate) fn decode_escape(rest: &str) -> Option<(Option<char>, &str)> {
    let (letter, after) = rest.split_at_checked(1)?;
    let char = match letter {
        "b" => '\u{8}',
        "f" => '\u{c}',
        "n" => '\n',
        "r" => '\r',
        "t" => '\t',
        "u" => return decode_unicode_escape(after),
        character => character.chars().next()?,
    };
    Some((Some(char), after))
}

/// Decodes the four hex digits after `\u`, and a second escape if the two are a surrogate pair.
fn decode_unicode_escape(rest: &str) -> Option<(Option<char>, &str)> {
    let (unit, after) = read_utf16_unit(rest)?;
    if let Some((low, after)) = after.strip_prefix("\\u").and_then(read_utf16_unit)
        && (unit >> 10, low >> 10) == (0xD800 >> 10, 0xDC00 >> 10)
    {
        return Some((char::from_u32(0x1_0000 + ((unit & 0x3FF) << 10) + (low & 0x3FF)), after));
    }
    Some((char::from_u32(unit), after))
}

fn read_utf16_unit(rest: &str) -> Option<(u32, &str)> {
    let (digits, after) = rest.split_at_checked(4)?;
    Some((u32::from_str_radix(digits, 16).ok()?, after))
}
