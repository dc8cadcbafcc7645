//! HTTP for the routes: the request that was received, its body, and the reply.
//!
//! The files use `web_sys` types instead of those of the `worker` crate, and bodies are streamed where possible,
//! because each crossing between wasm and JavaScript and each copy costs CPU time.
//!
//! Read `request` first: a [`Call`] is one request to the Worker. `reply` builds the answer to it, with the headers
//! that every answer has, and writes its log line, and `response` hands it to the platform. `body` reads a body up to a
//! limit, and `headers` copies headers.

mod body;
mod headers;
mod reply;
mod request;
mod response;

pub use body::{Body, read_answer, read_body};
pub use headers::copy_headers;
pub use reply::{RETRY_AFTER, Reply, SharedReply};
pub use request::{Call, refuse_websocket};
pub use response::error_body;
