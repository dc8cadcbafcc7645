//! Writes a JSON text as other programs would write it, to find out which of them wrote the text that was signed.
//!
//! White space between tokens and escapes in strings change. Numbers and the order of members stay.
//!
//! The text need not be valid JSON, because the result is only compared with what was signed. Each function stops soon
//! after its result is longer than a limit, in bytes: indentation grows with the depth of nesting, and an escape can be
//! six times as long as its character.

use ct_codecs::{Encoder, Hex};

use crate::core::json::{decode_escape, split_at_backslash};

/// A way to write white space between tokens.
pub struct Layout {
    /// The name in [`Evidence::layout`](super::Evidence::layout).
    pub name: &'static str,
    /// The indentation for each level of nesting. It is empty if the text is written on one line.
    pub indent: &'static [u8],
    comma: &'static [u8],
    colon: &'static [u8],
}

/// A way to write characters in strings that JSON does not require to be escaped.
#[derive(Clone, Copy)]
pub enum EscapeStyle {
    /// Escapes stay as they are written.
    Kept,
    /// Nothing is escaped, as by JavaScript's `JSON.stringify`.
    None,
    /// Everything except printable ASCII is written as `\uxxxx`, as by Python's `json.dumps`.
    Ascii,
    /// Everything except printable ASCII is written as `\uxxxx`, and `/` as `\/`, as by PHP's `json_encode`.
    AsciiAndSlash,
    /// Only `/` is escaped, as `\/`, as by PHP with `JSON_UNESCAPED_UNICODE`.
    Slash,
}

/// The layouts that are tried: without white space as by JavaScript's `JSON.stringify`, with a space after commas and
/// colons as by Python's `json.dumps`, and with one member per line.
pub const LAYOUTS: [Layout; 5] = [
    Layout { name: "compact", indent: b"", comma: b",", colon: b":" },
    Layout { name: "spaced", indent: b"", comma: b", ", colon: b": " },
    Layout { name: "indent_2", indent: b"  ", comma: b",", colon: b": " },
    Layout { name: "indent_4", indent: b"    ", comma: b",", colon: b": " },
    Layout { name: "indent_tab", indent: b"\t", comma: b",", colon: b": " },
];

impl EscapeStyle {
    /// All styles, in the order in which [`EscapeStyle::rewrite`] must be called.
    pub const ALL: [Self; 5] = [Self::Kept, Self::None, Self::Ascii, Self::AsciiAndSlash, Self::Slash];

    /// The name in [`Evidence::escapes`](super::Evidence::escapes).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::None => "none",
            Self::Ascii => "ascii",
            Self::AsciiAndSlash => "ascii_and_slash",
            Self::Slash => "slash",
        }
    }

    /// Writes the strings of a JSON text in this style. `json` is the result of the previous style in
    /// [`EscapeStyle::ALL`].
    pub fn rewrite(self, json: &[u8], limit: usize) -> Vec<u8> {
        match self {
            Self::Kept => json.to_vec(),
            Self::None => remove_escapes(json),
            Self::Ascii => add_escapes(json, false, limit),
            Self::AsciiAndSlash => add_escapes(json, true, limit),
            Self::Slash => escape_slashes(&remove_escapes(json)),
        }
    }
}

/// Writes the white space of a JSON text in a layout.
pub fn reformat(json: &[u8], layout: &Layout, limit: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut rest = json.iter();
    let (mut depth, mut in_string) = (0_usize, false);
    // What the previous token does.
    let (mut opens, mut ends_line) = (false, false);
    while out.len() <= limit
        && let Some(&next) = rest.next()
    {
        if in_string {
            in_string = next != b'"';
            append(&mut out, &[next]);
            if next == b'\\' {
                append(&mut out, rest.next().map_or(&[], std::slice::from_ref));
            }
            continue;
        }
        let closes = matches!(next, b'}' | b']');
        match next {
            b' ' | b'\t' | b'\n' | b'\r' => continue,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !layout.indent.is_empty() && if closes { !opens } else { ends_line } {
            append(&mut out, b"\n");
            for _ in 0..depth {
                append(&mut out, layout.indent);
            }
        }
        opens = matches!(next, b'{' | b'[');
        ends_line = opens || next == b',';
        in_string = next == b'"';
        depth += usize::from(opens);
        append(
            &mut out,
            match next {
                b',' => layout.comma,
                b':' => layout.colon,
                _ => std::slice::from_ref(&next),
            },
        );
    }
    out
}

/// Replaces escapes by their characters, except where JSON requires an escape. A backslash occurs only in strings.
fn remove_escapes(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut rest = str::from_utf8(json).unwrap_or_default();
    while let Some((before, escape)) = split_at_backslash(rest) {
        append(&mut out, before.as_bytes());
        rest = match decode_escape(escape) {
            Some((Some(char), after)) if char >= ' ' && !matches!(char, '"' | '\\') => {
                append(&mut out, char.encode_utf8(&mut [0; 4]).as_bytes());
                after
            }
            _ => {
                let (kind, after) = escape.split_at_checked(1).unwrap_or(("", escape));
                append(&mut out, b"\\");
                append(&mut out, kind.as_bytes());
                after
            }
        };
    }
    append(&mut out, rest.as_bytes());
    out
}

/// Escapes every character after `~`, and also slashes if `slashes` is true. In JSON they occur only in strings.
fn add_escapes(json: &[u8], slashes: bool, limit: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    for unit in str::from_utf8(json).unwrap_or_default().encode_utf16() {
        match u8::try_from(unit) {
            _ if out.len() > limit => break,
            Ok(b'/') if slashes => append(&mut out, b"\\/"),
            Ok(ascii @ ..=b'~') => append(&mut out, &[ascii]),
            _ => {
                append(&mut out, b"\\u");
                append(&mut out, Hex::encode(&mut [0; 4], unit.to_be_bytes()).unwrap_or_default());
            }
        }
    }
    out
}

/// Escapes slashes. In JSON they occur only in strings.
fn escape_slashes(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    for byte in json {
        append(&mut out, if *byte == b'/' { b"\\/" } else { std::slice::from_ref(byte) });
    }
    out
}

/// Appends bytes. It is never inlined, because one copy keeps the wasm of the npm package small.
#[inline(never)]
pub(crate) fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
}

/// Returns `first` followed by `second`.
pub(crate) fn joined(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut out = first.to_vec();
    append(&mut out, second);
    out
}
