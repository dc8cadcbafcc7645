//! The handlers: one file per family of routes.
//!
//! | file | routes |
//! |---|---|
//! | `webhook` | `POST /webhooks/ofauth` |
//! | `access` | `/v2/access/*` |
//! | `account` | OFAuth's other routes for servers, and `/v2/link/{clientSecret}` |
//! | `link` | `POST /v2/link/init` |
//! | `callback` | `GET /link/callback` |
//! | `connections` | `GET /edge/connections`, `GET /edge/connections/{handle or id}` |
//! | `manage` | `DELETE /edge/connections/{handle or id}`, and `invalidate`, `accept-account`, `health` and `events` below it |
//! | `users` | `DELETE /edge/users/{clientReferenceId}` |
//! | `sessions` | `POST /edge/sessions` |
//! | `events` | `GET /edge/events` |
//! | `deliveries` | `GET /edge/deliveries`, `POST /edge/deliveries/{id}/replay` |
//! | `live` | `GET /edge/live` |
//! | `metrics` | `GET /edge/metrics` |
//! | `status` | `GET /edge/status` |
//!
//! A handler lists its steps in its doc comment, and `// 1.` in its code marks where each begins. It returns the reply,
//! or a [`Failure`](crate::worker::platform::Failure), which becomes an error reply. `webhook` and `access` are the
//! paths that most requests take: read them first.

pub mod access;
pub mod account;
pub mod callback;
pub mod connections;
pub mod deliveries;
pub mod events;
pub mod link;
pub mod live;
pub mod manage;
pub mod metrics;
pub mod sessions;
pub mod status;
pub mod users;
pub mod webhook;
