//! The events that the gateway itself makes.
//!
//! 1. Each type has its status.
//! 2. A delivery of OFAuth makes no event, and neither does one that an app need not know at once.
//! 3. The body is JSON that names the connection and its user.
//! 4. An account change names both accounts.
//! 5. A Link session that was cancelled or failed has an event too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::{
    connection::{Changes, Connection, Fact, FactOrder, Rank},
    gateway::{ACCOUNT_CHANGED, OwnEvent, account_changed_event, link_event},
};
use serde_json::{Value, json};

const STAMP: i64 = 1_705_314_600_000;

fn body(kind: &str, id: &str) -> Value {
    let record = Connection::new(id.to_owned()).record("acct_1".to_owned());
    serde_json::from_str(&OwnEvent::of_delivery(kind).unwrap().body(STAMP, &record)).unwrap()
}

#[test]
fn each_type_has_its_status() {
    for (kind, event, status) in [
        ("edge.expired", "edge.connection.expired", "expired"),
        ("edge.invalidated", "edge.connection.expired", "expired"),
        ("edge.active", "edge.connection.active", "active"),
        ("edge.missing", "edge.connection.missing", "missing"),
        ("edge.deleted", "edge.connection.deleted", "disconnected"),
    ] {
        assert_eq!(OwnEvent::of_delivery(kind).unwrap().kind, event);
        let connection = json!({ "id": "conn_1", "status": status });
        let data = json!({ "clientReferenceId": null, "connection": connection });
        let expected = json!({ "type": event, "timestamp": "2024-01-15T10:30:00.000Z", "data": data });
        assert_eq!(body(kind, "conn_1"), expected, "{kind}");
    }
}

#[test]
fn other_deliveries_make_no_event() {
    for kind in ["connection.expired", "edge.listed", "edge.imported", "edge.", "edge.pending", ""] {
        assert_eq!(OwnEvent::of_delivery(kind), None, "{kind}");
    }
}

#[test]
fn any_text_is_escaped() {
    assert_eq!(body("edge.expired", "conn_\"\\\n")["data"]["connection"]["id"], "conn_\"\\\n");
}

#[test]
fn an_account_change_names_both_accounts() {
    let mut connection = Connection::new("conn_\"".to_owned());
    for (stamp, account) in [(STAMP - 1, "1"), (STAMP, "2\"")] {
        let at = FactOrder { stamp, rank: Rank::Created, delivery: account.to_owned() };
        let platform_user_id = Some(account.to_owned());
        let client_reference_id = Some("user_456".to_owned());
        let changes = Changes { platform_user_id, client_reference_id, ..Changes::status("active") };
        connection.receive(Fact { at, changes }, "connection.created");
    }
    let body = account_changed_event(connection.former_account(), &connection.record("acct_1".to_owned()));
    let connection =
        json!({ "id": "conn_\"", "status": "active", "platformUserId": "2\"", "formerPlatformUserId": "1" });
    let data = json!({ "clientReferenceId": "user_456", "connection": connection });
    let expected = json!({ "type": ACCOUNT_CHANGED, "timestamp": "2024-01-15T10:30:00.000Z", "data": data });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
    assert_eq!(OwnEvent::of_delivery(ACCOUNT_CHANGED), None, "its body is stored");
}

#[test]
fn a_cancelled_or_failed_link_names_its_user_and_the_step_or_the_code() {
    let read = |(kind, body): (&str, String)| (kind.to_owned(), serde_json::from_str::<Value>(&body).unwrap());
    let timestamp = "2024-01-15T10:30:00.000Z";
    let data = json!({ "clientReferenceId": "a\"b", "step": "2fa" });
    let cancelled = json!({ "type": "edge.link.cancelled", "timestamp": timestamp, "data": data });
    assert_eq!(read(link_event(false, Some("2fa"), "a\"b", STAMP)), ("edge.link.cancelled".to_owned(), cancelled));
    let data = json!({ "clientReferenceId": "user_456", "errorCode": null });
    let failed = json!({ "type": "edge.link.failed", "timestamp": timestamp, "data": data });
    assert_eq!(read(link_event(true, None, "user_456", STAMP)), ("edge.link.failed".to_owned(), failed));
}
