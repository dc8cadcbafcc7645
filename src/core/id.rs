//! What a connection id is, and what a handle is.

/// The longest connection id, in bytes.
pub const MAX_ID: usize = 256;
/// What every handle begins with.
pub const HANDLE_PREFIX: &str = "acct_";

/// Whether `id` can be a connection id: it must survive being a header's value and a path's segment, and one that holds a
/// comma or a space could be two.
pub fn is_connection_id(id: &str) -> bool {
    let dots = matches!(id, "." | "..");
    !dots && (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

/// Whether `text` has the form of a handle.
pub fn is_handle(text: &str) -> bool {
    text.strip_prefix(HANDLE_PREFIX).is_some_and(|hex| {
        hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}
