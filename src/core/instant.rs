//! Instants: RFC 3339 text to and from unix milliseconds.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The latest instant that can be written down, 9999-12-31, in unix milliseconds.
pub const MAX_STAMP: i64 = 253_402_300_799_999;

/// An RFC 3339 instant from 1970 to 9999, in unix milliseconds.
pub fn unix_ms(timestamp: &str) -> Option<i64> {
    let instant = OffsetDateTime::parse(timestamp, &Rfc3339).ok()?.unix_timestamp_nanos().div_euclid(1_000_000);
    i64::try_from(instant).ok().filter(|ms| (0..=MAX_STAMP).contains(ms))
}

/// Unix milliseconds in RFC 3339, UTC, always with three decimals, as JavaScript writes it. Clamped to 1970 to 9999.
pub fn iso_8601(ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms.clamp(0, MAX_STAMP)) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second, milli) = at.to_hms_milli();
    format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z", u8::from(month))
}
