//! The npm package's side of the wasm: functions that JavaScript calls with numbers and bytes.
//!
//! `pkg-template/` converts the arguments of its users to bytes and calls these functions. They pass the bytes to
//! [`crate::core::webhook`] and return its answer. Rules about webhooks are in the core only.
//!
//! | file | what it holds |
//! |---|---|
//! | `bindings.rs` | the functions that the wasm exports, and how a call works |
//! | `flags.rs` | the number that `verify_webhook` returns |
//! | `shell.rs` | the state between two calls |
//! | `answer.rs` | results and errors as JSON |
//! | `hmac.rs`, `sha256.js` | HMAC with the platform's SHA-256, if it has a fast one |

mod answer;
mod bindings;
mod flags;
mod hmac;
mod shell;
