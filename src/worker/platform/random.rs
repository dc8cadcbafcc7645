//! Randomness from the platform's secure source. No other file draws it, and the core takes it as an argument.

use wasm_bindgen::prelude::*;

use crate::core::storage::NONCE_LEN;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]);
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    fn random_uuid() -> String;
}

/// A fresh random nonce. Each one seals one value.
pub fn nonce() -> [u8; NONCE_LEN] {
    let mut bytes = [0; NONCE_LEN];
    get_random_values(&mut bytes);
    bytes
}

/// A random number from 0 to 1, both included. It spreads retries over time.
pub fn random_fraction() -> f64 {
    let mut bytes = [0; 4];
    get_random_values(&mut bytes);
    f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)
}

/// A new id for one request: `req_` and a UUID of version 4.
pub fn request_id() -> String {
    format!("req_{}", random_uuid())
}
