//! Adds up what happened.

use std::fmt::Write;

/// The most kinds of things that are counted. Others are counted under the code `other` of their name.
pub const MAX_KINDS: usize = 200;
/// The longest name or code, in bytes.
const MAX_TEXT: usize = 64;
/// The code of what has none that can be shown, or one too many.
const OTHER: &str = "other";

/// The names under which things are counted. What the codes are is in `docs/monitoring.md`.
pub mod name {
    /// A webhook that was accepted, by outcome.
    pub const ACCEPTED: &str = "webhook_accepted";
    /// A webhook that was refused, by error code.
    pub const REJECTED: &str = "webhook_rejected";
    /// A webhook secret that verified, by the code that [`UsageCodes`](crate::core::config::UsageCodes) has for it.
    pub const SECRET: &str = "webhook_secret";
    /// A gateway key that was used, by its code there.
    pub const KEY: &str = "gateway_key";
    /// An answer of OFAuth's: `2xx` to `5xx`, or `none`.
    pub const UPSTREAM: &str = "upstream";
    /// An error answer of OFAuth's, by its type, or by its status if the type was not read.
    pub const UPSTREAM_ERROR: &str = "upstream_error";
    /// An answer that says that OFAuth refuses the API key, by its type.
    pub const API_KEY: &str = "api_key_refused";
    /// An answer that leaves less than a fifth of a rate limit: `low`.
    pub const RATE_LIMIT: &str = "rate_limit";
    /// A session that expired, as a `webhook` or a `call` showed.
    pub const EXPIRED: &str = "session_expired";
    /// An error of the gateway's own, by its code.
    pub const ERROR: &str = "error";
    /// An attempt to forward an event: `taken`, `refused`, `unanswered`, or `failed` here. And what became of an event: `parked`, or
    /// `lost` if it was deleted before it was taken.
    pub const FORWARD: &str = "forward";
    /// A pass of the reconciliation: `done` or `stopped`.
    pub const RECONCILIATION: &str = "reconciliation";
}

/// How often one kind of thing happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// One of [`name`].
    pub name: String,
    /// What kind of it.
    pub code: String,
    /// How often.
    pub count: u64,
    /// The minute, counted from 1970, in which it happened last.
    pub last: i64,
}

/// How often each kind of thing happened, in the order of names and codes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(Vec<Count>);

/// Whether less than a fifth of a rate limit is left (OFAuth documentation, Integration checklist: Monitoring).
pub fn is_rate_low(remaining: u64, limit: u64) -> bool {
    remaining.saturating_mul(5) < limit
}

impl Counts {
    /// Counts something. A code that cannot be shown is `other`: one that is empty, has more than 64 bytes, or has other
    /// characters than letters, digits and `_-.:`. Under a name that cannot be shown, nothing is counted.
    pub fn add(&mut self, name: &str, code: &str, count: u64, last: i64) {
        if !is_shown(name) {
            return;
        }
        let code = if is_shown(code) { code } else { OTHER };
        let place =
            |code: &str| self.0.binary_search_by(|known| (known.name.as_str(), known.code.as_str()).cmp(&(name, code)));
        let (code, place) = match place(code) {
            Err(_) if self.0.len() >= MAX_KINDS => (OTHER, place(OTHER)),
            found => (code, found),
        };
        match place {
            Ok(place) => {
                if let Some(known) = self.0.get_mut(place) {
                    known.count = known.count.saturating_add(count);
                    known.last = known.last.max(last);
                }
            }
            Err(place) => {
                self.0.insert(place, Count { name: name.to_owned(), code: code.to_owned(), count, last });
            }
        }
    }

    /// Adds the counts of a text. `minute` is that of lines which have none. A line of another form is ignored.
    pub fn add_text(&mut self, text: &str, minute: i64) {
        for line in text.lines() {
            let mut parts = line.split(' ');
            if let (Some(name), Some(code), Some(count)) = (parts.next(), parts.next(), parts.next())
                && let Ok(count) = count.parse()
            {
                self.add(name, code, count, parts.next().and_then(|last| last.parse().ok()).unwrap_or(minute));
            }
        }
    }

    /// The counts as lines, with the minute of each if `has_last`.
    pub fn to_text(&self, has_last: bool) -> String {
        self.0.iter().fold(String::new(), |mut text, Count { name, code, count, last }| {
            let last = if has_last { format!(" {last}") } else { String::new() };
            let _ = writeln!(text, "{name} {code} {count}{last}");
            text
        })
    }

    /// The counts under a name.
    pub fn under<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Count> {
        self.0.iter().filter(move |known| known.name == name)
    }

    /// The counts as JSON: `{"name": {"code": count}}`.
    pub fn to_json(&self) -> String {
        let (mut json, mut before) = ("{".to_owned(), "");
        for Count { name, code, count, .. } in &self.0 {
            let start = match before {
                "" => format!("\"{name}\":{{"),
                _ if before == name => ",".to_owned(),
                _ => format!("}},\"{name}\":{{"),
            };
            let _ = write!(json, "{start}\"{code}\":{count}");
            before = name;
        }
        json + if before.is_empty() { "}" } else { "}}" }
    }
}

fn is_shown(text: &str) -> bool {
    let is_shown = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
    (1..=MAX_TEXT).contains(&text.len()) && text.bytes().all(is_shown)
}
