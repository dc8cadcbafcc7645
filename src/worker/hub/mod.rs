//! The hub: a Durable Object per user, which holds what a user sees as theirs.

mod client;
mod links;
mod message;
mod object;

pub use client::{add_link, clear_links, connections, count_page, links, remove_link, send};
pub use message::{Message, Told};
