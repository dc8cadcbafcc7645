//! The storage schema of KV.
//!
//! 1. A connection is stored under its handle, opens only there, and round-trips. So does its summary.
//! 2. Metadata have the status, the time and a hash of the user. They have at most 1,024 bytes, whatever the record.
//! 3. A summary that does not fit is left out.
//! 4. An event is stored under its age, the newest first, with its type and lifetime. Its key can be read.
//! 5. The newest rules are stored under one key.
//! 6. No write shows a connection id, a reference, a user or a body in clear.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{CREATED, NONCE_A, NONCE_B, NOW, fact, index, one_in, sealer};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ofauth_edge::core::{
    connection::{Connection, Metadata, Record, StatusReason, UserData},
    instant::iso_8601,
    storage::{
        ConnectionMeta, EventKey, EventMeta, KvPut, MAX_METADATA, MIN_TTL, RULES_KEY, RulesMeta, connection_key,
        open_connection, open_summary, parse_event_key, put_connection, put_event, put_rules, truncate_status,
    },
    webhook::Delivery,
};
use proptest::prelude::*;

const STAMP: i64 = 1_705_314_600_000;
const LATEST: i64 = 9_999_999_999_999;

fn handle() -> String {
    index().handle("conn_abc123")
}

/// The record of the documented `connection.created`.
fn record() -> Record {
    let mut connection = Connection::new("conn_abc123".to_owned());
    connection.apply(fact(CREATED, NOW));
    connection.record(handle())
}

fn put(record: &Record) -> KvPut {
    put_connection(record, &index(), &sealer(), [NONCE_A, NONCE_B])
}

fn meta(put: &KvPut) -> ConnectionMeta {
    serde_json::from_str(&put.metadata).unwrap()
}

fn event(stamp: i64, id: &str) -> KvPut {
    let delivery = Delivery { id: id.to_owned(), stamp };
    put_event(&delivery, &event_meta(Some("rules.updated")), b"body", 600, &sealer(), NONCE_A)
}

fn event_meta(kind: Option<&str>) -> EventMeta {
    let (reference, handle) = (Some(index().hash_client_reference_id("user_1")), Some(index().handle("conn_1")));
    EventMeta { kind: kind.map(str::to_owned), received_at: iso_8601(STAMP), reference, handle }
}

fn size(put: &KvPut) -> usize {
    put.metadata.len()
}

#[test]
fn a_connection_is_stored_under_its_handle_without_a_lifetime() {
    let put = put(&record());
    assert_eq!((put.key.clone(), put.ttl), (format!("conn:{}", handle()), None));
    assert_eq!(put.key, connection_key(&handle()));
}

#[test]
fn a_connection_and_its_summary_open_to_the_record() {
    let put = put(&record());
    assert_eq!(open_connection(&handle(), &put.value, &sealer()), Some(record()));
    assert_eq!(open_summary(&handle(), &meta(&put), &sealer()), Some(record()));
}

#[test]
fn a_connection_opens_under_no_other_handle() {
    let (put, other) = (put(&record()), index().handle("conn_other"));
    assert_eq!(open_connection(&other, &put.value, &sealer()), None);
    assert_eq!(open_summary(&other, &meta(&put), &sealer()), None);
}

#[test]
fn a_value_does_not_open_as_a_summary_nor_a_summary_as_a_value() {
    let put = put(&record());
    let meta = meta(&put);
    let summary = STANDARD_NO_PAD.decode(meta.summary.as_ref().unwrap()).unwrap();
    assert_eq!(open_connection(&handle(), &summary, &sealer()), None);
    let swapped = ConnectionMeta { summary: Some(STANDARD_NO_PAD.encode(&put.value)), ..meta };
    assert_eq!(open_summary(&handle(), &swapped, &sealer()), None);
}

#[test]
fn a_summary_that_is_absent_or_not_base64_is_none() {
    assert_eq!(open_summary(&handle(), &ConnectionMeta::default(), &sealer()), None);
    let odd = ConnectionMeta { summary: Some("*".to_owned()), ..ConnectionMeta::default() };
    assert_eq!(open_summary(&handle(), &odd, &sealer()), None);
}

#[test]
fn metadata_have_the_values_by_which_lists_filter() {
    let meta = meta(&put(&record()));
    assert_eq!((&*meta.status, &*meta.updated_at), ("active", "2024-01-15T10:30:00.000Z"));
    assert_eq!(meta.user, Some(index().hash_platform_user_id("of_user_456")));
    let stranger = Record { platform_user_id: None, ..record() };
    assert_eq!(self::meta(&put(&stranger)).user, None);
}

#[test]
fn empty_metadata_are_read() {
    assert_eq!(serde_json::from_str::<ConnectionMeta>("{}").unwrap(), ConnectionMeta::default());
    assert_eq!(serde_json::from_str::<EventMeta>("{}").unwrap(), EventMeta::default());
    assert_eq!(serde_json::from_str::<RulesMeta>("{}").unwrap(), RulesMeta::default());
}

#[test]
fn a_summary_that_does_not_fit_is_left_out_and_the_value_is_complete() {
    let large = Record { permissions: vec!["messages:write".to_owned(); 100], ..record() };
    let put = put(&large);
    assert_eq!(meta(&put).summary, None);
    assert!(size(&put) <= MAX_METADATA);
    assert_eq!(open_connection(&handle(), &put.value, &sealer()), Some(large));
}

#[test]
fn a_status_is_shortened_to_64_bytes_without_splitting_a_character() {
    assert_eq!(truncate_status("awaiting_2fa"), "awaiting_2fa");
    assert_eq!(truncate_status(&"s".repeat(65)), "s".repeat(64));
    assert_eq!(truncate_status(&format!("{}é", "s".repeat(63))), "s".repeat(63));
}

#[test]
fn event_keys_sort_newest_first() {
    let keys: Vec<String> = [LATEST, STAMP + 1, STAMP, STAMP - 1, 0].map(|stamp| event(stamp, "id").key).into();
    assert!(keys.is_sorted(), "{keys:?}");
    assert_eq!(keys[2], "event:8294685399999:id");
    assert!(keys.iter().all(|key| key.len() == "event:0000000000000:id".len()));
}

#[test]
fn an_event_opens_under_its_key_as_the_raw_body() {
    let body = b"\xff raw \0 bytes";
    let delivery = Delivery { id: "msg_1".to_owned(), stamp: STAMP };
    let put = put_event(&delivery, &event_meta(None), body, MIN_TTL, &sealer(), NONCE_A);
    assert_eq!(sealer().open(&put.key, &put.value).unwrap(), body);
    assert!(sealer().open("event:0000000000000:msg_1", &put.value).is_err());
    assert_eq!(put.ttl, Some(60));
}

#[test]
fn the_metadata_of_an_event_have_its_type_and_its_time_of_arrival() {
    let meta: EventMeta = serde_json::from_str(&event(STAMP, "id").metadata).unwrap();
    assert_eq!(meta, event_meta(Some("rules.updated")));
    let json: serde_json::Value = serde_json::from_str(&event(STAMP, "id").metadata).unwrap();
    assert_eq!((&json["type"], &json["receivedAt"]), (&"rules.updated".into(), &"2024-01-15T10:30:00.000Z".into()));
}

#[test]
fn a_text_of_another_form_is_not_an_event_key() {
    for key in
        ["", "event:", "event:1", "event::id", "event:x:id", "conn:acct_1", "rules", "event:99999999999999999999:id"]
    {
        assert_eq!(parse_event_key(key), None, "{key:?}");
    }
}

#[test]
fn an_event_key_with_an_impossible_age_is_none() {
    assert_eq!(parse_event_key("event:-9223372036854775808:id"), None);
}

#[test]
fn the_newest_rules_are_stored_under_one_key_without_a_lifetime() {
    let put = put_rules(Some("rev-1"), b"body", &sealer(), NONCE_A);
    assert_eq!((&*put.key, put.ttl), (RULES_KEY, None));
    assert_eq!(sealer().open(RULES_KEY, &put.value).unwrap(), b"body");
    let meta: RulesMeta = serde_json::from_str(&put.metadata).unwrap();
    assert_eq!(meta, RulesMeta { revision: Some("rev-1".to_owned()) });
}

#[test]
fn rules_with_a_revision_of_control_characters_fit_their_metadata() {
    let revision = "\u{1}".repeat(1000);
    assert!(size(&put_rules(Some(&revision), b"body", &sealer(), NONCE_A)) <= MAX_METADATA);
}

/// All bytes that a write shows: the key, the value, the metadata and what its base64 holds.
fn shown(put: &KvPut) -> Vec<u8> {
    let summary = meta(put).summary.map(|text| STANDARD_NO_PAD.decode(text).unwrap());
    [put.key.as_bytes(), b" ", &put.value, b" ", put.metadata.as_bytes(), b" ", &summary.unwrap_or_default()].concat()
}

fn shows(put: &KvPut, text: &str) -> bool {
    shown(put).windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn no_write_shows_a_connection_id_or_a_person() {
    let put = put(&record());
    for secret in ["conn_abc123", "abc123", "user_456", "Jane", "janedoe", "avatar.jpg", "profile:read"] {
        assert!(!shows(&put, secret), "{secret}");
    }
}

#[test]
fn no_write_shows_a_body() {
    let delivery = crate::common::delivery(CREATED, NOW);
    let event = put_event(&delivery, &event_meta(Some("x")), CREATED.as_bytes(), 600, &sealer(), NONCE_A);
    let rules = put_rules(None, CREATED.as_bytes(), &sealer(), NONCE_A);
    assert!(!shows(&event, "conn_abc123") && !shows(&rules, "conn_abc123"));
}

/// Text of any characters, control characters among them.
fn text() -> impl Strategy<Value = String> {
    let chars = prop_oneof![any::<char>(), (0_u8..32).prop_map(char::from), Just('"')];
    prop::collection::vec(chars, 0..120).prop_map(|chars| chars.into_iter().collect())
}

prop_compose! {
    fn any_record()(
        id in "conn_[a-z0-9]{12,40}",
        status in text(),
        (reference, user, created, expires) in (text(), text(), text(), text()),
        permissions in prop::collection::vec(text(), 0..4),
        (name, username, avatar) in (text(), text(), proptest::option::of(text())),
        stamp in 0..253_402_300_799_999_i64,
        known: bool,
    ) -> Record {
        let user_data = UserData { id: Some(user.clone()), name: Some(name), username: Some(username), avatar };
        Record {
            handle: index().handle(&id),
            id,
            status,
            status_reason: known
                .then(|| StatusReason { kind: "edge.connection.disconnected".to_owned(), at: iso_8601(stamp) }),
            account_changed_at: known.then(|| iso_8601(stamp)),
            client_reference_id: known.then_some(reference),
            platform_user_id: known.then_some(user),
            permissions,
            metadata: Metadata { username: user_data.username.clone(), display_name: user_data.name.clone(), last_activity: None },
            user_data: known.then_some(user_data),
            created_at: Some(created),
            updated_at: iso_8601(stamp),
            expired_at: known.then(|| iso_8601(stamp)),
            expires_at: known.then_some(expires),
            last_checked_at: None,
            imported: None,
            live: Some(known),
        }
    }
}

proptest! {
    #![proptest_config(one_in(2))]

    #[test]
    fn any_record_round_trips_and_shows_no_id(record in any_record()) {
        let put = put(&record);
        prop_assert!(!shows(&put, &record.id));
        let opened = open_connection(&record.handle, &put.value, &sealer());
        prop_assert_eq!(opened.as_ref(), Some(&record));
        let summary = open_summary(&record.handle, &meta(&put), &sealer());
        prop_assert!(summary.is_none_or(|summary| summary == record));
    }

    #[test]
    fn any_record_fits_its_metadata(record in any_record()) {
        prop_assert!(size(&put(&record)) <= MAX_METADATA);
    }
}

proptest! {
    #[test]
    fn any_event_key_reads_back(stamp in 0..=LATEST, id in "[A-Za-z0-9._-]{1,128}") {
        let key = event(stamp, &id).key;
        prop_assert_eq!(parse_event_key(&key), Some(EventKey { id: &id, stamp }));
    }

    #[test]
    fn any_event_with_a_valid_type_fits_its_metadata(kind in text(), id in "[a-f0-9]{64}") {
        let kind: String = kind.chars().filter(|char| !char.is_control()).take(32).collect();
        let delivery = Delivery { id, stamp: STAMP };
        let put = put_event(&delivery, &event_meta(Some(&kind)), b"", 600, &sealer(), NONCE_A);
        prop_assert!(size(&put) <= MAX_METADATA);
    }

    #[test]
    fn no_key_makes_the_reader_panic(key in r"\PC*|event:-?[0-9]{0,20}:\PC*") {
        let _ = parse_event_key(&key);
    }
}
