//! The three things the core never touches: the clock, randomness, the console.

use js_sys::Date;
use wasm_bindgen::prelude::*;
use worker::web_sys;

use crate::core::storage::NONCE;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]);
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    fn random_uuid() -> String;
}

/// Unix milliseconds. No request and no variable can set it.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
#[expect(clippy::cast_possible_truncation, reason = "a JavaScript date is a safe integer")]
pub fn now_ms() -> i64 {
    Date::now() as i64
}

/// Fresh random bytes for one seal.
pub fn nonce() -> [u8; NONCE] {
    let mut bytes = [0; NONCE];
    get_random_values(&mut bytes);
    bytes
}

/// A number from 0 to 1, for spreading retries.
pub fn random() -> f64 {
    let mut bytes = [0; 4];
    get_random_values(&mut bytes);
    f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)
}

/// A name for one request.
pub fn request_id() -> String {
    format!("req_{}", random_uuid())
}

/// One JSON line.
pub fn log(line: &serde_json::Value) {
    web_sys::console::log_1(&line.to_string().into());
}
