//! Decides what the operator must hear at once, from the counts of the last hour.
//!
//! Each cause is told when it begins, once an hour while it goes on, and once when it is over.
//!
//! | cause | begins | is over |
//! |---|---|---|
//! | `expirations` | more sessions expired in the last hour than the limit | no more than the limit did |
//! | `parked` | a forward was parked, or deleted unsent, in the last hour | none was |
//! | `api_key` | OFAuth refused the API key in the last 10 minutes, and accepted it in no later minute | it accepted it later |
//! | `reconciliation` | a pass stopped, and none was completed in a later minute | a later pass was completed |
//! | `signatures` | [`MIN_REFUSED`] or more webhooks were refused for 10 minutes, the last one in the last 10 minutes, and none accepted | one was accepted later |
//!
//! While neither is certain, nothing is told.

use super::{counts::name, minutes::Minutes};
use crate::core::webhook::SignatureError;

/// For how long a cause is not told again, in minutes.
const AGAIN_AFTER: i64 = 60;
/// For how long webhooks must be refused before that is told, and how long ago the last sign of a cause may be, in minutes.
const SPAN: i64 = 10;

/// How many webhooks must be refused before that is told: a scanner may send one now and then to a gateway that is quiet.
const MIN_REFUSED: u64 = 5;

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The name of the cause.
    pub cause: &'static str,
    /// Whether the cause is over.
    pub is_over: bool,
    /// What to tell. It names no user, no connection and no secret.
    pub text: String,
}

/// Whether a cause holds.
enum State {
    Holds,
    Over,
    /// Neither is certain: nothing is told.
    Open,
}

/// What to tell now. `hour` has the counts of the last 60 minutes, `now` is the present minute, `limit` is that of
/// expirations. `told` has the minute in which a cause was told last, `None` if it is over or was never told.
pub fn alerts(hour: &Minutes, told: impl Fn(&str) -> Option<i64>, limit: u64, now: i64) -> Vec<Alert> {
    let total = hour.total();
    let of = |name, code: &'static str| total.under(name).filter(move |it| code.is_empty() || it.code == code);
    let sum = |name, code| of(name, code).map(|it| it.count).sum::<u64>();
    let last = |name, code| of(name, code).map(|it| it.last).max();
    // A webhook and a call may show the same expiration.
    let expired = sum(name::EXPIRED, "webhook").max(sum(name::EXPIRED, "call"));
    // What was lost is told under the same cause: the app lacks it too.
    let parked = sum(name::FORWARD, "parked") + sum(name::FORWARD, "lost");
    let key = newer(last(name::API_KEY, ""), last(name::UPSTREAM, "2xx"), now - SPAN);
    let pass = newer(last(name::RECONCILIATION, "stopped"), last(name::RECONCILIATION, "done"), 0);
    let causes = [
        ("expirations", above(expired, limit), format!("{expired} sessions expired in the last hour")),
        ("parked", above(parked, 0), format!("{parked} forwards were parked or lost in the last hour")),
        ("api_key", key, "OFAuth refuses the API key".to_owned()),
        ("reconciliation", pass, "the reconciliation has stopped".to_owned()),
        (
            "signatures",
            signatures(hour, now),
            "no webhook was accepted, and some were refused, for 10 minutes".to_owned(),
        ),
    ];
    let due = causes.into_iter().filter_map(|(cause, state, what)| match (state, told(cause)) {
        (State::Holds, told) if told.is_none_or(|at| now - at >= AGAIN_AFTER) => {
            Some(Alert { cause, is_over: false, text: format!("ofauth-edge: {what}. GET /edge/status says more.") })
        }
        (State::Over, Some(_)) => Some(Alert { cause, is_over: true, text: format!("ofauth-edge: over: {cause}.") }),
        _ => None,
    });
    due.collect()
}

fn above(count: u64, limit: u64) -> State {
    if count > limit { State::Holds } else { State::Over }
}

/// Whether the bad thing, which was last seen in the minute `bad`, still holds. A sign of it from before `recent` proves
/// nothing.
fn newer(bad: Option<i64>, good: Option<i64>, recent: i64) -> State {
    match bad {
        _ if good > bad => State::Over,
        Some(bad) if bad >= recent => State::Holds,
        _ => State::Open,
    }
}

fn signatures(hour: &Minutes, now: i64) -> State {
    let is_refusal = |code: &str| SignatureError::CODES.iter().any(|(known, _)| *known == code);
    let (mut first, mut last, mut accepted, mut refused) = (0, None, None, 0);
    for (minute, counts) in hour.iter().rev() {
        if counts.under(name::ACCEPTED).next().is_some() {
            accepted = Some(*minute);
            break;
        }
        let count = counts.under(name::REJECTED).filter(|it| is_refusal(&it.code)).map(|it| it.count).sum::<u64>();
        if count > 0 {
            first = *minute;
            last = last.or(Some(first));
            refused += count;
        }
    }
    match newer(last, accepted, now - SPAN) {
        State::Holds if refused < MIN_REFUSED || last.is_some_and(|last| last - first < SPAN) => State::Open,
        state => state,
    }
}
