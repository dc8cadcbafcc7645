//! Bodies read into memory, always under a cap.

use std::pin::pin;

use futures_util::future::{Either, select};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use worker::{
    js_sys::futures::JsFuture,
    web_sys::{ReadableStream, ReadableStreamDefaultReader},
};

use crate::core::gateway::EdgeError;

/// Reads raw bytes, and stops at the first beyond `cap`: BODY_TOO_LARGE. A body that breaks off is a BAD_REQUEST.
pub async fn read_capped(stream: Option<ReadableStream>, cap: usize) -> Result<Vec<u8>, EdgeError> {
    read_within(stream, cap, std::future::pending()).await
}

/// The same, but stops with what is also a BAD_REQUEST once `deadline` has come.
pub async fn read_within(
    stream: Option<ReadableStream>,
    cap: usize,
    deadline: impl Future<Output = ()>,
) -> Result<Vec<u8>, EdgeError> {
    let mut deadline = pin!(deadline);
    let broken = |_: JsValue| EdgeError::BadRequest("the body broke off");
    let mut body = Vec::new();
    let Some(stream) = stream else { return Ok(body) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    loop {
        let read = match select(JsFuture::from(reader.read()), deadline.as_mut()).await {
            Either::Left((read, _)) => read.map_err(broken)?,
            Either::Right(_) => {
                // Whoever sends it may go on: nobody waits for the cancellation.
                let _ = reader.cancel();
                return Err(EdgeError::BadRequest("the body did not come"));
            }
        };
        let chunk = js_sys::Reflect::get(&read, &"value".into()).map_err(broken)?;
        let Ok(chunk) = chunk.dyn_into::<Uint8Array>() else { return Ok(body) };
        if body.len() + chunk.length() as usize > cap {
            // The answer is the same whether or not the sender minds.
            let _ = JsFuture::from(reader.cancel()).await;
            return Err(EdgeError::BodyTooLarge);
        }
        body.extend(chunk.to_vec());
    }
}
