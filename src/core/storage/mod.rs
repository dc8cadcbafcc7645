//! What the gateway stores: how values are encrypted, how identifiers are replaced by hashes, and what each key of
//! Workers KV holds.
//!
//! Nothing here performs a read or a write. The functions return each write as a [`KvPut`], and the Worker performs it.
//! No connection id is ever stored in clear. A [`Sealer`] encrypts values. Keys and metadata contain hashes of
//! identifiers, which a [`BlindIndex`] computes.
//!
//! Read the files in this order:
//!
//! 1. `seal` encrypts and decrypts stored values ([`Sealer`]).
//! 2. `index` computes handles and other keyed hashes ([`BlindIndex`]).
//! 3. `schema` lists the keys, values, metadata and lifetimes in Workers KV ([`put_connection`], [`put_event`],
//!    [`put_rules`]).
//! 4. `summary` writes a record in fewer bytes, for the metadata of its key.
//! 5. `stored_body` shows a stored webhook body as text or base64 ([`StoredBody`]).
//! 6. `redact` replaces connection ids in a stored webhook body by handles ([`without_ids`]).
//!
//! The tables of the Durable Objects are described beside their code, in `src/worker/ledger` and `src/worker/hub`. The
//! same [`Sealer`] encrypts their values.
//!
//! What is stored is a contract: a newer build must open whatever an older one wrote.

mod index;
mod redact;
mod schema;
mod seal;
mod stored_body;
mod summary;

pub use index::BlindIndex;
pub use redact::without_ids;
pub use schema::{
    CONNECTION_PREFIX, ConnectionMeta, EVENT_PREFIX, EventKey, EventMeta, KvPut, MAX_METADATA, MIN_TTL, RULES_KEY,
    RulesMeta, connection_key, open_connection, open_summary, parse_event_key, put_connection, put_event, put_rules,
    truncate_status,
};
pub use seal::{MAX_STORAGE_KEYS, NONCE_LEN, SealError, Sealer, parse_key};
pub use stored_body::{Encoding, PAGE_BYTES, StoredBody};
