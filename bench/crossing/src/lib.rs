//! A record on its way from one wasm instance to another, in three forms: see `bench.mjs`.

use js_sys::Uint8Array;
use ofauth_edge::core::{connection::Record, json::from_slice};
use wasm_bindgen::prelude::*;

const RECORD: &str = r#"{"id":"conn_abc123","handle":"acct_09cad4d4d185a30a3aef8ad5d217aae5","status":"active",
    "clientReferenceId":"user_456","platformUserId":"of_user_456","permissions":["profile:read","posts:read","messages:read"],
    "userData":{"id":"of_user_456","name":"Jane Doe","username":"janedoe","avatar":"https://cdn.onlyfans.com/avatar.jpg"},
    "metadata":{"username":"janedoe","displayName":"Jane Doe"},"createdAt":"2024-01-15T10:30:00.000Z",
    "updatedAt":"2024-01-15T10:30:00.000Z","expiredAt":null,"expiresAt":null,"imported":null,"live":null}"#;

thread_local! {
    static SENT: Record = from_slice(RECORD.as_bytes()).unwrap();
}

#[wasm_bindgen]
pub fn send_value() -> JsValue {
    SENT.with(|record| serde_wasm_bindgen::to_value(record).unwrap())
}

#[wasm_bindgen]
pub fn receive_value(value: JsValue) -> usize {
    serde_wasm_bindgen::from_value::<Record>(value).unwrap().permissions.len()
}

#[wasm_bindgen]
pub fn send_text() -> String {
    SENT.with(|record| serde_json::to_string(record).unwrap())
}

#[wasm_bindgen]
pub fn receive_text(text: &str) -> usize {
    from_slice::<Record>(text.as_bytes()).unwrap().permissions.len()
}

#[wasm_bindgen]
pub fn send_bytes() -> Uint8Array {
    SENT.with(|record| serde_json::to_vec(record).unwrap().as_slice().into())
}

#[wasm_bindgen]
pub fn receive_bytes(bytes: &Uint8Array) -> usize {
    from_slice::<Record>(&bytes.to_vec()).unwrap().permissions.len()
}
