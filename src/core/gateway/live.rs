//! Live updates (`GET /edge/live`): reads what a page asks for when it opens a WebSocket.
//!
//! The constructor of a browser's WebSocket takes no headers, only the names of subprotocols (WHATWG, WebSockets
//! Standard). So the page offers two: [`SUBPROTOCOL`], which the gateway selects, and `bearer.{session token}`. A token has
//! only characters that the name of a subprotocol may have.
//!
//! Another way would be a ticket: a page gets a token for one use by a call, and puts it into the URL. That would cost a
//! stored row and a request for each WebSocket, and URLs are written to logs. The header of subprotocols is in fewer logs
//! (`docs/logs.md` names them), and a session token is short-lived already.

use super::error::EdgeError;

/// The header of subprotocols.
pub const HEADER: &str = "sec-websocket-protocol";
/// The subprotocol that the gateway speaks.
pub const SUBPROTOCOL: &str = "ofauth-edge";

/// The longest `since`, in digits. It is less than the largest safe integer of JavaScript.
const MAX_DIGITS: usize = 15;

/// The session token among the subprotocols that a page offers: the value of the header `Sec-WebSocket-Protocol`.
pub fn token(protocols: &str) -> Option<&str> {
    offered(protocols).find_map(|protocol| protocol.strip_prefix("bearer."))
}

/// The number of the last change that the page has seen, in decimal digits, or empty if its query does not say.
///
/// It is a [`BadRequest`](EdgeError::BadRequest) if the page does not offer [`SUBPROTOCOL`], or if the query has anything
/// else than `since` with decimal digits.
pub fn read_since<'a>(protocols: &str, query: &'a str) -> Result<&'a str, EdgeError> {
    if !offered(protocols).any(|protocol| protocol == SUBPROTOCOL) {
        return Err(EdgeError::BadRequest("offer the subprotocols ofauth-edge and bearer.<session token>"));
    }
    if query.is_empty() {
        return Ok("");
    }
    let is_number =
        |digits: &&str| (1..=MAX_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    query
        .strip_prefix("since=")
        .filter(is_number)
        .ok_or(EdgeError::BadRequest("the query may only have since, which is the seq of a change"))
}

fn offered(protocols: &str) -> impl Iterator<Item = &str> {
    protocols.split(',').map(str::trim_ascii)
}
