//! Encodes and decodes base64 (RFC 4648), in either alphabet, with or without padding.

use ct_codecs::{Decoder, Encoder};

/// Encodes bytes in the form `E`, such as [`Base64`](ct_codecs::Base64).
pub fn encode<E: Encoder>(bytes: &[u8]) -> String {
    let mut buffer = vec![0; bytes.len().div_ceil(3) * 4];
    E::encode_to_str(&mut buffer, bytes).unwrap_or_default().to_owned()
}

/// Decodes a text in the form `D`. `None` if the text has another form, or if its unused bits are not zeros.
pub fn decode<D: Decoder>(text: &str) -> Option<Vec<u8>> {
    let mut buffer = vec![0; text.len().div_ceil(4) * 3];
    let length = D::decode(&mut buffer, text, None).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}
