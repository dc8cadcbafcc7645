//! The bindings of the npm package, called as its JavaScript calls them: by the names that the wasm exports, with numbers,
//! and bytes written into its memory. `make test-wasm` runs them in Node and in headless Chrome.
//!
//! What is not about wasm runs natively too, so that both are held to the same answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod delivery;
mod random;

#[cfg(target_arch = "wasm32")]
mod answers;
#[cfg(target_arch = "wasm32")]
mod input;
#[cfg(target_arch = "wasm32")]
#[path = "../core/common/vector.rs"]
mod vector;
#[cfg(target_arch = "wasm32")]
mod vectors;
#[cfg(target_arch = "wasm32")]
mod wasm;
