//! The SQLite database of a Durable Object, and its alarm, which is stored in the same database.
//!
//! Workers joins all writes of an object into one commit if there is no `await` between them. So a function that does
//! several writes here without an `await` makes them durable together, or not at all if the object dies. A statement
//! that fails undoes nothing but itself: [`Database::transaction`] undoes the ones before it too.

use wasm_bindgen::prelude::*;
use worker::js_sys::{self, JSON, Uint8Array, futures::JsFuture};

use super::{
    error::Result,
    state::{Cursor, Sql, State, Storage},
    task::on_heap,
};

/// The largest integer that a statement may bind: the largest safe integer of JavaScript. A larger one would become
/// another number.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// The database of one object.
pub struct Database {
    sql: Sql,
    storage: Storage,
}

/// A value in a column.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Integer(i64),
    String(String),
    Blob(Vec<u8>),
}

/// The rows of a statement, each as its columns.
struct Rows(js_sys::Iterator);

impl Database {
    pub fn new(state: &State) -> Self {
        let storage = state.storage();
        Self { sql: storage.sql(), storage }
    }

    /// Runs a statement and ignores its rows.
    pub fn run(&self, statement: &str, bindings: Vec<Value>) -> Result<()> {
        self.execute(statement, bindings).map(|_| ())
    }

    /// Runs a statement and returns the columns of each row.
    pub fn rows(&self, statement: &str, bindings: Vec<Value>) -> Result<Vec<Vec<Value>>> {
        Rows(self.execute(statement, bindings)?.raw()).collect()
    }

    /// Runs a statement and returns an iterator over its rows, which are read one by one.
    pub fn each_row(&self, statement: &str, bindings: Vec<Value>) -> Result<impl Iterator<Item = Result<Vec<Value>>>> {
        Ok(Rows(self.execute(statement, bindings)?.raw()))
    }

    /// Runs a statement and returns the columns of its first row, or nothing if it has no rows.
    pub fn first_row(&self, statement: &str, bindings: Vec<Value>) -> Result<Vec<Value>> {
        Ok(Rows(self.execute(statement, bindings)?.raw()).next().transpose()?.unwrap_or_default())
    }

    fn execute(&self, statement: &str, bindings: Vec<Value>) -> Result<Cursor> {
        let bindings: js_sys::Array = bindings.into_iter().map(JsValue::from).collect();
        Ok(self.sql.exec(statement, &bindings)?)
    }

    /// A value of the object's key-value storage, as JSON. `None` if there is none.
    pub async fn value(&self, key: &str) -> Result<Option<String>> {
        let value = JsFuture::from(self.storage.get(key)?).await?;
        Ok(if value.is_undefined() { None } else { Some(JSON::stringify(&value)?.into()) })
    }

    /// Sets a value of the object's key-value storage, from JSON.
    pub async fn set_value(&self, key: &str, json: &str) -> Result<()> {
        JsFuture::from(self.storage.put(key, &JSON::parse(json)?)?).await?;
        Ok(())
    }

    /// Whether a table exists. An object has none before its first write.
    pub fn has_table(&self, name: &str) -> Result<bool> {
        let found =
            self.first_row("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", vec![name.into()])?;
        Ok(!found.is_empty())
    }

    /// Runs `work` as a whole: if it fails, none of its writes is kept.
    pub fn transaction<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let (mut work, mut result) = (Some(work), None);
        let mut run = || {
            let Some(work) = work.take() else { return Ok(()) };
            result = Some(work()?);
            Ok(())
        };
        self.storage.transaction_sync(&mut run)?;
        result.ok_or_else(|| "the transaction did not run".into())
    }

    /// When the alarm rings, in unix ms. `None` if it is not set.
    #[expect(clippy::cast_possible_truncation, reason = "an instant is a safe integer")]
    pub async fn alarm(&self) -> Result<Option<i64>> {
        Ok(JsFuture::from(self.storage.get_alarm()?).await?.as_f64().map(|at| at as i64))
    }

    /// Deletes all that the object has stored.
    pub async fn delete_all(&self) -> Result<()> {
        JsFuture::from(self.storage.delete_all()?).await?;
        Ok(())
    }

    /// Sets the alarm to an instant in unix ms, or removes it. The write is made before this returns, so it is part of
    /// the same commit as the writes around it.
    #[expect(clippy::cast_precision_loss, reason = "an instant is a safe integer")]
    pub fn set_alarm(&self, at: Option<i64>) -> Result<()> {
        let written = match at {
            Some(at) => self.storage.set_alarm(at as f64)?,
            None => self.storage.delete_alarm()?,
        };
        // If the write fails, Workers resets the object and lets no answer out. The promise needs an owner all the same.
        worker::wasm_bindgen_futures::spawn_local(on_heap(async move { _ = JsFuture::from(written).await }));
        Ok(())
    }
}

impl Iterator for Rows {
    type Item = Result<Vec<Value>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0.next() {
            Ok(next) if next.done() => None,
            Ok(next) => Some(Ok(js_sys::Array::from(&next.value()).iter().map(Value::from).collect())),
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// The text in a column, or `None` if it is null.
pub fn text_of(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}

/// The integer in a column, or `None` if it is null.
pub fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(integer) => Some(*integer),
        _ => None,
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, T::into)
    }
}

#[expect(clippy::cast_precision_loss, reason = "see MAX_INTEGER")]
impl From<Value> for JsValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Integer(integer) => Self::from_f64(integer as f64),
            Value::String(text) => Self::from_str(&text),
            Value::Blob(bytes) => Uint8Array::from(bytes.as_slice()).into(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the tables have no other numbers")]
impl From<JsValue> for Value {
    fn from(value: JsValue) -> Self {
        if let Some(number) = value.as_f64() {
            Self::Integer(number as i64)
        } else if let Some(text) = value.as_string() {
            Self::String(text)
        } else if value.is_null() {
            Self::Null
        } else {
            Self::Blob(Uint8Array::new(&value).to_vec())
        }
    }
}
