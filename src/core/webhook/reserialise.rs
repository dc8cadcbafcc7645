//! JSON as other serialisers would have written it: white space between tokens and escapes in strings change, scalars'
//! text and the order of keys stay.
//!
//! Nothing here checks that the text is JSON: what comes out is only compared with what was signed. It stops soon after a
//! limit, in bytes: an indent can be as long as the nesting is deep, an escape is six times as long as what it stands for.

use ct_codecs::{Encoder, Hex};

use crate::core::json::{decode_escape, split_at_backslash};

/// White space between tokens.
pub struct Layout {
    /// Its name in evidence.
    pub word: &'static str,
    /// What a line is indented by per level; nothing if all stands on one line.
    pub indent: &'static [u8],
    comma: &'static [u8],
    colon: &'static [u8],
}

/// How strings escape what they need not.
#[derive(Clone, Copy)]
pub enum Escapes {
    /// As it is written.
    Kept,
    /// Nothing, as JavaScript's `JSON.stringify`.
    None,
    /// All but printable ASCII as `\uxxxx`, as Python's `json.dumps`.
    Ascii,
    /// The same, and `/` as `\/`, as PHP's `json_encode`.
    AsciiAndSlash,
}

/// None, as JavaScript's `JSON.stringify` and most others; as Python's `json.dumps`; and a line per member.
pub const LAYOUTS: [Layout; 5] = [
    Layout { word: "compact", indent: b"", comma: b",", colon: b":" },
    Layout { word: "spaced", indent: b"", comma: b", ", colon: b": " },
    Layout { word: "indent_2", indent: b"  ", comma: b",", colon: b": " },
    Layout { word: "indent_4", indent: b"    ", comma: b",", colon: b": " },
    Layout { word: "indent_tab", indent: b"\t", comma: b",", colon: b": " },
];

impl Escapes {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kept, Self::None, Self::Ascii, Self::AsciiAndSlash];

    /// Its name in evidence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::None => "none",
            Self::Ascii => "ascii",
            Self::AsciiAndSlash => "ascii_and_slash",
        }
    }

    /// Rewrites `json`, which has been rewritten by those before.
    pub fn rewrite(self, json: &[u8], limit: usize) -> Vec<u8> {
        match self {
            Self::Kept => json.to_vec(),
            Self::None => unescaped(json),
            Self::Ascii => escaped(json, false, limit),
            Self::AsciiAndSlash => escaped(json, true, limit),
        }
    }
}

/// Lays `json` out anew.
pub fn laid_out(json: &[u8], layout: &Layout, limit: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut rest = json.iter();
    let (mut depth, mut in_string) = (0_usize, false);
    // Of the token before.
    let (mut opens, mut ends_line) = (false, false);
    while out.len() <= limit
        && let Some(&next) = rest.next()
    {
        if in_string {
            in_string = next != b'"';
            add(&mut out, &[next]);
            if next == b'\\' {
                add(&mut out, rest.next().map_or(&[], std::slice::from_ref));
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
            add(&mut out, b"\n");
            for _ in 0..depth {
                add(&mut out, layout.indent);
            }
        }
        opens = matches!(next, b'{' | b'[');
        ends_line = opens || next == b',';
        in_string = next == b'"';
        depth += usize::from(opens);
        add(
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

/// Without the escapes of what a string may hold as it is. Outside of strings is no backslash.
fn unescaped(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut rest = str::from_utf8(json).unwrap_or_default();
    while let Some((before, escape)) = split_at_backslash(rest) {
        add(&mut out, before.as_bytes());
        rest = match decode_escape(escape) {
            Some((Some(char), after)) if char >= ' ' && !matches!(char, '"' | '\\') => {
                add(&mut out, char.encode_utf8(&mut [0; 4]).as_bytes());
                after
            }
            _ => {
                let (kind, after) = escape.split_at_checked(1).unwrap_or(("", escape));
                add(&mut out, b"\\");
                add(&mut out, kind.as_bytes());
                after
            }
        };
    }
    add(&mut out, rest.as_bytes());
    out
}

/// With escapes for all but printable ASCII, and for slashes if they are not. Both stand only in strings.
fn escaped(json: &[u8], slashes: bool, limit: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    for unit in str::from_utf8(json).unwrap_or_default().encode_utf16() {
        match u8::try_from(unit) {
            _ if out.len() > limit => break,
            Ok(b'/') if slashes => add(&mut out, b"\\/"),
            Ok(ascii @ ..=b'~') => add(&mut out, &[ascii]),
            _ => {
                add(&mut out, b"\\u");
                add(&mut out, Hex::encode(&mut [0; 4], unit.to_be_bytes()).unwrap_or_default());
            }
        }
    }
    out
}

// One copy of it: this is code that a browser loads.
#[inline(never)]
pub(crate) fn add(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
}
