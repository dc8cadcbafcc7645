//! Copies headers from a request or response to another one.

use wasm_bindgen::{JsCast, JsValue};
use worker::{
    js_sys::{self, Array},
    web_sys::Headers,
};

/// Copies the headers for which `is_forwarded` returns true. It gets the header's name in lower case and the value of
/// `from`'s Connection header, which can name further hop-by-hop headers (RFC 9110, section 7.6.1).
pub fn copy_headers(from: &Headers, is_forwarded: impl Fn(&str, &str) -> bool) -> Result<Headers, JsValue> {
    let connection = from.get("connection")?.unwrap_or_default();
    let to = Headers::new()?;
    for pair in js_sys::try_iter(from)?.into_iter().flatten() {
        let pair: Array = pair?.unchecked_into();
        let (Some(name), Some(value)) = (pair.get(0).as_string(), pair.get(1).as_string()) else { continue };
        if is_forwarded(&name, &connection) {
            // Not `set`: a header can occur more than once.
            to.append(&name, &value)?;
        }
    }
    Ok(to)
}
