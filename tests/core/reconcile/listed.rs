//! Items of OFAuth's list, compared with the record.
//!
//! 1. An item that agrees makes no fact, whatever it leaves out.
//! 2. A difference makes a fact at the time at which the item says that the connection changed, or at the start of the pass.
//! 3. A record that disagreed in two passes, and one that is missing, follow the list at once. A disconnected one never does.
//! 4. After the facts of two passes the record agrees with the item, unless something newer was known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ofauth_edge::core::{
    connection::{Changes, Connection, DISCONNECTED, Fact, FactOrder, MISSING, Rank, Record},
    gateway::account::ListedConnection,
    instant::iso_8601,
    reconcile::fact_of_item,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const STARTED: i64 = 1_800_000_000_000;
const CHANGED: i64 = 1_700_000_000_000;

fn item(json: &Value) -> ListedConnection {
    ListedConnection::read(json.to_string().as_bytes()).unwrap()
}

fn listed() -> Value {
    json!({
        "id": "conn_1", "status": "active", "permissions": ["profile:read"], "clientReferenceId": "user_1", "imported": false,
        "userData": { "id": "of_1", "name": "Jane", "username": "jane", "avatar": null },
        "expiredAt": null, "createdAt": iso_8601(CHANGED - 1), "updatedAt": iso_8601(CHANGED), "lastCheckedAt": null
    })
}

fn with(changes: Value) -> Value {
    let mut listed = listed();
    let Value::Object(changes) = changes else { panic!("not an object") };
    listed.as_object_mut().unwrap().extend(changes);
    listed
}

/// A connection of which the first pass has learned the item.
fn imported(json: &Value) -> Connection {
    let mut connection = Connection::new("conn_1".to_owned());
    let (id, fact) = fact_of_item(item(json), None, false, STARTED).unwrap();
    assert_eq!(id, "conn_1");
    assert!(connection.apply(fact));
    connection
}

fn record(connection: &Connection) -> Record {
    connection.record("acct_1".to_owned())
}

fn fact(json: &Value, known: &Record, was_disputed: bool) -> Option<Fact> {
    fact_of_item(item(json), Some(known), was_disputed, STARTED).map(|(_, fact)| fact)
}

#[test]
fn an_item_that_agrees_makes_no_fact() {
    let known = record(&imported(&listed()));
    for agreeing in [
        listed(),
        with(json!({ "updatedAt": iso_8601(STARTED), "lastCheckedAt": iso_8601(STARTED) })),
        with(json!({ "createdAt": iso_8601(CHANGED - 5_000) })),
        with(json!({ "permissions": null, "clientReferenceId": null, "imported": null })),
        json!({ "id": "conn_1" }),
    ] {
        assert_eq!(fact(&agreeing, &known, true), None, "{agreeing}");
    }
}

#[test]
fn each_difference_makes_a_fact_at_the_time_of_the_change() {
    let known = record(&imported(&listed()));
    for difference in [
        json!({ "status": "awaiting_2fa" }),
        json!({ "permissions": [] }),
        json!({ "clientReferenceId": "user_2" }),
        json!({ "imported": true }),
        json!({ "userData": { "id": "of_2" } }),
        json!({ "userData": { "name": "Janet" } }),
        json!({ "userData": { "username": "janet" } }),
        json!({ "userData": { "avatar": "https://a.example/1.jpg" } }),
        json!({ "platformUserId": "of_3" }),
        json!({ "expiresAt": iso_8601(STARTED) }),
    ] {
        let item = with(difference);
        let fact = fact(&item, &known, false).expect("a fact");
        assert_eq!((fact.at.stamp, fact.at.rank), (CHANGED, Rank::Listed), "{item}");
    }
}

#[test]
fn the_later_time_counts_and_a_missing_or_too_late_one_is_the_start_of_the_pass() {
    let at = |times: Value| fact_of_item(item(&with(times)), None, false, STARTED).unwrap().1.at.stamp;
    assert_eq!(at(json!({ "expiredAt": iso_8601(CHANGED + 7) })), CHANGED + 7);
    assert_eq!(at(json!({ "expiredAt": iso_8601(CHANGED - 7) })), CHANGED);
    assert_eq!(at(json!({ "updatedAt": null, "expiredAt": iso_8601(CHANGED - 7) })), CHANGED - 7);
    for none in [json!(null), json!("yesterday"), json!(iso_8601(STARTED + 300_001))] {
        assert_eq!(at(json!({ "updatedAt": none })), STARTED, "{none}");
    }
    assert_eq!(at(json!({ "updatedAt": iso_8601(STARTED + 300_000) })), STARTED + 300_000);
}

#[test]
fn a_record_that_disagreed_twice_or_is_missing_follows_the_list_at_once() {
    let expired = with(json!({ "status": "expired" }));
    let mut connection = imported(&listed());
    assert_eq!(fact(&expired, &record(&connection), true).unwrap().at.stamp, STARTED);
    let order = |rank| FactOrder { stamp: CHANGED + 1, rank, delivery: "own".to_owned() };
    connection.apply(Fact { at: order(Rank::Observed), changes: Changes::status(MISSING) });
    assert_eq!(fact(&listed(), &record(&connection), false).unwrap().at.stamp, STARTED);
    connection.apply(Fact { at: order(Rank::Disconnected), changes: Changes::status(DISCONNECTED) });
    assert_eq!(fact(&listed(), &record(&connection), true), None, "a disconnected connection never comes back");
}

#[test]
fn a_page_that_is_read_twice_in_a_pass_makes_the_same_delivery() {
    let delivery = |started| fact_of_item(item(&listed()), None, false, started).unwrap().1.at.delivery;
    assert_eq!(delivery(STARTED), delivery(STARTED));
    assert_ne!(delivery(STARTED), delivery(STARTED + 1));
}

fn any_item() -> impl Strategy<Value = Value> {
    let status = prop_oneof![Just("active"), Just("expired"), Just("error")];
    let stamp = prop_oneof![Just(Value::Null), (CHANGED - 9..CHANGED + 9).prop_map(|at| json!(iso_8601(at)))];
    let user = prop_oneof![Just(Value::Null), Just(json!("user_1")), Just(json!("user_2"))];
    let name = prop_oneof![Just(Value::Null), Just(json!("Jane")), Just(json!("Janet"))];
    (status, stamp, user, name).prop_map(|(status, updated, user, name)| {
        with(json!({
            "status": status, "updatedAt": updated, "clientReferenceId": user,
            "userData": { "id": "of_1", "name": name, "username": "jane", "avatar": name }
        }))
    })
}

proptest! {
    #[test]
    fn after_two_passes_the_record_agrees_unless_something_newer_is_known(
        before in any_item(), now in any_item(), newer in any::<bool>()
    ) {
        let mut connection = imported(&before);
        if newer {
            let at = FactOrder { stamp: STARTED + 1_000, rank: Rank::Updated, delivery: "webhook".to_owned() };
            connection.apply(Fact { at, changes: Changes::status("newer") });
        }
        for (pass, was_disputed) in [(STARTED + 10, false), (STARTED + 20, true)] {
            if let Some((_, fact)) = fact_of_item(item(&now), Some(&record(&connection)), was_disputed, pass) {
                connection.apply(fact);
            }
        }
        let left = fact_of_item(item(&now), Some(&record(&connection)), true, STARTED + 30);
        prop_assert_eq!(left.is_some(), newer, "{:?}", left);
        if newer {
            prop_assert_eq!(record(&connection).status, "newer");
        }
    }
}
