//! Calls to Durable Objects: a path, JSON and raw bytes in, JSON out.
//!
//! They go by [RPC](https://developers.cloudflare.com/workers/runtime-apis/rpc/) to the method `answer` that `entry.js`
//! gives to each object. `fetch` would make a request and a response with a stream each, and would wait for the start of the
//! answer and for its body one after the other: a call takes 80 instead of 50 µs of CPU.
//!
//! During a roll-out, the object may be one of an older build, which has no such method. Then it is called by `fetch`.
//!
//! JSON crosses as text. `serde-wasm-bindgen` was measured in its place, for a record there and back: it takes about twice as
//! long (`node bench/crossing/bench.mjs`).

use wasm_bindgen::prelude::*;
use worker::{
    ObjectNamespace,
    js_sys::{Promise, TypeError, Uint8Array, futures::JsFuture},
    web_sys::{RequestInit, Response},
};

#[wasm_bindgen]
extern "C" {
    type Stub;
    #[wasm_bindgen(method)]
    fn answer(this: &Stub, path: &str, head: &str, body: Option<&Uint8Array>) -> Promise;
    #[wasm_bindgen(method)]
    fn fetch(this: &Stub, url: &str, init: &RequestInit) -> Promise;
}

/// A question to an object.
pub struct Question<'a> {
    /// What is asked, such as `record`.
    pub path: &'a str,
    /// JSON, or nothing.
    pub head: &'a str,
    /// Raw bytes, or nothing.
    pub body: &'a [u8],
}

/// Asks the object of that name, and returns its answer: JSON, or nothing.
///
/// Fails if the object cannot be reached, or if it fails.
pub async fn call(namespace: &ObjectNamespace, name: &str, question: Question<'_>) -> worker::Result<String> {
    let Question { path, head, body } = question;
    let stub: Stub = namespace.get_by_name(name)?.into_rpc();
    let bytes = (!body.is_empty()).then(|| Uint8Array::from(body));
    match JsFuture::from(stub.answer(path, head, bytes.as_ref())).await {
        Ok(answer) => answer.as_string().ok_or_else(|| "the object answered something else than text".into()),
        // The method does not exist. An object also accepts that a question comes twice.
        Err(error) if error.is_instance_of::<TypeError>() => fetch(&stub, path, head, body).await,
        Err(error) => Err(error.into()),
    }
}

/// Asks an object of an older build: one line of JSON, then the raw bytes. A GET asks without either.
async fn fetch(stub: &Stub, path: &str, head: &str, body: &[u8]) -> worker::Result<String> {
    let init = RequestInit::new();
    if !head.is_empty() {
        init.set_method("POST");
        init.set_body(&Uint8Array::from([head.as_bytes(), b"\n", body].concat().as_slice()));
    }
    let answer: Response = JsFuture::from(stub.fetch(&format!("https://ledger/{path}"), &init)).await?.unchecked_into();
    let text = JsFuture::from(answer.text()?).await?.as_string();
    text.filter(|_| answer.ok()).ok_or_else(|| "the object refused the call".into())
}
