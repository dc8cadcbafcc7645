//! Configuration: reading and checking the variables.

#[path = "../common/mod.rs"]
mod common;
mod config;
mod urls;
mod vars;
