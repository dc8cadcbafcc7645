//! The context of a Durable Object.

use wasm_bindgen::prelude::*;
use worker::js_sys::{self, Promise, futures::JsFuture};

use super::{error::Result, task::promise};

#[wasm_bindgen]
extern "C" {
    /// The [context](https://developers.cloudflare.com/durable-objects/api/state/) of a Durable Object.
    #[derive(Clone)]
    pub type State;
    /// Its [storage](https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/).
    #[wasm_bindgen(method, getter)]
    pub fn storage(this: &State) -> Storage;
    #[wasm_bindgen(method, js_name = waitUntil)]
    fn wait_until_promise(this: &State, work: &Promise);
    #[wasm_bindgen(method, catch, js_name = blockConcurrencyWhile)]
    fn block(this: &State, work: &JsValue) -> Result<Promise, JsValue>;

    /// The storage of a Durable Object.
    #[derive(Clone)]
    pub type Storage;
    #[wasm_bindgen(method, catch)]
    pub fn get(this: &Storage, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn put(this: &Storage, key: &str, value: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = deleteAll)]
    pub fn delete_all(this: &Storage) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    pub fn transaction_sync(this: &Storage, run: &mut dyn FnMut() -> Result<(), JsValue>) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = getAlarm)]
    pub fn get_alarm(this: &Storage) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    pub fn set_alarm(this: &Storage, at: f64) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = deleteAlarm)]
    pub fn delete_alarm(this: &Storage) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub fn sql(this: &Storage) -> Sql;

    /// The database of a Durable Object.
    pub type Sql;
    #[wasm_bindgen(method, catch, variadic)]
    pub fn exec(this: &Sql, statement: &str, bindings: &js_sys::Array) -> Result<Cursor, JsValue>;

    /// The rows that a statement returns.
    pub type Cursor;
    #[wasm_bindgen(method)]
    pub fn raw(this: &Cursor) -> js_sys::Iterator;
}

impl State {
    /// Starts `work`, for which the object stays awake.
    pub fn wait_until(&self, work: impl Future<Output = ()> + 'static) {
        self.wait_until_promise(&promise(async move {
            work.await;
            Ok(JsValue::UNDEFINED)
        }));
    }

    /// Does `work` while the object handles nothing else. If it fails, the object goes on.
    pub async fn block_concurrency_while(&self, work: impl Future<Output = Result<()>> + 'static) -> Result<()> {
        // Work that began before the block would wait for its end. A promise that fails would reset the object.
        let run = || promise(async move { Ok(work.await.err().map_or(JsValue::UNDEFINED, JsValue::from)) });
        let error = JsFuture::from(self.block(&Closure::once_into_js(run))?).await?;
        if error.is_undefined() { Ok(()) } else { Err(error.into()) }
    }
}
