//! A call as it came and the reply to it: status, headers, body, and what the log says.

use std::cell::Cell;

use serde::Serialize;
use serde_json::json;
use wasm_bindgen::JsValue;
use worker::web_sys::{Headers, ReadableStream, Request, Response, ResponseInit};

use super::platform;
use crate::{api_error::EdgeError, config::Problem, event::Outcome};

/// Seconds after which a caller may try again when storage did not answer.
const RETRY_AFTER: &str = "2";

/// A request as received.
pub struct Call {
    pub request: Request,
    pub method: String,
    pub id: String,
    /// How long the upstream took to answer, in milliseconds, once it has.
    pub upstream_ms: Cell<Option<i64>>,
    started: i64,
    url: String,
    path: (usize, usize),
}

/// What is answered.
pub struct Reply {
    status: u16,
    headers: Headers,
    body: Body,
    from_upstream: bool,
    /// For the log: an error's code or a webhook's outcome.
    kind: Option<&'static str>,
}

enum Body {
    Text(String),
    Error { message: String, code: &'static str, action: Option<&'static str> },
    Stream(Option<ReadableStream>),
}

impl Call {
    pub fn new(request: Request) -> Self {
        let url = request.url();
        let path = url.find("://").and_then(|scheme| url.get(scheme + 3..)?.find('/').map(|slash| scheme + 3 + slash));
        let path = path.unwrap_or(url.len());
        let query = url.get(path..).and_then(|rest| rest.find('?')).map_or(url.len(), |mark| path + mark);
        Self {
            method: request.method(),
            request,
            id: platform::request_id(),
            upstream_ms: Cell::new(None),
            started: platform::now_ms(),
            url,
            path: (path, query),
        }
    }

    /// The path, byte for byte, without the query.
    pub fn path(&self) -> &str {
        self.url.get(self.path.0..self.path.1).unwrap_or_default()
    }

    /// The query, byte for byte, without its question mark.
    pub fn query(&self) -> &str {
        self.url.get(self.path.1 + 1..).unwrap_or_default()
    }

    /// Path and query, byte for byte.
    pub fn path_and_query(&self) -> &str {
        self.url.get(self.path.0..).unwrap_or_default()
    }

    /// A header's value, if it is there.
    pub fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).ok().flatten()
    }

    /// When the call came, in unix milliseconds.
    pub fn started(&self) -> i64 {
        self.started
    }
}

impl Reply {
    /// A 200 with a JSON body.
    pub fn json(value: &impl Serialize) -> Self {
        Self::new(200, Body::Text(serde_json::to_string(value).unwrap_or_default()), None)
    }

    /// What became of a webhook.
    pub fn outcome(outcome: Outcome) -> Self {
        Self { kind: Some(outcome.word()), ..Self::json(&json!({ "outcome": outcome })) }
    }

    /// A refusal with a code and words of another module's.
    pub fn refusal(status: u16, code: &'static str, message: String) -> Self {
        Self::new(status, Body::Error { message, code, action: None }, Some(code))
    }

    /// The upstream's own answer.
    pub fn upstream(status: u16, headers: Headers, body: Option<ReadableStream>) -> Self {
        Self { status, headers, body: Body::Stream(body), from_upstream: true, kind: None }
    }

    pub fn healthy() -> Self {
        Self::json(&json!({ "ok": true }))
    }

    pub fn unhealthy(problems: &[Problem]) -> Self {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let body = json!({ "ok": false, "problems": problems }).to_string();
        Self::new(503, Body::Text(body), Some(EdgeError::NotConfigured.code()))
    }

    /// The same reply with one more header.
    pub fn header(self, name: &str, value: &str) -> Self {
        // Fails only on a name or value that is no header's, and none of ours is.
        let _ = self.headers.set(name, value);
        self
    }

    /// The one log line of a request. URLs and headers stay out of it: they hold handles, ids and keys.
    pub fn log(&self, call: &Call, route: &str) {
        platform::log(&json!({
            "level": if self.status < 500 { "info" } else { "error" },
            "route": route,
            "method": call.method,
            "status": self.status,
            "type": self.kind,
            "requestId": call.id,
            "upstreamRequestId": self.from_upstream.then(|| self.headers.get("x-request-id").ok().flatten()).flatten(),
            "upstreamMs": call.upstream_ms.get(),
            "ms": platform::now_ms() - call.started,
        }));
    }

    /// The response. No answer of ours may be cached or sniffed; an upstream's request id stays its own.
    pub fn into_response(self, call: &Call) -> Result<Response, JsValue> {
        let headers = self.headers;
        headers.set("cache-control", "private, no-store")?;
        headers.set("x-content-type-options", "nosniff")?;
        headers.set("x-ofauth-edge", if self.from_upstream { "upstream" } else { "gateway" })?;
        if !headers.has("x-request-id")? {
            headers.set("x-request-id", &call.id)?;
        }
        let init = ResponseInit::new();
        init.set_status(self.status);
        init.set_headers(&headers);
        let text = match self.body {
            Body::Stream(stream) => {
                return Response::new_with_opt_readable_stream_and_init(stream.as_ref(), &init);
            }
            Body::Text(text) => text,
            Body::Error { message, code, action } => error_body(&message, code, &call.id, action),
        };
        headers.set("content-type", "application/json")?;
        let text = (call.method != "HEAD").then_some(text.as_str());
        Response::new_with_opt_str_and_init(text, &init)
    }

    fn new(status: u16, body: Body, kind: Option<&'static str>) -> Self {
        #[expect(clippy::expect_used, reason = "the constructor without arguments has nothing to refuse")]
        let headers = Headers::new().expect("empty headers");
        Self { status, headers, body, from_upstream: false, kind }
    }
}

impl From<EdgeError> for Reply {
    fn from(error: EdgeError) -> Self {
        let body = Body::Error { message: error.to_string(), code: error.code(), action: error.action_required() };
        let reply = Self::new(error.status(), body, Some(error.code()));
        match error {
            EdgeError::StorageUnavailable => reply.header("retry-after", RETRY_AFTER),
            _ => reply,
        }
    }
}

fn error_body(message: &str, code: &str, request_id: &str, action: Option<&str>) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ErrorBody<'a> {
        error: &'a str,
        r#type: &'a str,
        request_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        action_required: Option<&'a str>,
    }
    let body = ErrorBody { error: message, r#type: code, request_id, action_required: action };
    serde_json::to_string(&body).unwrap_or_default()
}
