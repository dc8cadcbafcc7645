//! Configuration: variables, judged.

#[path = "../common/mod.rs"]
mod common;
mod config;
mod vars;
