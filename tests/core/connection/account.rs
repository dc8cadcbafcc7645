//! What a connection notes beside its fields: the delivery that gave it its status, and that its account became another one.
//!
//! 1. The reason of a status is that of the greatest fact, in any order, also after the connection was stored and read.
//! 2. A connection that an older build stored has no reason. An older build that stores a newer connection drops the reason.
//! 3. A change of the account is noted when the account that is shown changes, and only then.
//! 4. The note stays until the new account is accepted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::{
    connection::{Changes, Connection, Fact, FactOrder, Rank, StatusReason},
    instant::iso_8601,
};
use proptest::prelude::*;

const T: i64 = 1_705_314_600_000;

fn fact(stamp: i64, rank: Rank, delivery: &str, changes: Changes) -> Fact {
    Fact { at: FactOrder { stamp, rank, delivery: delivery.to_owned() }, changes }
}

/// A fact that names an account.
fn of_account(account: &str, stamp: i64) -> Fact {
    let changes = Changes { platform_user_id: Some(account.to_owned()), ..Changes::default() };
    fact(stamp, Rank::Updated, &format!("{account} {stamp}"), changes)
}

fn new() -> Connection {
    Connection::new("conn_1".to_owned())
}

/// Receives facts of `connection.updated`. Returns the connection, and for each fact the account that it replaced.
fn received(facts: &[Fact]) -> (Connection, Vec<Option<String>>) {
    let mut connection = new();
    let mut replaced = Vec::new();
    for fact in facts {
        let (_, is_other) = connection.receive(fact.clone(), "connection.updated");
        replaced.push(connection.former_account().filter(|_| is_other).map(str::to_owned));
    }
    (connection, replaced)
}

fn changed_at(connection: &Connection) -> Option<String> {
    connection.record("acct_1".to_owned()).account_changed_at
}

fn reason(connection: &Connection) -> Option<StatusReason> {
    connection.record("acct_1".to_owned()).status_reason
}

fn statuses() -> impl Strategy<Value = Vec<(i64, u8, Option<&'static str>)>> {
    let status = proptest::option::of(prop::sample::select(vec!["active", "expired", "pending"]));
    prop::collection::vec((T..T + 3, 0_u8..5, status), 0..6)
}

proptest! {
    #[test]
    fn the_status_reason_is_that_of_the_greatest_fact_in_any_order(
        facts in statuses(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 6),
        cut: prop::sample::Index,
    ) {
        // The type of each delivery is its id here, so the reason names the fact that won.
        let facts = facts.into_iter().enumerate().map(|(place, (stamp, rank, status))| {
            let changes = status.map(Changes::status).unwrap_or_default();
            fact(stamp, Rank::from(rank), &format!("{place}"), changes)
        });
        let facts: Vec<Fact> = facts.collect();
        let asserted = facts.iter().filter(|fact| fact.changes.status.is_some());
        let winner = asserted.max_by_key(|fact| (fact.at.rank == Rank::Disconnected, fact.at.clone()));
        let expected = winner.map(|fact| StatusReason { kind: fact.at.delivery.clone(), at: iso_8601(fact.at.stamp) });

        let mut shuffled = facts.clone();
        for (place, index) in order.iter().enumerate().take(facts.len()) {
            shuffled.swap(place, index.index(facts.len()));
        }
        let cut = cut.index(facts.len() + 1);
        let mut connection = new();
        for (place, fact) in shuffled.iter().chain(&facts).enumerate() {
            if place == cut {
                connection = serde_json::from_slice(&serde_json::to_vec(&connection).unwrap()).unwrap();
            }
            connection.receive(fact.clone(), &fact.at.delivery);
        }
        prop_assert_eq!(reason(&connection), expected);
    }

    #[test]
    fn exactly_the_changes_of_the_shown_account_are_noted(facts in prop::collection::vec(("[abc]", T..T + 5), 0..8)) {
        let (mut connection, mut expected) = (new(), None);
        for (account, stamp) in facts {
            let shown = |connection: &Connection| connection.record(String::new()).platform_user_id;
            let before = shown(&connection);
            let (_, is_told) = connection.receive(of_account(&account, stamp), "connection.updated");
            let is_other = before.is_some() && before != shown(&connection);
            prop_assert_eq!(is_told, is_other);
            if is_other {
                prop_assert_eq!(connection.former_account(), before.as_deref());
            }
            expected = if is_other { Some(iso_8601(stamp)) } else { expected };
            prop_assert_eq!(changed_at(&connection), expected.clone());
        }
    }
}

#[test]
fn a_status_that_an_older_build_stored_has_no_reason() {
    let at = r#"{"stamp":1,"rank":3,"delivery":"a"}"#;
    let older = format!(r#"{{"id":"conn_1","status":{{"value":"expired","at":{at}}}}}"#);
    let mut connection: Connection = serde_json::from_str(&older).unwrap();
    assert_eq!((reason(&connection), changed_at(&connection)), (None, None));
    connection.receive(fact(2, Rank::Observed, "b", Changes::status("active")), "edge.active");
    assert_eq!(reason(&connection).unwrap().kind, "edge.active");
}

#[test]
fn a_connection_without_notes_is_written_as_an_older_build_writes_it() {
    let text = serde_json::to_string(&new()).unwrap();
    assert!(!text.contains("status_type") && !text.contains("former_account"), "{text}");
}

#[test]
fn the_first_account_is_not_a_change() {
    let (connection, replaced) = received(&[of_account("a", T), of_account("a", T + 1)]);
    assert_eq!((replaced, changed_at(&connection)), (vec![None, None], None));
}

#[test]
fn another_account_is_a_change() {
    let (connection, replaced) = received(&[of_account("a", T), of_account("b", T + 1)]);
    assert_eq!((replaced, changed_at(&connection)), (vec![None, Some("a".to_owned())], Some(iso_8601(T + 1))));
}

#[test]
fn an_older_account_that_arrives_late_is_not_a_change() {
    let (mut connection, replaced) = received(&[of_account("b", T + 1), of_account("a", T)]);
    assert_eq!((replaced, changed_at(&connection)), (vec![None, None], None));
    // A second copy, and a fact that names no account.
    connection.receive(of_account("a", T), "connection.updated");
    connection.receive(fact(T + 2, Rank::Observed, "e", Changes::status("expired")), "connection.expired");
    assert_eq!(changed_at(&connection), None);
}

#[test]
fn a_return_to_the_first_account_is_also_a_change() {
    let (connection, replaced) = received(&[of_account("a", T), of_account("b", T + 1), of_account("a", T + 2)]);
    assert_eq!(replaced[2].as_deref(), Some("b"));
    assert_eq!(changed_at(&connection), Some(iso_8601(T + 2)));
}

#[test]
fn the_note_stays_until_the_new_account_is_accepted() {
    let (connection, _) = received(&[of_account("a", T), of_account("b", T + 1)]);
    let mut connection: Connection = serde_json::from_str(&serde_json::to_string(&connection).unwrap()).unwrap();
    connection.receive(of_account("b", T + 2), "connection.updated");
    assert!(!connection.awaits_acceptance_of("a") && !connection.accept_account("a"));
    assert_eq!(changed_at(&connection), Some(iso_8601(T + 1)));
    assert!(connection.awaits_acceptance_of("b") && connection.accept_account("b"));
    assert_eq!(changed_at(&connection), None);
    assert!(!connection.awaits_acceptance_of("b") && !connection.accept_account("b"));
    assert_eq!(connection.receive(of_account("a", T + 3), "edge.listed"), (true, true));
    assert_eq!((connection.former_account(), changed_at(&connection)), (Some("b"), Some(iso_8601(T + 3))));
}

#[test]
fn accepting_an_account_does_not_change_updated_at() {
    let (mut connection, _) = received(&[of_account("a", T), of_account("b", T + 1)]);
    let before = connection.record("acct_1".to_owned()).updated_at;
    connection.accept_account("b");
    assert_eq!(connection.record("acct_1".to_owned()).updated_at, before);
}

#[test]
fn an_erased_connection_has_no_note() {
    let (mut connection, _) = received(&[of_account("a", T), of_account("b", T + 1)]);
    connection.erase();
    assert_eq!(connection.receive(of_account("c", T + 2), "connection.updated"), (false, false));
    assert!(!connection.accept_account("b"));
    let mut nothing = new();
    nothing.erase();
    assert_eq!(connection, nothing);
}
