//! SQLite inside a Durable Object.

use worker::{SqlStorage, SqlStorageValue as Value};

/// Runs a statement and returns the columns of its first row, or nothing if it has no rows.
pub fn first_row(sql: &SqlStorage, statement: &str, bindings: Vec<Value>) -> worker::Result<Vec<Value>> {
    Ok(sql.exec(statement, bindings)?.raw().next().transpose()?.unwrap_or_default())
}
