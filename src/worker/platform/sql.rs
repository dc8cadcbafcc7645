//! The SQLite database of a Durable Object, and its alarm, which is stored in the same database.
//!
//! Workers joins all writes of an object into one commit if there is no `await` between them. So a function that does
//! several writes here without an `await` makes them durable together, or not at all if the object dies. A statement
//! that fails undoes nothing but itself: [`Database::transaction`] undoes the ones before it too.

use wasm_bindgen::prelude::*;
use worker::{
    SqlStorage, SqlStorageValue as Value, State,
    js_sys::{JSON, Promise, futures::JsFuture},
};

use super::task::on_heap;

/// The largest integer that a statement may bind: the largest safe integer of JavaScript. For a larger one, workers-rs writes
/// a warning to the console, which is not a JSON line.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// The database of one object.
pub struct Database {
    sql: SqlStorage,
    storage: Storage,
}

#[wasm_bindgen]
extern "C" {
    type Storage;
    #[wasm_bindgen(method, catch)]
    fn get(this: &Storage, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn put(this: &Storage, key: &str, value: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(this: &Storage, run: &mut dyn FnMut() -> Result<(), JsValue>) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    fn set_alarm(this: &Storage, at: f64) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = deleteAlarm)]
    fn delete_alarm(this: &Storage) -> Result<Promise, JsValue>;
}

impl Database {
    pub fn new(state: &State) -> Self {
        let storage = state.storage();
        let raw: &JsValue = storage.as_raw().as_ref();
        Self { sql: storage.sql(), storage: raw.clone().unchecked_into() }
    }

    /// Runs a statement and ignores its rows.
    pub fn run(&self, statement: &str, bindings: Vec<Value>) -> worker::Result<()> {
        self.sql.exec(statement, bindings).map(|_| ())
    }

    /// Runs a statement and returns the columns of each row.
    pub fn rows(&self, statement: &str, bindings: Vec<Value>) -> worker::Result<Vec<Vec<Value>>> {
        self.sql.exec(statement, bindings)?.raw().collect()
    }

    /// Runs a statement and returns an iterator over its rows, which are read one by one.
    pub fn each_row(
        &self,
        statement: &str,
        bindings: Vec<Value>,
    ) -> worker::Result<impl Iterator<Item = worker::Result<Vec<Value>>>> {
        Ok(self.sql.exec(statement, bindings)?.raw())
    }

    /// Runs a statement and returns the columns of its first row, or nothing if it has no rows.
    pub fn first_row(&self, statement: &str, bindings: Vec<Value>) -> worker::Result<Vec<Value>> {
        Ok(self.sql.exec(statement, bindings)?.raw().next().transpose()?.unwrap_or_default())
    }

    /// A value of the object's key-value storage, as JSON. `None` if there is none.
    pub async fn value(&self, key: &str) -> worker::Result<Option<String>> {
        let value = JsFuture::from(self.storage.get(key)?).await?;
        Ok(if value.is_undefined() { None } else { Some(JSON::stringify(&value)?.into()) })
    }

    /// Sets a value of the object's key-value storage, from JSON.
    pub async fn set_value(&self, key: &str, json: &str) -> worker::Result<()> {
        JsFuture::from(self.storage.put(key, &JSON::parse(json)?)?).await?;
        Ok(())
    }

    /// Whether a table exists. An object has none before its first write.
    pub fn has_table(&self, name: &str) -> worker::Result<bool> {
        let found =
            self.first_row("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", vec![name.into()])?;
        Ok(!found.is_empty())
    }

    /// Runs `work` as a whole: if it fails, none of its writes is kept.
    pub fn transaction<T>(&self, work: impl FnOnce() -> worker::Result<T>) -> worker::Result<T> {
        let (mut work, mut result) = (Some(work), None);
        let mut run = || {
            let Some(work) = work.take() else { return Ok(()) };
            result = Some(work()?);
            Ok(())
        };
        self.storage.transaction_sync(&mut run)?;
        result.ok_or_else(|| "the transaction did not run".into())
    }

    /// Sets the alarm to an instant in unix ms, or removes it. The write is made before this returns, so it is part of
    /// the same commit as the writes around it.
    #[expect(clippy::cast_precision_loss, reason = "an instant is a safe integer")]
    pub fn set_alarm(&self, at: Option<i64>) -> worker::Result<()> {
        let written = match at {
            Some(at) => self.storage.set_alarm(at as f64)?,
            None => self.storage.delete_alarm()?,
        };
        // If the write fails, Workers resets the object and lets no answer out. The promise needs an owner all the same.
        worker::wasm_bindgen_futures::spawn_local(on_heap(async move { _ = JsFuture::from(written).await }));
        Ok(())
    }
}

/// The integer in a column, or `None` if it is null.
pub fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(integer) => Some(*integer),
        _ => None,
    }
}
