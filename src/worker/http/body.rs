//! Reads bodies into memory, never more than a limit.

use std::pin::pin;

use futures_util::future::{Either, select};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use worker::{
    js_sys::futures::JsFuture,
    web_sys::{ReadableStream, ReadableStreamDefaultReader},
};

use crate::core::gateway::EdgeError;

/// Reads a whole body as raw bytes. No stream is an empty body.
///
/// Fails with BODY_TOO_LARGE when it is longer than `max_bytes`, without reading the rest, and with BAD_REQUEST when
/// the connection breaks before the end.
pub async fn read_body(stream: Option<ReadableStream>, max_bytes: usize) -> Result<Vec<u8>, EdgeError> {
    read_body_until(stream, max_bytes, std::future::pending()).await
}

/// Reads a whole body as [`read_body`] does, and fails with BAD_REQUEST if `deadline` resolves before the end.
pub async fn read_body_until(
    stream: Option<ReadableStream>,
    max_bytes: usize,
    deadline: impl Future<Output = ()>,
) -> Result<Vec<u8>, EdgeError> {
    let mut deadline = pin!(deadline);
    let broken = |_: JsValue| EdgeError::BadRequest("the body ended too early");
    let mut body = Vec::new();
    let Some(stream) = stream else { return Ok(body) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    loop {
        let read = match select(JsFuture::from(reader.read()), deadline.as_mut()).await {
            Either::Left((read, _)) => read.map_err(broken)?,
            Either::Right(_) => {
                // Not awaited: a sender that hangs could delay the cancellation too.
                let _ = reader.cancel();
                return Err(EdgeError::BadRequest("the body took too long"));
            }
        };
        let chunk = js_sys::Reflect::get(&read, &"value".into()).map_err(broken)?;
        let Ok(chunk) = chunk.dyn_into::<Uint8Array>() else { return Ok(body) };
        if body.len() + chunk.length() as usize > max_bytes {
            // The error is the same whether or not the cancellation succeeds.
            let _ = JsFuture::from(reader.cancel()).await;
            return Err(EdgeError::BodyTooLarge);
        }
        body.extend(chunk.to_vec());
    }
}
