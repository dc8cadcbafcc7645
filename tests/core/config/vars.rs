//! The variables that are neither secrets nor URLs. URLs are in `urls.rs`.
//!
//! 1. Numbers are whole and in range.
//! 2. EVENT_KEEP selects and excludes types by patterns. A malformed pattern is ignored with a warning.
//! 3. ALLOWED_ORIGINS are origins, split at commas and not trimmed. Without any, no page of another site may call. An item
//!    that is not an origin is ignored with a warning.
//! 4. A warning names the item and the rule, and not the value.
//! 5. CONSOLE and REFUSE_CHANGED_ACCOUNT are on, off or empty.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{configure, reason};
use ofauth_edge::core::{
    config::{DEFAULT_EVENT_KEEP, EventFilter, Reason, Warning},
    gateway::SessionRequest,
};

/// The warnings about this one variable, as an operator reads them, and the places that they name.
fn warned(name: &'static str, value: &str, expected: Reason) -> Vec<usize> {
    let warnings = configure(&[(name, Some(value))]).unwrap().warnings;
    for Warning { name: named, reason, .. } in &warnings {
        assert_eq!((*named, *reason), (name, expected), "{value:?}");
    }
    warnings.iter().map(|warning| warning.item).collect()
}

#[test]
fn numbers_are_whole_and_in_range() {
    assert_eq!(configure(&[("WEBHOOK_TOLERANCE_SECONDS", Some("0"))]).unwrap().tolerance, 0);
    assert_eq!(configure(&[]).unwrap().cleanup_after_days, 0);
    assert_eq!(configure(&[("CLEANUP_EXPIRED_AFTER_DAYS", Some("3650"))]).unwrap().cleanup_after_days, 3_650);
    assert_eq!(reason("CLEANUP_EXPIRED_AFTER_DAYS", "3651"), Reason::OutOfRange(0, 3_650));
    assert_eq!(configure(&[("EVENT_TTL_SECONDS", Some("60"))]).unwrap().event_ttl, 60);
    assert_eq!(reason("EVENT_TTL_SECONDS", "59"), Reason::OutOfRange(60, 31_536_000));
    for bad in ["", " 300", "300 ", "-1", "1.5", "3e2", "five", "300s", "18446744073709551616"] {
        assert_eq!(reason("WEBHOOK_TOLERANCE_SECONDS", bad), Reason::OutOfRange(0, 86_400), "{bad:?}");
        assert_eq!(reason("EVENT_TTL_SECONDS", bad), Reason::OutOfRange(60, 31_536_000), "{bad:?}");
    }
}

#[test]
fn by_default_all_events_except_realtime_events_are_stored() {
    let keep = EventFilter::parse(DEFAULT_EVENT_KEEP).0;
    for kept in [Some("rules.updated"), Some("rules.update"), Some("payout.created"), Some("realtime"), Some("x"), None]
    {
        assert!(keep.selects(kept), "{kept:?}");
    }
    for ignored in ["realtime.typing", "of.websocket.event.received", "of.websocket.x"] {
        assert!(!keep.selects(Some(ignored)), "{ignored}");
    }
}

#[test]
fn a_pattern_is_a_type_or_the_beginning_of_types() {
    let keep = configure(&[("EVENT_KEEP", Some("rules.*,payout.created"))]).unwrap().event_filter;
    for (kind, kept) in
        [("rules.updated", true), ("rules", false), ("payout.created", true), ("payout.created.x", false), ("x", false)]
    {
        assert_eq!(keep.selects(Some(kind)), kept, "{kind}");
    }
    assert!(!keep.selects(None));
}

#[test]
fn an_exclusion_wins_at_any_place_in_the_list() {
    for patterns in ["*,!a.*", "!a.*,*", "a.b,*,!a.*"] {
        let keep = EventFilter::parse(patterns).0;
        assert!(keep.selects(Some("b")) && !keep.selects(Some("a.b")), "{patterns}");
    }
}

#[test]
fn an_empty_list_of_patterns_selects_no_event() {
    assert!(!EventFilter::parse("").0.selects(Some("x")));
}

#[test]
fn a_malformed_pattern_is_ignored_with_a_warning() {
    for bad in ["*.updated", "a.*.b", "!", "**", "!!a", "a!b"] {
        assert_eq!(warned("EVENT_KEEP", bad, Reason::NotAPattern), [1], "{bad}");
        assert_eq!(warned("EVENT_KEEP", &format!("a.b, ,{bad},c"), Reason::NotAPattern), [3], "{bad}");
        assert_eq!(EventFilter::parse(&format!("a.b,{bad}")).0, EventFilter::parse("a.b").0, "{bad}");
    }
    assert_eq!(warned("EVENT_FORWARD", "a.b,*.c", Reason::NotAPattern), [2]);
    assert_eq!(warned("EVENT_KEEP", DEFAULT_EVENT_KEEP, Reason::NotAPattern), [0; 0]);
}

#[test]
fn a_number_over_its_maximum_is_refused() {
    assert_eq!(reason("EVENT_TTL_SECONDS", "31536001"), Reason::OutOfRange(60, 31_536_000));
    assert_eq!(reason("WEBHOOK_TOLERANCE_SECONDS", "86401"), Reason::OutOfRange(0, 86_400));
}

#[test]
fn allowed_origins_are_split_at_commas() {
    let origins = "https://app.example.com,http://localhost:5173,https://b.example.com:8443";
    let allowed = configure(&[("ALLOWED_ORIGINS", Some(origins))]).unwrap().allowed_origins;
    for origin in origins.split(',') {
        assert!(allowed.allows(origin), "{origin}");
    }
    for other in [origins, "https://app.example.com:8443", "http://app.example.com", "http://localhost", ""] {
        assert!(!allowed.allows(other), "{other}");
    }
}

#[test]
fn without_allowed_origins_no_page_of_another_site_may_call() {
    for none in [None, Some("")] {
        let allowed = configure(&[("ALLOWED_ORIGINS", none)]).unwrap().allowed_origins;
        assert!(["", "null", "https://app.example.com"].iter().all(|origin| !allowed.allows(origin)), "{none:?}");
    }
}

#[test]
fn an_item_that_is_not_an_origin_is_ignored_with_a_warning() {
    let good = "https://app.example.com";
    let warned = |value: &str| warned("ALLOWED_ORIGINS", value, Reason::NotAPageOrigin);
    for bad in ["*", "null", "app.example.com", "https://*.example.com/", "http://app.example.com", "https://a/", " "] {
        assert_eq!(warned(bad), [1], "{bad:?}");
        let list = format!("{bad},{good},{bad}");
        assert_eq!(warned(&list), [1, 3], "{bad:?}");
        let allowed = configure(&[("ALLOWED_ORIGINS", Some(&list))]).unwrap().allowed_origins;
        assert!(allowed.allows(good) && !allowed.allows(bad), "{bad:?}");
    }
    assert_eq!(warned(","), [1, 2]);
    assert_eq!(warned(&format!("{good}, {good}")), [2]);
    assert_eq!(warned(&format!("{good},")), [2]);
    assert_eq!(warned(&format!(" {good}")), [1]);
    assert_eq!(warned(&format!("{good} {good}")), [1]);
    assert_eq!(warned(&format!("{good},capacitor://localhost,http://localhost:5173")), [0; 0]);
}

#[test]
fn pages_of_private_addresses_may_call_with_a_sandbox_key() {
    let near = ("ALLOWED_ORIGINS", Some("http://192.168.1.20:5173"));
    for (key, warnings) in [("sk_sandbox_1", 0), ("sk_live_1", 1), ("", 1), ("x_sk_sandbox_1", 1)] {
        let Ok(config) = configure(&[near, ("OFAUTH_API_KEY", Some(key))]) else {
            assert_eq!(key, "", "only an empty key is a problem");
            continue;
        };
        assert_eq!(config.warnings.len(), warnings, "{key}");
        assert_eq!(config.allowed_origins.allows("http://192.168.1.20:5173"), warnings == 0, "{key}");
    }
}

#[test]
fn a_warning_names_the_item_and_the_rule_and_not_the_value() {
    let changes = [("ALLOWED_ORIGINS", Some("https://a.example,s3cr3t")), ("EVENT_KEEP", Some("*.s3cr3t"))];
    let warnings = configure(&changes).unwrap().warnings;
    let shown: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert!(
        shown[0].starts_with("ALLOWED_ORIGINS: item 2 is ignored") && shown[0].contains("sandbox key"),
        "{shown:?}"
    );
    assert!(shown[1].starts_with("EVENT_KEEP: item 1 is ignored"), "{shown:?}");
    assert!(shown.iter().all(|text| !text.contains("s3cr3t")), "{shown:?}");
}

#[test]
fn alert_expirations_per_hour_is_a_number() {
    let name = "ALERT_EXPIRATIONS_PER_HOUR";
    let read = |text| configure(&[(name, text)]).unwrap().alert_expirations;
    assert_eq!([read(None), read(Some("0")), read(Some("1000000"))], [20, 0, 1_000_000]);
    for bad in ["", "-1", "1.5", "1000001"] {
        assert_eq!(reason(name, bad), Reason::OutOfRange(0, 1_000_000), "{bad:?}");
    }
}

#[test]
fn console_is_on_or_off() {
    let has_console = |text| {
        let request = SessionRequest::parse(br#"{"console":true}"#).unwrap();
        configure(&[("CONSOLE", text)]).unwrap().authenticator.mint(request, 0).is_ok()
    };
    for on in [None, Some(""), Some("on")] {
        assert!(has_console(on), "{on:?}");
    }
    assert!(!has_console(Some("off")));
    for bad in ["Off", "0", "false", " off", "on,off"] {
        assert_eq!(reason("CONSOLE", bad), Reason::NotOnOrOff, "{bad:?}");
    }
}

#[test]
fn refuse_changed_account_is_on_or_off() {
    for (text, is_on) in [(None, false), (Some(""), false), (Some("off"), false), (Some("on"), true)] {
        assert_eq!(configure(&[("REFUSE_CHANGED_ACCOUNT", text)]).unwrap().refuse_changed_account, is_on, "{text:?}");
    }
    for text in ["ON", "true", "1", " on"] {
        assert_eq!(reason("REFUSE_CHANGED_ACCOUNT", text), Reason::NotOnOrOff);
    }
}
