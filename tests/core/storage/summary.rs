//! The summary in the metadata of a connection's key.
//!
//! 1. A record of the usual size fits, with every field, every permission of OFAuth and a long avatar address.
//! 2. An empty field differs from an absent one.
//! 3. A record that the compact form cannot hold has no summary.
//! 4. A summary opens only beside its own status and time.
//! 5. A summary that an older build wrote opens. An older build does not open a new one.
//! 6. Fields that older builds do not know are beside the summary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{CREATED, NONCE_A, NONCE_B, NOW, fact, index, sealer};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ofauth_edge::core::{
    connection::{Connection, Metadata, Record, StatusReason, UserData},
    storage::{ConnectionMeta, MAX_METADATA, open_summary, put_connection},
};

/// The permissions of `routes.json`.
const PERMISSIONS: [&str; 19] = [
    "analytics:read",
    "earnings:read",
    "lists:read",
    "lists:write",
    "messages:read",
    "messages:write",
    "notifications:read",
    "posts:read",
    "posts:write",
    "profile:read",
    "profile:write",
    "promotions:read",
    "promotions:write",
    "subscribers:read",
    "subscribers:write",
    "subscriptions:read",
    "users:write",
    "vault:read",
    "vault:write",
];

/// The record of the documented `connection.created`.
fn record() -> Record {
    let mut connection = Connection::new("conn_abc123".to_owned());
    connection.apply(fact(CREATED, NOW));
    connection.record(index().handle("conn_abc123"))
}

fn with_user_data(user_data: UserData) -> Record {
    let metadata =
        Metadata { username: user_data.username.clone(), display_name: user_data.name.clone(), last_activity: None };
    Record { user_data: Some(user_data), metadata, ..record() }
}

/// A record that has a value in every field, each as long as it usually becomes.
fn full_record() -> Record {
    let text = |text: &str| Some(text.to_owned());
    let avatar = format!("https://public.onlyfans.com/files/thumbs/c144/a/ab/{}/avatar.jpg", "a1b2c3d4".repeat(8));
    let user_data = UserData {
        id: text("4567890123"),
        name: text("Jané von Musterfrau"),
        username: text("janemusterfrau"),
        avatar: Some(avatar),
    };
    let mut record = Record {
        id: "conn_0123456789abcdefghijklmn".to_owned(),
        status: "expired".to_owned(),
        client_reference_id: text("0b7e5a70-7f3c-4c9b-9a51-1f0d8f2f7c11"),
        platform_user_id: user_data.id.clone(),
        permissions: PERMISSIONS.map(str::to_owned).into(),
        status_reason: Some(StatusReason {
            kind: "connection.expired".to_owned(),
            at: "2026-05-01T10:30:00.000Z".to_owned(),
        }),
        created_at: text("2026-04-01T10:30:00.000Z"),
        expired_at: text("2026-05-01T10:30:00.000Z"),
        expires_at: text("2026-10-01T10:30:00.000Z"),
        last_checked_at: text("2026-09-01T10:30:00.000Z"),
        imported: Some(false),
        live: Some(true),
        ..with_user_data(user_data)
    };
    record.metadata.last_activity.clone_from(&record.last_checked_at);
    record
}

fn meta(record: &Record) -> ConnectionMeta {
    let put = put_connection(record, &index(), &sealer(), [NONCE_A, NONCE_B]);
    assert!(put.metadata.len() <= MAX_METADATA);
    serde_json::from_str(&put.metadata).unwrap()
}

fn summary(record: &Record) -> Option<Record> {
    open_summary(&record.handle, &meta(record), &sealer())
}

#[test]
fn a_record_of_the_usual_size_fits() {
    let json = serde_json::to_vec(&full_record()).unwrap();
    assert!(STANDARD_NO_PAD.encode(json).len() > MAX_METADATA, "as JSON it would not");
    assert_eq!(summary(&full_record()), Some(full_record()));
}

#[test]
fn a_field_that_is_empty_is_not_one_that_is_missing() {
    let nobody = UserData { id: None, name: None, username: None, avatar: None };
    for id in [None, Some(String::new()), Some("another".to_owned()), record().platform_user_id] {
        for name in [None, Some(String::new())] {
            let record =
                with_user_data(UserData { id: id.clone(), avatar: Some(String::new()), name, ..nobody.clone() });
            assert_eq!(summary(&record), Some(record));
        }
    }
    let none = Metadata { username: None, display_name: None, last_activity: None };
    for platform_user_id in [None, Some(String::new())] {
        let record = Record { user_data: None, metadata: none.clone(), platform_user_id, ..record() };
        assert_eq!(summary(&record), Some(record));
    }
    for permissions in [vec![], vec![String::new()], vec![String::new(); 2]] {
        let record = Record { permissions, ..record() };
        assert_eq!(summary(&record), Some(record));
    }
    for flag in [None, Some(false), Some(true)] {
        let record = Record { imported: flag, live: flag.map(|flag| !flag), ..record() };
        assert_eq!(summary(&record), Some(record));
    }
}

#[test]
fn a_record_that_the_compact_form_cannot_hold_has_no_summary() {
    let nobody = UserData { id: None, name: None, username: None, avatar: None };
    for text in ["\u{1d}", "\u{1e}", "a\u{1f}b", "\u{1f}"] {
        let record = with_user_data(UserData { id: Some(text.to_owned()), ..nobody.clone() });
        assert_eq!(meta(&record).summary, None, "{text:?}");
    }
    let odd = [
        with_user_data(nobody),
        Record { status: "s".repeat(65), ..record() },
        Record { permissions: vec!["a\u{1f}b".to_owned()], ..record() },
        Record { metadata: Metadata { username: None, display_name: None, last_activity: None }, ..record() },
    ];
    for record in odd {
        assert_eq!(meta(&record).summary, None, "{record:?}");
    }
}

#[test]
fn a_summary_opens_beside_its_own_status_and_time_only() {
    let meta = meta(&record());
    let handle = record().handle;
    let later = ConnectionMeta { updated_at: "2024-01-15T10:30:00.001Z".to_owned(), ..meta.clone() };
    let expired = ConnectionMeta { status: "expired".to_owned(), ..meta.clone() };
    assert_eq!(open_summary(&handle, &meta, &sealer()), Some(record()));
    assert_eq!(open_summary(&handle, &later, &sealer()), None);
    assert_eq!(open_summary(&handle, &expired, &sealer()), None);
}

#[test]
fn a_summary_of_an_older_build_opens_and_an_older_build_opens_no_new_one() {
    let place = format!("conn:{}#summary", record().handle);
    let sealed = sealer().seal(&place, &serde_json::to_vec(&record()).unwrap(), NONCE_A);
    let older = ConnectionMeta { summary: Some(STANDARD_NO_PAD.encode(sealed)), ..meta(&record()) };
    assert_eq!(open_summary(&record().handle, &older, &sealer()), Some(record()));

    let newer = STANDARD_NO_PAD.decode(meta(&record()).summary.unwrap()).unwrap();
    assert!(sealer().open(&place, &newer).is_err(), "then it reads the value");
}

#[test]
fn fields_that_older_builds_do_not_know_are_beside_the_summary() {
    let reason = |kind: &str, at: &str| Some(StatusReason { kind: kind.to_owned(), at: at.to_owned() });
    let (expired, earlier) = ("2026-05-01T10:30:00.000Z", "2026-04-30T10:30:00.000Z");
    let expired_at = Some(expired.to_owned());
    for (status_reason, expected) in [
        (reason("connection.expired", expired), Some("connection.expired")),
        (reason("connection.updated", earlier), Some("connection.updated 2026-04-30T10:30:00.000Z")),
        (None, None),
    ] {
        for account_changed_at in [None, Some(earlier.to_owned())] {
            let (expired_at, status_reason) = (expired_at.clone(), status_reason.clone());
            let record =
                Record { status_reason, account_changed_at: account_changed_at.clone(), expired_at, ..record() };
            let beside = meta(&record);
            assert_eq!((beside.reason.as_deref(), beside.account_changed_at.clone()), (expected, account_changed_at));
            assert_eq!(open_summary(&record.handle, &beside, &sealer()).as_ref(), Some(&record));
            // An older build writes none of it, and reads the summary without it.
            let older = ConnectionMeta { reason: None, account_changed_at: None, ..beside };
            let expected = Record { status_reason: None, account_changed_at: None, ..record };
            assert_eq!(open_summary(&expected.handle, &older, &sealer()).as_ref(), Some(&expected));
        }
    }
}

#[test]
fn a_reason_without_a_time_is_none() {
    for reason in ["", "connection.expired"] {
        let odd = ConnectionMeta { reason: Some(reason.to_owned()), ..meta(&record()) };
        let opened = open_summary(&record().handle, &odd, &sealer());
        assert_eq!(opened.map(|record| record.status_reason), Some(None), "{reason:?}");
    }
}
