//! ofauth-edge stands between OFAuth and an app: it verifies OFAuth's signed webhooks, remembers every user's
//! connections, and proxies Access API calls without the app ever holding a key.
//!
//! In scope: signatures, events, the connection record and its fold, sealing, the storage schema, the proxy's rules,
//! errors. Out of scope: clocks, randomness, the network, storage itself. Those are a platform's, and every *file* here
//! is pure: time, randomness and configuration are arguments, effects are returned as data. A *folder* is a platform
//! that performs them.
//!
//! The flow of a webhook: [`signature`] makes [`signature::Verified`] of bytes and headers, [`event`] reads it,
//! [`connection`] folds it into the record, [`store`] says what to write, sealed by [`seal`]. [`explain`] says why one does
//! not verify.
//! The flow of a call: [`route`] finds its destination, [`session`] who is calling, [`access`] what goes up and what
//! comes back, [`api_error`] what an error means. [`account`] are OFAuth's routes for servers, [`link`] a user's way to
//! OFAuth's pages and back, [`health`] how a connection is, [`list`] pages of what is kept, [`redact`] what is shown of it
//! to people, [`cors`] and [`origin`] which sites may ask. [`config`] judges what all of them are told.

pub mod core;
#[cfg(all(feature = "npm", target_arch = "wasm32"))]
mod npm;
#[cfg(all(feature = "worker", target_arch = "wasm32"))]
mod worker;

#[cfg(all(feature = "npm", feature = "worker", target_arch = "wasm32"))]
compile_error!(
    "features npm and worker in one wasm: the Worker's build would offer every binding of the package as RPC"
);
