//! Calls to Durable Objects: a path, JSON and raw bytes in, JSON out.
//!
//! They go by [RPC](https://developers.cloudflare.com/workers/runtime-apis/rpc/) to the method `answer` that `entry.js`
//! gives to each object. `fetch` would make a request and a response with a stream each, and would wait for the start of the
//! answer and for its body one after the other: a call takes 80 instead of 50 µs of CPU.
//!
//! RPC cannot pass a WebSocket, so one is asked for by `fetch`: see [`connect`].
//!
//! During a roll-out, the object may be one of an older build, which has no such method. Then it is called by `fetch`.
//!
//! JSON crosses as text. `serde-wasm-bindgen` was measured in its place, for a record there and back: it takes about twice as
//! long (`node bench/crossing/bench.mjs`).

use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use worker::{
    Env,
    js_sys::{Promise, TypeError, Uint8Array, futures::JsFuture},
    web_sys::{RequestInit, Response},
};

use super::{
    environment::{self, ObjectNamespace},
    error::Result,
    failure::Failure,
};
use crate::core::{gateway::EdgeError, json};

/// The answer of an object when what it is asked for was sealed under a key that is not configured. It is not JSON, so an
/// older build takes it for a failure.
pub const KEY_MISSING: &str = "STORAGE_KEY lacks the key";

#[wasm_bindgen(inline_js = r#"
export function askForSocket(namespace, name, request) {
  return namespace.getByName(name).fetch("https://object/", { headers: { upgrade: "websocket", "x-request": request } });
}
"#)]
extern "C" {
    #[wasm_bindgen(catch, js_name = askForSocket)]
    fn ask_for_socket(namespace: &JsValue, name: &str, request: &str) -> Result<Promise, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    type Stub;
    #[wasm_bindgen(method)]
    fn answer(this: &Stub, path: &str, head: &str, body: Option<&Uint8Array>) -> Promise;
    #[wasm_bindgen(method)]
    fn fetch(this: &Stub, url: &str, init: &RequestInit) -> Promise;
}

/// A request to an object.
pub struct ObjectRequest<'a> {
    /// What is requested, such as `record`.
    pub path: &'a str,
    /// JSON, or nothing.
    pub head: &'a str,
    /// Raw bytes, or nothing.
    pub body: &'a [u8],
}

/// Calls the ledger of that name, and returns its answer: JSON, or nothing.
///
/// Fails with STORAGE_KEY_MISSING if the key of its row is not configured, and with STORAGE_UNAVAILABLE as [`call`] fails.
pub async fn call_ledger(name: &str, request: ObjectRequest<'_>, env: &Env) -> Result<String, Failure> {
    let answer = async { call(&environment::ledger_namespace(env)?, name, request).await };
    refuse_missing_key(answer.await.map_err(|error| Failure::storage("ledger", &error))?)
}

/// Reads a ledger's answer. Fails with STORAGE_UNAVAILABLE if it is not the JSON that is expected.
pub fn read_ledger_answer<T: DeserializeOwned>(answer: &str) -> Result<T, Failure> {
    json::from_slice(answer.as_bytes()).map_err(|error| Failure::storage("ledger", &error))
}

/// Fails with STORAGE_KEY_MISSING if an object's answer is [`KEY_MISSING`].
pub fn refuse_missing_key(answer: String) -> Result<String, Failure> {
    if answer == KEY_MISSING { Err(EdgeError::StorageKeyMissing.into()) } else { Ok(answer) }
}

/// Calls the object of that name, and returns its answer: JSON, or nothing.
///
/// Fails if the object cannot be reached, or if it fails.
pub async fn call(namespace: &ObjectNamespace, name: &str, request: ObjectRequest<'_>) -> Result<String> {
    let ObjectRequest { path, head, body } = request;
    let stub: Stub = namespace.get_by_name(name)?.unchecked_into();
    let bytes = (!body.is_empty()).then(|| Uint8Array::from(body));
    match JsFuture::from(stub.answer(path, head, bytes.as_ref())).await {
        Ok(answer) => answer.as_string().ok_or_else(|| "the object answered something else than text".into()),
        // The method does not exist. If the object itself has thrown this, the request comes twice, which it accepts.
        Err(error) if error.is_instance_of::<TypeError>() => fetch(&stub, path, head, body).await,
        Err(error) => Err(error.into()),
    }
}

/// Asks the object of that name for a WebSocket. The response has the status 101 and the WebSocket, or is a refusal.
///
/// Fails as [`call`] does. An object of an older build fails too.
pub async fn connect(namespace: &ObjectNamespace, name: &str, request: &str) -> Result<Response> {
    Ok(JsFuture::from(ask_for_socket(namespace, name, request)?).await?.unchecked_into())
}

/// Calls an object of an older build: one line of JSON, then the raw bytes. A GET has neither.
async fn fetch(stub: &Stub, path: &str, head: &str, body: &[u8]) -> Result<String> {
    let init = RequestInit::new();
    if !head.is_empty() {
        init.set_method("POST");
        init.set_body(&Uint8Array::from([head.as_bytes(), b"\n", body].concat().as_slice()));
    }
    let answer: Response = JsFuture::from(stub.fetch(&format!("https://ledger/{path}"), &init)).await?.unchecked_into();
    let text = JsFuture::from(answer.text()?).await?.as_string();
    text.filter(|_| answer.ok()).ok_or_else(|| "the object refused the call".into())
}
