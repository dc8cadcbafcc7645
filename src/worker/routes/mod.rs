//! The handlers, a file per family of routes.

pub mod access;
pub mod account;
pub mod connections;
pub mod events;
pub mod link;
pub mod manage;
pub mod sessions;
pub mod users;
pub mod webhook;
