//! Configuration: which secrets exist, what makes each usable, and how problems are reported. The other variables are in
//! `vars.rs` and `urls.rs`.
//!
//! 1. All variables that are missing or weak are reported at once.
//! 2. Lists are split at commas, not trimmed, have at most five items, and have the newest item first.
//! 3. One webhook secret of either scheme is enough.
//! 4. A variable that is not set has its default.
//! 5. Neither a problem nor `Debug` shows a value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{
    GOOD, INDEX, KEY, NONCE_A, NOW, SECRET, SESSION, STORAGE, SVIX_SECRET, configure, headers, problems, reason,
};
use ofauth_edge::core::{
    config::{Config, DEFAULT_EVENT_KEEP, EventFilter, Problem, Reason},
    gateway::{Caller, Credentials, EdgeError, SessionRequest},
    storage::{BlindIndex, Sealer},
    webhook::{Scheme, sign_ofauth, sign_svix, verify},
};
use proptest::prelude::*;

fn authenticate(config: &Config, credential: &str) -> Result<Caller, EdgeError> {
    config
        .authenticator
        .authenticate(Credentials { apikey: Some(credential), ..Credentials::default() }, 0)
        .map(|identity| identity.caller)
}

#[test]
fn a_complete_configuration_is_read_with_its_defaults() {
    let config = configure(&[]).unwrap();
    assert_eq!((config.api_key.reveal(), &*config.api_url), ("sk_sandbox_1", "https://api.ofauth.com"));
    assert_eq!((config.tolerance, config.event_ttl), (300, 604_800));
    assert_eq!(config.event_filter, EventFilter::parse(DEFAULT_EVENT_KEEP).0);
    assert_eq!(config.forward_filter, EventFilter::parse(DEFAULT_EVENT_KEEP).0);
    assert_eq!(config.warnings, []);
    assert_eq!(authenticate(&config, KEY), Ok(Caller::Server));
    assert_eq!(config.index.handle("conn_1"), BlindIndex::new(&[2; 32]).handle("conn_1"));
}

#[test]
fn each_missing_secret_is_a_problem() {
    for (name, _) in GOOD {
        let problems = configure(&[(name, None)]).unwrap_err();
        assert_eq!(problems, [Problem { name: problems[0].name, reason: Reason::Missing }]);
        assert_eq!(problems[0].name, name);
    }
}

#[test]
fn all_missing_variables_are_reported_at_once() {
    let mut expected = GOOD.map(|(name, _)| name);
    expected.sort_unstable();
    let missing: Vec<_> = GOOD.iter().map(|(name, _)| (*name, None)).collect();
    assert_eq!(problems(&missing), expected);
}

#[test]
fn all_weak_variables_are_reported_at_once() {
    let weak = [
        ("OFAUTH_API_KEY", Some("")),
        ("GATEWAY_KEY", Some("short")),
        ("SESSION_SECRET", Some("short")),
        ("STORAGE_KEY", Some("short")),
        ("INDEX_KEY", Some("short")),
        ("OFAUTH_API_URL", Some("ftp://x")),
        ("WEBHOOK_TOLERANCE_SECONDS", Some("x")),
        ("EVENT_TTL_SECONDS", Some("x")),
        ("OFAUTH_WEBHOOK_SECRET", Some("")),
        ("SVIX_WEBHOOK_SECRET", Some("***")),
        ("APP_RETURN_URL", Some("/done")),
    ];
    let mut expected = weak.map(|(name, _)| name);
    expected.sort_unstable();
    assert_eq!(problems(&weak), expected);
}

#[test]
fn missing_and_weak_variables_are_reported_in_one_list() {
    let changes =
        [("GATEWAY_KEY", None), ("STORAGE_KEY", None), ("INDEX_KEY", Some("x")), ("APP_RETURN_URL", Some("x"))];
    let found: Vec<_> = configure(&changes).unwrap_err().into_iter().map(|found| (found.name, found.reason)).collect();
    let expected = [
        ("GATEWAY_KEY", Reason::Missing),
        ("APP_RETURN_URL", Reason::NotAUrl),
        ("STORAGE_KEY", Reason::Missing),
        ("INDEX_KEY", Reason::NotAKey),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert!(expected.iter().all(|problem| found.contains(problem)), "{found:?}");
}

#[test]
fn weak_webhook_secrets_of_both_schemes_are_both_reported() {
    let weak = [("OFAUTH_WEBHOOK_SECRET", Some(" x")), ("SVIX_WEBHOOK_SECRET", Some("***"))];
    assert_eq!(problems(&weak), ["OFAUTH_WEBHOOK_SECRET", "SVIX_WEBHOOK_SECRET"]);
}

#[test]
fn gateway_keys_and_session_secrets_have_32_characters_or_more() {
    for name in ["GATEWAY_KEY", "SESSION_SECRET"] {
        assert_eq!(reason(name, &"k".repeat(31)), Reason::TooShort);
        assert_eq!(reason(name, &"é".repeat(31)), Reason::TooShort);
        assert_eq!(reason(name, &format!("{KEY},{}", "k".repeat(31))), Reason::TooShort);
        assert!(configure(&[(name, Some(&"é".repeat(32)))]).is_ok());
    }
}

#[test]
fn a_named_key_is_long_enough_without_its_name_and_no_other_form_may_have_a_colon() {
    let name = "GATEWAY_KEY";
    assert_eq!(authenticate(&configure(&[(name, Some(&format!("app:read:{KEY}")))]).unwrap(), KEY), Ok(Caller::Server));
    assert_eq!(reason(name, &format!("app:read:{}", "k".repeat(31))), Reason::TooShort);
    for form in ["app:", "app:reading:", ":read:", "app::", "1:read:"] {
        let text = format!("{KEY},{form}{KEY}");
        assert_eq!(reason(name, &text), Reason::NotANamedKey, "{form}");
        let problem = Problem { name, reason: Reason::NotANamedKey }.to_string();
        assert!(problem.contains("name:rights:key") && !problem.contains(KEY), "{problem}");
    }
    assert!(configure(&[("SESSION_SECRET", Some(&format!("app:reading:{KEY}")))]).is_ok());
}

#[test]
fn an_empty_item_is_a_problem() {
    for name in ["GATEWAY_KEY", "SESSION_SECRET", "OFAUTH_WEBHOOK_SECRET", "SVIX_WEBHOOK_SECRET", "OFAUTH_API_KEY"] {
        assert_eq!(reason(name, ""), Reason::Empty, "{name}");
    }
    for (name, good) in [
        ("GATEWAY_KEY", KEY),
        ("SESSION_SECRET", SESSION),
        ("OFAUTH_WEBHOOK_SECRET", SECRET),
        ("SVIX_WEBHOOK_SECRET", SVIX_SECRET),
    ] {
        assert_eq!(reason(name, &format!("{good},")), Reason::Empty, "{name}");
        assert_eq!(reason(name, &format!("{good},,{good}")), Reason::Empty, "{name}");
    }
}

#[test]
fn lists_are_not_trimmed() {
    for (name, good) in [
        ("GATEWAY_KEY", KEY),
        ("SESSION_SECRET", SESSION),
        ("OFAUTH_WEBHOOK_SECRET", SECRET),
        ("SVIX_WEBHOOK_SECRET", SVIX_SECRET),
    ] {
        for list in [format!("{good}, {good}"), format!(" {good}"), format!("{good}\n"), format!("{good} ,{good}")] {
            assert_eq!(reason(name, &list), Reason::OuterWhiteSpace, "{name} {list:?}");
        }
    }
    assert_eq!(reason("OFAUTH_API_KEY", "sk_live_1\n"), Reason::OuterWhiteSpace);
    assert_eq!(problems(&[("STORAGE_KEY", Some(&format!("{STORAGE}, {INDEX}")))]), ["STORAGE_KEY"]);
    assert_eq!(problems(&[("INDEX_KEY", Some(&format!("{INDEX}\n")))]), ["INDEX_KEY"]);
}

#[test]
fn lists_have_at_most_five_items() {
    let lists = [
        ("GATEWAY_KEY", KEY),
        ("SESSION_SECRET", SESSION),
        ("OFAUTH_WEBHOOK_SECRET", SECRET),
        ("SVIX_WEBHOOK_SECRET", SVIX_SECRET),
        ("STORAGE_KEY", STORAGE),
    ];
    for (name, good) in lists {
        assert!(configure(&[(name, Some(&[good; 5].join(",")))]).is_ok(), "{name}");
        assert_eq!(reason(name, &[good; 6].join(",")), Reason::TooMany, "{name}");
    }
}

#[test]
fn an_api_key_that_no_header_can_carry_is_refused() {
    for bad in ["sk_live\nx", "sk_live_\u{e9}", "sk\u{7f}x"] {
        assert_eq!(reason("OFAUTH_API_KEY", bad), Reason::NotAHeaderValue, "{bad:?}");
    }
}

#[test]
fn storage_and_index_keys_are_base64_of_32_bytes() {
    for bad in ["short", "AQEBAQ==", &"01".repeat(32)] {
        assert_eq!(reason("STORAGE_KEY", bad), Reason::NotAKey);
        assert_eq!(reason("STORAGE_KEY", &format!("{STORAGE},{bad}")), Reason::NotAKey);
        assert_eq!(reason("INDEX_KEY", bad), Reason::NotAKey);
    }
    assert_eq!(reason("INDEX_KEY", &format!("{INDEX},{STORAGE}")), Reason::NotAKey);
}

#[test]
fn an_empty_storage_key_is_a_problem() {
    assert_eq!(problems(&[("STORAGE_KEY", Some(""))]), ["STORAGE_KEY"]);
}

#[test]
fn the_newest_storage_key_seals_and_the_others_open() {
    let config = configure(&[("STORAGE_KEY", Some(&format!("{INDEX},{STORAGE}")))]).unwrap();
    let (newest, older) = (Sealer::new(&[[2; 32]]).unwrap(), Sealer::new(&[[1; 32]]).unwrap());
    assert_eq!(newest.open("x", &config.sealer.seal("x", b"v", NONCE_A)).unwrap(), b"v");
    assert_eq!(config.sealer.open("x", &older.seal("x", b"v", NONCE_A)).unwrap(), b"v");
}

#[test]
fn every_gateway_key_of_the_list_is_accepted() {
    let config = configure(&[("GATEWAY_KEY", Some(&format!("{SESSION},{KEY}")))]).unwrap();
    assert_eq!(authenticate(&config, SESSION), Ok(Caller::Server));
    assert_eq!(authenticate(&config, KEY), Ok(Caller::Server));
    assert!(authenticate(&config, &format!("{SESSION},{KEY}")).is_err());
}

#[test]
fn the_newest_session_secret_signs_tokens_and_the_others_verify() {
    let config = |secrets: &str| configure(&[("SESSION_SECRET", Some(secrets))]).unwrap();
    let (old, new) = (SESSION.to_owned(), SESSION.to_uppercase());
    let both = config(&format!("{new},{old}"));
    let mint = |config: &Config| {
        config.authenticator.mint(SessionRequest::parse(br#"{"clientReferenceId":"u"}"#).unwrap(), 0).unwrap().0
    };
    assert!(authenticate(&both, &mint(&config(&old))).is_ok());
    assert!(authenticate(&config(&new), &mint(&both)).is_ok());
    assert_eq!(authenticate(&config(&old), &mint(&both)).map_err(EdgeError::code), Err("CREDENTIALS_INVALID"));
}

#[test]
fn webhook_secrets_have_no_length_rule() {
    assert!(configure(&[("OFAUTH_WEBHOOK_SECRET", Some("x"))]).is_ok());
    assert!(configure(&[("SVIX_WEBHOOK_SECRET", Some("eA=="))]).is_ok());
}

const FORWARD: (&str, Option<&str>) = ("FORWARD_URL", Some("https://app.example.com/webhooks"));

#[test]
fn without_a_forward_url_nothing_is_forwarded_and_the_secret_is_not_read() {
    for url in [None, Some("")] {
        let config = configure(&[("FORWARD_URL", url), ("FORWARD_SECRET", Some("short"))]).unwrap();
        assert!(config.forward.is_none());
    }
}

#[test]
fn the_newest_forward_secret_signs() {
    let old = format!("whsec_{STORAGE}");
    let new = format!("whsec_{INDEX}");
    let forward = configure(&[FORWARD, ("FORWARD_SECRET", Some(&format!("{new},{old}")))]).unwrap().forward.unwrap();
    assert_eq!((&*forward.url, forward.secret.reveal()), ("https://app.example.com/webhooks", &*new));
    assert!(!format!("{forward:?}").contains("whsec"));
}

#[test]
fn a_forward_url_needs_a_forward_secret_that_is_not_weak() {
    let problem = |secret: Option<&str>| {
        let problems = configure(&[FORWARD, ("FORWARD_SECRET", secret)]).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].name, "FORWARD_SECRET");
        problems[0].reason
    };
    assert_eq!(problem(None), Reason::Missing);
    assert_eq!(problem(Some("")), Reason::Empty);
    assert_eq!(problem(Some(&format!("{KEY},"))), Reason::Empty);
    assert_eq!(problem(Some(&format!("{KEY} "))), Reason::OuterWhiteSpace);
    assert_eq!(problem(Some("whsec_short")), Reason::TooShort);
    assert_eq!(problem(Some(&[KEY; 6].join(","))), Reason::TooMany);
}

#[test]
fn a_svix_secret_is_base64() {
    assert_eq!(reason("SVIX_WEBHOOK_SECRET", "whsec_***"), Reason::NotBase64);
    assert_eq!(reason("SVIX_WEBHOOK_SECRET", &format!("{SVIX_SECRET},whsec_")), Reason::NotBase64);
}

#[test]
fn a_webhook_secret_of_either_scheme_is_enough() {
    let config = configure(&[("OFAUTH_WEBHOOK_SECRET", None), ("SVIX_WEBHOOK_SECRET", Some(SVIX_SECRET))]).unwrap();
    let (t, signature) = (NOW.to_string(), sign_svix(b"{}", SVIX_SECRET, "m", NOW).unwrap());
    let list = [("svix-id", "m"), ("svix-timestamp", &*t), ("svix-signature", &*signature)];
    assert_eq!(verify(b"{}", headers(&list), &config.webhook_secrets, 300, NOW).unwrap().scheme(), Scheme::Svix);
}

#[test]
fn every_webhook_secret_of_the_list_verifies() {
    let config = configure(&[("OFAUTH_WEBHOOK_SECRET", Some("new secret,old"))]).unwrap();
    for (place, secret) in ["new secret", "old"].iter().enumerate() {
        let signature = sign_ofauth(b"{}", secret, NOW).unwrap();
        let verified =
            verify(b"{}", headers(&[("ofauth-signature", &signature)]), &config.webhook_secrets, 300, NOW).unwrap();
        assert_eq!(verified.secret_index(), place);
    }
}

const NAMES: [&str; 15] = [
    "OFAUTH_API_KEY",
    "OFAUTH_WEBHOOK_SECRET",
    "SVIX_WEBHOOK_SECRET",
    "GATEWAY_KEY",
    "SESSION_SECRET",
    "STORAGE_KEY",
    "INDEX_KEY",
    "OFAUTH_API_URL",
    "WEBHOOK_TOLERANCE_SECONDS",
    "EVENT_TTL_SECONDS",
    "ALLOWED_ORIGINS",
    "APP_RETURN_URL",
    "PUBLIC_URL",
    "EVENT_KEEP",
    "FORWARD_URL",
];

#[test]
fn no_problem_shows_a_value() {
    for name in NAMES {
        let changes = [(name, Some(" *s3cr3t-value, *s3cr3t-value ")), ("FORWARD_SECRET", Some(KEY))];
        let shown: Vec<String> = match configure(&changes) {
            Ok(config) => config.warnings.iter().map(|warning| format!("{warning} {warning:?}")).collect(),
            Err(problems) => problems.iter().map(|problem| format!("{problem} {problem:?}")).collect(),
        };
        assert!(!shown.is_empty(), "{name}");
        assert!(shown.iter().all(|shown| shown.contains(name) && !shown.contains("s3cr3t")), "{shown:?}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", configure(&[("SVIX_WEBHOOK_SECRET", Some(SVIX_SECRET))]).unwrap());
    for secret in ["sk_sandbox_1", SECRET, &SVIX_SECRET[6..], KEY, SESSION, STORAGE, INDEX] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

proptest! {
    #[test]
    fn no_value_makes_the_reader_panic(value: String, name in prop::sample::select(NAMES.to_vec())) {
        let problems = configure(&[(name, Some(&value)), ("FORWARD_SECRET", Some(KEY))]).err().unwrap_or_default();
        prop_assert!(problems.iter().all(|problem| problem.name == name));
    }
}
