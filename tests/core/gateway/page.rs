//! Pages of connections over KV's batches, compared with a naive model: filter, skip, take.
//!
//! 1. One page is the model's page, with the model's total and whether there is more.
//! 2. Following the cursors visits each match once and in order, whatever the size of batches and pages.
//! 3. The same holds if a request may read only few batches. An offset is skipped once and completely.
//! 4. Totals are exact up to 1,000 and null beyond.
//! 5. An unknown status matches nothing. A status that metadata hold shortened still matches.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::index;
use ofauth_edge::core::{
    gateway::{
        list::{ConnectionCursor, ConnectionQuery},
        page::{ConnectionPage, PageBuilder},
    },
    storage::{ConnectionMeta, truncate_status},
};
use proptest::prelude::*;

type Key = (String, ConnectionMeta);

/// KV as it lists: keys in order, in batches, with a cursor for the rest.
#[derive(Debug)]
struct Kv {
    keys: Vec<Key>,
    batch: usize,
    /// How many batches a request may read.
    most: usize,
}

impl Kv {
    fn list(&self, cursor: Option<&str>) -> (&[Key], Option<String>) {
        let from = cursor.map_or(0, |cursor| cursor.strip_prefix("at ").unwrap().parse().unwrap());
        let to = self.keys.len().min(from + self.batch);
        (&self.keys[from..to], (to < self.keys.len()).then(|| format!("at {to}")))
    }

    /// One request, as the Worker's shell makes it.
    fn page(&self, query: &ConnectionQuery, start: Option<ConnectionCursor>) -> ConnectionPage {
        let mut rest = start.as_ref().and_then(|start| start.batch.clone());
        let mut page = PageBuilder::new(query, start, &index());
        for _ in 0..self.most {
            let batch = rest.take();
            let (keys, next) = self.list(batch.as_deref());
            rest = next;
            let wanted: Vec<Key> = keys.iter().filter(|(handle, meta)| page.matches(handle, meta)).cloned().collect();
            page.add_batch(batch.as_deref(), wanted);
            if rest.is_none() || !page.needs_more() {
                break;
            }
        }
        page.finish(rest)
    }

    /// All requests, from the query to the last cursor.
    fn walk(&self, query: &ConnectionQuery) -> Vec<ConnectionPage> {
        let mut pages = vec![self.page(query, None)];
        let further = ConnectionQuery { offset: 0, ..query.clone() };
        while let Some(next) = pages.last().unwrap().next.clone() {
            pages.push(self.page(&further, Some(next)));
            assert!(pages.len() <= 2 * self.keys.len() + 2, "an endless walk");
        }
        pages
    }

    fn matches(&self, query: &ConnectionQuery) -> Vec<Key> {
        let user = query.platform_user_id.as_deref().map(|user| index().hash_platform_user_id(user));
        let matches = |meta: &ConnectionMeta| {
            query.status.as_ref().is_none_or(|status| *status == meta.status) && (user.is_none() || user == meta.user)
        };
        self.keys.iter().filter(|(_, meta)| matches(meta)).cloned().collect()
    }
}

fn key(place: usize, status: &str, user: Option<&str>) -> Key {
    let user = user.map(|user| index().hash_platform_user_id(user));
    let meta = ConnectionMeta { status: status.to_owned(), user, ..ConnectionMeta::default() };
    (format!("acct_{place:032x}"), meta)
}

fn active(keys: usize) -> Vec<Key> {
    (0..keys).map(|place| key(place, "active", None)).collect()
}

fn query(text: &str) -> ConnectionQuery {
    ConnectionQuery::parse(text).unwrap()
}

fn status() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["active", "expired", "revoked"])
}

fn user() -> impl Strategy<Value = Option<&'static str>> {
    proptest::option::of(prop::sample::select(vec!["1", "2"]))
}

fn kv(most: impl Strategy<Value = usize>) -> impl Strategy<Value = Kv> {
    let keys = prop::collection::vec((status(), user(), 1_usize..4), 0..40);
    (keys, 1_usize..12, most).prop_map(|(keys, batch, most)| {
        let places = keys.iter().scan(0, |place, (_, _, step)| {
            *place += step;
            Some(*place)
        });
        let keys = places.zip(&keys).map(|(place, (status, user, _))| key(place, status, *user)).collect();
        Kv { keys, batch, most }
    })
}

fn queries(offset: impl Strategy<Value = usize>) -> impl Strategy<Value = ConnectionQuery> {
    (proptest::option::of(status()), user(), 1_usize..12, offset).prop_map(|(status, user, limit, offset)| {
        ConnectionQuery {
            status: status.map(str::to_owned),
            platform_user_id: user.map(str::to_owned),
            limit,
            offset,
            ..query("")
        }
    })
}

proptest! {
    #[test]
    fn one_page_is_that_of_the_model(kv in kv(Just(usize::MAX)), query in queries(0_usize..20)) {
        let (page, matches) = (kv.page(&query, None), kv.matches(&query));
        let expected: Vec<Key> = matches.iter().skip(query.offset).take(query.limit).cloned().collect();
        prop_assert_eq!(page.items, expected);
        prop_assert_eq!(page.total, Some(matches.len()));
        prop_assert_eq!(page.next.is_some(), matches.len() > query.offset + query.limit);
    }

    #[test]
    fn walking_visits_each_match_once_in_order(kv in kv(Just(usize::MAX)), query in queries(0_usize..20)) {
        let (pages, matches) = (kv.walk(&query), kv.matches(&query));
        let (last, full) = pages.split_last().unwrap();
        prop_assert!(full.iter().all(|page| page.items.len() == query.limit));
        prop_assert!(full.is_empty() || !last.items.is_empty());
        prop_assert!(pages.iter().all(|page| page.total == Some(matches.len())));
        let visited: Vec<Key> = pages.into_iter().flat_map(|page| page.items).collect();
        prop_assert_eq!(&visited[..], matches.get(query.offset..).unwrap_or_default());
    }

    #[test]
    fn walking_in_requests_of_few_batches_visits_each_match_once(kv in kv(1_usize..4), query in queries(0_usize..20)) {
        let (pages, matches) = (kv.walk(&query), kv.matches(&query));
        prop_assert!(pages.iter().all(|page| page.total.is_none_or(|total| total == matches.len())));
        prop_assert!(pages.iter().all(|page| page.items.len() <= query.limit));
        let visited: Vec<Key> = pages.into_iter().flat_map(|page| page.items).collect();
        prop_assert_eq!(&visited[..], matches.get(query.offset..).unwrap_or_default());
    }
}

#[test]
fn an_offset_beyond_the_batches_of_one_request_is_skipped_entirely() {
    let kv = Kv { keys: active(40), batch: 5, most: 2 };
    let visited: Vec<Key> = kv.walk(&query("offset=25&limit=4")).into_iter().flat_map(|page| page.items).collect();
    assert_eq!(visited.first(), kv.keys.get(25));
    assert_eq!(visited.len(), 15);
}

#[test]
fn an_empty_store_is_one_empty_page() {
    let kv = Kv { keys: Vec::new(), batch: 1000, most: 10 };
    assert_eq!(kv.page(&query(""), None), ConnectionPage { items: Vec::new(), total: Some(0), next: None });
}

#[test]
fn an_offset_beyond_the_end_is_an_empty_page_with_its_total() {
    let kv = Kv { keys: active(30), batch: 1000, most: 10 };
    assert_eq!(kv.page(&query("offset=31"), None), ConnectionPage { items: Vec::new(), total: Some(30), next: None });
}

#[test]
fn a_total_is_exact_up_to_1000_and_null_beyond() {
    for (keys, total) in [(999, Some(999)), (1000, Some(1000)), (1001, None), (2500, None)] {
        let kv = Kv { keys: active(keys), batch: 1000, most: 10 };
        assert_eq!(kv.page(&query(""), None).total, total, "{keys}");
        assert_eq!(kv.page(&query("offset=1000&limit=1"), None).total, total, "{keys}");
    }
}

#[test]
fn a_total_counts_matches_only() {
    let keys = (0..3000).map(|place| key(place, if place % 3 == 0 { "expired" } else { "active" }, None)).collect();
    let kv = Kv { keys, batch: 1000, most: 10 };
    assert_eq!(kv.page(&query("status=expired"), None).total, Some(1000));
    assert_eq!(kv.page(&query("status=active"), None).total, None);
}

#[test]
fn the_total_of_the_first_page_is_that_of_all() {
    let kv = Kv { keys: active(45), batch: 10, most: 10 };
    let totals: Vec<_> = kv.walk(&query("limit=20")).iter().map(|page| page.total).collect();
    assert_eq!(totals, [Some(45); 3]);
}

#[test]
fn a_page_of_a_large_store_reads_no_more_than_it_needs() {
    let query = query("limit=10");
    let mut page = PageBuilder::new(&query, None, &index());
    page.add_batch(None, active(1000));
    assert!(page.needs_more(), "1,000 may be all there are");
    page.add_batch(Some("at 1000"), [key(1000, "active", None)]);
    assert!(!page.needs_more());
}

#[test]
fn an_unknown_status_matches_nothing() {
    let kv = Kv { keys: active(30), batch: 1000, most: 10 };
    for text in ["status=nonsense", "status=", "status=activ", "status=actives"] {
        assert_eq!(
            kv.page(&query(text), None),
            ConnectionPage { items: Vec::new(), total: Some(0), next: None },
            "{text}"
        );
    }
}

#[test]
fn the_case_of_a_status_does_not_matter() {
    let kv = Kv { keys: vec![key(1, "active", None), key(2, "Active", None)], batch: 10, most: 10 };
    for text in ["status=active", "status=Active", "status=ACTIVE"] {
        assert_eq!(kv.page(&query(text), None).items.len(), 2, "{text}");
    }
}

#[test]
fn a_status_that_metadata_hold_shortened_still_matches() {
    let long = "s".repeat(100);
    let kv = Kv { keys: vec![key(1, truncate_status(&long), None)], batch: 10, most: 10 };
    assert_eq!(kv.page(&query(&format!("status={long}")), None).items.len(), 1);
}

#[test]
fn a_connection_without_a_known_user_matches_no_user() {
    let kv = Kv { keys: vec![key(1, "active", None), key(2, "active", Some("1"))], batch: 10, most: 10 };
    assert_eq!(kv.page(&query("platformUserId=1"), None).items, [key(2, "active", Some("1"))]);
}
