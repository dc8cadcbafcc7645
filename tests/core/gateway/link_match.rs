//! Which of a user's Link sessions a connection is the result of. They are listed newest first.
//!
//! 1. The session that requested this connection ends; otherwise the newest one that requested a new account.
//! 2. If there is only one session, it requested another connection, and this one is new, then the other one is
//!    missing.
//! 3. If several sessions requested others, or the user had the connection before, none ends and none is missing.
//! 4. A stored Link session keeps its field names, so that a newer build opens what an older one stored.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ofauth_edge::core::gateway::link::{PendingLink, match_session};

const NEW: &str = "acct_new";
const OLD: &str = "acct_old";

fn session(key: i64, asked: Option<&str>) -> (i64, PendingLink) {
    (
        key,
        PendingLink {
            linked: None,
            return_url: None,
            requested_id: asked.map(str::to_owned),
            previous_handles: vec![OLD.to_owned()],
        },
    )
}

/// The key of the session, whether it ended, and what is missing.
fn of(sessions: &[(i64, PendingLink)], id: &str, handle: &str) -> Option<(i64, bool, Option<String>)> {
    let settled = match_session(sessions, id, handle)?;
    Some((settled.session.0, settled.ended, settled.missing.map(str::to_owned)))
}

#[test]
fn a_stored_session_keeps_its_field_names() {
    let stored = r#"{"return_url":null,"asked":"conn_a","had":["acct_old"]}"#;
    assert_eq!(serde_json::from_str::<PendingLink>(stored).unwrap(), session(1, Some("conn_a")).1);
    assert_eq!(serde_json::to_string(&session(1, Some("conn_a")).1).unwrap(), stored);
}

#[test]
fn without_a_link_session_nothing_matches() {
    assert_eq!(of(&[], "conn_a", NEW), None);
}

#[test]
fn a_session_ends_with_the_connection_that_it_requested() {
    let sessions = [session(3, Some("conn_b")), session(2, None), session(1, Some("conn_a"))];
    assert_eq!(of(&sessions, "conn_a", OLD), Some((1, true, None)));
    assert_eq!(of(&sessions, "conn_b", OLD), Some((3, true, None)));
}

#[test]
fn a_session_for_a_new_account_goes_before_one_that_requested_another_connection() {
    let sessions = [session(2, Some("conn_b")), session(1, None)];
    assert_eq!(of(&sessions, "conn_new", NEW), Some((1, true, None)));
}

#[test]
fn a_new_connection_in_place_of_the_requested_one_means_that_the_requested_one_is_missing() {
    let sessions = [session(1, Some("conn_b"))];
    assert_eq!(of(&sessions, "conn_new", NEW), Some((1, true, Some("conn_b".to_owned()))));
}

#[test]
fn a_connection_that_the_user_had_before_ends_no_session() {
    let sessions = [session(1, Some("conn_b"))];
    assert_eq!(of(&sessions, "conn_old", OLD), Some((1, false, None)));
}

#[test]
fn if_several_sessions_requested_others_none_ends() {
    let sessions = [session(2, Some("conn_b")), session(1, Some("conn_c"))];
    assert_eq!(of(&sessions, "conn_new", NEW), Some((2, false, None)));
}
