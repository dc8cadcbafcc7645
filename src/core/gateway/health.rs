//! Decides whether a connection works, for `GET /edge/connections/{handle or id}/health`.
//!
//! 1. [`from_record`] answers from the stored status, if the status alone decides.
//! 2. Otherwise the gateway calls `GET /v2/access/self`, and [`from_answer`] judges that answer.
//!
//! A rate limit or an outage of OFAuth is never reported as a fault of the connection.

use serde::Serialize;

use super::{error::Verdict, upstream_error::ApiError};
use crate::core::connection::{DISCONNECTED, EXPIRED, MISSING, Record};

/// Whether a connection works and, if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// A call on the connection succeeded.
    Healthy,
    /// The user must go through Link again.
    Relink,
    /// The user has not finished Link: the status is `pending` or `awaiting_2fa`.
    Waiting,
    /// The connection has a problem that may pass: its status is `error`, or OFAuth refused the call for a reason that
    /// no other variant describes.
    Unstable,
    /// OFAuth limits the rate of calls, so it is unknown whether the connection works.
    RateLimited,
    /// OFAuth did not answer, or its answer says nothing about the connection, such as a server error or a redirect.
    UpstreamDown,
    /// OFAuth refused the gateway's API key.
    OperatorError,
}

/// The health that the stored status shows. `None` if only a call can show it: for `active`, for `unknown` and for a
/// status that the gateway does not know.
///
/// The meaning of a status is from OFAuth's documentation (Connections API: Connection States; SDK, Connections:
/// Connection Status Management). `missing` is the gateway's own: OFAuth did not know the id when the user went through
/// Link again.
pub fn from_record(record: &Record) -> Option<Health> {
    match record.status.as_str() {
        EXPIRED | DISCONNECTED | MISSING | "failed" | "revoked" => Some(Health::Relink),
        "pending" | "awaiting_2fa" => Some(Health::Waiting),
        "error" => Some(Health::Unstable),
        _ => None,
    }
}

/// The health that an answer of `GET /v2/access/self` shows.
///
/// `is_auth` is the `isAuth` of its body: OFAuth answers 200 with `isAuth: false` if the session at OnlyFans has ended.
/// `error` is the error that the answer carries, which is `None` if `status` is below 400.
pub fn from_answer(status: u16, is_auth: Option<bool>, error: Option<&ApiError>) -> Health {
    match (status, error) {
        (200..=299, _) if is_auth == Some(false) => Health::Relink,
        (200..=299, _) => Health::Healthy,
        (_, Some(error)) => match error.verdict {
            Verdict::Relink => Health::Relink,
            Verdict::Operator => Health::OperatorError,
            Verdict::Retry if error.retry_after.is_some() => Health::RateLimited,
            Verdict::Retry => Health::UpstreamDown,
            Verdict::GiveUp | Verdict::RefreshToken => Health::Unstable,
        },
        (_, None) => Health::UpstreamDown,
    }
}
