//! Base64, hex and decimal digits, in as little code as the package's wasm has room for.

use ct_codecs::{Base64, Decoder};

/// A number in decimal digits. The tables that make this fast elsewhere are more than the package's wasm has room for.
pub(crate) fn decimal(number: u64) -> String {
    let mut text = if number < 10 { String::new() } else { decimal(number / 10) };
    text.extend(char::from_digit((number % 10) as u32, 10));
    text
}

/// Texts as one, without what the standard library's `concat` brings along.
// One copy of it: this is code that a browser loads.
#[inline(never)]
pub(crate) fn concat(texts: &[&str]) -> String {
    let mut whole = String::new();
    for text in texts {
        whole += text;
    }
    whole
}

/// The bytes in standard, padded, canonical base64, if there is room for them.
// One copy of it: this is code that a browser loads.
#[inline(never)]
pub(crate) fn base64<'a>(text: &[u8], room: &'a mut [u8]) -> Option<&'a [u8]> {
    Base64::decode(room, text, None).ok()
}

/// A one in each of eight bytes.
const ONES: u64 = u64::MAX / 0xFF;

/// What is written in hex, of either case, eight digits at a time: a byte at a time takes longer than the MAC.
pub(crate) fn unhex(text: &[u8; 64]) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (digits, bytes) in text.as_chunks().0.iter().zip(bytes.as_chunks_mut::<4>().0) {
        let digits = u64::from_le_bytes(*digits);
        let letters = (digits >> 6) & ONES;
        let values = (digits & (ONES * 0xF)) + 9 * letters;
        // Each is a digit below ten or a letter from ten to fifteen, and no other character that ends in the same bits.
        let in_range = ((values + ONES * 6) >> 4) & ONES == letters && values & (ONES << 4) == 0;
        if !in_range || digits | (letters << 5) != values + ONES * 0x30 + letters * 0x27 {
            return None;
        }
        let pairs = ((values << 4) | (values >> 8)).to_le_bytes();
        *bytes = [pairs[0], pairs[2], pairs[4], pairs[6]];
    }
    Some(bytes)
}
