//! ofauth-edge connects an app to [OFAuth](https://ofauth.com), the service through which users link their OnlyFans
//! accounts.
//!
//! It runs between OFAuth and the app and does these things:
//!
//! - It verifies the webhooks that OFAuth signs.
//! - It remembers the connections of every user, from those webhooks and from OFAuth's own list.
//! - It forwards the verified events to the app, until the app has taken them.
//! - It forwards the app's calls to OFAuth's Access API. The app needs neither OFAuth's API key nor a connection id.
//! - It counts what happens, and alerts the operator.
//!
//! Two products are built from this crate. The Cloudflare Worker does all of this. The npm package verifies webhooks in
//! JavaScript. Both contain the same [`core`].
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | gateway | this project's Worker |
//! | connection | an OnlyFans account that a user has linked at OFAuth |
//! | connection id | OFAuth's name for a connection, `conn_…`. It opens the account, so it is a credential |
//! | handle | the gateway's name for a connection, `acct_…`. It opens nothing at OFAuth |
//! | clientReferenceId | the app's own id of a user |
//! | Link | OFAuth's pages on which a user links an account |
//! | Access API | OFAuth's API for a linked account, `/v2/access/…` |
//! | ledger | a Durable Object for each connection. It stores what was delivered and the resulting record |
//! | hub | a Durable Object for each user. It holds a copy of the records of that user's connections |
//! | session | a browser of one user, with a short-lived token |
//! | seal | to encrypt a value for the place where it is stored, so that changes and moves are noticed |
//!
//! # Scope
//!
//! In scope of the core: webhook signatures and events, the record of a connection, encryption, the storage schema,
//! the rules for forwarding calls and events, sessions, Link, errors, the configuration, the comparison with OFAuth's list,
//! and what the operator must know.
//!
//! Out of scope of the core: clocks, random numbers, the network and the storage itself. The core is *pure*: time,
//! random numbers and configuration are arguments, and the effects of a decision are returned as data. A *platform*
//! reads the clock and performs the effects. There are two platforms: `src/worker` for Cloudflare and `src/npm` for
//! JavaScript.
//!
//! # The flow of a webhook
//!
//! 1. The Worker passes the headers to [`SignatureClaim::read`](core::webhook::SignatureClaim::read), which checks their form
//!    and the timestamp before the body is read.
//! 2. [`SignatureClaim::verify`](core::webhook::SignatureClaim::verify) compares the signature with the raw body and returns
//!    [`Verified`](core::webhook::Verified) bytes. [`verify`](core::webhook::verify) does both steps in one call.
//!    [`explain`](core::webhook::explain) finds out why a webhook does not verify.
//! 3. [`Event::parse`](core::webhook::Event::parse) reads the event. It accepts only verified bytes.
//! 4. A connection event becomes a [`Fact`](core::connection::Fact). The ledger of the connection stores the delivery
//!    and [applies](core::connection::Connection::apply) the fact to the [`Connection`](core::connection::Connection).
//!    The result does not depend on the order in which webhooks arrive.
//! 5. The ledger copies the [`Record`](core::connection::Record) to Workers KV
//!    ([`put_connection`](core::storage::put_connection)) and to the hub of the user. A
//!    [`Sealer`](core::storage::Sealer) encrypts every stored value.
//! 6. Any other event is stored in Workers KV for a limited time ([`put_event`](core::storage::put_event)), if the
//!    [`EventFilter`](core::config::EventFilter) selects its type.
//! 7. OFAuth gets the answer 200 with the [`Outcome`](core::connection::Outcome) after the event is stored. It gets 401
//!    if the signature is not valid, and 503 if storing the event failed. OFAuth then delivers the webhook again.
//! 8. If `FORWARD_URL` is set, a connection event that changed something is sent to the app, and again until the app takes
//!    it. So are other events whose type `EVENT_FORWARD` selects. [`forward`](core::gateway::forward) has the rules.
//!
//! # The flow of a call
//!
//! 1. [`route`](core::gateway::route) finds the destination of the request by its method and path.
//! 2. The [`Authenticator`](core::gateway::Authenticator) checks the credential. The caller is a server with the
//!    gateway key, a session, or the console of an operator.
//! 3. For an Access API call, [`access`](core::gateway::access) checks the path and which connection is meant. It also
//!    decides which headers are forwarded, and whether a failed call is sent again.
//!    [`permission`](core::gateway::permission) names the permission that a session needs.
//! 4. The Worker sends the call to OFAuth with the API key and the connection id.
//! 5. [`ApiError`](core::gateway::ApiError) reads an error of OFAuth and decides what the caller should do about it. If
//!    the answer shows that the connection has expired, the Worker sends this fact to the ledger of the connection.
//! 6. The answer goes back to the caller. If the gateway itself refuses the call, the answer is an
//!    [`EdgeError`](core::gateway::EdgeError).
//!
//! Other calls have modules of their own:
//!
//! - [`account`](core::gateway::account): OFAuth's routes that only servers may call.
//! - [`link`](core::gateway::link): the start of Link.
//! - [`callback`](core::gateway::callback): the return of the user's browser from Link.
//! - [`health`](core::gateway::health): whether a connection works.
//! - [`list`](core::gateway::list): pages of stored connections and events.
//! - [`origin`](core::gateway::origin): the sites whose pages may call the gateway.
//!
//! # Rooms
//!
//! A folder of the crate is called a *room*. [`core`] lists the rooms of the core, and `src/worker/mod.rs` those of the
//! Worker. `CONTRIBUTING.md` says which room may import which, and `make check` checks it.
//!
//! The core imports no platform, and the platforms do not import each other. Outside a room, only what its `mod.rs`
//! exports can be used.
//!
//! # Features
//!
//! | feature | what it compiles |
//! |---|---|
//! | none | the core alone, for tests and this documentation |
//! | `worker` | the Cloudflare Worker, for wasm32 |
//! | `npm` | the bindings of the npm package, for wasm32 |
//! | `test-hooks` | a path of the Worker that panics. Only tests enable it |
//!
//! `worker` and `npm` cannot be enabled together for wasm32.
//!
//! # Where to start reading
//!
//! - How facts become the state of a connection: [`core::connection`], and in it `fold.rs`.
//! - How the Worker handles a webhook, in numbered steps: `src/worker/routes/webhook.rs`.
//! - How the Worker forwards an Access API call, in numbered steps: `src/worker/routes/access.rs`.
//! - What is stored in Workers KV: `src/core/storage/schema.rs`.
//! - How to run, configure and deploy the Worker: `README.md`.

pub mod core;
#[cfg(all(feature = "npm", target_arch = "wasm32"))]
mod npm;
#[cfg(test)]
mod typescript;
#[cfg(all(feature = "worker", target_arch = "wasm32"))]
mod worker;

// All bindings that are compiled together end up in one wasm module. Each of the two products has its own.
#[cfg(all(feature = "npm", feature = "worker", target_arch = "wasm32"))]
compile_error!("the features npm and worker exclude each other: build the Worker and the npm package separately");
