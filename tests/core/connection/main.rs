//! Connections: facts and their fold.

#[path = "../common/mod.rs"]
mod common;

mod account;
mod erase;
mod facts;
mod fold;
mod lifecycle;
mod news;
