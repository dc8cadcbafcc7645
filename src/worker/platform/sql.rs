//! SQLite inside a Durable Object.

use worker::{SqlStorage, SqlStorageValue as Value};

/// The first row of what a statement gives; empty if it gives none.
pub fn first(sql: &SqlStorage, statement: &str, bindings: Vec<Value>) -> worker::Result<Vec<Value>> {
    Ok(sql.exec(statement, bindings)?.raw().next().transpose()?.unwrap_or_default())
}
