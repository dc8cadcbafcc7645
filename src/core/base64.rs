//! Base64 (RFC 4648) without padding or with it, of either alphabet.

use ct_codecs::{Decoder, Encoder};

/// Encodes as `E`, such as [`Base64`](ct_codecs::Base64).
pub fn encode<E: Encoder>(bytes: &[u8]) -> String {
    let mut buffer = vec![0; bytes.len().div_ceil(3) * 4];
    E::encode_to_str(&mut buffer, bytes).unwrap_or_default().to_owned()
}

/// Decodes `D`. `None` if the text is of another form, or has ones as its unused bits.
pub fn decode<D: Decoder>(text: &str) -> Option<Vec<u8>> {
    let mut buffer = vec![0; text.len().div_ceil(4) * 3];
    let length = D::decode(&mut buffer, text, None).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}
