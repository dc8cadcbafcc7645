//! Seals stored values again under the newest `STORAGE_KEY`, and counts under which keys they are.

use super::{
    error::Result,
    random::nonce,
    sql::{Database, Value, text_of},
};
use crate::core::storage::Sealer;

/// How many values are in memory at the same time. Each may have a megabyte.
const BATCH: i64 = 16;

/// Seals the values of a column again that are not under the newest key. `place` is an SQL expression: the place for which a
/// value is sealed. A value that does not open stays as it is. Returns whether any value was sealed again.
pub fn reseal(table: &str, column: &str, place: &str, database: &Database, sealer: &Sealer) -> Result<bool> {
    let select = format!(
        "SELECT rowid, {place}, {column} FROM {table} WHERE rowid > ? AND substr({column}, 2, 4) <> ? \
        ORDER BY rowid LIMIT {BATCH}"
    );
    let update = format!("UPDATE {table} SET {column} = ? WHERE rowid = ?");
    let (mut last, mut any) = (0, false);
    loop {
        let mut is_done = true;
        for row in database.rows(&select, vec![last.into(), sealer.newest_key_id().to_vec().into()])? {
            let Ok([Value::Integer(row), Value::String(place), Value::Blob(sealed)]) = <[Value; 3]>::try_from(row)
            else {
                continue;
            };
            (last, is_done) = (row, false);
            if let Ok(plain) = sealer.open(&place, &sealed) {
                database.run(&update, vec![sealer.seal(&place, &plain, nonce()).into(), row.into()])?;
                any = true;
            }
        }
        if is_done {
            return Ok(any);
        }
    }
}

/// How many of the values that `select` selects are sealed under each key, as JSON: `{"0a1b2c3d": 7}`.
pub fn count_keys(select: &str, bindings: Vec<Value>, database: &Database) -> Result<String> {
    let count = format!(
        "WITH sealed(value) AS ({select}) SELECT json_group_object(id, n) FROM \
        (SELECT lower(hex(substr(value, 2, 4))) AS id, count(*) AS n FROM sealed WHERE value IS NOT NULL GROUP BY id)"
    );
    Ok(database.first_row(&count, bindings)?.into_iter().next().and_then(text_of).unwrap_or_default())
}
