//! OFAuth's API: sending requests to it, and understanding its answers.
//!
//! All requests to OFAuth are made here, so only this room uses the API key. Redirects are not followed, because they
//! could carry the key to another host, and nothing is cached. A GET or HEAD is retried when that may help; a request
//! of any other method is sent exactly once. [`crate::core::gateway::access`] holds these rules.
//!
//! Read `send` first: it builds an [`UpstreamRequest`] and sends it. `answer` reads what must be understood of an
//! [`UpstreamAnswer`], such as "the user must link again", and turns it into the reply to the caller.

mod answer;
mod send;

pub use answer::UpstreamAnswer;
pub use send::{CHANGE_DEADLINE, UpstreamRequest, list_connections, list_page, request_body, send};
