//! The gateway: routes, credentials, Link, lists, what passes to OFAuth and back.

mod access;
mod access_header;
mod account;
mod account_item;
#[path = "../common/mod.rs"]
mod common;
mod error;
mod forward;
mod header;
mod health;
mod key;
mod link;
mod link_answer;
mod link_callback;
mod link_match;
mod link_return;
mod list;
mod live;
mod origin;
mod own_event;
mod page;
mod permission;
mod retry;
mod route;
mod session;
mod session_claims;
mod session_mint;
mod session_token;
mod upstream_error;
mod user_page;
