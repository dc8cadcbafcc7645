//! The status.
//!
//! 1. Without counts, what is counted is not known, and nothing is wrong.
//! 2. Each line that is not all right says so, with what to do, and the whole is not all right.
//! 3. Forwards that fail or are parked, and passes that stopped, say what to do.
//! 4. Stored values are counted by key, and a key that is not configured is not all right.
//! 5. Secrets and keys are shown with when they were used last, and never themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{GOOD, INDEX, KEY, STORAGE, configure};
use ofauth_edge::core::{
    config::Config,
    monitor::{Counts, Observations, Passes, name, status},
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
fn without_counts_nothing_is_known_and_nothing_is_wrong() {
    let status = shown(&configure(&[]).unwrap(), None, None);
    assert_eq!(status["ok"], true);
    for name in [
        "lastWebhook",
        "rejectedWebhooks",
        "failingDeliveries",
        "parkedForwards",
        "expiredConnections",
        "reconciliation",
        "apiKeyRefused",
    ] {
        assert_eq!(verdict(&status, name), json!([null, null]), "{name}");
    }
    assert_eq!(verdict(&status, "configuration"), json!([true, []]));
    assert_eq!(verdict(&status, "gatewayKeys"), json!([null, { "1": null }]));
}

#[test]
fn all_is_right_where_webhooks_come_and_nothing_is_refused() {
    let good = counts(&[(name::ACCEPTED, "applied"), (name::SECRET, "ofauth:1"), (name::KEY, "1")]);
    let status = shown(&configure(&[]).unwrap(), Some(&good), Some((0, 7, true)));
    assert_eq!(status["ok"], true, "{status}");
    assert_eq!(verdict(&status, "lastWebhook"), json!([true, "2024-01-15T10:31:00.000Z"]));
    assert_eq!(verdict(&status, "expiredConnections"), json!([true, { "expired": 0, "of": 7, "all": true }]));
    assert_eq!(verdict(&status, "parkedForwards"), json!([null, null]));
}

#[test]
fn each_line_that_is_not_right_says_so() {
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
fn forwards_that_wait_or_are_parked_are_not_right() {
    let config = configure(&[]).unwrap();
    for (pending, parked) in [(0, 0), (3, 0), (0, 2)] {
        let status = shown_beside(&config, Some((pending, parked)), &json!({}));
        assert_eq!(verdict(&status, "failingDeliveries"), json!([pending == 0, pending]));
        assert_eq!(verdict(&status, "parkedForwards"), json!([parked == 0, parked]));
        assert_eq!(status["ok"], pending + parked == 0);
    }
}

#[test]
fn a_pass_that_stopped_is_not_right_until_a_later_one_is_complete() {
    let config = configure(&[]).unwrap();
    let verdict_of = |state: Value| verdict(&shown_beside(&config, None, &state), "reconciliation");
    assert_eq!(verdict_of(json!({})), json!([null, null]));
    assert_eq!(verdict_of(json!({ "step": 2, "startedAt": 1_705_314_600_000_i64 })), json!([null, null]));
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
fn secrets_and_keys_are_shown_by_name_and_last_use() {
    let keys = format!("app:read:{KEY},{KEY}x");
    let config = configure(&[
        ("GATEWAY_KEY", Some(&keys)),
        ("OFAUTH_WEBHOOK_SECRET", Some("new-secret,old-secret")),
        ("STORAGE_KEY", Some(&format!("{INDEX},{STORAGE}"))),
    ])
    .unwrap();
    let status = shown(&config, Some(&counts(&[(name::KEY, "app"), (name::SECRET, "ofauth:2")])), None);
    let at = "2024-01-15T10:31:00.000Z";
    assert_eq!(line(&status, "gatewayKeys")["value"], json!({ "app": at, "2": null }));
    let secrets = &line(&status, "webhookSecrets")["value"];
    assert_eq!((&secrets["ofauth:1"], &secrets["ofauth:2"]), (&json!(null), &json!(at)));
    assert_eq!(line(&status, "storageKeys")["value"]["counts"].as_object().unwrap().len(), 2);
    let text = status.to_string();
    let values = GOOD.map(|(_, value)| value).into_iter().chain([KEY, "old-secret", "new-secret", INDEX]);
    for value in values.filter(|value| value.len() > 6) {
        assert!(!text.contains(value), "{value}");
    }
}
