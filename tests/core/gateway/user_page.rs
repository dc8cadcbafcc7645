//! Pages of one user's connections that are selected from all of the user's records.
//!
//! 1. The newest come first. Connections with equal times are ordered by handle.
//! 2. All pages together are the whole list. Filters apply together, and the total counts all matches.
//! 3. The default connection of the two best candidates, which a hub sends, is the same as that of all records.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::index;
use ofauth_edge::core::{
    connection::{ACTIVE, Connection, Record},
    gateway::{
        access::choose_connection,
        list::{ConnectionQuery, UserPage},
    },
    instant::iso_8601,
};
use proptest::prelude::*;

fn record(id: usize, status: &str, minute: i64, person: &str) -> Record {
    let id = format!("conn_{id}");
    Record {
        status: status.to_owned(),
        updated_at: iso_8601(1_705_314_600_000 + minute * 60_000),
        platform_user_id: Some(person.to_owned()),
        ..Connection::new(id.clone()).record(index().handle(&id))
    }
}

fn query(text: &str) -> ConnectionQuery {
    ConnectionQuery::parse(text).unwrap()
}

fn handles(page: &UserPage) -> Vec<&str> {
    page.records.iter().map(|record| record.handle.as_str()).collect()
}

#[test]
fn the_newest_come_first_and_equal_times_are_ordered_by_handle() {
    let records: Vec<_> = [3, 5, 3, 9, 3].iter().enumerate().map(|(id, at)| record(id, ACTIVE, *at, "1")).collect();
    let page = query("").page_of(records.clone());
    let mut same_age = [0, 2, 4].map(|place: usize| records[place].handle.as_str());
    same_age.sort_unstable();
    assert_eq!(handles(&page), [&[&*records[3].handle, &*records[1].handle], &same_age[..]].concat());
    assert_eq!(page.total, 5);
}

#[test]
fn an_offset_beyond_the_end_is_an_empty_page_with_the_total() {
    let page = query("offset=1000").page_of(vec![record(1, ACTIVE, 1, "1")]);
    assert_eq!(page, UserPage { records: vec![], total: 1 });
}

fn any_records() -> impl Strategy<Value = Vec<Record>> {
    let one = ("active|expired|disconnected|other", 0..5_i64, "[12]");
    prop::collection::vec(one, 0..40).prop_map(|all| {
        let record =
            |(id, (status, minute, person)): (usize, (String, i64, String))| record(id, &status, minute, &person);
        all.into_iter().enumerate().map(record).collect()
    })
}

proptest! {
    #[test]
    fn all_pages_together_are_the_whole_list(
        records in any_records(),
        limit in 1..12_usize,
        status in proptest::option::of("active|expired"),
        person in proptest::option::of("[12]"),
    ) {
        let is_wanted = |record: &&Record| {
            status.as_ref().is_none_or(|status| record.status == *status)
                && person.as_ref().is_none_or(|person| record.platform_user_id.as_ref() == Some(person))
        };
        let mut wanted: Vec<_> = records.iter().filter(is_wanted).collect();
        wanted.sort_by_key(|record| &record.handle);
        wanted.sort_by_key(|record| std::cmp::Reverse(&record.updated_at));
        let filters = [("status", &status), ("platformUserId", &person)];
        let filters = filters.iter().filter_map(|(key, value)| Some(format!("{key}={}&", value.as_ref()?)));
        let filters: String = filters.collect();
        let mut walked = Vec::new();
        for offset in (0..=wanted.len()).step_by(limit) {
            let page = query(&format!("{filters}limit={limit}&offset={offset}")).page_of(records.clone());
            prop_assert_eq!(page.total, wanted.len());
            prop_assert!(page.records.len() == limit || offset + page.records.len() == wanted.len());
            walked.extend(page.records);
        }
        prop_assert_eq!(walked.iter().collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn two_candidates_are_enough_to_choose_the_default_connection(records in any_records()) {
        let mut candidates: Vec<_> = records.iter().filter(|record| record.is_connected()).cloned().collect();
        candidates.sort_by_key(|record| record.status != ACTIVE);
        candidates.truncate(2);
        prop_assert_eq!(choose_connection(None, &candidates), choose_connection(None, &records));
    }
}
