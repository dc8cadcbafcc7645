//! The Access API proxy as data: what goes up, what comes back.
//!
//! The upstream's origin is fixed by configuration; path and query go up byte for byte. So the path is judged, not
//! cleaned: one that could be read as another path by anything behind us is refused. Headers that carry a caller's
//! credentials or routing stop here, and so do upstream headers that would act on our origin.

use percent_encoding::percent_decode_str;

use crate::{api_error::EdgeError, event::is_connection_id, seal::is_handle};

/// What every proxied path begins with.
pub const PREFIX: &str = "/v2/access/";

/// Which connection a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// By handle: the store knows the id.
    Handle(&'a str),
    /// By OFAuth's id.
    Id(&'a str),
}

/// Judges a path (without query, as received): it begins with [`PREFIX`] and, each segment percent-decoded once, has no
/// dot segment, slash, backslash or control byte, and no `%2e`, `%2f`, `%5c` or `%25` left to decode.
pub fn check_path(path: &str) -> Result<(), EdgeError> {
    if !path.starts_with(PREFIX) {
        return Err(EdgeError::RouteNotFound);
    }
    if path.split('/').all(is_safe_segment) { Ok(()) } else { Err(EdgeError::BadRequest("the path is ambiguous")) }
}

/// Reads a server's `x-connection-id`: exactly one connection, by handle or by id.
pub fn named(header: Option<&str>) -> Result<Named<'_>, EdgeError> {
    match header {
        None | Some("") => Err(EdgeError::BadRequest("x-connection-id is missing")),
        Some(handle) if is_handle(handle) => Ok(Named::Handle(handle)),
        Some(id) if is_connection_id(id) => Ok(Named::Id(id)),
        Some(_) => Err(EdgeError::BadRequest("x-connection-id names one connection, by handle or id")),
    }
}

/// Whether a caller's header goes up. `name` is lower-case; `connection` is the value of the Connection header, which
/// names further hop-by-hop headers. `apikey` and `x-connection-id` are set anew by the proxy.
pub fn goes_up(name: &str, connection: &str) -> bool {
    let stopped = matches!(
        name,
        "apikey"
            | "authorization"
            | "cookie"
            | "host"
            | "x-connection-id"
            | "x-platform-id"
            | "x-real-ip"
            | "x-http-method-override"
            | "x-method-override"
            | "x-original-url"
    ) || ["x-of-", "cf-", "x-forwarded-"].iter().any(|prefix| name.starts_with(prefix));
    !stopped && !is_hop_by_hop(name, connection)
}

/// Whether an upstream header comes back. Arguments as for [`goes_up`].
pub fn comes_back(name: &str, connection: &str) -> bool {
    let stopped = matches!(name, "set-cookie" | "x-connection-id" | "clear-site-data" | "alt-svc")
        || ["access-control-", "x-of-"].iter().any(|prefix| name.starts_with(prefix));
    !stopped && !is_hop_by_hop(name, connection)
}

/// RFC 9110, section 7.6.1, and what it grew out of.
fn is_hop_by_hop(name: &str, connection: &str) -> bool {
    matches!(name, "connection" | "keep-alive" | "te" | "trailer" | "transfer-encoding" | "upgrade" | "expect")
        || name.starts_with("proxy-")
        || connection.split(',').any(|named| named.trim_ascii().eq_ignore_ascii_case(name))
}

fn is_safe_segment(segment: &str) -> bool {
    let decoded: Vec<u8> = percent_decode_str(segment).collect();
    let escape = |window: &[u8]| {
        matches!(window, [b'%', hi, lo] if matches!(
        (hi, lo.to_ascii_lowercase()), (b'2', b'e' | b'f' | b'5') | (b'5', b'c')))
    };
    decoded != b"."
        && decoded != b".."
        && !decoded.iter().any(|byte| matches!(byte, b'/' | b'\\') || byte.is_ascii_control())
        && !decoded.windows(3).any(escape)
}
