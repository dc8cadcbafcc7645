//! Storage: how values are sealed, how they are named, and the schema of Workers KV.

mod index;
mod redact;
mod schema;
mod seal;
mod stored_body;

pub use index::Index;
pub use redact::without_ids;
pub use schema::{
    CONNECTION_PREFIX, ConnectionMeta, EVENT_PREFIX, EventKey, EventMeta, MAX_METADATA, MIN_TTL, Put, RULES_KEY,
    RulesMeta, connection_key, meta_status, open_connection, open_summary, parse_event_key, put_connection, put_event,
    put_rules,
};
pub use seal::{MAX_KEYS, NONCE, SealError, Sealer, parse_key};
pub use stored_body::{PAGE_BYTES, StoredBody};
