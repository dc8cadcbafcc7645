//! Bytes of JSON looked at sixteen at a time.

#[cfg(target_feature = "simd128")]
use std::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, u64x2, v128, v128_any_true, v128_or};

/// How many of sixteen bytes come before the first quote, backslash or control character; `None` if there is none of them.
#[cfg(target_feature = "simd128")]
#[inline(always)]
#[expect(clippy::inline_always, reason = "called per string, in a crate that is built for size")]
pub(crate) fn position_of_special(bytes: &[u8; 16]) -> Option<usize> {
    let bytes = vector(bytes);
    let quotes = u8x16_eq(bytes, u8x16_splat(b'"'));
    let backslashes = u8x16_eq(bytes, u8x16_splat(b'\\'));
    let controls = u8x16_lt(bytes, u8x16_splat(b' '));
    let special = v128_or(v128_or(quotes, backslashes), controls);
    v128_any_true(special).then(|| u8x16_bitmask(special).trailing_zeros() as usize)
}

/// The same where the build has no vectors.
#[cfg(not(target_feature = "simd128"))]
pub(crate) fn position_of_special(bytes: &[u8; 16]) -> Option<usize> {
    const ONES: u128 = u128::MAX / 0xFF;
    const QUOTES: u128 = ONES * b'"' as u128;
    const BACKSLASHES: u128 = ONES * b'\\' as u128;
    const BLANKS: u128 = ONES * b' ' as u128;
    let bytes = u128::from_le_bytes(*bytes);
    // A difference goes below zero, into its highest bit, for what is special; that of bytes after the first may be wrong.
    let quotes = (bytes ^ QUOTES).wrapping_sub(ONES);
    let backslashes = (bytes ^ BACKSLASHES).wrapping_sub(ONES);
    let controls = bytes.wrapping_sub(BLANKS);
    let special = (quotes | backslashes | controls) & !bytes & (ONES << 7);
    (special != 0).then(|| special.trailing_zeros() as usize / 8)
}

/// Leaves what is nested this deep, outside of strings: says how many bytes that passes, and whether it stops within a
/// string. It may stop before, where an escape or the end of the text is near, and notes how deep that is.
#[cfg(target_feature = "simd128")]
#[inline(always)]
#[expect(clippy::inline_always, reason = "called per value, in a crate that is built for size")]
pub(crate) fn skip_nested(json: &[u8], depth: &mut usize) -> (usize, bool) {
    let mut passed = 0;
    // Of bytes in a string all bits, else none.
    let mut strings = 0_u32;
    while let Some(bytes) = json.get(passed..).and_then(<[u8]>::first_chunk).map(vector) {
        let quotes = u8x16_eq(bytes, u8x16_splat(b'"'));
        let backslashes = u8x16_eq(bytes, u8x16_splat(b'\\'));
        if v128_any_true(backslashes) {
            break;
        }
        if strings == 0 || v128_any_true(quotes) {
            // A bit for each byte: whether the number of quotes up to it is odd, so that it is in a string.
            let mut odd = u32::from(u8x16_bitmask(quotes));
            odd ^= odd << 1;
            odd ^= odd << 2;
            odd ^= odd << 4;
            odd ^= odd << 8;
            odd ^= strings;
            // Brackets and braces differ by one bit.
            let bytes = v128_or(bytes, u8x16_splat(b'{' ^ b'['));
            let opening = u32::from(u8x16_bitmask(u8x16_eq(bytes, u8x16_splat(b'{')))) & !odd;
            let closing = u32::from(u8x16_bitmask(u8x16_eq(bytes, u8x16_splat(b'}')))) & !odd;
            if let Some(last) = close_brackets(opening, closing, depth) {
                return (passed + last + 1, false);
            }
            strings = if odd & 1 << 15 == 0 { 0 } else { u32::MAX };
        }
        passed += 16;
    }
    (passed, strings != 0)
}

/// The same where the build has no vectors: it stops at once.
#[cfg(not(target_feature = "simd128"))]
pub(crate) fn skip_nested(_: &[u8], _: &mut usize) -> (usize, bool) {
    (0, false)
}

/// Passes brackets, whose places are bits; says which one closes the outermost, if any does.
#[cfg(target_feature = "simd128")]
#[inline(always)]
#[expect(clippy::inline_always, reason = "called in one place, for every sixteen bytes")]
fn close_brackets(opening: u32, closing: u32, depth: &mut usize) -> Option<usize> {
    let closed = closing.count_ones() as usize;
    if closed < *depth {
        *depth = *depth + opening.count_ones() as usize - closed;
        return None;
    }
    let mut both = opening | closing;
    while both != 0 {
        let next = both & both.wrapping_neg();
        both ^= next;
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
fn vector(bytes: &[u8; 16]) -> v128 {
    let all = u128::from_le_bytes(*bytes);
    #[expect(clippy::cast_possible_truncation, reason = "halves")]
    u64x2(all as u64, (all >> 64) as u64)
}
