//! Configuration: read once, judged whole, named by variable.
//!
//! A shell looks variables up; this module says which exist, what makes one usable, and which are not. No value ever
//! appears in a [`Problem`].

use std::{fmt, net::IpAddr, ops::RangeInclusive};

use http::Uri;

use crate::{
    cors::AllowedOrigins,
    seal::{Index, MAX_KEYS, Sealer, parse_key},
    session::{Doorkeeper, MIN_KEY},
    signature::{DEFAULT_TOLERANCE, SecretFault, Secrets, SignatureError},
    store::MIN_TTL,
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
    pub doorkeeper: Doorkeeper,
    /// Sites whose pages may call.
    pub allowed_origins: AllowedOrigins,
    /// Seals values at rest.
    pub sealer: Sealer,
    /// Makes handles.
    pub index: Index,
    /// Seconds to keep a body.
    pub event_ttl: u64,
    /// Which event types are kept.
    pub event_keep: Keep,
}

/// Text that `Debug` does not show.
pub struct Secret(String);

/// Patterns of event types: see [`Keep::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep(Vec<(bool, String)>);

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
    /// An item under [`MIN_KEY`] characters.
    TooShort,
    /// More than 5 items.
    TooMany,
    /// An item that is not base64 of 32 bytes.
    NotAKey,
    /// An item that is not base64 after `whsec_`.
    NotBase64,
    /// Not an https origin, nor an http one on loopback.
    NotAnOrigin,
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
        let mut problems = Vec::new();
        let mut judge = |name: &'static str, reason| problems.push(Problem { name, reason });
        let listed = |name: &str| get(name).map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>());

        let keys = |name, judge: &mut dyn FnMut(&'static str, Reason)| match listed(name) {
            None => {
                judge(name, Reason::Missing);
                Vec::new()
            }
            Some(keys) => {
                if let Some(reason) = weak_list(&keys).or(keys.iter().find_map(|key| weak_key(key))) {
                    judge(name, reason);
                }
                keys
            }
        };
        let gateway = keys("GATEWAY_KEY", &mut judge);
        let session = keys("SESSION_SECRET", &mut judge);

        let api_key = get("OFAUTH_API_KEY");
        if let Some(reason) = api_key.as_ref().map_or(Some(Reason::Missing), |key| weak_header(key)) {
            judge("OFAUTH_API_KEY", reason);
        }
        let api_url = get("OFAUTH_API_URL").unwrap_or_else(|| DEFAULT_API_URL.to_owned());
        if !is_origin(&api_url) {
            judge("OFAUTH_API_URL", Reason::NotAnOrigin);
        }

        let origins = get("ALLOWED_ORIGINS").filter(|origins| !origins.is_empty());
        let origins = origins.map_or_else(Vec::new, |origins| origins.split(',').map(str::to_owned).collect());
        if !origins.iter().all(|origin| is_origin(origin) && is_as_sent(origin)) {
            judge("ALLOWED_ORIGINS", Reason::NotAnOrigin);
        }

        let (ofauth, svix) = (listed("OFAUTH_WEBHOOK_SECRET"), listed("SVIX_WEBHOOK_SECRET"));
        let (ofauth, svix) = match (ofauth, svix) {
            (None, None) => {
                judge("OFAUTH_WEBHOOK_SECRET", Reason::Missing);
                (Vec::new(), Vec::new())
            }
            (ofauth, svix) => (ofauth.unwrap_or_default(), svix.unwrap_or_default()),
        };
        let none: &[String] = &[];
        for (name, judged) in
            [("OFAUTH_WEBHOOK_SECRET", Secrets::new(&ofauth, none)), ("SVIX_WEBHOOK_SECRET", Secrets::new(none, &svix))]
        {
            if let Err(SignatureError::InvalidSecret(_, _, fault)) = judged
                && fault != SecretFault::NoneGiven
            {
                judge(name, secret_reason(fault));
            }
        }
        let webhook = Secrets::new(&ofauth, &svix);

        let storage = listed("STORAGE_KEY").unwrap_or_default();
        let parsed: Vec<_> = storage.iter().filter_map(|key| parse_key(key)).collect();
        match (get("STORAGE_KEY"), storage.len()) {
            (None, _) => judge("STORAGE_KEY", Reason::Missing),
            (_, len) if len > MAX_KEYS => judge("STORAGE_KEY", Reason::TooMany),
            (_, len) if len != parsed.len() => judge("STORAGE_KEY", Reason::NotAKey),
            _ => {}
        }
        let sealer = Sealer::new(&parsed);
        let index = get("INDEX_KEY").as_deref().map(parse_key);
        match index {
            None => judge("INDEX_KEY", Reason::Missing),
            Some(None) => judge("INDEX_KEY", Reason::NotAKey),
            Some(Some(_)) => {}
        }

        let mut whole = |name: &'static str, default: u64, range: RangeInclusive<u64>| match get(name) {
            None => default,
            Some(text) => text.parse().ok().filter(|number| range.contains(number)).unwrap_or_else(|| {
                judge(name, Reason::NotWithin(*range.start(), *range.end()));
                default
            }),
        };
        let tolerance = whole("WEBHOOK_TOLERANCE_SECONDS", DEFAULT_TOLERANCE, 0..=MAX_TOLERANCE);
        let event_ttl = whole("EVENT_TTL_SECONDS", DEFAULT_EVENT_TTL, MIN_TTL..=MAX_EVENT_TTL);
        let event_keep = Keep::parse(get("EVENT_KEEP").as_deref().unwrap_or(DEFAULT_EVENT_KEEP));
        if event_keep.is_none() {
            judge("EVENT_KEEP", Reason::NotAPattern);
        }

        match (webhook, sealer, index.flatten(), event_keep) {
            (Ok(webhook), Some(sealer), Some(index), Some(event_keep)) if problems.is_empty() => Ok(Self {
                api_key: Secret(api_key.unwrap_or_default()),
                api_url,
                webhook,
                tolerance,
                doorkeeper: Doorkeeper::new(gateway, session),
                allowed_origins: AllowedOrigins::new(origins),
                sealer,
                index: Index::new(&index),
                event_ttl,
                event_keep,
            }),
            _ => Err(problems),
        }
    }
}

impl Keep {
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
            Reason::TooShort => write!(f, "has an item of fewer than {MIN_KEY} characters"),
            Reason::TooMany => write!(f, "has more than {MAX_KEYS} items"),
            Reason::NotAKey => f.write_str("is not base64 of 32 bytes"),
            Reason::NotBase64 => f.write_str("has an item that is not base64 after whsec_"),
            Reason::NotAnOrigin => f.write_str("is not an https origin (or http on loopback), without a path"),
            Reason::NotWithin(least, most) => write!(f, "is not a whole number from {least} to {most}"),
            Reason::NotAHeader => f.write_str("has a character that no header's value may have"),
            Reason::NotAPattern => f.write_str("has a pattern other than a type, a beginning and *, or either after !"),
            Reason::NotBound => f.write_str("is not bound"),
        }
    }
}

fn weak_list(items: &[String]) -> Option<Reason> {
    if items.len() > MAX_KEYS {
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
    (key.chars().count() < MIN_KEY).then_some(Reason::TooShort)
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

/// Whether browsers write an origin like this: in lower case, without its scheme's own port.
fn is_as_sent(origin: &str) -> bool {
    let own = if origin.starts_with("https") { ":443" } else { ":80" };
    !origin.ends_with(own) && !origin.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Scheme, host and perhaps a port, nothing else: https, or http on loopback.
fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let host = authority.host();
    let address = match host.strip_prefix('[').map(|host| host.strip_suffix(']').unwrap_or_default().parse()) {
        Some(Ok(address)) => Some(IpAddr::V6(address)),
        Some(Err(_)) => return false,
        None => host.parse().ok().map(IpAddr::V4),
    };
    let loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    let port = match authority.as_str().strip_prefix(host) {
        Some("") => true,
        Some(port) => {
            port.trim_start_matches(':').bytes().all(|byte| byte.is_ascii_digit()) && authority.port().is_some()
        }
        None => false,
    };
    let whole = format!("{scheme}://{authority}") == text && !host.is_empty();
    whole && port && (scheme == "https" || (scheme == "http" && loopback))
}

fn matches(pattern: &str, kind: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == kind, |beginning| kind.starts_with(beginning))
}
