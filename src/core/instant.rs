//! Converts instants between text and unix milliseconds.
//!
//! The code computes with unix milliseconds (ms since 1970-01-01T00:00:00Z). OFAuth's webhooks and the gateway's own
//! JSON write instants as RFC 3339 text, which is a form of ISO 8601.
//!
//! ```
//! use ofauth_edge::core::instant::{iso_8601, unix_ms};
//!
//! assert_eq!(unix_ms("2024-01-15T10:30:00Z"), Some(1_705_314_600_000));
//! assert_eq!(iso_8601(1_705_314_600_000), "2024-01-15T10:30:00.000Z");
//! ```
//!
//! Nothing here reads a clock.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The latest instant that RFC 3339 can write, 9999-12-31T23:59:59.999Z, in unix ms.
pub const MAX_STAMP: i64 = 253_402_300_799_999;

/// Reads an instant in RFC 3339, with any offset, into unix ms. Digits after the third decimal are dropped.
///
/// `None` if the text is not RFC 3339, or if the instant is not between 1970 and 9999.
pub fn unix_ms(timestamp: &str) -> Option<i64> {
    let instant = OffsetDateTime::parse(timestamp, &Rfc3339).ok()?;
    let ms = instant.unix_timestamp() * 1_000 + i64::from(instant.millisecond());
    Some(ms).filter(|ms| (0..=MAX_STAMP).contains(ms))
}

/// Writes unix ms as RFC 3339 in UTC with three decimals, like JavaScript's `toISOString`.
///
/// An instant before 1970 or after 9999 becomes the nearest instant in that range.
pub fn iso_8601(ms: i64) -> String {
    let ms = ms.clamp(0, MAX_STAMP);
    let (seconds, milli) = (ms / 1_000, ms % 1_000);
    let instant = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = instant.to_calendar_date();
    let (hour, minute, second) = instant.to_hms();
    format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z", u8::from(month))
}
