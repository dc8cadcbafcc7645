//! Forwarding of events to the app: what an answer of the app means, and when an event is sent again.
//!
//! | answer | what happens |
//! |---|---|
//! | 2xx | the app has taken the event |
//! | 429, 5xx, or no answer within [`TIMEOUT`] | it is sent again, until [`LIFETIME`] after it was received |
//! | 410 | it is parked: the app wants no more of it |
//! | none, because the event is too large for the queue | it is parked: the queue would never take it |
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
//! | `x-ofauth-edge-version` | the version of the connection's record after this event; only events about a connection have it |
//! | `x-ofauth-edge-original-timestamp` | the time of the event itself, in whole unix seconds |
//! | `x-ofauth-edge-replay` | `1` if the attempt, or one before it, was asked for by hand |
//!
//! If there is a queue, a message of it takes the place of the request: JSON with these `headers`, the `body`, and its
//! `encoding`, `utf8` or `base64`. When the queue has it, the app has taken it.

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

/// Why there was no answer, if the event cannot be decrypted and was not sent.
pub const KEY_MISSING: &str = "storage_key_missing";

/// The result of an attempt if the event is larger than a message of the queue may be.
pub const TOO_LARGE: &str = "too_large";

/// An event that the app has not taken, as the attempts so far left it. Times are unix ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// When the event was received.
    pub received: i64,
    /// How many attempts have failed.
    pub attempts: i64,
    /// How many of them got no answer.
    pub unanswered: i64,
    /// When the first of them ended.
    pub first_at: Option<i64>,
    /// When the app refused it for the first time, with an answer that no later attempt is likely to change.
    pub refused_at: Option<i64>,
}

/// What the app answered to one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// It gave no answer. The text says why: `timeout`, `network_error`, `queue_error`, or [`KEY_MISSING`].
    None(&'a str),
    /// The queue never takes the event.
    TooLarge,
    /// Its HTTP status, and the header `Retry-After` in seconds.
    Status(u16, Option<&'a str>),
}

/// What becomes of an event after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The app has taken it.
    Taken,
    /// It is not sent any more.
    Parked,
    /// It is sent again at this instant, in unix ms.
    Again(i64),
}

/// How long to wait before the next attempt, in ms, after so many had failed before the last one.
///
/// `random` is from 0 to 1. It chooses a wait from half of the full one up to all of it, so that not all events come back at the
/// same moment.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "at most an hour in ms")]
pub fn wait_after(failed: i64, random: f64) -> i64 {
    let full = (FIRST_WAIT << failed.clamp(0, 20)).min(MAX_WAIT);
    full / 2 + (random.clamp(0.0, 1.0) * (full / 2) as f64) as i64
}

impl Waiting {
    /// Counts an attempt that ended at `now` (unix ms), and says what becomes of the event.
    ///
    /// `random` is that of [`wait_after`]. A longer `Retry-After` is respected. The last attempt is at the end of the time limit.
    pub fn after(self, answer: Answer<'_>, now: i64, random: f64) -> (Self, Next) {
        let (is_refused, retry_after) = match answer {
            Answer::Status(status, retry_after) => (status != 429 && status < 500, retry_after),
            Answer::None(_) | Answer::TooLarge => (false, None),
        };
        let counted = Self {
            attempts: self.attempts + 1,
            unanswered: self.unanswered + i64::from(matches!(answer, Answer::None(_))),
            first_at: self.first_at.or(Some(now)),
            refused_at: self.refused_at.or(is_refused.then_some(now)),
            ..self
        };
        let end = match counted.refused_at {
            Some(at) if is_refused => (at + REFUSED_LIFETIME).min(self.received + LIFETIME),
            _ => self.received + LIFETIME,
        };
        let next = match answer {
            Answer::Status(200..=299, _) => Next::Taken,
            Answer::Status(410, _) | Answer::TooLarge => Next::Parked,
            _ if now >= end => Next::Parked,
            _ => {
                let wait = wait_after(self.attempts, random);
                let asked = retry_after.and_then(parse_seconds);
                let asked = asked.map_or(0, |seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
                Next::Again(now.saturating_add(wait.max(asked.saturating_mul(1_000))).min(end))
            }
        };
        (counted, next)
    }

    /// The attempt and what becomes of the event, for the log.
    pub fn describe(&self, answer: Answer<'_>, next: Next) -> String {
        let what = match answer {
            Answer::Status(status, _) => format!("the app answered {status}"),
            Answer::TooLarge => "the event is too large for the queue".to_owned(),
            Answer::None(reason) => format!("the app did not answer: {reason}"),
        };
        match next {
            Next::Parked => format!("{what}; parked: {} tries, {} unanswered", self.attempts, self.unanswered),
            _ => what,
        }
    }
}

impl<'a> Answer<'a> {
    /// Reads an attempt's result: `{status} {Retry-After}`, with an empty `Retry-After` if there is none, [`TOO_LARGE`], or why
    /// there was no answer.
    pub fn read(result: &'a str) -> Self {
        if result == TOO_LARGE {
            return Self::TooLarge;
        }
        let answered =
            result.split_once(' ').and_then(|(status, retry_after)| Some((status.parse().ok()?, retry_after)));
        answered.map_or(Self::None(result), |(status, retry_after)| Self::Status(status, Some(retry_after)))
    }

    /// The code under which the metrics count the attempt. What failed here is kept apart from what the app answered.
    pub fn code(self) -> &'static str {
        match self {
            Self::Status(200..=299, _) => "taken",
            Self::Status(..) | Self::TooLarge => "refused",
            Self::None(KEY_MISSING) => "failed",
            Self::None(_) => "unanswered",
        }
    }
}
