//! OFAuth itself: calls to it, and its answers.

mod answer;
mod send;

pub use answer::Answer;
pub use send::{UpstreamRequest, list, request_body, send};
