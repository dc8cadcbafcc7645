//! HTTP as the Worker speaks it: the request that came, its body, the reply.

mod body;
mod headers;
mod reply;
mod request;

pub use body::{read_capped, read_within};
pub use headers::copy_headers;
pub use reply::{Reply, error_body};
pub use request::Call;
