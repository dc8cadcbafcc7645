//! The status.
//!
//! 1. Without counts, what is counted is not known, and nothing is wrong.
//! 2. Each line that is not all right says so, with what to do, and the whole is not all right.
//! 3. Secrets and keys are shown with when they were used last, and never themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{GOOD, INDEX, KEY, STORAGE, configure};
use ofauth_edge::core::{
    config::Config,
    monitor::{Counts, Observations, name, status},
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
    serde_json::from_str(&status(&Observations { config, hour: counted, day: counted, connections })).unwrap()
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
    let parked = [(name::FORWARD, "parked")];
    let stopped = [(name::RECONCILIATION, "stopped")];
    let cases: [(&str, Counted<'_>, Value); 6] = [
        ("lastWebhook", &[], json!(null)),
        ("rejectedWebhooks", &[(name::REJECTED, "SIGNATURE_MISMATCH")], json!({ "SIGNATURE_MISMATCH": 2 })),
        ("parkedForwards", &parked, json!({ "parked": 2 })),
        ("reconciliation", &stopped, json!({ "done": null, "stopped": "2024-01-15T10:31:00.000Z" })),
        ("apiKeyRefused", &[(name::API_KEY, "UNAUTHORIZED")], json!({ "UNAUTHORIZED": 2 })),
        ("failingDeliveries", &[(name::FORWARD, "failed")], json!({ "failed": 2 })),
    ];
    for (name, counted, value) in cases {
        let status = shown(&config, Some(&counts(counted)), Some((1, 1_000, false)));
        assert_eq!(status["ok"], false);
        assert_eq!(verdict(&status, name), json!([false, value]), "{name}");
        assert_eq!(verdict(&status, "expiredConnections"), json!([false, { "expired": 1, "of": 1_000, "all": false }]));
        assert_eq!(verdict(&status, "configuration")[1][0], config.warnings[0].to_string());
    }
    let mut counted = counts(&stopped);
    counted.add(name::RECONCILIATION, "done", 1, MINUTE + 1);
    assert_eq!(verdict(&shown(&config, Some(&counted), None), "reconciliation")[0], true);
    assert_eq!(
        verdict(&shown(&config, Some(&counts(&[(name::FORWARD, "done")])), None), "parkedForwards"),
        json!([true, {}])
    );
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
    assert_eq!(line(&status, "storageKeys")["value"].as_array().unwrap().len(), 2);
    let text = status.to_string();
    let values = GOOD.map(|(_, value)| value).into_iter().chain([KEY, "old-secret", "new-secret", INDEX]);
    for value in values.filter(|value| value.len() > 6) {
        assert!(!text.contains(value), "{value}");
    }
}
