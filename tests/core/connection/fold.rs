//! The fold: the same facts give the same record, in any order and with any number of copies.
//!
//! 1. Any facts in any order, with any copies, give one connection and one record. The record is that of a naive model.
//! 2. Applying a fact returns whether it changed anything.
//! 3. No fact replaces the status of a disconnect. The other fields still change.
//! 4. Facts of the same instant are ordered by rank, then by delivery id.
//! 5. A value that a fact does not name stays. A null avatar removes the avatar.
//! 6. `expiredAt` and `updatedAt` are computed.
//! 7. Facts and connections can be stored and read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::{
    common::one_in,
    facts::{T, fact, fold, says, some},
};
use ofauth_edge::core::{
    connection::{ACTIVE, Changes, Connection, DISCONNECTED, EXPIRED, Fact, FactOrder, Rank, Record, UNKNOWN},
    instant::iso_8601,
};
use proptest::prelude::*;

const RANKS: [Rank; 5] = [Rank::Created, Rank::Updated, Rank::Listed, Rank::Observed, Rank::Disconnected];

fn record(facts: &[Fact]) -> Record {
    fold(facts).record("acct_1".to_owned())
}

/// What the record of `facts` is, by the words of the design: per register the value of the greatest fact.
fn model(facts: &[Fact]) -> Record {
    fn greatest<T: Clone>(facts: &[Fact], value: impl Fn(&Changes) -> Option<T>) -> Option<(T, &FactOrder)> {
        let asserted = facts.iter().filter_map(|fact| Some((value(&fact.changes)?, &fact.at)));
        asserted.max_by_key(|(_, at)| (at.stamp, at.rank, at.delivery.clone()))
    }
    fn value<T: Clone>(facts: &[Fact], stamps: &mut Vec<i64>, value: impl Fn(&Changes) -> Option<T>) -> Option<T> {
        let (value, at) = greatest(facts, value)?;
        stamps.push(at.stamp);
        Some(value)
    }
    let disconnects: Vec<Fact> = facts.iter().filter(|fact| fact.at.rank == Rank::Disconnected).cloned().collect();
    let status = greatest(&disconnects, |changes| changes.status.clone())
        .or_else(|| greatest(facts, |changes| changes.status.clone()));
    let mut stamps: Vec<i64> = status.iter().map(|(_, at)| at.stamp).collect();
    let user = ofauth_edge::core::connection::UserData {
        id: value(facts, &mut stamps, |changes| changes.user_id.clone()),
        name: value(facts, &mut stamps, |changes| changes.name.clone()),
        username: value(facts, &mut stamps, |changes| changes.username.clone()),
        avatar: value(facts, &mut stamps, |changes| changes.avatar.clone()).flatten(),
    };
    let platform_user_id = value(facts, &mut stamps, |changes| changes.platform_user_id.clone());
    let last_checked_at = value(facts, &mut stamps, |changes| changes.last_checked_at.clone());
    let user = ofauth_edge::core::connection::UserData { id: user.id.or_else(|| platform_user_id.clone()), ..user };
    let nobody = user.id.is_none() && user.name.is_none() && user.username.is_none() && user.avatar.is_none();
    Record {
        id: "conn_1".to_owned(),
        handle: "acct_1".to_owned(),
        expired_at: status.as_ref().filter(|(status, _)| status == EXPIRED).map(|(_, at)| iso_8601(at.stamp)),
        status: status.map_or_else(|| UNKNOWN.to_owned(), |(status, _)| status),
        status_reason: None,
        account_changed_at: None,
        client_reference_id: value(facts, &mut stamps, |changes| changes.client_reference_id.clone()),
        platform_user_id,
        permissions: value(facts, &mut stamps, |changes| changes.permissions.clone()).unwrap_or_default(),
        metadata: ofauth_edge::core::connection::Metadata {
            username: user.username.clone(),
            display_name: user.name.clone(),
            last_activity: last_checked_at.clone(),
        },
        user_data: (!nobody).then_some(user),
        created_at: value(facts, &mut stamps, |changes| changes.created_at.clone()),
        expires_at: value(facts, &mut stamps, |changes| changes.expires_at.clone()),
        last_checked_at,
        imported: value(facts, &mut stamps, |changes| changes.imported),
        live: value(facts, &mut stamps, |changes| changes.live),
        updated_at: iso_8601(stamps.into_iter().max().unwrap_or_default()),
    }
}

fn text() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned))
}

fn changes() -> impl Strategy<Value = Changes> {
    let status = proptest::option::of(prop::sample::select(vec![ACTIVE, EXPIRED, "pending"]).prop_map(str::to_owned));
    let permissions = proptest::option::of(prop::collection::vec("[ab]", 0..3));
    let flags = (any::<Option<bool>>(), any::<Option<bool>>());
    let avatar = proptest::option::of(text());
    let texts = (text(), text(), text(), text(), text(), text(), text(), text());
    (status, permissions, flags, avatar, texts).prop_map(|(status, permissions, (imported, live), avatar, texts)| {
        let (client_reference_id, platform_user_id, created_at, expires_at, last_checked_at, user_id, name, username) =
            texts;
        Changes {
            status,
            permissions,
            client_reference_id,
            platform_user_id,
            created_at,
            expires_at,
            last_checked_at,
            imported,
            live,
            user_id,
            name,
            username,
            avatar,
        }
    })
}

/// Facts of all ranks with distinct deliveries, of so few instants that ties are common.
fn facts(most: usize) -> impl Strategy<Value = Vec<Fact>> {
    let fact = (T..T + 3, prop::sample::select(RANKS.to_vec()), changes());
    prop::collection::vec(fact, 0..most).prop_map(|facts| {
        let named = |(place, (stamp, rank, changes)): (usize, (i64, Rank, Changes))| {
            let status = if rank == Rank::Disconnected { some(DISCONNECTED) } else { changes.status };
            // No order of delivery ids may help: neither that of arrival nor its reverse.
            self::fact(stamp, rank, &format!("{:02}", place * 37 % 101), Changes { status, ..changes })
        };
        facts.into_iter().enumerate().map(named).collect()
    })
}

/// Facts, and the same in another order, some of them more than once.
fn shuffled() -> impl Strategy<Value = (Vec<Fact>, Vec<Fact>)> {
    let copies = |facts: Vec<Fact>| {
        let copies = prop::collection::vec(1_usize..4, facts.len());
        let repeat = move |copies: Vec<usize>| {
            let repeated = facts.iter().zip(copies).flat_map(|(fact, copies)| vec![fact.clone(); copies]).collect();
            (Just(facts.clone()), Just::<Vec<Fact>>(repeated).prop_shuffle())
        };
        copies.prop_flat_map(repeat)
    };
    facts(9).prop_flat_map(copies)
}

proptest! {
    #[test]
    fn facts_in_any_order_and_with_copies_give_the_same_connection((facts, shuffled) in shuffled()) {
        prop_assert_eq!(fold(&facts), fold(&shuffled));
        prop_assert_eq!(record(&facts), record(&shuffled));
    }

    #[test]
    fn the_record_is_that_of_a_naive_model(facts in facts(12)) {
        prop_assert_eq!(record(&facts), model(&facts));
    }

    #[test]
    fn applying_a_fact_returns_whether_anything_changed((_, shuffled) in shuffled()) {
        let mut connection = Connection::new("conn_1".to_owned());
        for fact in shuffled {
            let before = connection.clone();
            let changed = connection.apply(fact.clone());
            prop_assert_eq!(changed, connection != before);
            prop_assert!(!connection.apply(fact), "a second copy changed something");
        }
    }

    #[test]
    fn no_fact_replaces_a_disconnect(mut facts in facts(9), at: prop::sample::Index, stamp in T - 10..T + 3) {
        let at = at.index(facts.len() + 1);
        facts.insert(at, says(DISCONNECTED, stamp, Rank::Disconnected));
        prop_assert_eq!(record(&facts).status, DISCONNECTED);
        prop_assert!(fold(&facts).is_disconnected());
    }

    #[test]
    fn a_connection_takes_further_facts_after_it_was_stored_and_read(
        (facts, shuffled) in shuffled(),
        at: prop::sample::Index,
    ) {
        let (head, tail) = shuffled.split_at(at.index(shuffled.len() + 1));
        let json = serde_json::to_vec(&fold(head)).unwrap();
        let mut connection: Connection = serde_json::from_slice(&json).unwrap();
        for fact in tail {
            connection.apply(serde_json::from_slice(&serde_json::to_vec(fact).unwrap()).unwrap());
        }
        prop_assert_eq!(connection, fold(&facts));
    }
}

proptest! {
    #![proptest_config(one_in(4))]
    #[test]
    fn all_orders_of_five_facts_give_the_same_connection(facts in facts(6)) {
        let expected = fold(&facts);
        for order in crate::common::orders(facts.len()) {
            let facts: Vec<Fact> = order.into_iter().map(|place| facts[place].clone()).collect();
            prop_assert_eq!(&fold(&facts), &expected);
        }
    }
}

#[test]
fn without_any_fact_the_status_is_unknown() {
    let record = record(&[]);
    assert_eq!((&*record.status, record.user_data, record.permissions), (UNKNOWN, None, Vec::new()));
    assert_eq!((record.created_at, record.expired_at, record.expires_at), (None, None, None));
}

#[test]
fn after_a_disconnect_the_other_fields_still_change() {
    let late = Changes { status: some(ACTIVE), name: some("Jane"), avatar: Some(None), ..Changes::default() };
    let facts = [says(DISCONNECTED, T, Rank::Disconnected), fact(T + 5000, Rank::Updated, "late", late)];
    let record = record(&facts);
    assert_eq!((&*record.status, record.metadata.display_name), (DISCONNECTED, some("Jane")));
    assert!(fold(&facts).is_disconnected());
}

#[test]
fn a_status_disconnected_of_a_lower_rank_is_not_final() {
    let facts = [says(DISCONNECTED, T, Rank::Updated), says(ACTIVE, T + 1, Rank::Updated)];
    assert_eq!(record(&facts).status, ACTIVE);
    assert!(!fold(&facts[..1]).is_disconnected());
}

#[test]
fn in_the_same_instant_the_higher_rank_wins() {
    for (low, high) in RANKS.iter().zip(&RANKS[1..]) {
        let facts = [says("low", T, *low), says("high", T, *high)];
        assert_eq!(record(&facts).status, "high", "{low:?} {high:?}");
        assert_eq!(record(&[facts[1].clone(), facts[0].clone()]).status, "high", "{high:?} {low:?}");
    }
}

#[test]
fn in_the_same_instant_and_rank_the_greater_delivery_id_wins() {
    let status = |status| Changes { status: some(status), ..Changes::default() };
    let facts = [fact(T, Rank::Updated, "a", status("first")), fact(T, Rank::Updated, "b", status("second"))];
    assert_eq!(record(&facts).status, "second");
    assert_eq!(record(&[facts[1].clone(), facts[0].clone()]).status, "second");
}

#[test]
fn a_later_instant_wins_over_a_higher_rank() {
    assert_eq!(record(&[says(EXPIRED, T, Rank::Observed), says(ACTIVE, T + 1, Rank::Created)]).status, ACTIVE);
}

#[test]
fn a_late_refusal_does_not_undo_a_reconnect() {
    let reconnect = says(ACTIVE, T + 2000, Rank::Updated);
    let refusal = says(EXPIRED, T + 1000, Rank::Observed);
    assert_eq!(record(&[reconnect, refusal]).status, ACTIVE);
}

#[test]
fn expired_at_is_the_stamp_of_the_status_while_it_is_expired() {
    let expired = says(EXPIRED, T, Rank::Observed);
    assert_eq!(record(std::slice::from_ref(&expired)).expired_at, Some(iso_8601(T)));
    assert_eq!(record(&[expired.clone(), says(ACTIVE, T + 1, Rank::Updated)]).expired_at, None);
    assert_eq!(record(&[expired, says(DISCONNECTED, T + 1, Rank::Disconnected)]).expired_at, None);
}

#[test]
fn updated_at_is_the_newest_stamp_of_any_field() {
    let nothing = Changes::default;
    let registers = [
        Changes { status: some("a"), ..nothing() },
        Changes { permissions: Some(Vec::new()), ..nothing() },
        Changes { client_reference_id: some("a"), ..nothing() },
        Changes { platform_user_id: some("a"), ..nothing() },
        Changes { created_at: some("a"), ..nothing() },
        Changes { expires_at: some("a"), ..nothing() },
        Changes { imported: Some(false), ..nothing() },
        Changes { live: Some(false), ..nothing() },
        Changes { user_id: some("a"), ..nothing() },
        Changes { name: some("a"), ..nothing() },
        Changes { username: some("a"), ..nothing() },
        Changes { avatar: Some(None), ..nothing() },
    ];
    for changes in registers {
        let newest = fact(T + 9, Rank::Updated, "n", changes.clone());
        assert_eq!(record(&[says(ACTIVE, T, Rank::Created), newest]).updated_at, iso_8601(T + 9), "{changes:?}");
    }
}

#[test]
fn a_fact_that_names_no_value_changes_nothing() {
    let mut connection = fold(&[says(ACTIVE, T, Rank::Created)]);
    assert!(!connection.apply(fact(T + 1, Rank::Observed, "e", Changes::default())));
}
