//! The forms that a body can have got on its way, other than those of JSON.

use super::{diagnosis::Cause, reserialise::append};

/// The byte order mark of UTF-8.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Names what a body shows by itself. No body that OFAuth signs has one of these forms.
pub(crate) fn cause_of_form(body: &[u8]) -> Option<Cause> {
    match body {
        b"" => Some(Cause::BodyEmpty),
        b"[object Object]" => Some(Cause::BodyObjectString),
        [0x1F, 0x8B, 8, ..] => Some(Cause::BodyGzip),
        _ => None,
    }
}

/// Returns `body` with `line_break` as every line break.
pub(crate) fn with_line_breaks(body: &[u8], line_break: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                append(&mut out, text.strip_suffix(b"\r").unwrap_or(text));
                append(&mut out, line_break);
            }
            None => append(&mut out, line),
        }
    }
    out
}

/// The characters of windows-1252 from 0x80 to 0x9F. The decoders of browsers read Latin-1 as windows-1252.
const WINDOWS_1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// Returns the bytes that were read as Latin-1 or windows-1252 to get a text. Returns `None` if there are none.
pub(crate) fn undo_latin1(body: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(body.len());
    for character in str::from_utf8(body).ok()?.chars() {
        append(&mut bytes, &[latin1_byte(character)?]);
    }
    Some(bytes)
}

/// Returns the byte that Latin-1 or windows-1252 reads as `character`.
fn latin1_byte(character: char) -> Option<u8> {
    let in_table = || WINDOWS_1252.chars().position(|other| other == character);
    let number = u32::from(character);
    u8::try_from(number).ok().or_else(|| u8::try_from(0x80 + in_table()?).ok())
}
