//! What the routes have in common about connections: finding one, and reporting to its ledger what happened to it.
//!
//! | file | what it is for |
//! |---|---|
//! | `find` | finds the connection that a request names, as far as its caller may use it |
//! | `learn` | tells the ledger the status that OFAuth's answer to an Access call shows |
//! | `note` | tells the ledger that a connection was deleted, invalidated or replaced, or its account accepted |
//!
//! A connection is stored in three places. Its *ledger* is always right. Its user's *hub* is right within moments.
//! *Workers KV* is the fastest, but can be a minute late. `find` says which of them each look-up reads.

mod find;
mod learn;
mod note;

pub use find::{
    ConnectionTarget, FoundConnection, confirm_in_ledger, find_by_name, find_by_segment, find_confirmed,
    page_of_session, record_by_handle, record_from_kv, record_of_session, target_by_handle, target_by_id,
};
pub use learn::learn_from_answer;
pub use note::{note_accepted, note_deleted, note_invalidated, note_missing, note_replaced};
