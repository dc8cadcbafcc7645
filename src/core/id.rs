//! The two names of a connection: OFAuth's connection id and the gateway's handle.
//!
//! - A *connection id* (`conn_…`) opens an OnlyFans account through the Access API. It is a credential: the gateway
//!   encrypts it in storage and never logs it (OFAuth documentation, Connections API: Best Practices).
//! - A *handle* (`acct_` and 32 hex digits) is computed from the id and opens nothing at OFAuth. It may stand in URLs
//!   and go to browsers. See [`BlindIndex`](crate::core::storage::BlindIndex).

/// The longest connection id, in bytes.
pub const MAX_ID: usize = 256;
/// The beginning of every handle.
pub const HANDLE_PREFIX: &str = "acct_";

/// Whether `id` can be a connection id: 1 to [`MAX_ID`] visible ASCII characters without a comma, and [`is_segment`].
///
/// OFAuth gets the id as the value of `x-connection-id` and, percent-encoded, as a segment of a path. A comma or a space
/// could make two ids of one.
pub fn is_connection_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
        && is_segment(id.as_bytes())
}

/// Whether a decoded segment of a path can only be read as that one segment:
///
/// - It is not `.` or `..`, also not with parameters behind it (`..;x=1`), which some servers take off.
/// - It contains no slash, backslash or control character, and no `%2e`, `%2f`, `%5c` or `%25`, which a second decoding
///   would turn into one.
/// - It contains no over-long form of UTF-8, such as the bytes C0 AE for a dot (RFC 3629, section 10).
/// - It contains no wide or small form of a dot, slash or backslash, which Unicode's NFKC turns into one.
pub fn is_segment(decoded: &[u8]) -> bool {
    let is_ambiguous = |window: &[u8]| match window {
        [b'%', b'2', low] => matches!(low.to_ascii_lowercase(), b'e' | b'f' | b'5'),
        [b'%', b'5', low] => low.eq_ignore_ascii_case(&b'c'),
        [0xE2, 0x80, 0xA4 | 0xA5] | [0xEF, 0xB9, 0x92 | 0xA8] | [0xEF, 0xBC, 0x8E | 0x8F | 0xBC] => true,
        _ => false,
    };
    let is_overlong = |pair: &[u8]| matches!(pair, [0xC0 | 0xC1, _] | [0xE0, 0x80..=0x9F] | [0xF0, 0x80..=0x8F]);
    let name = decoded.split(|byte| *byte == b';').next().unwrap_or_default();
    !matches!(name, b"." | b"..")
        && !decoded.iter().any(|byte| matches!(byte, b'/' | b'\\') || byte.is_ascii_control())
        && !decoded.windows(3).any(is_ambiguous)
        && !decoded.windows(2).any(is_overlong)
}

/// Whether a server may take a decoded segment of a path for this name. Some ignore its case, and parameters behind it
/// (`lists;x=1`).
pub fn is_named(segment: &[u8], name: &str) -> bool {
    segment.split(|byte| *byte == b';').next().is_some_and(|segment| segment.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether `text` has the form of a handle: `acct_` and 32 hex digits in lower case.
pub fn is_handle(text: &str) -> bool {
    text.strip_prefix(HANDLE_PREFIX).is_some_and(|hex| {
        hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}
