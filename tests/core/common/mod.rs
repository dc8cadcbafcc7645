//! What several files of tests need: bodies signed as OFAuth signs them, and keys that are the same in every run.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

pub mod sender;
pub mod token;
pub mod vector;

use ofauth_edge::core::{
    config::{Config, Problem, Reason},
    connection::Fact,
    storage::{BlindIndex, NONCE_LEN, Sealer},
    webhook::{
        DEFAULT_TOLERANCE, Delivery, Event, EventError, Payload, RequestHeaders, SIGNATURE_HEADER_NAMES, Secrets,
        Verified, sign_ofauth, sign_svix, verify,
    },
};
use proptest::prelude::ProptestConfig;

/// A secret of the ofauth scheme, that of the shared vectors.
pub const SECRET: &str = "whsec_test_secret";
/// A secret of the svix scheme, that of the shared vectors.
pub const SVIX_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// 2024-01-15T10:30:00Z, when the first of the documented events happened.
pub const NOW: u64 = 1_705_314_600;
/// A nonce; tests seal nothing that must stay secret.
pub const NONCE_A: [u8; NONCE_LEN] = [7; NONCE_LEN];
/// Another nonce.
pub const NONCE_B: [u8; NONCE_LEN] = [8; NONCE_LEN];

/// The documented events, in the order of a connection's life.
pub const CREATED: &str = include_str!("../../fixtures/events/connection.created.json");
pub const UPDATED: &str = include_str!("../../fixtures/events/connection.updated.json");
pub const EXPIRED: &str = include_str!("../../fixtures/events/connection.expired.json");
pub const DISCONNECTED: &str = include_str!("../../fixtures/events/connection.disconnected.json");
/// The documented example of a realtime event.
pub const REALTIME: &str = include_str!("../../fixtures/events/of.websocket.event.received.json");
/// A `connection.created` in the SDK's envelope.
pub const SDK_CREATED: &str = include_str!("../../fixtures/events/sdk.connection.created.json");

/// A gateway key.
pub const KEY: &str = "gateway-key-0123456789-0123456789";
/// A session secret.
pub const SESSION: &str = "session-secret-0123456789-0123456789";
/// Base64 of 32 bytes of 1.
pub const STORAGE: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
/// Base64 of 32 bytes of 2.
pub const INDEX: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

/// All that a configuration needs.
pub const GOOD: [(&str, &str); 6] = [
    ("OFAUTH_API_KEY", "sk_sandbox_1"),
    ("OFAUTH_WEBHOOK_SECRET", SECRET),
    ("GATEWAY_KEY", KEY),
    ("SESSION_SECRET", SESSION),
    ("STORAGE_KEY", STORAGE),
    ("INDEX_KEY", INDEX),
];

/// Picks headers out of a list, as a shell picks them out of a request.
pub fn headers<'a>(list: &[(&str, &'a str)]) -> RequestHeaders<'a> {
    RequestHeaders::new(
        SIGNATURE_HEADER_NAMES.map(|wanted| list.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value)),
    )
}

/// What `look` sees of `body`, signed under the ofauth scheme at `t` and verified in the same second.
pub fn signed<T>(body: &[u8], t: u64, look: impl FnOnce(&Verified) -> T) -> T {
    let secrets = Secrets::new(&[SECRET], &[]).unwrap();
    let signature = sign_ofauth(body, SECRET, t).unwrap();
    look(&verify(body, headers(&[("ofauth-signature", &signature)]), &secrets, DEFAULT_TOLERANCE, t).unwrap())
}

/// The same under the svix scheme, as the message `id`.
pub fn svix_signed<T>(body: &[u8], id: &str, t: u64, look: impl FnOnce(&Verified) -> T) -> T {
    let secrets = Secrets::new(&[], &[SVIX_SECRET]).unwrap();
    let (signature, timestamp) = (sign_svix(body, SVIX_SECRET, id, t).unwrap(), t.to_string());
    let list = [("svix-id", id), ("svix-timestamp", &*timestamp), ("svix-signature", &*signature)];
    look(&verify(body, headers(&list), &secrets, DEFAULT_TOLERANCE, t).unwrap())
}

/// Reads a body that was signed at [`NOW`].
pub fn parse(body: impl AsRef<[u8]>) -> Result<Event, EventError> {
    signed(body.as_ref(), NOW, Event::parse)
}

/// The delivery of a body that was signed at `t`.
pub fn delivery(body: &str, t: u64) -> Delivery {
    signed(body.as_bytes(), t, |verified| Delivery::from_verified(verified, Event::parse(verified).ok().as_ref()))
}

/// The fact in a connection event that was signed at `t`.
pub fn fact(body: &str, t: u64) -> Fact {
    signed(body.as_bytes(), t, fact_of)
}

/// The fact in a verified connection event, as a ledger takes it.
pub fn fact_of(verified: &Verified) -> Fact {
    let event = Event::parse(verified).unwrap();
    let delivery = Delivery::from_verified(verified, Some(&event));
    let Payload::Connection(connection) = event.payload else { unreachable!("a connection event") };
    Fact::from_event(*connection, event.live, delivery)
}

/// A sealer of one key.
pub fn sealer() -> Sealer {
    Sealer::new(&[[1; 32]]).unwrap()
}

/// An index.
pub fn index() -> BlindIndex {
    BlindIndex::new(&[2; 32])
}

/// Reads a good configuration with these variables instead; `None` takes one away.
pub fn configure(changes: &[(&str, Option<&str>)]) -> Result<Config, Vec<Problem>> {
    Config::read(|wanted| match changes.iter().find(|(name, _)| *name == wanted) {
        Some((_, value)) => value.map(str::to_owned),
        None => GOOD.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned()),
    })
}

/// The names of what is wrong with a configuration, in order and once each.
pub fn problems(changes: &[(&str, Option<&str>)]) -> Vec<&'static str> {
    let mut names: Vec<_> =
        configure(changes).err().unwrap_or_default().into_iter().map(|problem| problem.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What is wrong with this one variable.
pub fn reason(name: &str, value: &str) -> Reason {
    let problems = configure(&[(name, Some(value))]).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.name).collect::<Vec<_>>(), [name], "{value:?}");
    problems[0].reason
}

/// Every order of `0..n`.
pub fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let insert = |order: Vec<usize>| {
        (0..n).map(move |place| [&order[..place], &[n - 1], &order[place..]].concat()).collect::<Vec<_>>()
    };
    orders(n - 1).into_iter().flat_map(insert).collect()
}

/// A property's configuration with a share of the usual cases, for what is slow. More cases are asked for through
/// PROPTEST_CASES.
pub fn one_in(share: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.div_ceil(share), ..usual }
}
