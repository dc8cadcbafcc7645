//! The rules of the proxy for the Access API (OFAuth documentation, Access): `/v2/access/*`.
//!
//! In the order of a call:
//!
//! 1. **Path.** Path and query are forwarded byte for byte. A path that a server could read as another path is refused,
//!    and never cleaned: [`check_path`].
//! 2. **Permission.** A session needs the permission of the route: see `permission.rs`.
//! 3. **Connection.** `x-connection-id` names the connection, or the session has only one that can be meant:
//!    [`select_for_session`], [`choose_connection`], [`select_for_server`].
//! 4. **Headers.** Credentials and routing headers of the caller are not forwarded: [`forwards_request_header`].
//! 5. **Retries.** A GET or HEAD may be sent again: [`retry_delay`].
//! 6. **Answer.** What it shows about the connection ([`observed_status`]), what the client should do ([`verdict`]),
//!    and which headers pass back ([`forwards_response_header`]).

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::{
    error::{EdgeError, RELINK, Verdict},
    session::Session,
    upstream_error::{ApiError, RetryHeaders},
};
use crate::core::{
    connection::{ACTIVE, DISCONNECTED, EXPIRED, MISSING, Record},
    id::{is_connection_id, is_handle, is_named, is_segment},
    json::{self, Raw},
};

/// The prefix of every path of the Access API.
pub const PREFIX: &str = "/v2/access/";

/// How many times a call is sent at most.
pub const MAX_ATTEMPTS: u32 = 3;
/// How long all attempts of a call may take together until its answer begins, in ms.
pub const DEADLINE: i64 = 10_000;
/// The longest `Retry-After` for which the gateway waits, in seconds. The caller must wait for a longer one.
pub const MAX_RETRY_AFTER: u64 = 2;
/// The longest error body that the gateway reads, in bytes.
pub const MAX_ERROR_BODY: usize = 64 * 1024;
/// The longest wait before the second attempt, in ms. It doubles with each further attempt.
const FIRST_BACKOFF: f64 = 200.0;

const INVALID_SELECTOR: &str = "x-connection-id must be one handle or one connection id";

/// The connection that a server's call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionSelector<'a> {
    /// The gateway's handle of the connection.
    Handle(&'a str),
    /// OFAuth's id of the connection.
    Id(&'a str),
}

/// The result of sending a call once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt<'a> {
    /// There was no answer: the network failed, or the deadline passed.
    Failed,
    /// There was an answer.
    Answered {
        /// Its HTTP status.
        status: u16,
        /// The type of the error, if the answer is a refusal: see [`ApiError::read_refusal`].
        code: Option<&'a str>,
        /// Its `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
}

/// Checks a path of the Access API, as received and without its query.
///
/// Returns [`RouteNotFound`](EdgeError::RouteNotFound) unless it begins with [`PREFIX`], and what [`check_segments`]
/// returns.
pub fn check_path(path: &str) -> Result<(), EdgeError> {
    if path.starts_with(PREFIX) { check_segments(path) } else { Err(EdgeError::RouteNotFound) }
}

/// Checks that no server can read a path, which is to be forwarded, as another path.
///
/// Each segment is percent-decoded once. Returns [`BadRequest`](EdgeError::BadRequest) unless each is then one segment
/// only: see [`is_segment`].
pub fn check_segments(path: &str) -> Result<(), EdgeError> {
    if path.split('/').all(|segment| is_segment(&percent_decode_str(segment).collect::<Vec<_>>())) {
        Ok(())
    } else {
        Err(EdgeError::BadRequest("the path has a segment that can be read in two ways, such as .. or %2F"))
    }
}

/// Chooses the connection of a session's call from `records`, all connections of its user.
///
/// 1. If `handle` names one (see [`select_for_session`]), it is that one, unless it is disconnected.
/// 2. Otherwise it is the user's only active connection.
/// 3. Otherwise it is the user's only connection that is not disconnected.
///
/// Returns [`ConnectionNotFound`](EdgeError::ConnectionNotFound) if there is none, and
/// [`ConnectionAmbiguous`](EdgeError::ConnectionAmbiguous) if there are several.
pub fn choose_connection<'a>(handle: Option<&str>, records: &'a [Record]) -> Result<&'a Record, EdgeError> {
    if let Some(handle) = handle {
        let record = records.iter().find(|record| record.handle == handle);
        return record.filter(|record| record.is_connected()).ok_or(EdgeError::ConnectionNotFound);
    }
    let first_two = |matches: fn(&Record) -> bool| {
        let mut matching = records.iter().filter(|record| matches(record));
        (matching.next(), matching.next())
    };
    match (first_two(|record| record.status == ACTIVE), first_two(Record::is_connected)) {
        ((Some(record), None), _) | ((None, _), (Some(record), None)) => Ok(record),
        (_, (None, _)) => Err(EdgeError::ConnectionNotFound),
        _ => Err(EdgeError::ConnectionAmbiguous),
    }
}

/// Reads the `x-connection-id` of a session's call. Returns the handle that the header or the token names, if any.
///
/// Returns [`ConnectionNotFound`](EdgeError::ConnectionNotFound) if the token is for another connection, or if the
/// header is not a handle: a session may not use OFAuth's ids. A header with a comma or a space is a
/// [`BadRequest`](EdgeError::BadRequest).
pub fn select_for_session<'a>(header: Option<&'a str>, session: &'a Session) -> Result<Option<&'a str>, EdgeError> {
    match (header, session.connection.as_deref()) {
        (None | Some(""), bound) => Ok(bound),
        (Some(handle), None) if is_handle(handle) => Ok(Some(handle)),
        (Some(handle), Some(bound)) if handle == bound => Ok(Some(bound)),
        (Some(handle), _) if handle.contains([',', ' ']) => Err(EdgeError::BadRequest(INVALID_SELECTOR)),
        _ => Err(EdgeError::ConnectionNotFound),
    }
}

/// Reads the `x-connection-id` of a server's call, which must be one handle or one id of OFAuth's. Otherwise returns
/// [`BadRequest`](EdgeError::BadRequest).
pub fn select_for_server(header: Option<&str>) -> Result<ConnectionSelector<'_>, EdgeError> {
    match header {
        None | Some("") => Err(EdgeError::BadRequest("x-connection-id is missing: send a handle or a connection id")),
        Some(handle) if is_handle(handle) => Ok(ConnectionSelector::Handle(handle)),
        Some(id) if is_connection_id(id) => Ok(ConnectionSelector::Id(id)),
        Some(_) => Err(EdgeError::BadRequest(INVALID_SELECTOR)),
    }
}

/// Whether a call with this method may be sent more than once.
pub fn is_retryable(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

/// How long to wait before the next attempt, in ms. `None` if the call must not be sent again.
///
/// `attempt` is the result of the last attempt. So far there were `attempts` of them, which took `elapsed` ms. A GET or
/// HEAD is sent again after a failure, a 502, a 503, a `RULES_OUTDATED`, or a 429 with a `Retry-After` of at most
/// [`MAX_RETRY_AFTER`].
///
/// `random` is from 0 to 1. It chooses a wait from 0 up to 200 ms, after the second attempt up to 400 ms, so that
/// clients do not all come back at the same moment ("full jitter").
pub fn retry_delay(method: &str, attempt: Attempt, attempts: u32, elapsed: i64, random: f64) -> Option<i64> {
    let min_wait = match attempt {
        Attempt::Failed
        | Attempt::Answered { status: 502 | 503, .. }
        | Attempt::Answered { code: Some("RULES_OUTDATED"), .. } => 0,
        Attempt::Answered { status: 429, retry_after: Some(seconds @ 0..=MAX_RETRY_AFTER), .. } => {
            i64::try_from(seconds).ok()? * 1_000
        }
        Attempt::Answered { .. } => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "a few hundred milliseconds")]
    let jitter =
        (random.clamp(0.0, 1.0) * FIRST_BACKOFF * f64::from(1 << (attempts.clamp(1, MAX_ATTEMPTS) - 1))) as i64;
    let wait = min_wait + jitter;
    (is_retryable(method) && attempts < MAX_ATTEMPTS && elapsed + wait < DEADLINE).then_some(wait)
}

/// Whether a path belongs to the raw proxy, `/v2/access/proxy/*`, in any spelling that a server may accept: see
/// [`is_named`]. There OnlyFans answers, not OFAuth.
pub fn is_raw_proxy_path(path: &str) -> bool {
    starts_with_segments(path, ["", "v2", "access", "proxy"])
}

/// Whether a path is `/v2/access/self`, in any spelling that a server may accept: see [`is_named`]. Slashes at its end do
/// not count.
pub fn is_self_path(path: &str) -> bool {
    starts_with_segments(path, ["", "v2", "access", "self"]) && path.split('/').skip(4).all(str::is_empty)
}

fn starts_with_segments(path: &str, names: [&str; 4]) -> bool {
    let segments = path.split('/').map(|segment| percent_decode_str(segment).collect::<Vec<u8>>());
    segments.zip(names).filter(|(segment, name)| is_named(segment, name)).count() == names.len()
}

/// Whether an answer with this status may be a refusal by OFAuth, so that its body must be read. A 401 or 403 from the
/// raw proxy is from OnlyFans.
pub fn may_be_refusal(path: &str, status: u16) -> bool {
    matches!(status, 401 | 403) && !is_raw_proxy_path(path)
}

/// The status of the connection that an answer shows, if the connection's ledger should learn it.
///
/// `known_status` is the status in the record that the gateway read for the call. `refusal` is the answer's error, if
/// it is a refusal by OFAuth. `is_auth` is the `isAuth` of an answer of `/v2/access/self`.
///
/// A refusal is reported even if the connection is known to have expired: the record may be a minute old, and the
/// connection may have become active since.
pub fn observed_status(
    known_status: &str,
    status: u16,
    refusal: Option<&ApiError>,
    is_auth: Option<bool>,
) -> Option<&'static str> {
    let must_relink = refusal.is_some_and(|refusal| refusal.verdict == Verdict::Relink);
    let is_success = (200..300).contains(&status);
    if must_relink || (is_success && is_auth == Some(false)) {
        (known_status != DISCONNECTED).then_some(EXPIRED)
    } else {
        (is_success && matches!(known_status, EXPIRED | MISSING)).then_some(ACTIVE)
    }
}

/// What a client should do about an answer, if it is an error. `refusal` is as for [`observed_status`].
///
/// A 401 or 403 that is not a refusal by OFAuth says nothing about the session or the API key, so the client gives up.
pub fn verdict(path: &str, status: u16, refusal: Option<&ApiError>) -> Option<Verdict> {
    let is_from_onlyfans = is_raw_proxy_path(path) && matches!(status, 401 | 403);
    match refusal {
        _ if status < 400 => None,
        _ if is_from_onlyfans => Some(Verdict::GiveUp),
        None if matches!(status, 401 | 403) => Some(Verdict::GiveUp),
        Some(refusal) => Some(refusal.verdict),
        None => Some(ApiError::read(status, RetryHeaders::default(), b"").verdict),
    }
}

/// The body of a refusal with `actionRequired: "relink_connection"` added at its end. `None` if the body is not a JSON
/// object, is an empty object, or has an `actionRequired` already.
pub fn with_relink_hint(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct ActionRequired<'a> {
        #[serde(borrow, rename = "actionRequired")]
        camel: Option<Raw<'a>>,
        #[serde(borrow, rename = "action_required")]
        snake: Option<Raw<'a>>,
    }
    let text = std::str::from_utf8(body).ok()?;
    let action: ActionRequired = json::from_slice(body).ok()?;
    let lacks_action = action.camel.is_none() && action.snake.is_none();
    let (head, tail) = text.rsplit_once('}').filter(|(head, _)| lacks_action && !head.trim_end().ends_with('{'))?;
    Some(format!("{head},\"actionRequired\":\"{RELINK}\"}}{tail}"))
}

/// Whether a header of the caller is forwarded to OFAuth. The proxy sets `apikey` and `x-connection-id` itself.
///
/// A name with an underscore is blocked, because many servers read `x_connection_id` as `x-connection-id`.
///
/// `name` must be in lower case. `connection` is the value of the header `Connection`, which may name further headers
/// that are not forwarded (RFC 9110, section 7.6.1).
pub fn forwards_request_header(name: &str, connection: &str) -> bool {
    let is_blocked = matches!(
        name,
        "apikey"
            | "authorization"
            | "cookie"
            | "host"
            | "x-connection-id"
            | "x-platform-id"
            | "x-real-ip"
            | "x-http-method-override"
            | "x-http-method"
            | "x-method-override"
            | "x-rewrite-url"
            | "x-host"
            | "forwarded"
    ) || name.contains('_')
        || name.ends_with("client-ip")
        || ["x-of-", "cf-", "x-forwarded-", "x-original-"].iter().any(|prefix| name.starts_with(prefix));
    !is_blocked && !is_hop_by_hop(name, connection)
}

/// Whether a header of OFAuth's answer is passed back. A header is blocked if it would act on the gateway's own origin in
/// a browser, or if the gateway sets it itself. The arguments are those of [`forwards_request_header`].
pub fn forwards_response_header(name: &str, connection: &str) -> bool {
    let is_set_by_gateway = matches!(name, "x-connection-id" | "x-ofauth-edge" | "x-ofauth-edge-action");
    let is_blocked = is_set_by_gateway
        || matches!(
            name,
            "clear-site-data"
                | "alt-svc"
                | "refresh"
                | "strict-transport-security"
                | "service-worker-allowed"
                | "nel"
                | "report-to"
                | "reporting-endpoints"
        )
        || ["access-control-", "x-of-", "public-key-pins", "set-"].iter().any(|prefix| name.starts_with(prefix));
    !is_blocked && !is_hop_by_hop(name, connection)
}

/// Whether a header is meant for the next server only, and not for those behind it: RFC 9110, section 7.6.1, and RFC
/// 2616, section 13.5.1.
fn is_hop_by_hop(name: &str, connection: &str) -> bool {
    matches!(name, "connection" | "keep-alive" | "te" | "trailer" | "transfer-encoding" | "upgrade" | "expect")
        || name.starts_with("proxy-")
        || connection.split(',').any(|named| named.trim_ascii().eq_ignore_ascii_case(name))
}
