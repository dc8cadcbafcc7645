//! Erased connections.
//!
//! 1. An erased connection has only its id, takes no fact, and has no news.
//! 2. It stays erased after it was stored and read. What an older build stored is not erased.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::facts::{T, fold, says};
use ofauth_edge::core::connection::{ACTIVE, Connection, DISCONNECTED, EXPIRED, Rank};

#[test]
fn an_erased_connection_has_only_its_id_and_takes_no_fact() {
    let mut connection = fold(&[says(ACTIVE, T, Rank::Created)]);
    connection.erase();
    assert!(connection.is_erased() && !connection.is_news(None));
    assert!(!connection.apply(says(EXPIRED, T + 1, Rank::Observed)));
    let mut nothing = Connection::new("conn_1".to_owned());
    nothing.erase();
    assert_eq!(connection, nothing, "nothing but the id is left");
    assert_eq!(connection.id(), "conn_1");
}

#[test]
fn an_erased_connection_stays_erased_after_it_was_stored_and_read() {
    let mut connection = fold(&[says(DISCONNECTED, T, Rank::Disconnected)]);
    connection.erase();
    let mut read: Connection = serde_json::from_str(&serde_json::to_string(&connection).unwrap()).unwrap();
    assert!(read.is_erased() && !read.is_disconnected());
    assert!(!read.apply(says(ACTIVE, T + 1, Rank::Created)) && !read.is_news(Some(ACTIVE)));
    read.erase();
    assert_eq!(read, connection, "a second time does nothing");
}

#[test]
fn a_connection_that_an_older_build_stored_without_erased_is_not_erased() {
    let mut written = serde_json::to_value(fold(&[says(ACTIVE, T, Rank::Created)])).unwrap();
    written.as_object_mut().unwrap().remove("erased").unwrap();
    let read: Connection = serde_json::from_value(written).unwrap();
    assert!(!read.is_erased() && read.is_news(None));
}
