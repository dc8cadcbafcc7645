//! Copies headers from a request or response to another one.

use wasm_bindgen::prelude::*;
use worker::web_sys::Headers;

#[wasm_bindgen(inline_js = r#"
export function listNames(headers) {
  return [headers.get("connection") ?? "", ...headers.keys()].join("\n");
}
export function copyWithout(headers, names) {
  const copy = new Headers(headers);
  if (names) for (const name of names.split("\n")) copy.delete(name);
  return copy;
}
"#)]
extern "C" {
    /// The value of the Connection header, then the name of each header in lower case, each on a line of its own.
    #[wasm_bindgen(js_name = listNames)]
    fn list_names(headers: &Headers) -> String;
    /// A copy without the headers of these names, which stand one on each line.
    #[wasm_bindgen(js_name = copyWithout)]
    fn copy_without(headers: &Headers, names: &str) -> Headers;
}

/// Copies the headers for which `is_forwarded` returns true. It gets the header's name in lower case and the value of
/// `from`'s Connection header, which can name further hop-by-hop headers (RFC 9110, section 7.6.1).
///
/// The values stay in JavaScript, and all names cross together: to let each header cross takes three times as long.
pub fn copy_headers(from: &Headers, is_forwarded: impl Fn(&str, &str) -> bool) -> Headers {
    let names = list_names(from);
    let (connection, names) = names.split_once('\n').unwrap_or((&names, ""));
    let stopped: Vec<&str> =
        names.split('\n').filter(|name| !name.is_empty() && !is_forwarded(name, connection)).collect();
    copy_without(from, &stopped.join("\n"))
}
