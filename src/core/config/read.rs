//! Reads the variables, checks each of them, and collects all problems.

use std::ops::RangeInclusive;

use super::{
    event_filter::{DEFAULT_EVENT_KEEP, EventFilter},
    problem::{MAX_ITEMS, Problem, Reason, Warning},
    secret::Secret,
    usage::UsageCodes,
};
use crate::core::{
    gateway::{
        Authenticator, GatewayKey, MIN_KEY_CHARS,
        origin::{AllowedOrigins, is_canonical, is_origin, is_page_origin, is_public, origin_of},
    },
    storage::{BlindIndex, MIN_TTL, Sealer, parse_key},
    webhook::{DEFAULT_TOLERANCE, SecretFault, Secrets, SignatureError},
};

/// The origin of OFAuth's API, if `OFAUTH_API_URL` is not set.
pub const DEFAULT_API_URL: &str = "https://api.ofauth.com";
/// How long the body of an event is stored, in seconds, if `EVENT_TTL_SECONDS` is not set: 7 days.
pub const DEFAULT_EVENT_TTL: u64 = 604_800;
/// The largest `EVENT_TTL_SECONDS`: 365 days.
pub const MAX_EVENT_TTL: u64 = 31_536_000;
/// The largest `CLEANUP_EXPIRED_AFTER_DAYS`: ten years.
pub const MAX_CLEANUP_DAYS: u64 = 3_650;
/// The largest `WEBHOOK_TOLERANCE_SECONDS`: one day.
pub const MAX_TOLERANCE: u64 = 86_400;
/// `ALERT_EXPIRATIONS_PER_HOUR`, if it is not set.
pub const DEFAULT_ALERT_EXPIRATIONS: u64 = 20;

/// The complete, valid configuration. `Debug` shows no secret.
#[derive(Debug)]
pub struct Config {
    /// `OFAUTH_API_KEY`: the key that is sent to OFAuth with every call.
    pub api_key: Secret,
    /// `OFAUTH_API_URL`: an origin, without a slash at the end.
    pub api_url: String,
    /// `OFAUTH_WEBHOOK_SECRET` and `SVIX_WEBHOOK_SECRET`: the secrets that verify webhooks.
    pub webhook_secrets: Secrets,
    /// `WEBHOOK_TOLERANCE_SECONDS`: how many seconds a webhook's timestamp may lie before or after now.
    pub tolerance: u64,
    /// `GATEWAY_KEY`, `SESSION_SECRET` and `CONSOLE`: checks the credentials of callers.
    pub authenticator: Authenticator,
    /// How uses of the secrets and keys are counted.
    pub usage: UsageCodes,
    /// `ALLOWED_ORIGINS`: the sites whose pages may call the gateway.
    pub allowed_origins: AllowedOrigins,
    /// `APP_RETURN_URL`: where a user's browser goes after Link, if the call that started Link named no page.
    pub app_return_url: Option<String>,
    /// `PUBLIC_URL`: the gateway's own origin, to which OFAuth sends browsers back.
    pub public_url: Option<String>,
    /// `ALERT_URL`: a Slack-compatible webhook, which hears of what the operator must know at once.
    pub alert_url: Option<Secret>,
    /// `ALERT_EXPIRATIONS_PER_HOUR`: how many sessions may expire in an hour without an alert.
    pub alert_expirations: u64,
    /// `STORAGE_KEY`: encrypts stored values.
    pub sealer: Sealer,
    /// `INDEX_KEY`: computes handles.
    pub index: BlindIndex,
    /// `EVENT_TTL_SECONDS`: how many seconds the body of an event is stored.
    pub event_ttl: u64,
    /// `CLEANUP_EXPIRED_AFTER_DAYS`: after how many days an expired connection is deleted at OFAuth. 0 for never.
    pub cleanup_after_days: u64,
    /// `REFUSE_CHANGED_ACCOUNT`: whether calls on a connection are refused while its account is another one than before, and
    /// nobody has accepted that.
    pub refuse_changed_account: bool,
    /// `EVENT_KEEP`: which events other than connection events are stored.
    pub event_filter: EventFilter,
    /// `EVENT_FORWARD`: which events other than connection events are forwarded.
    pub forward_filter: EventFilter,
    /// `FORWARD_URL` and `FORWARD_SECRET`: where events are forwarded to. `None` if none are forwarded.
    pub forward: Option<ForwardTarget>,
    /// The items of `ALLOWED_ORIGINS`, `EVENT_KEEP` and `EVENT_FORWARD` that are not valid and are ignored.
    pub warnings: Vec<Warning>,
}

/// Where events are forwarded to.
#[derive(Debug)]
pub struct ForwardTarget {
    /// The URL of the app.
    pub url: String,
    /// The newest secret, which signs.
    pub secret: Secret,
}

impl Config {
    /// Reads all variables. `lookup` returns the text of a variable, or `None` if it is not set.
    ///
    /// If any variable is missing or not valid, the error lists all problems.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<Problem>> {
        let mut reader = VariableReader { lookup, problems: Vec::new(), warnings: Vec::new() };
        let authenticator =
            Authenticator::new(reader.keys("GATEWAY_KEY", key_fault), reader.keys("SESSION_SECRET", length_fault));
        let authenticator = authenticator.with_console(reader.switch("CONSOLE", true));
        let api_key = reader.api_key();
        let api_url = reader.optional_text("OFAUTH_API_URL", Reason::NotAnOrigin, is_origin);
        let allowed_origins = reader.origins("ALLOWED_ORIGINS", api_key.is_sandbox());
        let is_url = |url: &str| url.is_empty() || origin_of(url).is_some_and(|origin| is_canonical(&origin));
        let app_return_url = reader.optional_text("APP_RETURN_URL", Reason::NotAUrl, is_url);
        let alert_url = reader.optional_text("ALERT_URL", Reason::NotAUrl, is_url);
        let public_url = reader.optional_text("PUBLIC_URL", Reason::NotAnOrigin, |url| {
            url.is_empty() || (is_origin(url) && is_canonical(url))
        });
        let (webhook_secrets, sealer, index) = (reader.webhook_secrets(), reader.sealer(), reader.index());
        let tolerance = reader.whole_number("WEBHOOK_TOLERANCE_SECONDS", DEFAULT_TOLERANCE, 0..=MAX_TOLERANCE);
        let event_ttl = reader.whole_number("EVENT_TTL_SECONDS", DEFAULT_EVENT_TTL, MIN_TTL..=MAX_EVENT_TTL);
        let cleanup_after_days = reader.whole_number("CLEANUP_EXPIRED_AFTER_DAYS", 0, 0..=MAX_CLEANUP_DAYS);
        let alert_expirations =
            reader.whole_number("ALERT_EXPIRATIONS_PER_HOUR", DEFAULT_ALERT_EXPIRATIONS, 0..=1_000_000);
        let refuse_changed_account = reader.switch("REFUSE_CHANGED_ACCOUNT", false);
        let (event_filter, forward_filter) = (reader.event_filter("EVENT_KEEP"), reader.event_filter("EVENT_FORWARD"));
        let forward = reader.forward(api_key.is_sandbox());
        match (webhook_secrets, sealer, index) {
            (Some(webhook_secrets), Some(sealer), Some(index)) if reader.problems.is_empty() => Ok(Self {
                usage: UsageCodes::new(&webhook_secrets, &authenticator, &index),
                api_key,
                api_url: api_url.unwrap_or_else(|| DEFAULT_API_URL.to_owned()),
                webhook_secrets,
                tolerance,
                authenticator,
                allowed_origins,
                app_return_url: app_return_url.filter(|url| !url.is_empty()),
                public_url: public_url.filter(|url| !url.is_empty()),
                alert_url: alert_url.filter(|url| !url.is_empty()).map(Secret),
                alert_expirations,
                sealer,
                index,
                event_ttl,
                cleanup_after_days,
                refuse_changed_account,
                event_filter,
                forward_filter,
                forward,
                warnings: reader.warnings,
            }),
            _ => Err(reader.problems),
        }
    }

    /// Whether a connection or an event is of another environment than the API key. `live` is what it says about itself: true
    /// for production, false for the sandbox.
    pub fn is_other_environment(&self, live: Option<bool>) -> bool {
        live.is_some_and(|live| self.api_key.is_live().is_some_and(|key| key != live))
    }
}

/// Reads one variable after the other and collects the problems and the warnings.
struct VariableReader<F> {
    lookup: F,
    problems: Vec<Problem>,
    warnings: Vec<Warning>,
}

impl<F: Fn(&str) -> Option<String>> VariableReader<F> {
    /// Adds a problem, unless `reason` is `None`.
    fn report(&mut self, name: &'static str, reason: impl Into<Option<Reason>>) {
        self.problems.extend(reason.into().map(|reason| Problem { name, reason }));
    }

    fn list(&self, name: &str) -> Option<Vec<String>> {
        (self.lookup)(name).map(|list| list.split(',').map(str::to_owned).collect())
    }

    /// The keys that callers present, or the secrets that sign their tokens. `item_fault` says what is wrong with an item.
    fn keys(&mut self, name: &'static str, item_fault: fn((usize, &String)) -> Option<Reason>) -> Vec<String> {
        let keys = self.list(name);
        self.report(
            name,
            match &keys {
                None => Some(Reason::Missing),
                Some(keys) => list_fault(keys).or_else(|| (1..).zip(keys).find_map(item_fault)),
            },
        );
        keys.unwrap_or_default()
    }

    fn api_key(&mut self) -> Secret {
        let key = (self.lookup)("OFAUTH_API_KEY");
        self.report("OFAUTH_API_KEY", key.as_ref().map_or(Some(Reason::Missing), |key| header_fault(key)));
        Secret(key.unwrap_or_default())
    }

    /// A text that may be left out. `reason` is reported if `is_valid` refuses it.
    fn optional_text(&mut self, name: &'static str, reason: Reason, is_valid: impl Fn(&str) -> bool) -> Option<String> {
        let text = (self.lookup)(name);
        self.report(name, text.as_ref().filter(|text| !is_valid(text)).map(|_| reason));
        text
    }

    /// The valid origins of the list. `allows_private` is that of [`is_page_origin`].
    fn origins(&mut self, name: &'static str, allows_private: bool) -> AllowedOrigins {
        let mut origins = self.list(name).filter(|origins| *origins != [""]).unwrap_or_default();
        let mut item = 0;
        origins.retain(|origin| {
            item += 1;
            let is_valid = is_page_origin(origin, allows_private);
            let warning = Warning { name, item, reason: Reason::NotAPageOrigin };
            self.warnings.extend((!is_valid).then_some(warning));
            is_valid
        });
        AllowedOrigins::new(origins)
    }

    fn webhook_secrets(&mut self) -> Option<Secrets> {
        const NAMES: [&str; 2] = ["OFAUTH_WEBHOOK_SECRET", "SVIX_WEBHOOK_SECRET"];
        let [ofauth, svix] = NAMES.map(|name| self.list(name));
        if ofauth.is_none() && svix.is_none() {
            self.report("OFAUTH_WEBHOOK_SECRET", Reason::Missing);
        }
        let (ofauth, svix) = (ofauth.unwrap_or_default(), svix.unwrap_or_default());
        let empty: &[String] = &[];
        // Each list is checked without the other, so that the problems of both are reported.
        for (name, result) in NAMES.into_iter().zip([Secrets::new(&ofauth, empty), Secrets::new(empty, &svix)]) {
            if let Err(SignatureError::InvalidSecret { fault, .. }) = result
                && fault != SecretFault::NoneGiven
            {
                self.report(name, reason_of(fault));
            }
        }
        Secrets::new(&ofauth, &svix).ok()
    }

    fn sealer(&mut self) -> Option<Sealer> {
        let keys = self.list("STORAGE_KEY");
        let parsed: Vec<_> = keys.iter().flatten().filter_map(|key| parse_key(key)).collect();
        self.report(
            "STORAGE_KEY",
            match &keys {
                None => Some(Reason::Missing),
                Some(keys) if keys.len() > MAX_ITEMS => Some(Reason::TooMany),
                Some(keys) => (keys.len() != parsed.len()).then_some(Reason::NotAKey),
            },
        );
        Sealer::new(&parsed)
    }

    fn index(&mut self) -> Option<BlindIndex> {
        let key = (self.lookup)("INDEX_KEY");
        let parsed = key.as_deref().and_then(parse_key);
        let reason = if key.is_none() { Reason::Missing } else { Reason::NotAKey };
        self.report("INDEX_KEY", parsed.is_none().then_some(reason));
        parsed.as_ref().map(BlindIndex::new)
    }

    fn whole_number(&mut self, name: &'static str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let Some(text) = (self.lookup)(name) else { return default };
        let number = text.parse().ok().filter(|number| range.contains(number));
        self.report(name, number.is_none().then_some(Reason::OutOfRange(*range.start(), *range.end())));
        number.unwrap_or(default)
    }

    /// Whether a switch is on: `default` if it is not set or empty.
    fn switch(&mut self, name: &'static str, default: bool) -> bool {
        let text = (self.lookup)(name).unwrap_or_default();
        self.report(name, (!matches!(&*text, "" | "on" | "off")).then_some(Reason::NotOnOrOff));
        if text.is_empty() { default } else { text == "on" }
    }

    /// `FORWARD_SECRET` is only read if there is a `FORWARD_URL`.
    fn forward(&mut self, is_sandbox: bool) -> Option<ForwardTarget> {
        const NAME: &str = "FORWARD_URL";
        let url = (self.lookup)(NAME).filter(|url| !url.is_empty())?;
        let origin = origin_of(&url).filter(|origin| is_canonical(origin));
        self.report(
            NAME,
            match origin {
                None => Some(Reason::NotAUrl),
                Some(origin) => (!is_sandbox && !is_public(&origin)).then_some(Reason::NotPublic),
            },
        );
        let secret = self.keys("FORWARD_SECRET", length_fault).into_iter().next()?;
        Some(ForwardTarget { url, secret: Secret(secret) })
    }

    fn event_filter(&mut self, name: &'static str) -> EventFilter {
        let (filter, ignored) = EventFilter::parse((self.lookup)(name).as_deref().unwrap_or(DEFAULT_EVENT_KEEP));
        let warnings = ignored.into_iter().map(|item| Warning { name, item, reason: Reason::NotAPattern });
        self.warnings.extend(warnings);
        filter
    }
}

/// What is wrong with the form of a list.
fn list_fault(items: &[String]) -> Option<Reason> {
    if items.len() > MAX_ITEMS {
        return Some(Reason::TooMany);
    }
    items.iter().find_map(|item| match item.as_str() {
        "" => Some(Reason::Empty),
        item if item.trim() != item => Some(Reason::OuterWhiteSpace),
        _ => None,
    })
}

/// What keeps a text from being sent as an HTTP header's value.
fn header_fault(text: &str) -> Option<Reason> {
    let is_invalid = text.bytes().any(|byte| !(b' '..=b'~').contains(&byte));
    list_fault(&[text.to_owned()]).or(is_invalid.then_some(Reason::NotAHeaderValue))
}

fn length_fault((_, secret): (usize, &String)) -> Option<Reason> {
    (secret.chars().count() < MIN_KEY_CHARS).then_some(Reason::TooShort)
}

/// What is wrong with the item at this place of `GATEWAY_KEY`.
fn key_fault((place, item): (usize, &String)) -> Option<Reason> {
    match GatewayKey::parse(item, place) {
        None => Some(Reason::NotANamedKey),
        Some(key) => (key.chars() < MIN_KEY_CHARS).then_some(Reason::TooShort),
    }
}

fn reason_of(fault: SecretFault) -> Reason {
    match fault {
        SecretFault::NoneGiven => Reason::Missing,
        SecretFault::TooMany => Reason::TooMany,
        SecretFault::Empty => Reason::Empty,
        SecretFault::OuterWhiteSpace => Reason::OuterWhiteSpace,
        SecretFault::NotBase64 => Reason::NotBase64,
    }
}
