//! Forwarding of connection events to the app: what an answer of the app means, and when an event is sent again.
//!
//! | answer | what happens |
//! |---|---|
//! | 2xx | the app has taken the event |
//! | 429, 5xx, or no answer within [`TIMEOUT`] | it is sent again, until [`LIFETIME`] after it was received |
//! | 410 | it is parked: the app wants no more of it |
//! | any other | it is sent again, until [`REFUSED_LIFETIME`] after the first such answer, and not beyond [`LIFETIME`] |
//!
//! An event that was not taken in time is *parked*: it is not sent any more, and the next one goes. Redirects are not
//! followed, so a 3xx is one of the other answers.
//!
//! A request has the raw body that OFAuth sent. It is signed anew at each attempt, under the scheme
//! [`Ofauth`](crate::core::webhook::Scheme::Ofauth) with `FORWARD_SECRET`, and has these headers:
//!
//! | header | value |
//! |---|---|
//! | `ofauth-signature` | the signature, with the time of this attempt |
//! | `x-ofauth-edge-digest` | the delivery id, the same at each attempt: an idempotency key |
//! | `x-ofauth-edge-version` | the version of the connection's record after this event |
//! | `x-ofauth-edge-original-timestamp` | the time of the event itself, in whole unix seconds |

use super::upstream_error::parse_seconds;

/// How long the app may take until its answer begins, in ms.
pub const TIMEOUT: i64 = 10_000;
/// How long an event is sent again, in ms, counted from when it was received: 72 hours.
pub const LIFETIME: i64 = 72 * HOUR;
/// How long an event is sent again that the app refuses, in ms, counted from its first refusal: 24 hours.
pub const REFUSED_LIFETIME: i64 = 24 * HOUR;
/// The wait after the first failed attempt, in ms. Each further one is twice as long, up to [`MAX_WAIT`].
pub const FIRST_WAIT: i64 = 5_000;
/// The longest wait between two attempts, in ms: an hour.
pub const MAX_WAIT: i64 = HOUR;

const HOUR: i64 = 3_600_000;

/// An event that waits, as the attempts so far left it. Times are unix ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// When the event was received.
    pub received: i64,
    /// How many attempts have failed.
    pub attempts: i64,
    /// When the app refused it for the first time.
    pub refused_at: Option<i64>,
}

/// What the app answered to one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// It gave no answer in time, or could not be reached.
    None,
    /// Its HTTP status, and the header `Retry-After`. Only a number of seconds is read, not a date.
    Status(u16, Option<&'a str>),
}

/// What becomes of an event after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The app has taken it.
    Taken,
    /// It is not sent any more.
    Parked,
    /// It is sent again.
    Again {
        /// When, in unix ms.
        at: i64,
        /// When the app refused it for the first time, in unix ms.
        refused_at: Option<i64>,
    },
}

impl Waiting {
    /// What becomes of the event after an attempt that ended at `now` (unix ms).
    ///
    /// `random` is from 0 to 1. It chooses a wait from half of the full one up to all of it, so that not all events come
    /// back at the same moment. A longer `Retry-After` is respected. The last attempt is at the end of the time limit.
    pub fn after(self, answer: Answer<'_>, now: i64, random: f64) -> Next {
        let (is_refused, retry_after) = match answer {
            Answer::Status(200..=299, _) => return Next::Taken,
            Answer::Status(410, _) => return Next::Parked,
            Answer::Status(status, retry_after) => (status != 429 && status < 500, retry_after),
            Answer::None => (false, None),
        };
        let refused_at = self.refused_at.or(is_refused.then_some(now));
        let end = match refused_at {
            Some(at) if is_refused => (at + REFUSED_LIFETIME).min(self.received + LIFETIME),
            _ => self.received + LIFETIME,
        };
        if now >= end {
            return Next::Parked;
        }
        let full = (FIRST_WAIT << self.attempts.clamp(0, 20)).min(MAX_WAIT);
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "at most an hour in ms")]
        let wait = full / 2 + (random.clamp(0.0, 1.0) * (full / 2) as f64) as i64;
        let asked = retry_after.and_then(parse_seconds).map_or(0, |seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
        Next::Again { at: now.saturating_add(wait.max(asked.saturating_mul(1_000))).min(end), refused_at }
    }
}
