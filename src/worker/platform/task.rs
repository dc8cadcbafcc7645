//! Futures and promises.

use std::{panic::AssertUnwindSafe, pin::Pin};

use wasm_bindgen::prelude::*;
use worker::js_sys::{Promise, futures::future_to_promise};

/// A future whose type does not say what it does.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Moves a future to the heap.
pub fn on_heap<'a, T>(future: impl Future<Output = T> + 'a) -> Boxed<'a, T> {
    Box::pin(future)
}

/// The promise of a future, for a method that JavaScript calls.
///
/// The code that makes a promise is generated once for each type of future, with all of the future in it. Here it is one
/// type for all. An `async` method of wasm-bindgen would be a type of its own, and took 2 KB of the gzipped Worker each.
pub fn promise(future: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
    future_to_promise(AssertUnwindSafe(on_heap(future)))
}
