//! OFAuth itself: calls to it, and its answers.

mod answer;
mod send;

pub use answer::Answer;
pub use send::{Outgoing, body_of, list, send};
