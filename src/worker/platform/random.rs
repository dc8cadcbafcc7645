//! Randomness: the one place that draws it, from the platform's secure source.

use wasm_bindgen::prelude::*;

use crate::core::storage::NONCE_LEN;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]);
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    fn random_uuid() -> String;
}

/// Fresh random bytes for one seal.
pub fn nonce() -> [u8; NONCE_LEN] {
    let mut bytes = [0; NONCE_LEN];
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
