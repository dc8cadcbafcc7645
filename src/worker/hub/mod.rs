//! Hubs: one Durable Object per user (per clientReferenceId), which holds a copy of the record of each of the user's
//! connections, and the user's pending Link sessions.
//!
//! A hub shows a change at once, where Workers KV can take 60 s. So everything a session token may see as its user's is
//! read here. Ledgers write here, and each write carries the ledger's version, so that a late one changes nothing.
//!
//! Read `message` first: what can be sent to a hub. Then `object`, the Durable Object itself. Four files have a table each:
//! `records`, the copies of the records; `listing`, by which a page of the user's list is selected; `live`, the latest changes,
//! which it sends to the WebSockets of pages; and `links`, the Link sessions. `erasure` deletes the user and all that is here, and
//! `erasure_message` has its messages. `client` is what the other rooms call.

mod client;
mod erasure;
mod erasure_message;
mod links;
mod listing;
mod live;
mod message;
mod object;
mod records;

pub use client::{
    add_link, candidates, connection, connections, erase, links, may_look_up, open_socket, page, send, settle_link,
};
pub use erasure_message::{
    ALREADY_ERASED, ERASED, ErasureError, ErasureProgress, ForgetRequest, ForgetResult, KEPT, ListedOfUser,
};
pub use message::{HubUpdate, Message};
