//! The core: the rules of the gateway and of the npm package, without any platform.
//!
//! Nothing here reads a clock, draws random bytes, reads the environment or uses a network. Time, randomness and
//! configuration are arguments. What has to be written or sent is returned as data, and a platform does it:
//! `src/worker` on Cloudflare, `src/npm` in JavaScript.
//!
//! Each room imports only the rooms above it in this list. Read them in this order:
//!
//! | room | what it holds |
//! |---|---|
//! | [`instant`], [`id`] | times as unix milliseconds; the form of a connection id and of a handle |
//! | [`base64`] | base64 in all its forms |
//! | [`json`] | reading JSON without building a tree |
//! | [`webhook`] | signatures, events and explanations of webhooks |
//! | [`connection`] | the record of a connection, and how events change it |
//! | [`storage`] | encryption, storage keys and stored values |
//! | [`gateway`] | the routes of the gateway and their rules |
//! | [`config`] | reading the configuration |
//! | [`reconcile`] | comparing OFAuth's list of connections with the known ones |
//! | [`monitor`] | counts of what happens, the status, and which alerts are due |

pub mod base64;
pub mod config;
pub mod connection;
pub mod gateway;
pub mod id;
pub mod instant;
pub mod json;
pub mod monitor;
pub mod reconcile;
pub mod storage;
pub mod webhook;
