//! Headers, copied.

use wasm_bindgen::{JsCast, JsValue};
use worker::{
    js_sys::{self, Array},
    web_sys::Headers,
};

/// Copies the headers that pass. A header may come more than once, so they are appended.
pub fn copy_headers(from: &Headers, passes: impl Fn(&str, &str) -> bool) -> Result<Headers, JsValue> {
    let connection = from.get("connection")?.unwrap_or_default();
    let to = Headers::new()?;
    for pair in js_sys::try_iter(from)?.into_iter().flatten() {
        let pair: Array = pair?.unchecked_into();
        let (Some(name), Some(value)) = (pair.get(0).as_string(), pair.get(1).as_string()) else { continue };
        if passes(&name, &connection) {
            to.append(&name, &value)?;
        }
    }
    Ok(to)
}
