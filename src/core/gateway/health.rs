//! How a connection is: what its record says, and for one that should work what a call on it showed.

use serde::Serialize;

use super::{error::Verdict, upstream_error::ApiError};
use crate::core::connection::Record;

/// How a connection is. A 429 or an outage is no fault of the connection's, and not said to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// A call went through.
    Healthy,
    /// The user has to go through Link again.
    Relink,
    /// The user is still linking: `pending`, `awaiting_2fa`.
    Waiting,
    /// There is trouble with it that may pass: `error`, or a call that was refused for another reason.
    Unstable,
    /// Too many calls: whether it works cannot be told now.
    RateLimited,
    /// OFAuth did not answer, or not as it should.
    UpstreamDown,
    /// The gateway's API key is wrong.
    OperatorError,
}

/// What to know before asking: `None` for a connection that only a call can tell of.
pub fn of_record(record: &Record) -> Option<Health> {
    match record.status.as_str() {
        "expired" | "failed" | "disconnected" | "revoked" | "missing" => Some(Health::Relink),
        "pending" | "awaiting_2fa" => Some(Health::Waiting),
        "error" => Some(Health::Unstable),
        _ => None,
    }
}

/// What the answer of `GET /v2/access/self` shows. `is_auth` is what it said of itself; `error` the error it was.
pub fn of_answer(status: u16, is_auth: Option<bool>, error: Option<&ApiError>) -> Health {
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
