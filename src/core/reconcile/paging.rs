//! The pages of OFAuth's list: where the next one begins, and how long to wait for it.

/// How many connections are requested per page. With one request to the ledger for each, a page needs fewer than the 50
/// requests that one invocation may make on Cloudflare's free plan.
pub const PAGE_SIZE: usize = 40;
/// How many connections two pages have in common. While a pass reads the list, connections are deleted and the later ones
/// move up. As many may be deleted between two pages without a connection being skipped.
const OVERLAP: usize = 10;
/// The wait if the rate limit is used up and nobody says for how long, in ms (OFAuth documentation, Rate Limits).
const DEFAULT_PAUSE: i64 = 60_000;
/// The longest wait that is believed, in ms: an hour.
const MAX_PAUSE: i64 = 3_600_000;

/// Where the page after this one begins. `seen` is how many of its connections were handled.
pub fn next_offset(offset: usize, seen: usize) -> usize {
    offset + seen.saturating_sub(OVERLAP).max(1)
}

/// How long to wait before the next request, in ms, by the headers `X-RateLimit-Remaining` and `X-RateLimit-Reset`. The
/// latter is an instant in unix seconds, or a number of seconds. `now` is in unix ms.
pub fn pause(remaining: Option<&str>, reset: Option<&str>, now: i64) -> i64 {
    if remaining.and_then(|remaining| remaining.trim().parse::<i64>().ok()).is_none_or(|remaining| remaining > 0) {
        return 0;
    }
    let reset = reset.and_then(|reset| reset.trim().parse::<i64>().ok()).map(|reset| reset.saturating_mul(1_000));
    let wait = reset.map_or(DEFAULT_PAUSE, |reset| if reset > now / 2 { reset - now } else { reset });
    wait.clamp(0, MAX_PAUSE)
}
