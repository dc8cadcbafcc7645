//! Configuration: read once, judged whole, named by variable.
//!
//! A shell looks variables up; this module says which exist, what makes one usable, and which are not. No value ever
//! appears in a [`Problem`].

use std::{fmt, ops::RangeInclusive};

use crate::core::{
    gateway::{
        Authenticator, MIN_KEY_CHARS,
        origin::{AllowedOrigins, is_canonical, is_origin, origin_of},
    },
    storage::{BlindIndex, MAX_STORAGE_KEYS, MIN_TTL, Sealer, parse_key},
    webhook::{DEFAULT_TOLERANCE, SecretFault, Secrets, SignatureError},
};

/// Where OFAuth's API is unless OFAUTH_API_URL says otherwise.
pub const DEFAULT_API_URL: &str = "https://api.ofauth.com";
/// How long an event is kept unless EVENT_TTL_SECONDS says otherwise: 7 days.
pub const DEFAULT_EVENT_TTL: u64 = 604_800;
/// The longest that an event may be kept, in seconds: a year.
pub const MAX_EVENT_TTL: u64 = 31_536_000;
/// The furthest that a signature's time may be allowed to lie from now, in seconds: a day.
pub const MAX_TOLERANCE: u64 = 86_400;
/// Which event types are kept unless EVENT_KEEP says otherwise: one KV write per chat message would eat a free plan.
pub const DEFAULT_EVENT_KEEP: &str = "*,!realtime.*,!of.websocket.*";

/// Everything the Worker is told.
#[derive(Debug)]
pub struct Config {
    /// The key that goes up with every call. Secret.
    pub api_key: Secret,
    /// An origin, without a trailing slash.
    pub api_url: String,
    /// Webhook secrets of both schemes.
    pub webhook: Secrets,
    /// Seconds a signature's time may lie from now.
    pub tolerance: u64,
    /// Opens credentials.
    pub authenticator: Authenticator,
    /// Sites whose pages may call.
    pub allowed_origins: AllowedOrigins,
    /// Where a user's browser goes after Link, unless a page was wished for.
    pub app_return_url: Option<String>,
    /// Seals values at rest.
    pub sealer: Sealer,
    /// Makes handles.
    pub index: BlindIndex,
    /// Seconds to keep a body.
    pub event_ttl: u64,
    /// Which event types are kept.
    pub event_filter: EventFilter,
}

/// Text that `Debug` does not show.
pub struct Secret(String);

/// Patterns of event types: see [`EventFilter::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFilter(Vec<(bool, String)>);

/// A variable that is missing or not usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its name.
    pub name: &'static str,
    /// What it lacks.
    pub reason: Reason,
}

/// What a variable lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Not set.
    Missing,
    /// An empty item, or the whole is empty.
    Empty,
    /// An item with white space at an end.
    OuterWhiteSpace,
    /// An item under [`MIN_KEY_CHARS`] characters.
    TooShort,
    /// More than 5 items.
    TooMany,
    /// An item that is not base64 of 32 bytes.
    NotAKey,
    /// An item that is not base64 after `whsec_`.
    NotBase64,
    /// Not an https origin, nor an http one on loopback.
    NotAnOrigin,
    /// Not an https URL, nor an http one on loopback.
    NotAUrl,
    /// Not a whole number from the one to the other.
    NotWithin(u64, u64),
    /// A character that no header's value may have.
    NotAHeader,
    /// A pattern that takes no type: a `*` elsewhere than at its end, or nothing after `!`.
    NotAPattern,
    /// A binding that is not there.
    NotBound,
}

impl Config {
    /// Reads the variables through `get`. All that is wrong is named at once.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader { get, problems: Vec::new() };
        let authenticator = Authenticator::new(reader.keys("GATEWAY_KEY"), reader.keys("SESSION_SECRET"));
        let api_key = reader.api_key();
        let api_url = reader.text("OFAUTH_API_URL", Reason::NotAnOrigin, is_origin);
        let allowed_origins = reader.origins("ALLOWED_ORIGINS");
        let app_return_url = reader.text("APP_RETURN_URL", Reason::NotAUrl, |url| {
            url.is_empty() || origin_of(url).is_some_and(|origin| is_canonical(&origin))
        });
        let webhook = reader.webhook_secrets();
        let (sealer, index) = (reader.sealer(), reader.index());
        let tolerance = reader.whole("WEBHOOK_TOLERANCE_SECONDS", DEFAULT_TOLERANCE, 0..=MAX_TOLERANCE);
        let event_ttl = reader.whole("EVENT_TTL_SECONDS", DEFAULT_EVENT_TTL, MIN_TTL..=MAX_EVENT_TTL);
        let event_filter = reader.event_filter();
        match (webhook, sealer, index, event_filter) {
            (Some(webhook), Some(sealer), Some(index), Some(event_filter)) if reader.problems.is_empty() => Ok(Self {
                api_key,
                api_url: api_url.unwrap_or_else(|| DEFAULT_API_URL.to_owned()),
                webhook,
                tolerance,
                authenticator,
                allowed_origins,
                app_return_url: app_return_url.filter(|url| !url.is_empty()),
                sealer,
                index,
                event_ttl,
                event_filter,
            }),
            _ => Err(reader.problems),
        }
    }
}

/// Looks variables up, one after the other, and notes what is wrong with them.
struct Reader<F> {
    get: F,
    problems: Vec<Problem>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn judge(&mut self, name: &'static str, reason: impl Into<Option<Reason>>) {
        self.problems.extend(reason.into().map(|reason| Problem { name, reason }));
    }

    fn listed(&self, name: &str) -> Option<Vec<String>> {
        (self.get)(name).map(|list| list.split(',').map(str::to_owned).collect())
    }

    fn keys(&mut self, name: &'static str) -> Vec<String> {
        let keys = self.listed(name);
        self.judge(
            name,
            match &keys {
                None => Some(Reason::Missing),
                Some(keys) => weak_list(keys).or(keys.iter().find_map(|key| weak_key(key))),
            },
        );
        keys.unwrap_or_default()
    }

    fn api_key(&mut self) -> Secret {
        let key = (self.get)("OFAUTH_API_KEY");
        self.judge("OFAUTH_API_KEY", key.as_ref().map_or(Some(Reason::Missing), |key| weak_header(key)));
        Secret(key.unwrap_or_default())
    }

    /// A text that may be absent.
    fn text(&mut self, name: &'static str, reason: Reason, is_good: impl Fn(&str) -> bool) -> Option<String> {
        let text = (self.get)(name);
        self.judge(name, text.as_ref().filter(|text| !is_good(text)).map(|_| reason));
        text
    }

    fn origins(&mut self, name: &'static str) -> AllowedOrigins {
        let origins = self.listed(name).filter(|origins| *origins != [""]).unwrap_or_default();
        let odd = origins.iter().any(|origin| !is_origin(origin) || !is_canonical(origin));
        self.judge(name, odd.then_some(Reason::NotAnOrigin));
        AllowedOrigins::new(origins)
    }

    fn webhook_secrets(&mut self) -> Option<Secrets> {
        const NAMES: [&str; 2] = ["OFAUTH_WEBHOOK_SECRET", "SVIX_WEBHOOK_SECRET"];
        let [ofauth, svix] = NAMES.map(|name| self.listed(name));
        if ofauth.is_none() && svix.is_none() {
            self.judge("OFAUTH_WEBHOOK_SECRET", Reason::Missing);
        }
        let (ofauth, svix) = (ofauth.unwrap_or_default(), svix.unwrap_or_default());
        let none: &[String] = &[];
        for (name, judged) in NAMES.into_iter().zip([Secrets::new(&ofauth, none), Secrets::new(none, &svix)]) {
            if let Err(SignatureError::InvalidSecret(_, _, fault)) = judged
                && fault != SecretFault::NoneGiven
            {
                self.judge(name, secret_reason(fault));
            }
        }
        Secrets::new(&ofauth, &svix).ok()
    }

    fn sealer(&mut self) -> Option<Sealer> {
        let keys = self.listed("STORAGE_KEY");
        let parsed: Vec<_> = keys.iter().flatten().filter_map(|key| parse_key(key)).collect();
        self.judge(
            "STORAGE_KEY",
            match &keys {
                None => Some(Reason::Missing),
                Some(keys) if keys.len() > MAX_STORAGE_KEYS => Some(Reason::TooMany),
                Some(keys) => (keys.len() != parsed.len()).then_some(Reason::NotAKey),
            },
        );
        Sealer::new(&parsed)
    }

    fn index(&mut self) -> Option<BlindIndex> {
        let key = (self.get)("INDEX_KEY");
        let parsed = key.as_deref().and_then(parse_key);
        let reason = if key.is_none() { Reason::Missing } else { Reason::NotAKey };
        self.judge("INDEX_KEY", parsed.is_none().then_some(reason));
        parsed.as_ref().map(BlindIndex::new)
    }

    fn whole(&mut self, name: &'static str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let Some(text) = (self.get)(name) else { return default };
        let number = text.parse().ok().filter(|number| range.contains(number));
        self.judge(name, number.is_none().then_some(Reason::NotWithin(*range.start(), *range.end())));
        number.unwrap_or(default)
    }

    fn event_filter(&mut self) -> Option<EventFilter> {
        let keep = EventFilter::parse((self.get)("EVENT_KEEP").as_deref().unwrap_or(DEFAULT_EVENT_KEEP));
        self.judge("EVENT_KEEP", keep.is_none().then_some(Reason::NotAPattern));
        keep
    }
}

impl EventFilter {
    /// Reads patterns separated by commas: a type, or a beginning followed by `*`; a pattern after `!` excludes. A type
    /// is kept if some pattern takes it and none excludes it. `None` for a pattern that could take nothing.
    pub fn parse(patterns: &str) -> Option<Self> {
        let patterns = patterns.split(',').map(str::trim).filter(|pattern| !pattern.is_empty());
        let parsed = patterns.map(|pattern| {
            let (keep, pattern) = pattern.strip_prefix('!').map_or((true, pattern), |excluded| (false, excluded));
            let beginning = pattern.strip_suffix('*').unwrap_or(pattern);
            (!pattern.is_empty() && !beginning.contains(['*', '!'])).then(|| (keep, pattern.to_owned()))
        });
        parsed.collect::<Option<_>>().map(Self)
    }

    /// Whether an event is kept; `None` for an authentic body that is no event, which only `*` takes.
    pub fn keeps(&self, kind: Option<&str>) -> bool {
        let kind = kind.unwrap_or_default();
        let any = |wanted| self.0.iter().any(|(keep, pattern)| *keep == wanted && matches(pattern, kind));
        any(true) && !any(false)
    }
}

impl Secret {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.name)?;
        match self.reason {
            Reason::Missing => f.write_str("is missing"),
            Reason::Empty => f.write_str("is empty or has an empty item"),
            Reason::OuterWhiteSpace => f.write_str("has white space at an end of an item"),
            Reason::TooShort => write!(f, "has an item of fewer than {MIN_KEY_CHARS} characters"),
            Reason::TooMany => write!(f, "has more than {MAX_STORAGE_KEYS} items"),
            Reason::NotAKey => f.write_str("is not base64 of 32 bytes"),
            Reason::NotBase64 => f.write_str("has an item that is not base64 after whsec_"),
            Reason::NotAnOrigin => f.write_str("is not an https origin (or http on loopback), without a path"),
            Reason::NotAUrl => f.write_str("is not an https URL (or http on loopback)"),
            Reason::NotWithin(least, most) => write!(f, "is not a whole number from {least} to {most}"),
            Reason::NotAHeader => f.write_str("has a character that no header's value may have"),
            Reason::NotAPattern => f.write_str("has a pattern other than a type, a beginning and *, or either after !"),
            Reason::NotBound => f.write_str("is not bound"),
        }
    }
}

fn weak_list(items: &[String]) -> Option<Reason> {
    if items.len() > MAX_STORAGE_KEYS {
        return Some(Reason::TooMany);
    }
    items.iter().find_map(|item| match item.as_str() {
        "" => Some(Reason::Empty),
        item if item.trim() != item => Some(Reason::OuterWhiteSpace),
        _ => None,
    })
}

fn weak_header(key: &str) -> Option<Reason> {
    let odd = key.bytes().any(|byte| !(b' '..=b'~').contains(&byte));
    weak_list(&[key.to_owned()]).or(odd.then_some(Reason::NotAHeader))
}

fn weak_key(key: &str) -> Option<Reason> {
    (key.chars().count() < MIN_KEY_CHARS).then_some(Reason::TooShort)
}

fn secret_reason(fault: SecretFault) -> Reason {
    match fault {
        SecretFault::NoneGiven => Reason::Missing,
        SecretFault::TooMany => Reason::TooMany,
        SecretFault::Empty => Reason::Empty,
        SecretFault::OuterWhiteSpace => Reason::OuterWhiteSpace,
        SecretFault::NotBase64 => Reason::NotBase64,
    }
}

fn matches(pattern: &str, kind: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == kind, |beginning| kind.starts_with(beginning))
}
