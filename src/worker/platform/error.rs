//! What goes wrong at the platform, or with what the Worker stores there.
//!
//! The error type of the crate `worker` has a variant for each part of the platform, and linked the texts of them all.

use std::fmt::{Display, Formatter};

use wasm_bindgen::prelude::*;
use worker::js_sys;

use crate::core::json::UnexpectedJson;

#[wasm_bindgen(inline_js = r#"
export function describeError(error) {
  if (!(error instanceof Error)) return typeof error === "string" ? error : "unrecognized JavaScript value";
  return `${error.name}${error.code ? ` [${error.code}]` : ""}: ${error.message}`;
}
"#)]
extern "C" {
    #[wasm_bindgen(js_name = describeError)]
    fn describe_error(error: &JsValue) -> String;
}

/// What JavaScript threw, or a text.
#[derive(Debug)]
pub struct Error(JsValue);

/// The result of what the platform does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&describe_error(&self.0))
    }
}

impl From<JsValue> for Error {
    fn from(thrown: JsValue) -> Self {
        Self(thrown)
    }
}

impl From<&str> for Error {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Error {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<UnexpectedJson> for Error {
    fn from(error: UnexpectedJson) -> Self {
        error.to_string().into()
    }
}

impl From<serde_json::Error> for Error {
    fn from(_: serde_json::Error) -> Self {
        "JSON serialization error".into()
    }
}

/// A text becomes a JavaScript `Error`.
impl From<Error> for JsValue {
    fn from(Error(error): Error) -> Self {
        if error.is_string() { js_sys::Error::new(&describe_error(&error)).into() } else { error }
    }
}
