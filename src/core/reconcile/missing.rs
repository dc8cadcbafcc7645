//! Decides about connections that OFAuth's list lacks.
//!
//! Absence is weak evidence: the list may be cut short, or may be that of another account. So a connection that is absent is
//! never taken for deleted. It gets the status `missing`, which any later fact about its status replaces.

use crate::core::{
    connection::{DISCONNECTED, MISSING, Record},
    instant::unix_ms,
};

/// How far apart two complete passes must begin that a connection is absent from, in ms: 10 minutes.
pub const MIN_ABSENCE: i64 = 600_000;

/// What the absence of a connection means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Nothing yet, or nothing more: it was absent from one pass only, from passes shortly one after the other, or it is
    /// disconnected or missing already.
    TooShort,
    /// Something newer is known about the connection. It must be absent from two passes that begin after that.
    Interrupted,
    /// It is missing since this instant, in unix ms.
    MissingSince(i64),
}

/// Whether so many connections are absent at once that the list is not believed: more than 10, and more than a fifth.
pub fn is_implausible(absent: i64, known: i64) -> bool {
    absent > 10 && absent.saturating_mul(5) > known
}

/// Decides about a connection that is absent from all passes from the one that began at `since` to the one that began at
/// `started`, both in unix ms.
pub fn absence(record: &Record, since: i64, started: i64) -> Absence {
    let is_newer = unix_ms(&record.updated_at).is_none_or(|updated| updated >= since);
    match record.status.as_str() {
        DISCONNECTED | MISSING => Absence::TooShort,
        _ if started < since + MIN_ABSENCE => Absence::TooShort,
        _ if is_newer => Absence::Interrupted,
        _ => Absence::MissingSince(since),
    }
}
