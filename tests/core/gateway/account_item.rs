//! Items of OFAuth's list, in the current shape and in the older one: what each says about a connection.
//!
//! 1. All fields of both shapes are read. The time of an expiry in the past is not read as one in the future.
//! 2. The answer to an import may wrap an item.
//! 3. An item that cannot be read is skipped, and the others are read. A body without a list is not a page.
//! 4. An item is a fact like any other: ordered by its rank, and never final.
//! 5. No bytes panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{CREATED, NOW, fact, parse};
use ofauth_edge::core::{
    connection::{Changes, Connection, Fact, FactOrder, Rank},
    gateway::account::ListedConnection,
    webhook::{ConnectionChange, Delivery, Payload},
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn item(json: &Value) -> ListedConnection {
    ListedConnection::read(json.to_string().as_bytes()).unwrap()
}

fn changes(json: &Value) -> Changes {
    item(json).changes()
}

#[expect(clippy::unnecessary_wraps, reason = "the fields it fills are optional")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// An item as OFAuth lists it today.
fn today() -> Value {
    json!({
        "id": "conn_1",
        "status": "active",
        "userData": { "id": "of_1", "name": "Jane Doe", "username": "janedoe", "avatar": null },
        "permissions": ["profile:read"],
        "expiredAt": "2024-01-01T00:00:00Z",
        "createdAt": "2024-01-15T10:30:00Z",
        "updatedAt": "2024-01-16T10:30:00Z",
        "clientReferenceId": "user_1",
        "imported": false,
        "lastCheckedAt": null
    })
}

/// An item as the older documents describe it.
fn older() -> Value {
    json!({
        "id": "conn_2",
        "platformUserId": 0,
        "status": "expired",
        "createdAt": "2024-01-15T10:30:00Z",
        "updatedAt": "2024-01-16T10:30:00Z",
        "expiresAt": "2024-02-15T10:30:00Z",
        "metadata": { "username": "janedoe", "displayName": "Jane Doe", "lastActivity": "2024-01-16T10:30:00Z" }
    })
}

/// The fact in an item, listed a second after the documented `connection.created`.
fn listed(json: &Value) -> Fact {
    let at = FactOrder {
        stamp: 1000 * i64::try_from(NOW).unwrap() + 1000,
        rank: Rank::Listed,
        delivery: "listed".to_owned(),
    };
    Fact { at, changes: changes(json) }
}

#[test]
fn all_fields_of_the_current_item_are_read() {
    let expected = Changes {
        status: some("active"),
        permissions: Some(vec!["profile:read".to_owned()]),
        client_reference_id: some("user_1"),
        platform_user_id: some("of_1"),
        created_at: some("2024-01-15T10:30:00Z"),
        expires_at: None,
        last_checked_at: None,
        imported: Some(false),
        live: None,
        user_id: some("of_1"),
        name: some("Jane Doe"),
        username: some("janedoe"),
        avatar: Some(None),
    };
    let item = item(&today());
    assert_eq!((item.id(), item.client_reference_id()), ("conn_1", Some("user_1")));
    assert_eq!(item.changes(), expected);
}

#[test]
fn all_fields_of_the_older_item_are_read() {
    let older =
        older().to_string().replace(r#""platformUserId":0"#, r#""platformUserId":123456789012345678901234567890"#);
    let item = ListedConnection::read(older.as_bytes()).unwrap();
    assert_eq!((item.id(), item.client_reference_id()), ("conn_2", None));
    let expected = Changes {
        status: some("expired"),
        platform_user_id: some("123456789012345678901234567890"),
        created_at: some("2024-01-15T10:30:00Z"),
        expires_at: some("2024-02-15T10:30:00Z"),
        last_checked_at: some("2024-01-16T10:30:00Z"),
        name: some("Jane Doe"),
        username: some("janedoe"),
        ..Changes::default()
    };
    assert_eq!(item.changes(), expected);
}

#[test]
fn the_current_names_of_profile_fields_go_before_the_older_ones() {
    let metadata = json!({ "username": "old", "displayName": "Old" });
    let both = json!({ "id": "c", "userData": { "name": "New", "username": "new" }, "metadata": metadata });
    let half = json!({ "id": "c", "userData": { "name": "New", "username": null }, "metadata": metadata });
    let (both, half) = (changes(&both), changes(&half));
    assert_eq!((both.name, both.username), (some("New"), some("new")));
    assert_eq!((half.name, half.username), (some("New"), some("old")));
}

#[test]
fn the_time_of_the_last_use_is_read_under_its_current_and_its_older_name() {
    let (new, old) = ("2024-01-17T10:30:00Z", "2024-01-16T10:30:00Z");
    for (item, expected) in [
        (json!({ "id": "c", "lastCheckedAt": new }), some(new)),
        (json!({ "id": "c", "metadata": { "lastActivity": old } }), some(old)),
        (json!({ "id": "c", "lastCheckedAt": new, "metadata": { "lastActivity": old } }), some(new)),
        (json!({ "id": "c", "lastCheckedAt": null, "metadata": { "lastActivity": old } }), some(old)),
        (json!({ "id": "c", "lastCheckedAt": 7 }), None),
        (json!({ "id": "c" }), None),
    ] {
        let mut connection = Connection::new("c".to_owned());
        connection.apply(listed(&item));
        let record = connection.record("h".to_owned());
        assert_eq!((&record.last_checked_at, &record.metadata.last_activity), (&expected, &expected), "{item}");
    }
    for twice in [
        r#"{"id":"c","lastCheckedAt":"a","lastCheckedAt":"b"}"#,
        r#"{"id":"c","metadata":{"lastActivity":1,"lastActivity":2}}"#,
    ] {
        assert!(ListedConnection::read(twice.as_bytes()).is_none(), "{twice}");
    }
}

#[test]
fn an_event_may_have_the_profile_under_the_older_names() {
    let body = json!({ "type": "connection.updated", "data": { "connection": {
        "id": "conn_1", "platformUserId": 7, "metadata": { "username": "janedoe", "displayName": "Jane Doe" }
    } } });
    let Payload::Connection(event) = parse(body.to_string()).unwrap().payload else { panic!("{body}") };
    assert_eq!(
        (event.change, event.name, event.username),
        (ConnectionChange::Updated, some("Jane Doe"), some("janedoe"))
    );
}

#[test]
fn a_field_of_another_type_is_absent_and_the_others_are_read() {
    for odd in [json!([]), json!({}), json!("x"), json!(7), json!(true), Value::Null] {
        for field in ["userData", "metadata", "permissions", "createdAt", "expiresAt", "imported", "lastCheckedAt"] {
            let mut whole = json!({ "id": "conn_1", "status": "active" });
            whole[field] = odd.clone();
            assert_eq!(changes(&whole).status, some("active"), "{field} {odd}");
        }
        let status = odd.as_str().map(str::to_owned);
        assert_eq!(changes(&json!({ "id": "conn_1", "status": odd })).status, status, "{odd}");
    }
}

#[test]
fn half_of_a_surrogate_pair_in_a_name_does_not_hide_the_item() {
    let item =
        ListedConnection::read(br#"{"id":"conn_1","metadata":{"displayName":"cut \ud83d","username":"u"}}"#).unwrap();
    assert_eq!(item.changes().name, some("cut \u{fffd}"));
}

#[test]
fn the_answer_to_an_import_is_an_item_with_or_without_a_wrapper() {
    for answer in [today(), json!({ "connection": today() }), json!({ "success": true, "connection": today() })] {
        assert_eq!(changes(&answer), changes(&today()), "{answer}");
    }
    let beside = json!({ "id": "conn_1", "status": "active", "connection": null });
    assert_eq!(changes(&beside).status, some("active"));
    let empty = json!({ "connection": { "id": "conn_1" }, "clientReferenceId": "" });
    assert_eq!(changes(&empty).client_reference_id, None, "an empty reference asserts nothing");
}

#[test]
fn an_item_without_a_connection_id_is_none() {
    for answer in [
        "",
        "null",
        "[]",
        "{}",
        "\"conn_1\"",
        "<html>",
        r#"["conn_1"]"#,
        r#"{"id":null}"#,
        r#"{"id":""}"#,
        r#"{"id":["conn_1"]}"#,
        r#"{"id":"conn 1"}"#,
        r#"{"id":"conn_1,conn_2"}"#,
        r#"{"id":"conn_1\u0000"}"#,
        r#"{"id":"conn_é"}"#,
        r#"{"id":"conn_1","id":"conn_2"}"#,
        r#"{"id":"conn_1","connection":{}}"#,
        r#"{"id":"conn_1","connection":[]}"#,
        r#"{"id":"conn_1","connection":{"id":"conn_2"},"connection":{"id":"conn_3"}}"#,
        r#"{"data":{"id":"conn_1"}}"#,
        r#"{"id":"conn_1"} {"id":"conn_2"}"#,
    ] {
        assert_eq!(ListedConnection::read(answer.as_bytes()), None, "{answer}");
    }
    assert_eq!(ListedConnection::read(format!("{{\"id\":\"{}\"}}", "x".repeat(257)).as_bytes()), None);
    assert_eq!(ListedConnection::read(b"{\"id\":\"conn_\xff\"}"), None);
}

#[test]
fn a_page_has_its_items_in_order_and_says_whether_more_follow() {
    for (more, said) in
        [(json!({ "hasMore": true }), true), (json!({ "hasMore": false, "total": 2 }), false), (json!({}), false)]
    {
        let mut page = more.clone();
        page["list"] = json!([today(), older()]);
        let (items, has_more) = ListedConnection::read_page(page.to_string().as_bytes()).unwrap();
        assert_eq!(
            (items.iter().map(ListedConnection::id).collect::<Vec<_>>(), has_more),
            (vec!["conn_1", "conn_2"], said),
            "{more}"
        );
    }
}

#[test]
fn an_item_that_cannot_be_read_is_skipped() {
    let odd = [json!(null), json!(1), json!([today()]), json!({}), json!({ "id": "a b" }), json!("conn_1")];
    for odd in odd {
        let page = json!({ "list": [odd.clone(), today(), odd], "hasMore": true }).to_string();
        let (items, has_more) = ListedConnection::read_page(page.as_bytes()).unwrap();
        assert_eq!(
            (items.iter().map(ListedConnection::id).collect::<Vec<_>>(), has_more),
            (vec!["conn_1"], true),
            "{page}"
        );
    }
}

#[test]
fn a_body_without_a_list_is_not_a_page() {
    for page in ["", "{}", "[]", "null", "<p>", r#"{"list":{}}"#, r#"{"list":null}"#, r#"{"data":[]}"#, "[[],true]"] {
        assert_eq!(ListedConnection::read_page(page.as_bytes()), None, "{page}");
    }
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let with = |field: &str| format!(r#"{{"id":"conn_1","status":"active","{field}":{deep}}}"#);
    for field in ["other", "userData", "metadata", "permissions"] {
        assert_eq!(
            ListedConnection::read(with(field).as_bytes()).map(|item| item.changes().status),
            Some(some("active")),
            "{field}"
        );
    }
    let page = format!(r#"{{"list":[{deep},{}],"hasMore":false,"rest":{deep}}}"#, with("other"));
    assert_eq!(ListedConnection::read_page(page.as_bytes()).unwrap().0.len(), 1);
}

#[test]
fn a_listed_item_outranks_an_event_and_not_an_observation_of_the_same_instant() {
    let mut connection = Connection::new("conn_abc123".to_owned());
    connection.apply(fact(CREATED, NOW));
    let item = listed(&json!({ "id": "conn_abc123", "status": "expired", "clientReferenceId": null }));
    assert!(connection.apply(item.clone()));
    let record = connection.record("acct_1".to_owned());
    assert_eq!((&*record.status, record.client_reference_id), ("expired", some("user_456")));
    let observed = Fact { at: FactOrder { rank: Rank::Observed, ..item.at }, changes: Changes::status("active") };
    assert!(connection.apply(observed));
    assert_eq!(connection.record("acct_1".to_owned()).status, "active");
}

#[test]
fn a_listed_status_disconnected_is_not_final() {
    let mut connection = Connection::new("conn_1".to_owned());
    let gone = listed(&json!({ "id": "conn_1", "status": "disconnected" }));
    connection.apply(gone.clone());
    assert!(!connection.is_disconnected());
    let later = FactOrder { stamp: gone.at.stamp + 1, ..gone.at };
    assert!(connection.apply(Fact { at: later, changes: Changes::status("active") }));
}

#[test]
fn a_listed_item_does_not_replace_a_disconnect() {
    let mut connection = Connection::new("conn_1".to_owned());
    let item = listed(&today());
    let deleted = FactOrder { stamp: item.at.stamp - 5000, rank: Rank::Disconnected, delivery: "d".to_owned() };
    connection.apply(Fact { at: deleted, changes: Changes::status("disconnected") });
    connection.apply(item);
    assert!(connection.is_disconnected());
    let record = connection.record("acct_1".to_owned());
    assert_eq!((&*record.status, record.client_reference_id), ("disconnected", some("user_1")));
}

#[test]
fn the_time_of_a_listing_is_not_taken_for_created_at() {
    let item = ListedConnection::read(br#"{"id":"conn_1","status":"active"}"#).unwrap();
    assert_eq!(item.changes().created_at, None);
    let Payload::Connection(event) = parse(CREATED).unwrap().payload else { panic!("a connection event") };
    let delivery = || Delivery { id: "d".to_owned(), stamp: 1000 * i64::try_from(NOW).unwrap() };
    let as_created = Fact::from_event((*event).clone(), None, delivery());
    assert_eq!(as_created.changes.created_at, some("2024-01-15T10:30:00.000Z"));
    let mut event = *event;
    event.change = ConnectionChange::Listed;
    let as_listed = Fact::from_event(event, None, delivery());
    assert_eq!((as_listed.at.rank, as_listed.changes.created_at), (Rank::Listed, None));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>, text in r#"(\{|\}|\[|\]|"(id|list|connection|hasMore)"|:|,|"x"|null|1|\\ud800){0,20}"#) {
        for bytes in [&*bytes, text.as_bytes()] {
            let _ = (ListedConnection::read(bytes), ListedConnection::read_page(bytes));
        }
    }

    #[test]
    fn an_id_that_is_a_number_stays_as_it_is_written(id in "[1-9][0-9]{0,80}") {
        let item = ListedConnection::read(format!("{{\"id\":{id},\"platformUserId\":{id}}}").as_bytes()).unwrap();
        prop_assert_eq!(item.id(), &*id);
        prop_assert_eq!(item.changes().platform_user_id, Some(id));
    }
}
