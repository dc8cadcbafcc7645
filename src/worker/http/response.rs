//! The platform's response, made in one crossing between wasm and JavaScript, and the JSON of an error.

use serde::Serialize;
use wasm_bindgen::prelude::*;
use worker::web_sys::{Headers, Response};

#[wasm_bindgen(inline_js = r#"
export function respond(body, status, upstreamHeaders, requestId, ownHeaders) {
  const headers = upstreamHeaders ?? new Headers();
  const lines = ownHeaders.split("\n");
  for (let at = 0; at + 1 < lines.length; at += 2) {
    if (lines[at] === "vary") headers.append("vary", lines[at + 1]);
    else headers.set(lines[at], lines[at + 1]);
  }
  if (!headers.get("x-request-id")) headers.set("x-request-id", requestId);
  return status === 101
    ? new Response(null, { status, headers, webSocket: body.webSocket })
    : new Response(body, { status, headers });
}
"#)]
extern "C" {
    /// A `ReadableStream`. With the status 101, a response that has a WebSocket.
    pub type Unread;
    /// Makes the platform's response in one crossing. `own` has the name and the value of each header on two lines. They
    /// replace those of OFAuth, except for Vary, which has the names of both. OFAuth's `x-request-id` is kept.
    #[wasm_bindgen(catch, js_name = respond)]
    pub fn respond_with_text(
        body: Option<&str>,
        status: u16,
        upstream: Option<&Headers>,
        request_id: &str,
        own: &str,
    ) -> Result<Response, JsValue>;
    /// The same with a body that is not read.
    #[wasm_bindgen(catch, js_name = respond)]
    pub fn respond_with_stream(
        body: Option<&Unread>,
        status: u16,
        upstream: Option<&Headers>,
        request_id: &str,
        own: &str,
    ) -> Result<Response, JsValue>;
}

/// The JSON of an error in OFAuth's shape: `{error, message, type, code, requestId, actionRequired?}`. OFAuth's SDKs read
/// only `message` and `code`, which repeat `error` and `type`.
pub fn error_body(message: &str, code: &str, request_id: &str, action_required: Option<&str>) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ErrorBody<'a> {
        error: &'a str,
        message: &'a str,
        r#type: &'a str,
        code: &'a str,
        request_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        action_required: Option<&'a str>,
    }
    let body = ErrorBody { error: message, message, r#type: code, code, request_id, action_required };
    serde_json::to_string(&body).unwrap_or_default()
}
