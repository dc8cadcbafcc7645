//! Reads bodies into memory: never more than a limit, and never for longer than a deadline.
//!
//! A sender that announces a body and sends it slowly would otherwise hold memory for as long as it likes. Bodies of up to
//! [`SMALL_BODY`] bytes are always read. All larger ones that an isolate reads at the same time share [`LARGE_BODIES`].

use std::{cell::Cell, mem, ops::Deref, pin::pin};

use futures_util::future::{Either, select};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use worker::{
    js_sys::futures::JsFuture,
    web_sys::{ReadableStream, ReadableStreamDefaultReader},
};

use super::request::Call;
use crate::{core::gateway::EdgeError, worker::platform::wait};

/// How long a caller may take to send a body that is read, in ms.
const DEADLINE: i64 = 10_000;
/// A body of up to this many bytes is read however many others are being read.
const SMALL_BODY: usize = 64 * 1024;
/// How many bytes all larger bodies have together that an isolate holds, at most. An isolate has 128 MB
/// ([Cloudflare Workers: Limits](https://developers.cloudflare.com/workers/platform/limits/)).
const LARGE_BODIES: usize = 32 * 1024 * 1024;

/// The error if the end of a body does not come within [`DEADLINE`] ms.
const LATE: EdgeError = EdgeError::BadRequest("the body took too long");

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// A body in memory. It counts towards [`LARGE_BODIES`] until it is released or dropped.
#[derive(Default)]
pub struct Body {
    bytes: Vec<u8>,
    held: Cell<usize>,
}

impl Body {
    /// Stops counting the body, because it is known to be from somebody who may send it.
    pub fn release(&self) {
        HELD.set(HELD.get() - self.held.take());
    }

    /// Counts the body with this length. Returns false if too many large bodies are held.
    fn hold(&self, len: usize) -> bool {
        let held = HELD.get() - self.held.get() + len;
        let is_held = len > SMALL_BODY && held <= LARGE_BODIES;
        if is_held {
            HELD.set(held);
            self.held.set(len);
        }
        is_held || len <= SMALL_BODY
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.release();
    }
}

/// Reads the whole body of a caller as raw bytes. No stream is an empty body.
///
/// # Errors
///
/// - [`BodyTooLarge`](EdgeError::BodyTooLarge): it is longer than `max_bytes`. Nothing is read if its Content-Length says
///   so, and otherwise the rest is not read.
/// - [`BadRequest`](EdgeError::BadRequest): the connection breaks before the end, or the end does not come within
///   [`DEADLINE`] ms.
/// - [`Overloaded`](EdgeError::Overloaded): too many large bodies are being read.
pub async fn read_body(call: &Call, max_bytes: usize) -> Result<Body, EdgeError> {
    match call.content_length() {
        Some(length) if length > max_bytes as u64 => Err(EdgeError::BodyTooLarge),
        // A platform that knows the length ends the body there.
        Some(length) if length <= SMALL_BODY as u64 => read_at_once(call, max_bytes).await,
        _ => read(call.request.body(), max_bytes, DEADLINE, true).await,
    }
}

/// Reads a small body in one step: each chunk of a stream would be a crossing into the wasm and a promise.
async fn read_at_once(call: &Call, max_bytes: usize) -> Result<Body, EdgeError> {
    let bytes = JsFuture::from(call.request.array_buffer().map_err(broken)?);
    match select(bytes, pin!(wait(DEADLINE))).await {
        Either::Left((bytes, _)) => {
            let bytes = Uint8Array::new(&bytes.map_err(broken)?).to_vec();
            let is_too_large = bytes.len() > max_bytes;
            if is_too_large { Err(EdgeError::BodyTooLarge) } else { Ok(Body { bytes, held: Cell::new(0) }) }
        }
        Either::Right(_) => Err(LATE),
    }
}

/// Reads the whole body of an answer, for at most `timeout_ms`. `None` if it is longer than `max_bytes`, breaks off or is
/// late.
pub async fn read_answer(stream: Option<ReadableStream>, max_bytes: usize, timeout_ms: i64) -> Option<Vec<u8>> {
    let mut body = read(stream, max_bytes, timeout_ms, false).await.ok()?;
    Some(mem::take(&mut body.bytes))
}

async fn read(
    stream: Option<ReadableStream>,
    max_bytes: usize,
    timeout_ms: i64,
    is_counted: bool,
) -> Result<Body, EdgeError> {
    let mut deadline = pin!(wait(timeout_ms));
    let mut body = Body::default();
    let Some(stream) = stream else { return Ok(body) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let error = loop {
        let read = match select(JsFuture::from(reader.read()), deadline.as_mut()).await {
            Either::Left((read, _)) => read.map_err(broken)?,
            Either::Right(_) => break LATE,
        };
        let chunk = js_sys::Reflect::get(&read, &"value".into()).map_err(broken)?;
        let Ok(chunk) = chunk.dyn_into::<Uint8Array>() else { return Ok(body) };
        let len = body.len() + chunk.length() as usize;
        if len > max_bytes {
            break EdgeError::BodyTooLarge;
        }
        if is_counted && !body.hold(len) {
            break EdgeError::Overloaded;
        }
        body.bytes.extend(chunk.to_vec());
    };
    // Not awaited: a sender that hangs could delay the cancellation too.
    let _ = reader.cancel();
    Err(error)
}

fn broken(_: JsValue) -> EdgeError {
    EdgeError::BadRequest("the body ended too early")
}
