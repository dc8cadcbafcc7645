//! The configuration: which variables the Worker reads, what makes each of them valid, and what is wrong with them.
//!
//! [`Config::read`] reads all variables through a function that the caller passes, because only a platform can look
//! them up. It either returns a complete [`Config`] or names every [`Problem`] at once. The gateway serves no request
//! with an incomplete configuration: `GET /healthz` names the problems, and every other route answers 503. A problem
//! names the variable and the reason, and never shows a value.
//!
//! An item of `ALLOWED_ORIGINS`, `EVENT_KEEP` or `EVENT_FORWARD` that is not valid is no problem. It is ignored, and
//! `GET /healthz` shows a [`Warning`] with its place in the list.
//!
//! | variable | valid if | without it |
//! |---|---|---|
//! | `OFAUTH_API_KEY` | visible ASCII characters and spaces between them | problem |
//! | `OFAUTH_WEBHOOK_SECRET` | a list of secrets of any length | problem, unless the next is set |
//! | `SVIX_WEBHOOK_SECRET` | a list of base64 secrets, with or without `whsec_` | problem, unless that one is set |
//! | `GATEWAY_KEY` | a list of keys of 32 characters or more: see [`GatewayKey`] | problem |
//! | `SESSION_SECRET` | a list of texts of 32 characters or more | problem |
//! | `STORAGE_KEY` | a list of keys, base64 of 32 bytes | problem |
//! | `INDEX_KEY` | one key, base64 of 32 bytes | problem |
//! | `OFAUTH_API_URL` | an origin: https, or http on loopback | [`DEFAULT_API_URL`] |
//! | `ALLOWED_ORIGINS` | a list of origins: see [`is_page_origin`]; or empty | no site may call |
//! | `PUBLIC_URL` | an origin: https, or http on loopback; or empty | the origin that the caller addressed, if it is https or loopback |
//! | `APP_RETURN_URL` | a URL: https, or http on loopback; or empty | no page to return to |
//! | `CONSOLE` | `on`, `off` or empty | on |
//! | `REFUSE_CHANGED_ACCOUNT` | `on`, `off` or empty | off |
//! | `ALERT_URL` | a URL: https, or http on loopback; or empty | no alerts |
//! | `ALERT_EXPIRATIONS_PER_HOUR` | a whole number, 0 to 1,000,000 | [`DEFAULT_ALERT_EXPIRATIONS`] |
//! | `WEBHOOK_TOLERANCE_SECONDS` | a whole number, 0 to [`MAX_TOLERANCE`] | 300 |
//! | `EVENT_TTL_SECONDS` | a whole number, 60 to [`MAX_EVENT_TTL`] | [`DEFAULT_EVENT_TTL`] |
//! | `CLEANUP_EXPIRED_AFTER_DAYS` | a whole number, 0 to [`MAX_CLEANUP_DAYS`] | 0: never |
//! | `EVENT_KEEP` | a list of patterns: see [`EventFilter::parse`] | [`DEFAULT_EVENT_KEEP`] |
//! | `EVENT_FORWARD` | a list of patterns, as `EVENT_KEEP` | [`DEFAULT_EVENT_KEEP`] |
//! | `FORWARD_URL` | a URL: https, or http on loopback; with a live key only a public host; or empty | no events are forwarded |
//! | `FORWARD_SECRET` | a list of texts of 32 characters or more | problem, if events are forwarded |
//!
//! A list is separated by commas. A list of secrets or keys has at most 5 items, the newest first. No item may be empty
//! or have white space at its ends: lists are not trimmed. Only the items of `EVENT_KEEP` and `EVENT_FORWARD` may have
//! spaces around them, and may be empty.
//!
//! Read the files in this order:
//!
//! 1. `read` reads and checks the variables ([`Config`]).
//! 2. `event_filter` is the value of `EVENT_KEEP` and of `EVENT_FORWARD` ([`EventFilter`]).
//! 3. `secret` holds a secret text ([`Secret`]).
//! 4. `usage` names secrets and keys in counts ([`UsageCodes`]).
//! 5. `problem` names what is wrong ([`Problem`], [`Warning`], [`Reason`]).
//!
//! [`GatewayKey`]: crate::core::gateway::GatewayKey
//! [`is_page_origin`]: crate::core::gateway::origin::is_page_origin

mod event_filter;
mod problem;
mod read;
mod secret;
mod usage;

pub use event_filter::{DEFAULT_EVENT_KEEP, EventFilter};
pub use problem::{Problem, Reason, Warning};
pub use read::{
    Config, DEFAULT_ALERT_EXPIRATIONS, DEFAULT_API_URL, DEFAULT_EVENT_TTL, ForwardTarget, MAX_CLEANUP_DAYS,
    MAX_EVENT_TTL, MAX_TOLERANCE,
};
pub use secret::Secret;
pub use usage::UsageCodes;
