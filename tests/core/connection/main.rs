//! Connections: facts and their fold.

#[path = "../common/mod.rs"]
mod common;
mod fold;
mod lifecycle;
