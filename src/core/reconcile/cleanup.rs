//! Decides which expired connections are deleted at OFAuth.

use crate::core::{
    connection::{EXPIRED, Record},
    instant::unix_ms,
};

const DAY: i64 = 86_400_000;

/// Whether a connection is expired, and has been for `days` or longer at `now` (unix ms). Never with 0 days, which means that
/// nothing is cleaned up.
pub fn is_due_for_cleanup(record: &Record, days: u64, now: i64) -> bool {
    let lifetime = i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(DAY);
    let expired_at = record.expired_at.as_deref().and_then(unix_ms);
    days > 0 && record.status == EXPIRED && expired_at.is_some_and(|at| now - at >= lifetime)
}
