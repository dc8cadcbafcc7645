//! Base64, hex and decimal digits.
//!
//! Browsers download this code in the wasm of the npm package, which has a size limit. Therefore it is written to be
//! small, and some functions are never inlined so that the wasm holds them once.

use ct_codecs::{Base64, Decoder};

/// Writes a number in decimal digits. The standard library is faster, but its tables make the wasm larger.
pub(crate) fn decimal(number: u64) -> String {
    let mut text = if number < 10 { String::new() } else { decimal(number / 10) };
    text.extend(char::from_digit((number % 10) as u32, 10));
    text
}

/// Joins texts. The standard library's `concat` makes the wasm larger.
#[inline(never)]
pub(crate) fn concat(texts: &[&str]) -> String {
    let mut whole = String::new();
    for text in texts {
        whole += text;
    }
    whole
}

/// Decodes standard base64 (RFC 4648 §4) into `buffer` and returns the decoded bytes.
///
/// Returns `None` if the text is not base64 with padding and with zeros as its unused bits, or if `buffer` is too
/// short.
#[inline(never)]
pub(crate) fn decode_base64<'a>(text: &[u8], buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    Base64::decode(buffer, text, None).ok()
}

/// The number 1 in each of 8 bytes.
pub(crate) const ONES: u64 = u64::MAX / 0xFF;

/// Decodes 64 hex digits of either case. Returns `None` if any of them is not a hex digit.
///
/// It decodes 8 digits at a time: one at a time takes longer than the MAC that is compared with the result.
pub(crate) fn decode_hex(text: &[u8; 64]) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (digits, bytes) in text.as_chunks().0.iter().zip(bytes.as_chunks_mut::<4>().0) {
        let digits = u64::from_le_bytes(*digits);
        let letters = (digits >> 6) & ONES;
        let values = (digits & (ONES * 0xF)) + 9 * letters;
        // A digit has a value from 0 to 9, a letter from 10 to 15. Writing the values as hex again must give the text
        // in lower case. This refuses other characters whose lowest bits are those of a hex digit.
        let in_range = ((values + ONES * 6) >> 4) & ONES == letters && values & (ONES << 4) == 0;
        if !in_range || digits | (letters << 5) != values + ONES * 0x30 + letters * 0x27 {
            return None;
        }
        let pairs = ((values << 4) | (values >> 8)).to_le_bytes();
        *bytes = [pairs[0], pairs[2], pairs[4], pairs[6]];
    }
    Some(bytes)
}
