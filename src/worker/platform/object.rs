//! Calls to Durable Objects: bytes in, bytes out.
//!
//! What crosses is JSON in bytes. `serde-wasm-bindgen` was measured in its place, for a record there and back: it takes about
//! twice as long (`node bench/crossing/bench.mjs`).
//!
//! This uses `fetch` of the platform directly. The request and response types of the crate `worker` would add 20 KB of
//! code and cross between wasm and JavaScript for each of their parts.

use wasm_bindgen::prelude::*;
use worker::{
    ObjectNamespace,
    js_sys::{Promise, Uint8Array, futures::JsFuture},
    web_sys::{RequestInit, Response},
};

#[wasm_bindgen]
extern "C" {
    type Stub;
    #[wasm_bindgen(method)]
    fn fetch(this: &Stub, url: &str, init: &RequestInit) -> Promise;
}

/// Calls the object of that name and returns the body of its answer. Sends `body` with POST, or GET without one.
///
/// Fails if the object cannot be reached, if it fails, or if it refuses the call.
pub async fn call(namespace: &ObjectNamespace, name: &str, url: &str, body: Option<&[u8]>) -> worker::Result<Vec<u8>> {
    let stub: Stub = namespace.get_by_name(name)?.into_rpc();
    let init = RequestInit::new();
    if let Some(body) = body {
        init.set_method("POST");
        init.set_body(&Uint8Array::from(body));
    }
    let answer: Response = JsFuture::from(stub.fetch(url, &init)).await?.unchecked_into();
    let body = JsFuture::from(answer.array_buffer()?).await?;
    if answer.ok() { Ok(Uint8Array::new(&body).to_vec()) } else { Err("the object refused the call".into()) }
}
