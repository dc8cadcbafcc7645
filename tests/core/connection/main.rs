//! Connections: facts and their fold.

#[path = "../common/mod.rs"]
mod common;

mod account;
mod fold;
mod lifecycle;
