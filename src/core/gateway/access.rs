//! The Access API proxy as data: what goes up, what comes back.
//!
//! The upstream's origin is fixed by configuration; path and query go up byte for byte. So the path is judged, not
//! cleaned: one that could be read as another path by anything behind us is refused. Headers that carry a caller's
//! credentials or routing stop here, and so do upstream headers that would act on our origin.

use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    error::{EdgeError, RELINK, Verdict},
    session::Session,
    upstream_error::{ApiError, RetryHeaders},
};
use crate::core::{
    connection::{ACTIVE, DISCONNECTED, EXPIRED, MISSING, Record},
    id::{is_connection_id, is_handle, is_segment},
    json::Object,
};

/// What every proxied path begins with.
pub const PREFIX: &str = "/v2/access/";

/// The permission of a call that OFAuth's list of routes does not have, and of the raw proxy.
pub const ANY_PERMISSION: &str = "access:any";

/// How many times a call is sent at most.
pub const MAX_TRIES: u32 = 3;
/// How long a retried call may take until its answer begins, in milliseconds, all tries together.
pub const DEADLINE: i64 = 10_000;
/// The longest `Retry-After` that is waited for here, in seconds: a longer one is the caller's.
pub const MAX_RETRY_AFTER: u64 = 2;
/// The longest error body that is read, in bytes.
pub const MAX_ERROR_BODY: usize = 64 * 1024;
/// The first wait is anything up to this, in milliseconds; it doubles.
const FIRST_WAIT: f64 = 200.0;

const ONE_CONNECTION: &str = "x-connection-id names one connection, by handle or id";

/// Which connection a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionSelector<'a> {
    /// By handle: the store knows the id.
    Handle(&'a str),
    /// By OFAuth's id.
    Id(&'a str),
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt<'a> {
    /// No answer.
    Failed,
    /// An answer; its code if it is a refusal that was read, its `Retry-After` in seconds if it has one.
    Answered(u16, Option<&'a str>, Option<u64>),
}

#[derive(Deserialize)]
struct ListedRoute {
    method: String,
    path: String,
    permission: Option<String>,
}

/// Judges a path (without query, as received): it begins with [`PREFIX`] and is [`check_segments`]'s.
pub fn check_path(path: &str) -> Result<(), EdgeError> {
    if path.starts_with(PREFIX) { check_segments(path) } else { Err(EdgeError::RouteNotFound) }
}

/// Judges a path that goes up: each segment percent-decoded once, it has no dot segment, slash, backslash or control
/// byte, and no `%2e`, `%2f`, `%5c` or `%25` left to decode.
pub fn check_segments(path: &str) -> Result<(), EdgeError> {
    if path.split('/').all(|segment| is_segment(&percent_decode_str(segment).collect::<Vec<_>>())) {
        Ok(())
    } else {
        Err(EdgeError::BadRequest("the path is ambiguous"))
    }
}

/// The permission that a session needs for a call: that of OFAuth's list, static segments before parameters, else
/// [`ANY_PERMISSION`]. Each segment of the path is decoded once; GET serves HEAD; an empty segment matches nothing.
pub fn permission(method: &str, path: &str) -> &'static str {
    static ROUTES: LazyLock<Vec<ListedRoute>> =
        LazyLock::new(|| serde_json::from_str(include_str!("routes.json")).unwrap_or_default());
    let method = if method == "HEAD" { "GET" } else { method };
    let segments: Option<Vec<_>> = path.split('/').map(|raw| percent_decode_str(raw).decode_utf8().ok()).collect();
    let Some(segments) = segments else { return ANY_PERMISSION };
    let routes = ROUTES.iter().filter(|route| route.method == method);
    // Among the routes that match, the one whose first parameter comes last has the more static segments before it.
    let best = routes.filter_map(|route| Some((route.statics(&segments)?, route))).max_by(|(a, _), (b, _)| a.cmp(b));
    best.and_then(|(_, route)| route.permission.as_deref()).unwrap_or(ANY_PERMISSION)
}

/// The connection a session means: the one that is named, else its only active one, else its only one that is not
/// disconnected. `named` is the handle of the call or of the token; `theirs` is all the user has.
pub fn choose_connection<'a>(named: Option<&str>, theirs: &'a [Record]) -> Result<&'a Record, EdgeError> {
    if let Some(handle) = named {
        let record = theirs.iter().find(|record| record.handle == handle);
        return record.filter(|record| record.is_connected()).ok_or(EdgeError::ConnectionNotFound);
    }
    let only = |wanted: fn(&Record) -> bool| {
        let mut found = theirs.iter().filter(|record| wanted(record));
        (found.next(), found.next())
    };
    match (only(|record| record.status == ACTIVE), only(Record::is_connected)) {
        ((Some(record), None), _) | ((None, _), (Some(record), None)) => Ok(record),
        (_, (None, _)) => Err(EdgeError::ConnectionNotFound),
        _ => Err(EdgeError::ConnectionAmbiguous),
    }
}

/// The handle a session's call is bound to: the token's, the header's, or none. A token for one connection opens no
/// other, and a session names by handle only.
pub fn select_for_session<'a>(header: Option<&'a str>, session: &'a Session) -> Result<Option<&'a str>, EdgeError> {
    match (header, session.connection.as_deref()) {
        (None | Some(""), bound) => Ok(bound),
        (Some(handle), None) if is_handle(handle) => Ok(Some(handle)),
        (Some(handle), Some(bound)) if handle == bound => Ok(Some(bound)),
        (Some(handle), _) if handle.contains([',', ' ']) => Err(EdgeError::BadRequest(ONE_CONNECTION)),
        _ => Err(EdgeError::ConnectionNotFound),
    }
}

/// Whether a call may be sent more than once.
pub fn is_retryable(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

/// Whether and after how many milliseconds to send again: full jitter, by `random` in 0 to 1. `tries` were made in
/// `elapsed` milliseconds.
pub fn retry_delay(method: &str, tried: Attempt, tries: u32, elapsed: i64, random: f64) -> Option<i64> {
    let least = match tried {
        Attempt::Failed | Attempt::Answered(502 | 503, ..) | Attempt::Answered(_, Some("RULES_OUTDATED"), _) => 0,
        Attempt::Answered(429, _, Some(seconds @ 0..=MAX_RETRY_AFTER)) => i64::try_from(seconds).ok()? * 1_000,
        Attempt::Answered(..) => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "a few hundred milliseconds")]
    let jitter = (random.clamp(0.0, 1.0) * FIRST_WAIT * f64::from(1 << (tries.clamp(1, MAX_TRIES) - 1))) as i64;
    let wait = least + jitter;
    (is_retryable(method) && tries < MAX_TRIES && elapsed + wait < DEADLINE).then_some(wait)
}

/// Whether a path is the raw proxy's, however it is written: whatever OnlyFans answers there is no word of OFAuth's.
pub fn is_raw_proxy(path: &str) -> bool {
    begins(path, ["", "v2", "access", "proxy"])
}

/// Whether a path is `/v2/access/self`, however it is written.
pub fn is_self(path: &str) -> bool {
    begins(path, ["", "v2", "access", "self"]) && path.split('/').count() == 4
}

fn begins(path: &str, segments: [&str; 4]) -> bool {
    let first = path.split('/').take(4).map(|segment| percent_decode_str(segment).collect::<Vec<u8>>());
    first.eq(segments.map(|segment| segment.as_bytes().to_vec()))
}

/// Whether an answer of this status may be a refusal of OFAuth's. Under the raw proxy it is OnlyFans' own.
pub fn may_refuse(path: &str, status: u16) -> bool {
    matches!(status, 401 | 403) && !is_raw_proxy(path)
}

/// The status that an answer shows a connection to have, if that is worth telling its ledger. What is `known` may be a
/// minute old, so a refusal is told even of a connection that is known to be expired.
///
/// `refusal` is a 401 or 403 of OFAuth's, read; `is_auth` what `/v2/access/self` said of itself.
pub fn observed_status(
    known: &str,
    status: u16,
    refusal: Option<&ApiError>,
    is_auth: Option<bool>,
) -> Option<&'static str> {
    let relink = refusal.is_some_and(|refusal| refusal.verdict == Verdict::Relink);
    let success = (200..300).contains(&status);
    if relink || (success && is_auth == Some(false)) {
        (known != DISCONNECTED).then_some(EXPIRED)
    } else {
        (success && matches!(known, EXPIRED | MISSING)).then_some(ACTIVE)
    }
}

/// What a client should do about an upstream answer, if it is an error. A 401 or 403 that is not of OFAuth's shape says
/// nothing of the session or the key: it is somebody else's, and under the raw proxy OnlyFans' own.
pub fn verdict(path: &str, status: u16, refusal: Option<&ApiError>) -> Option<Verdict> {
    let raw = is_raw_proxy(path) && matches!(status, 401 | 403);
    match refusal {
        _ if status < 400 => None,
        _ if raw => Some(Verdict::GiveUp),
        None if matches!(status, 401 | 403) => Some(Verdict::GiveUp),
        Some(refusal) => Some(refusal.verdict),
        None => Some(ApiError::read(status, RetryHeaders::default(), b"").verdict),
    }
}

/// The body of a refusal with `actionRequired` added at its end; `None` if it is no object that lacks one.
pub fn with_relink_hint(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Hinted<'a> {
        #[serde(borrow, rename = "actionRequired")]
        camel: Option<&'a RawValue>,
        #[serde(borrow, rename = "action_required")]
        snake: Option<&'a RawValue>,
    }
    let text = std::str::from_utf8(body).ok()?;
    let Object(hinted) = serde_json::from_str::<Object<Hinted>>(text).ok()?;
    let lacks = hinted.camel.is_none() && hinted.snake.is_none();
    let (head, tail) = text.rsplit_once('}').filter(|(head, _)| lacks && !head.trim_end().ends_with('{'))?;
    Some(format!("{head},\"actionRequired\":\"{RELINK}\"}}{tail}"))
}

/// Reads a server's `x-connection-id`: exactly one connection, by handle or by id.
pub fn select_for_server(header: Option<&str>) -> Result<ConnectionSelector<'_>, EdgeError> {
    match header {
        None | Some("") => Err(EdgeError::BadRequest("x-connection-id is missing")),
        Some(handle) if is_handle(handle) => Ok(ConnectionSelector::Handle(handle)),
        Some(id) if is_connection_id(id) => Ok(ConnectionSelector::Id(id)),
        Some(_) => Err(EdgeError::BadRequest(ONE_CONNECTION)),
    }
}

/// Whether a caller's header goes up. `name` is lower-case; `connection` is the value of the Connection header, which
/// names further hop-by-hop headers. `apikey` and `x-connection-id` are set anew by the proxy.
pub fn forwards_request_header(name: &str, connection: &str) -> bool {
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

/// Whether an upstream header comes back. Arguments as for [`forwards_request_header`].
pub fn forwards_response_header(name: &str, connection: &str) -> bool {
    let own = matches!(name, "x-connection-id" | "x-ofauth-edge" | "x-ofauth-edge-action");
    let stopped = own
        || matches!(name, "set-cookie" | "clear-site-data" | "alt-svc")
        || ["access-control-", "x-of-"].iter().any(|prefix| name.starts_with(prefix));
    !stopped && !is_hop_by_hop(name, connection)
}

impl ListedRoute {
    /// Which segments are static, in order, if the route matches.
    fn statics(&self, segments: &[impl AsRef<str>]) -> Option<Vec<bool>> {
        let mine = self.path.split('/');
        if mine.clone().count() != segments.len() {
            return None;
        }
        let matched = mine.zip(segments).enumerate().map(|(place, (mine, theirs))| {
            let theirs = theirs.as_ref();
            match (mine.starts_with('{'), theirs) {
                (_, "") => (place == 0).then_some(true),
                (true, _) => Some(false),
                (false, _) => (mine == theirs).then_some(true),
            }
        });
        matched.collect()
    }
}

/// RFC 9110, section 7.6.1, and what it grew out of.
fn is_hop_by_hop(name: &str, connection: &str) -> bool {
    matches!(name, "connection" | "keep-alive" | "te" | "trailer" | "transfer-encoding" | "upgrade" | "expect")
        || name.starts_with("proxy-")
        || connection.split(',').any(|named| named.trim_ascii().eq_ignore_ascii_case(name))
}
