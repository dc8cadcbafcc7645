//! `GET /edge/metrics`: what was counted in each minute, the newest first.
//!
//! ```json
//! {
//!   "list": [{"minute": "2024-01-15T10:30:00.000Z", "counts": {"webhook_accepted": {"applied": 12}}}],
//!   "total": {"webhook_accepted": {"applied": 12}}
//! }
//! ```

use worker::Env;

use crate::{
    core::{
        gateway::{Caller, EdgeError},
        monitor::Minutes,
    },
    worker::{
        http::{Call, Reply},
        metrics,
        platform::Failure,
    },
};

/// How many minutes are shown if the query does not say.
const DEFAULT: i64 = 60;

/// Shows the last minutes: as many as the query's `minutes` says, 1 to 1440. A session is refused.
pub async fn show(call: &Call, caller: &Caller, env: &Env) -> Result<Reply, Failure> {
    caller.refuse_session()?;
    let minutes = match call.query() {
        "" => Some(DEFAULT),
        query => query.strip_prefix("minutes=").and_then(|minutes| minutes.parse().ok()),
    };
    let minutes = minutes.filter(|minutes| (1..=Minutes::MAX).contains(minutes));
    let minutes = minutes.ok_or(EdgeError::BadRequest("the query may have minutes, a number from 1 to 1440"))?;
    Ok(Reply::json_text(metrics::minutes(minutes, env).await?.to_json()))
}
