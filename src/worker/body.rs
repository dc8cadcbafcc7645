//! Bodies read into memory, always under a cap.

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use worker::{
    js_sys::futures::JsFuture,
    web_sys::{ReadableStream, ReadableStreamDefaultReader},
};

use crate::api_error::EdgeError;

/// Reads raw bytes, and stops at the first beyond `cap`: BODY_TOO_LARGE. A body that breaks off is a BAD_REQUEST.
pub async fn read_capped(stream: Option<ReadableStream>, cap: usize) -> Result<Vec<u8>, EdgeError> {
    let broken = |_: JsValue| EdgeError::BadRequest("the body broke off");
    let mut body = Vec::new();
    let Some(stream) = stream else { return Ok(body) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    loop {
        let read = JsFuture::from(reader.read()).await.map_err(broken)?;
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
