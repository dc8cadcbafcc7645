//! Storage: sealing, the schema of KV, redaction.

#[path = "../common/mod.rs"]
mod common;
mod redact;
mod schema;
mod seal;
mod summary;
