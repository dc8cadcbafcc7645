//! Looks at 16 bytes of JSON at a time instead of one.
//!
//! With the target feature `simd128`, which the npm package is built with, the functions use WebAssembly's SIMD
//! instructions. Other builds have a version without them.

#[cfg(target_feature = "simd128")]
use std::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, u64x2, v128, v128_any_true, v128_or};

/// Returns the position of the first quote, backslash or control character in 16 bytes, or `None` if there is none.
#[cfg(target_feature = "simd128")]
#[inline(always)]
#[expect(clippy::inline_always, reason = "called per string, in a crate that is built for size")]
pub(crate) fn position_of_special(bytes: &[u8; 16]) -> Option<usize> {
    let bytes = load(bytes);
    let quotes = u8x16_eq(bytes, u8x16_splat(b'"'));
    let backslashes = u8x16_eq(bytes, u8x16_splat(b'\\'));
    let controls = u8x16_lt(bytes, u8x16_splat(b' '));
    let special = v128_or(v128_or(quotes, backslashes), controls);
    v128_any_true(special).then(|| u8x16_bitmask(special).trailing_zeros() as usize)
}

/// Returns the position of the first quote, backslash or control character in 16 bytes, or `None` if there is none.
///
/// This version runs without SIMD. It treats a `u128` as 16 bytes.
#[cfg(not(target_feature = "simd128"))]
pub(crate) fn position_of_special(bytes: &[u8; 16]) -> Option<usize> {
    const ONES: u128 = u128::MAX / 0xFF;
    const QUOTES: u128 = ONES * b'"' as u128;
    const BACKSLASHES: u128 = ONES * b'\\' as u128;
    const SPACES: u128 = ONES * b' ' as u128;
    let bytes = u128::from_le_bytes(*bytes);
    // The subtractions set the highest bit of each special byte. The first byte that is marked is right. Later marks
    // can be wrong, because a subtraction borrows from the bytes after it.
    let quotes = (bytes ^ QUOTES).wrapping_sub(ONES);
    let backslashes = (bytes ^ BACKSLASHES).wrapping_sub(ONES);
    let controls = bytes.wrapping_sub(SPACES);
    let special = (quotes | backslashes | controls) & !bytes & (ONES << 7);
    (special != 0).then(|| special.trailing_zeros() as usize / 8)
}

/// Skips the rest of a value in which `depth` brackets are open, 16 bytes at a time. `json` starts outside of strings.
///
/// Returns how many bytes it skipped, and whether it stopped inside a string. It stops behind the last bracket of the
/// value; then `depth` is 0. It stops earlier before 16 bytes with a backslash and near the end of the text; then
/// `depth` is the number of open brackets there. The text is not validated.
#[cfg(target_feature = "simd128")]
#[inline(always)]
#[expect(clippy::inline_always, reason = "called per value, in a crate that is built for size")]
pub(crate) fn skip_nested(json: &[u8], depth: &mut usize) -> (usize, bool) {
    let mut skipped = 0;
    // All bits are set if the last byte was inside a string, else none.
    let mut in_string = 0_u32;
    while let Some(bytes) = json.get(skipped..).and_then(<[u8]>::first_chunk).map(load) {
        let quotes = u8x16_eq(bytes, u8x16_splat(b'"'));
        let backslashes = u8x16_eq(bytes, u8x16_splat(b'\\'));
        if v128_any_true(backslashes) {
            break;
        }
        if in_string == 0 || v128_any_true(quotes) {
            // One bit per byte: set if the number of quotes up to it is odd, because then the byte is in a string.
            let mut string_bits = u32::from(u8x16_bitmask(quotes));
            string_bits ^= string_bits << 1;
            string_bits ^= string_bits << 2;
            string_bits ^= string_bits << 4;
            string_bits ^= string_bits << 8;
            string_bits ^= in_string;
            // `[` and `{`, and also `]` and `}`, differ in one bit. Setting it makes one comparison enough for both.
            let bytes = v128_or(bytes, u8x16_splat(b'{' ^ b'['));
            let opening = u32::from(u8x16_bitmask(u8x16_eq(bytes, u8x16_splat(b'{')))) & !string_bits;
            let closing = u32::from(u8x16_bitmask(u8x16_eq(bytes, u8x16_splat(b'}')))) & !string_bits;
            if let Some(last) = count_brackets(opening, closing, depth) {
                return (skipped + last + 1, false);
            }
            in_string = if string_bits & 1 << 15 == 0 { 0 } else { u32::MAX };
        }
        skipped += 16;
    }
    (skipped, in_string != 0)
}

/// Skips nothing. Without SIMD there is no faster way than the byte by byte loop of the caller.
#[cfg(not(target_feature = "simd128"))]
pub(crate) fn skip_nested(_: &[u8], _: &mut usize) -> (usize, bool) {
    (0, false)
}

/// Changes `depth` by the brackets in 16 bytes, given as one bit per byte. Returns the position of the bracket that
/// closes the value, if it is among them.
#[cfg(target_feature = "simd128")]
#[inline(always)]
#[expect(clippy::inline_always, reason = "called in one place, for every sixteen bytes")]
fn count_brackets(opening: u32, closing: u32, depth: &mut usize) -> Option<usize> {
    let closing_count = closing.count_ones() as usize;
    if closing_count < *depth {
        *depth = *depth + opening.count_ones() as usize - closing_count;
        return None;
    }
    let mut brackets = opening | closing;
    while brackets != 0 {
        let next = brackets & brackets.wrapping_neg();
        brackets ^= next;
        if opening & next != 0 {
            *depth += 1;
        } else {
            *depth -= 1;
            if *depth == 0 {
                return Some(next.trailing_zeros() as usize);
            }
        }
    }
    None
}

#[cfg(target_feature = "simd128")]
#[inline(always)]
#[expect(clippy::inline_always, reason = "one instruction")]
fn load(bytes: &[u8; 16]) -> v128 {
    let bytes = u128::from_le_bytes(*bytes);
    #[expect(clippy::cast_possible_truncation, reason = "halves")]
    u64x2(bytes as u64, (bytes >> 64) as u64)
}
