//! The status.
//!
//! 1. Without counts, their lines are not known, and all is right.
//! 2. Each line that is not right says what to do, and the whole is not right.
//! 3. Forwards that fail or are parked, and passes that stopped, say what to do.
//! 4. Stored values are counted by key, and a key that is not configured is not right.
//! 5. Uses of secrets and keys are shown by fingerprint, so those of an older value are not shown as a new one's. No secret is
//!    shown.
//! 6. No answer, nothing yet, and no forwarding are distinguished.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{GOOD, INDEX, KEY, STORAGE, SVIX_SECRET, configure};
use ofauth_edge::core::{
    config::Config,
    gateway::GatewayKey,
    monitor::{Counts, Observations, Passes, name, status},
    webhook::Scheme,
};
use serde_json::{Value, json};

/// Names and codes.
type Counted<'a> = &'a [(&'a str, &'a str)];

/// 2024-01-15T10:31:00Z
const MINUTE: i64 = 28_421_911;

fn counts(items: &[(&str, &str)]) -> Counts {
    let mut counts = Counts::default();
    for (name, code) in items {
        counts.add(name, code, 2, MINUTE);
    }
    counts
}

fn shown(config: &Config, counted: Option<&Counts>, connections: Option<(usize, usize, bool)>) -> Value {
    let seen = Observations { config, hour: counted, day: counted, connections, forwards: None, passes: None };
    serde_json::from_str(&status(&seen)).unwrap()
}

/// The status of so many forwards, and of a reconciler with this state.
fn shown_beside(config: &Config, forwards: Option<(u64, u64)>, state: &Value) -> Value {
    let state = state.to_string();
    let passes = Some(Passes(&state));
    let seen = Observations { config, hour: None, day: None, connections: None, forwards, passes };
    serde_json::from_str(&status(&seen)).unwrap()
}

fn line<'a>(status: &'a Value, name: &str) -> &'a Value {
    status["lines"].as_array().unwrap().iter().find(|line| line["name"] == name).unwrap()
}

fn verdict(status: &Value, name: &str) -> Value {
    let line = line(status, name);
    assert_eq!(line["ok"] == false, line["hint"] != "", "{line}");
    json!([line["ok"], line["value"]])
}

#[test]
fn without_counts_nothing_is_known_and_all_is_right() {
    let status = shown(&configure(&[]).unwrap(), None, None);
    assert_eq!(status["ok"], true);
    for name in [
        "lastWebhook",
        "rejectedWebhooks",
        "expiredConnections",
        "reconciliation",
        "apiKeyRefused",
        "storageKeys",
        "webhookSecrets",
        "gatewayKeys",
    ] {
        assert_eq!(verdict(&status, name), json!([null, null]), "{name}");
    }
    assert_eq!(verdict(&status, "configuration"), json!([true, []]));
}

#[test]
fn all_is_right_if_webhooks_arrive_and_nothing_is_refused() {
    let good = counts(&[(name::ACCEPTED, "applied")]);
    let status = shown(&configure(&[]).unwrap(), Some(&good), Some((0, 7, true)));
    assert_eq!(status["ok"], true, "{status}");
    assert_eq!(verdict(&status, "lastWebhook"), json!([true, "2024-01-15T10:31:00.000Z"]));
    assert_eq!(verdict(&status, "expiredConnections"), json!([true, { "expired": 0, "of": 7, "all": true }]));
}

#[test]
fn without_an_answer_forwards_are_not_known_and_without_forwarding_they_are_right() {
    let url = ("FORWARD_URL", Some("https://app.example.com/"));
    let forwarding = [url, ("FORWARD_SECRET", Some("a-secret-of-more-than-32-characters"))];
    for (variables, ok) in [(&forwarding[..0], json!(true)), (&forwarding[..], json!(null))] {
        let status = shown(&configure(variables).unwrap(), None, None);
        for name in ["failingDeliveries", "parkedForwards"] {
            assert_eq!(verdict(&status, name), json!([ok, null]), "{name}");
        }
    }
}

#[test]
fn each_line_that_is_not_right_says_what_to_do() {
    let config = configure(&[("EVENT_KEEP", Some("a*b"))]).unwrap();
    let cases: [(&str, Counted<'_>, Value); 3] = [
        ("lastWebhook", &[], json!(null)),
        ("rejectedWebhooks", &[(name::REJECTED, "SIGNATURE_MISMATCH")], json!({ "SIGNATURE_MISMATCH": 2 })),
        ("apiKeyRefused", &[(name::API_KEY, "UNAUTHORIZED")], json!({ "UNAUTHORIZED": 2 })),
    ];
    for (name, counted, value) in cases {
        let status = shown(&config, Some(&counts(counted)), Some((1, 1_000, false)));
        assert_eq!(status["ok"], false);
        assert_eq!(verdict(&status, name), json!([false, value]), "{name}");
        assert_eq!(verdict(&status, "expiredConnections"), json!([false, { "expired": 1, "of": 1_000, "all": false }]));
        assert_eq!(verdict(&status, "configuration")[1][0], config.warnings[0].to_string());
    }
}

#[test]
fn forwards_that_are_pending_or_parked_are_not_right() {
    let config = configure(&[]).unwrap();
    for (pending, parked) in [(0, 0), (3, 0), (0, 2)] {
        let status = shown_beside(&config, Some((pending, parked)), &json!({}));
        assert_eq!(verdict(&status, "failingDeliveries"), json!([pending == 0, pending]));
        assert_eq!(verdict(&status, "parkedForwards"), json!([parked == 0, parked]));
        assert_eq!(status["ok"], pending + parked == 0);
    }
}

#[test]
fn a_stopped_pass_is_not_right_until_a_later_one_is_completed() {
    let config = configure(&[]).unwrap();
    let verdict_of = |state: Value| verdict(&shown_beside(&config, None, &state), "reconciliation");
    let none = json!([null, { "completedAt": null, "stopped": null, "stoppedAt": null }]);
    assert_eq!(verdict_of(json!({})), none);
    assert_eq!(verdict_of(json!({ "step": 2, "startedAt": 1_705_314_600_000_i64 })), none);
    let at = "2024-01-15T10:30:00.000Z";
    let stopped = verdict_of(json!({ "stopped": "too_many_missing", "stoppedAt": 1_705_314_600_000_i64 }));
    assert_eq!(stopped, json!([false, { "completedAt": null, "stopped": "too_many_missing", "stoppedAt": at }]));
    let completed = json!({
        "stopped": null, "stoppedAt": 1_705_314_600_000_i64, "completedAt": 1_705_314_660_000_i64,
        "cursor": "a \"stopped\":\"refused\", {\"", "place": "",
    });
    let later = "2024-01-15T10:31:00.000Z";
    assert_eq!(verdict_of(completed), json!([true, { "completedAt": later, "stopped": null, "stoppedAt": at }]));
    let strange = verdict_of(json!({ "stopped": "a \"b", "stoppedAt": 1_705_314_600_000_i64 }));
    assert_eq!(strange[1]["stopped"], "failed");
    let hints = ["refused", "other_environment", "too_many_missing", "list_repeats"].map(|cause| {
        let status = shown_beside(&config, None, &json!({ "stopped": cause, "stoppedAt": 1 }));
        line(&status, "reconciliation")["hint"].to_string()
    });
    assert!((1..4).all(|place| !hints[place..].contains(&hints[place - 1])), "{hints:?}");
}

#[test]
fn stored_values_are_counted_by_key() {
    let config = configure(&[("STORAGE_KEY", Some(&format!("{INDEX},{STORAGE}")))]).unwrap();
    let ids: Vec<String> = config.sealer.key_ids().collect();
    let verdict_of = |state: Value| verdict(&shown_beside(&config, None, &state), "storageKeys");
    let (new, old) = (ids[0].as_str(), ids[1].as_str());
    assert_eq!(verdict_of(json!({})), json!([null, { "countedAt": null, "counts": { new: null, old: null } }]));
    let mut state = json!({ format!("keys.{new}"): 120, "keysCountedAt": 1_705_314_600_000_i64 });
    let at = "2024-01-15T10:30:00.000Z";
    assert_eq!(verdict_of(state.clone()), json!([true, { "countedAt": at, "counts": { new: 120, old: 0 } }]));
    state[format!("keys.{old}")] = json!(7);
    assert_eq!(verdict_of(state.clone()), json!([true, { "countedAt": at, "counts": { new: 120, old: 7 } }]));
    for other in ["failed", "00112233"] {
        let mut state = state.clone();
        state[format!("keys.{other}")] = json!(1);
        let counts = json!({ new: 120, old: 7, other: 1 });
        assert_eq!(verdict_of(state), json!([false, { "countedAt": at, "counts": counts }]));
    }
}

#[test]
fn uses_of_secrets_and_keys_are_shown_by_fingerprint_and_no_secret_is_shown() {
    let configured = |keys: &str, secrets: &str| {
        configure(&[
            ("GATEWAY_KEY", Some(keys)),
            ("OFAUTH_WEBHOOK_SECRET", Some(secrets)),
            ("SVIX_WEBHOOK_SECRET", Some(SVIX_SECRET)),
        ])
        .unwrap()
    };
    let named = |name: &str| format!("{name}:read:{KEY}{name}");
    let config = configured(&format!("{},app:read:{KEY}x,{KEY}y", named("app")), "new-secret,old-secret");
    let [keys, secrets] = [config.usage.keys(), config.usage.secrets(Scheme::Ofauth)];
    let starts = [(&keys[0], "app:"), (&keys[1], "app:"), (&keys[2], ""), (&secrets[0], "ofauth:")];
    for (code, start) in starts {
        let hex = code.strip_prefix(start).unwrap();
        assert!(hex.len() == 8 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{code}");
    }
    assert!(keys[0] != keys[1] && secrets[0] != secrets[1]);
    let counted = counts(&[(name::KEY, &keys[0]), (name::KEY, "1"), (name::SECRET, &secrets[1])]);
    let status = shown(&config, Some(&counted), None);
    let at = "2024-01-15T10:31:00.000Z";
    let item = |code: &str, place: Option<u8>, is_used: bool| json!({ "code": code, "place": place, "uses": if is_used { 2 } else { 0 }, "lastUsed": is_used.then_some(at) });
    let value = |status: &Value, name: &str| line(status, name)["value"].clone();
    let items = [item(&keys[0], Some(1), true), item(&keys[1], Some(2), false), item(&keys[2], Some(3), false)];
    assert_eq!(value(&status, "gatewayKeys"), json!([items[0], items[1], items[2], item("1", None, true)]));
    let svix = item(&config.usage.secrets(Scheme::Svix)[0], Some(1), false);
    let items = [item(&secrets[0], Some(1), false), item(&secrets[1], Some(2), true)];
    assert_eq!(value(&status, "webhookSecrets"), json!([items[0], items[1], svix]));
    let text = status.to_string();
    let values = GOOD.map(|(_, value)| value).into_iter().chain([KEY, "old-secret", "new-secret", INDEX]);
    for value in values.filter(|value| value.len() > 6) {
        assert!(!text.contains(value), "{value}");
    }
    // After a rotation the uses stay with the value, and those of a removed one are shown after the list.
    let rotated = configured(&format!("{KEY}z"), "newest-secret,new-secret");
    let status = shown(&rotated, Some(&counted), None);
    let [newest, new] = [&rotated.usage.secrets(Scheme::Ofauth)[0], &secrets[0]];
    let items = [item(newest, Some(1), false), item(new, Some(2), false), svix, item(&secrets[1], None, true)];
    assert_eq!(value(&status, "webhookSecrets"), json!(items));
    let unused = item(&rotated.usage.keys()[0], Some(1), false);
    assert_eq!(value(&status, "gatewayKeys"), json!([unused, item("1", None, true), item(&keys[0], None, true)]));
}

#[test]
fn a_fingerprint_depends_on_the_key_and_on_the_kind() {
    let config = configure(&[]).unwrap();
    let other = configure(&[("INDEX_KEY", Some(STORAGE))]).unwrap();
    assert_ne!(config.usage.keys(), other.usage.keys());
    assert_ne!(config.index.fingerprint("ofauth", b"secret"), config.index.fingerprint("svix", b"secret"));
    // Analytics and older counts have it, so it never changes for a value.
    assert_eq!(config.index.fingerprint("ofauth", b"secret"), "b1bf52f7");
    let key = GatewayKey::parse(KEY, 1).unwrap();
    assert_eq!(config.usage.key(&key), config.usage.keys()[0]);
}
