//! A connection from its first webhook to its last. `fold.rs` tests facts; here the facts come from signed bodies.
//!
//! 1. The documented events give the same record in all 120 orders, under both schemes and with copies.
//! 2. So do events of the same second, and events without a timestamp.
//! 3. A reconnect replaces an expiry. A disconnect stays.
//! 4. `expired` and `disconnected` remove no other field. A null avatar removes the avatar.
//! 5. `created` sets the time of creation. `expired` and `disconnected` set their status, whatever the body says.
//! 6. A server sees OFAuth's id. A session and the console see the handle in its place, and everything else alike.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{CREATED, DISCONNECTED, EXPIRED, NOW, SDK_CREATED, UPDATED, fact, fact_of, orders, svix_signed};
use ofauth_edge::core::{
    connection::{Connection, Fact, Rank, Record},
    gateway::{Caller, Session},
};

/// A reconnect, three minutes after the expiry: `connection.updated` of one permission less, under another name.
fn reconnect() -> String {
    UPDATED
        .replace("11:00:00", "12:03:00")
        .replace(", \"messages:read\"", "")
        .replace("Jane Doe", "Jane Roe")
        .replace("\"https://cdn.onlyfans.com/avatar.jpg\"", "null")
}

/// The documented life, with the reconnect in it.
fn life() -> [String; 5] {
    [CREATED.to_owned(), UPDATED.to_owned(), EXPIRED.to_owned(), reconnect(), DISCONNECTED.to_owned()]
}

/// The life again, all of it in the second of its creation.
fn life_in_a_second() -> [String; 5] {
    life().map(|body| {
        let time = body.find("2024-01-15T").unwrap();
        body.replace(&body[time..time + 20], "2024-01-15T10:30:00Z")
    })
}

/// The facts of bodies signed one second after the other, from 12:30 on: after all that they tell of.
fn facts(bodies: &[String]) -> Vec<Fact> {
    (NOW + 7200..).zip(bodies).map(|(t, body)| fact(body, t)).collect()
}

fn record(facts: &[Fact]) -> Record {
    let mut connection = Connection::new("conn_abc123".to_owned());
    for fact in facts {
        connection.apply(fact.clone());
    }
    connection.record("acct_1".to_owned())
}

/// The record that all orders of these facts make, each fact delivered again after all have come.
fn record_in_all_orders(facts: &[Fact]) -> Record {
    let mut records: Vec<Record> = orders(facts.len())
        .into_iter()
        .map(|order| {
            let ordered: Vec<Fact> = order.into_iter().map(|place| facts[place].clone()).collect();
            record(&[&ordered[..], facts].concat())
        })
        .collect();
    records.dedup();
    assert_eq!(records.len(), 1, "{records:#?}");
    records.remove(0)
}

#[test]
fn there_are_120_orders_of_five() {
    let mut all = orders(5);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 120);
}

#[test]
fn the_documented_events_give_the_same_record_in_all_orders() {
    let record = record_in_all_orders(&facts(&life()));
    assert_eq!((&*record.status, record.expired_at), ("disconnected", None));
    assert_eq!(record.client_reference_id.as_deref(), Some("user_456"));
    assert_eq!(record.permissions, ["profile:read", "posts:read"]);
    let user = record.user_data.unwrap();
    assert_eq!((user.id.as_deref(), user.name.as_deref(), user.avatar), (Some("of_user_456"), Some("Jane Roe"), None));
    assert_eq!(record.created_at.as_deref(), Some("2024-01-15T10:30:00.000Z"));
    assert_eq!(record.updated_at, "2024-01-15T12:05:00.000Z");
}

#[test]
fn the_documented_events_give_the_same_record_in_all_orders_under_svix() {
    let signed = |(n, body): (usize, &String)| svix_signed(body.as_bytes(), &format!("msg_{n}"), NOW + 7200, fact_of);
    let svix: Vec<Fact> = life().iter().enumerate().map(signed).collect();
    assert_eq!(record_in_all_orders(&svix), record_in_all_orders(&facts(&life())));
}

#[test]
fn without_the_disconnect_the_reconnect_decides_in_all_orders() {
    let record = record_in_all_orders(&facts(&life()[..4]));
    assert_eq!((&*record.status, record.expired_at, &*record.updated_at), ("active", None, "2024-01-15T12:03:00.000Z"));
}

#[test]
fn without_the_reconnect_the_expiry_decides_in_all_orders() {
    let record = record_in_all_orders(&facts(&life()[..3]));
    assert_eq!((&*record.status, record.expired_at.as_deref()), ("expired", Some("2024-01-15T12:00:00.000Z")));
    assert_eq!(record.permissions, ["profile:read", "posts:read", "messages:read"]);
    assert_eq!(record.metadata.username.as_deref(), Some("janedoe"));
}

#[test]
fn events_of_one_second_give_the_same_record_in_all_orders() {
    let record = record_in_all_orders(&facts(&life_in_a_second()));
    assert_eq!((&*record.status, &*record.updated_at), ("disconnected", "2024-01-15T10:30:00.000Z"));
    assert_eq!(record.created_at.as_deref(), Some("2024-01-15T10:30:00.000Z"));
}

#[test]
fn of_events_of_one_second_an_expiry_outranks_updates() {
    let record = record_in_all_orders(&facts(&life_in_a_second()[..4]));
    assert_eq!((&*record.status, record.expired_at.as_deref()), ("expired", Some("2024-01-15T10:30:00.000Z")));
}

#[test]
fn events_without_timestamps_are_ordered_by_the_times_of_their_signatures() {
    let types = ["created", "updated", "expired", "updated", "disconnected"];
    let bodies: Vec<String> =
        types.iter().map(|kind| SDK_CREATED.replace("connection.created", &format!("connection.{kind}"))).collect();
    assert_eq!(record_in_all_orders(&facts(&bodies)).status, "disconnected");
    let record = record_in_all_orders(&facts(&bodies[..4]));
    assert_eq!((&*record.status, record.live, &*record.updated_at), ("active", Some(true), "2024-01-15T12:30:03.000Z"));
}

#[test]
fn a_retry_of_an_old_event_changes_nothing() {
    let mut connection = Connection::new("conn_abc123".to_owned());
    for fact in facts(&life()) {
        connection.apply(fact);
    }
    for (body, t) in life().iter().zip(NOW + 9000..) {
        assert!(!connection.apply(fact(body, t)), "{body}");
    }
}

#[test]
fn an_expiry_and_a_disconnect_remove_no_other_field() {
    let before = record(&[fact(CREATED, NOW)]);
    for body in [EXPIRED, DISCONNECTED] {
        let after = record(&[fact(CREATED, NOW), fact(body, NOW + 7200)]);
        assert_ne!(after.status, before.status);
        assert_eq!((after.user_data, after.permissions), (before.user_data.clone(), before.permissions.clone()));
        assert_eq!(
            (after.client_reference_id, after.created_at),
            (before.client_reference_id.clone(), before.created_at.clone())
        );
    }
}

#[test]
fn an_expiry_without_a_client_reference_id_leaves_the_known_one() {
    for reference in ["null", ""] {
        let body = match reference {
            "" => EXPIRED.replace("\"clientReferenceId\": \"user_456\",", ""),
            null => EXPIRED.replace("\"user_456\"", null),
        };
        let record = record(&[fact(CREATED, NOW), fact(&body, NOW + 7200)]);
        assert_eq!(record.client_reference_id.as_deref(), Some("user_456"), "{body}");
    }
}

#[test]
fn an_expiry_may_be_the_first_event_of_a_connection() {
    let record = record(&[fact(EXPIRED, NOW + 7200)]);
    assert_eq!((&*record.status, record.user_data, record.created_at), ("expired", None, None));
    assert_eq!(record.client_reference_id.as_deref(), Some("user_456"));
}

#[test]
fn a_null_avatar_clears_the_avatar_and_an_absent_one_does_not() {
    let cleared = UPDATED.replace("\"https://cdn.onlyfans.com/avatar.jpg\"", "null");
    let silent = UPDATED.replace(",\n        \"avatar\": \"https://cdn.onlyfans.com/avatar.jpg\"", "");
    let avatar = |body: &str| record(&[fact(CREATED, NOW), fact(body, NOW + 7200)]).user_data.unwrap().avatar;
    assert_eq!(avatar(&cleared), None);
    assert_ne!(silent, UPDATED);
    assert_eq!(avatar(&silent).as_deref(), Some("https://cdn.onlyfans.com/avatar.jpg"));
}

#[test]
fn an_older_avatar_does_not_replace_a_removed_one() {
    let cleared = UPDATED.replace("\"https://cdn.onlyfans.com/avatar.jpg\"", "null");
    let record = record(&[fact(&cleared, NOW + 7200), fact(CREATED, NOW)]);
    assert_eq!(record.user_data.unwrap().avatar, None);
}

#[test]
fn expired_and_disconnected_events_set_their_status_whatever_the_body_says() {
    for (body, status) in [(EXPIRED, "expired"), (DISCONNECTED, "disconnected")] {
        let said = format!("\"status\": \"{status}\"");
        for says in ["\"status\": \"active\"", "\"status\": null", "\"note\": 1"] {
            assert_eq!(record(&[fact(&body.replace(&said, says), NOW + 7200)]).status, status, "{says}");
        }
    }
}

#[test]
fn each_of_the_four_events_has_its_rank() {
    let ranks = [CREATED, UPDATED, EXPIRED, DISCONNECTED].map(|body| fact(body, NOW + 7200).at.rank);
    assert_eq!(ranks, [Rank::Created, Rank::Updated, Rank::Observed, Rank::Disconnected]);
}

#[test]
fn created_at_in_the_body_goes_before_the_time_of_the_event() {
    let body = CREATED.replace("\"status\"", "\"createdAt\": \"2024-01-01T00:00:00Z\", \"status\"");
    assert_eq!(record(&[fact(&body, NOW)]).created_at.as_deref(), Some("2024-01-01T00:00:00Z"));
}

#[test]
fn only_a_server_sees_the_connection_id() {
    let mut connection = Connection::new("conn_abc123".to_owned());
    connection.apply(fact(CREATED, NOW));
    let record = connection.record("acct_1".to_owned());
    assert_eq!(record.id, "conn_abc123");
    assert_eq!(Caller::Server.view(record.clone()), record);
    let session = Session {
        client_reference_id: "user_456".to_owned(),
        permissions: Vec::new(),
        connection: None,
        expires_at: 0,
    };
    for caller in [Caller::Session(session), Caller::Console] {
        let shown = caller.view(record.clone());
        assert_eq!(shown, Record { id: "acct_1".to_owned(), ..record.clone() });
        assert!(!serde_json::to_string(&shown).unwrap().contains("conn_"));
    }
}
