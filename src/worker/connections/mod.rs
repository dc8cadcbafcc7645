//! Connections, for the routes: finding one, learning from an answer, noting what happened to it.

mod find;
mod learn;
mod note;

pub use find::{
    FoundConnection, Target, by_handle, by_id, confirm, find, find_named, find_own, from_kv, of_session, record_named,
};
pub use learn::learn;
pub use note::{note_deleted, note_invalidated, note_missing, settle};
