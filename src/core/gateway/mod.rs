//! The rules of the gateway: who may make which call, what is forwarded to OFAuth, and what is passed back.
//!
//! Nothing here sends a request or reads a clock: a platform does, and asks these functions what to do. In the order of
//! a call:
//!
//! | file | what it decides |
//! |---|---|
//! | `route.rs` | which route a method and a path belong to, and which right it needs of a gateway key |
//! | `header.rs` | the value of a header that was sent more than once |
//! | `origin.rs` | which sites may call from a browser (CORS), and to which URLs a browser may be sent |
//! | `session.rs` | who is calling: gateway keys, session tokens, console tokens |
//! | `key.rs` | the names and rights of gateway keys |
//! | `token.rs` | what a token must be |
//! | `permission.rs` | which permission a session needs; `routes.json` lists the routes of the Access API with theirs |
//! | `access.rs` | the proxy for the Access API |
//! | `account.rs` | OFAuth's routes for servers |
//! | `link.rs` | the start of Link, which links a user's account |
//! | `fields.rs` | the members of a body that is changed |
//! | `callback.rs` | the way back from Link |
//! | `health.rs` | whether a connection works |
//! | `list.rs` | the queries and cursors of the lists of connections and events |
//! | `page.rs` | a page of connections, selected from the keys of KV |
//! | `live.rs` | what a page asks for when it opens a WebSocket |
//! | `forward.rs` | what the app's answer to a forwarded event means |
//! | `deliveries.rs` | the list of forwarded events that the app has not taken |
//! | `own_event.rs` | the events that the gateway makes of what it learned itself |
//! | `upstream_error.rs` | what an error answer of OFAuth means |
//! | `error.rs` | the gateway's own errors, and what a client should do about an error |
//!
//! Words that occur in these files:
//!
//! - **Handle**: the gateway's own name of a connection, such as `acct_00112233445566778899aabbccddeeff`. Unlike
//!   OFAuth's id, it opens nothing, so a browser may have it.
//! - **Ledger**: the Durable Object that stores one connection. It is always up to date; KV may be a minute behind.
//! - **Hub**: the Durable Object that stores the connections and the Link sessions of one user.
//! - **Session**: a user's browser with a session token. A *Link session* is one run of Link.
//!
//! ```
//! use ofauth_edge::core::gateway::{EdgeError, access, permission, route::{Route, route}};
//!
//! assert_eq!(route("GET", "/v2/access/self"), Route::Access);
//! assert_eq!(permission::required("GET", "/v2/access/self"), "profile:read");
//! assert!(matches!(access::check_path("/v2/access/%2e%2e/account"), Err(EdgeError::BadRequest(_))));
//! ```

pub mod access;
pub mod account;
pub mod callback;
pub mod deliveries;
mod error;
mod fields;
pub mod forward;
mod header;
pub mod health;
mod key;
pub mod link;
pub mod list;
pub mod live;
pub mod origin;
mod own_event;
pub mod page;
pub mod permission;
pub mod route;
mod session;
mod token;
mod upstream_error;

pub use error::{EdgeError, RELINK, Verdict};
pub use header::single_value;
pub use key::{GatewayKey, Right};
pub use own_event::{ACCOUNT_CHANGED, OwnEvent, account_changed_event, is_link_event, link_event};
pub use session::{
    Authenticator, Caller, Credentials, DEFAULT_LIFETIME, Identity, MIN_KEY_CHARS, MIN_LIFETIME, Session,
    SessionRequest,
};
pub use token::{MAX_LIFETIME, MAX_SUBJECT, MAX_TOKEN};
pub use upstream_error::{ApiError, DEFAULT_RETRY_AFTER, RetryHeaders};
