//! The core: pure rules, shared by both platforms.
//!
//! Time, randomness and configuration are arguments. Effects are returned as data, and a platform performs them.

pub mod config;
pub mod connection;
pub mod gateway;
pub mod id;
pub mod instant;
pub mod json;
pub mod storage;
pub mod webhook;
