//! Replies: status, headers, body, and what the log says.

use serde::Serialize;
use serde_json::json;
use wasm_bindgen::JsValue;
use worker::web_sys::{Headers, ReadableStream, Response, ResponseInit};

use super::request::Call;
use crate::{
    core::{
        config::Problem,
        connection::Outcome,
        gateway::{
            EdgeError, Verdict,
            origin::{self, AllowedOrigins},
        },
    },
    worker::platform::{self, Failure},
};

/// Seconds after which a caller may try again after a 503.
const RETRY_AFTER: &str = "2";

/// What is answered.
pub struct Reply {
    status: u16,
    headers: Headers,
    body: Body,
    from_upstream: bool,
    /// For the log: an error's code or a webhook's outcome.
    kind: Option<&'static str>,
    /// What a client should do about an error.
    verdict: Option<Verdict>,
    /// For the log alone: what somebody else said when it went wrong.
    detail: Option<String>,
}

enum Body {
    Text(String),
    Error { message: String, code: &'static str, action: Option<&'static str> },
    Stream(Option<ReadableStream>),
}

impl Reply {
    /// A 200 with a JSON body.
    pub fn json(value: &impl Serialize) -> Self {
        Self::new(200, Body::Text(serde_json::to_string(value).unwrap_or_default()), None)
    }

    /// What became of a webhook.
    pub fn outcome(outcome: Outcome) -> Self {
        Self { kind: Some(outcome.as_str()), ..Self::json(&json!({ "outcome": outcome })) }
    }

    /// A refusal with a code and words of another module's.
    pub fn refusal(status: u16, code: &'static str, message: String) -> Self {
        Self::new(status, Body::Error { message, code, action: None }, Some(code))
    }

    /// The upstream's own answer.
    pub fn upstream(status: u16, headers: Headers, body: Option<ReadableStream>) -> Self {
        Self { status, headers, body: Body::Stream(body), from_upstream: true, kind: None, verdict: None, detail: None }
    }

    /// The upstream's answer with another body.
    pub fn rewritten(status: u16, headers: Headers, body: String) -> Self {
        Self { body: Body::Text(body), ..Self::upstream(status, headers, None) }
    }

    /// A 201 with a JSON body.
    pub fn created(value: &impl Serialize) -> Self {
        Self::json(value).status(201)
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self::new(status, Body::Stream(None), None)
    }

    pub fn healthy() -> Self {
        Self::json(&json!({ "ok": true }))
    }

    pub fn unhealthy(problems: &[Problem]) -> Self {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let body = json!({ "ok": false, "problems": problems }).to_string();
        Self::new(503, Body::Text(body), Some(EdgeError::NotConfigured.code()))
    }

    /// The same reply with another status.
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same reply with a detail for the log.
    pub fn detail(self, detail: Option<String>) -> Self {
        Self { detail, ..self }
    }

    /// The same reply with one more header.
    pub fn header(self, name: &str, value: &str) -> Self {
        // Fails only on a name or value that is no header's, and none of ours is.
        let _ = self.headers.set(name, value);
        self
    }

    /// The same reply with a verdict.
    pub fn verdict(self, verdict: Option<Verdict>) -> Self {
        Self { verdict, ..self }
    }

    /// The same reply as a browser needs it: what decided it, and whether the page may read it.
    pub fn for_browsers(self, call: &Call, allowed: &AllowedOrigins) -> Self {
        for name in ["origin", "authorization", "apikey", "x-connection-id"] {
            let _ = self.headers.append("vary", name);
        }
        match call.header("origin").filter(|origin| allowed.allows(origin)) {
            Some(origin) => self
                .header("access-control-allow-origin", &origin)
                .header("access-control-expose-headers", origin::EXPOSED_HEADERS),
            None => self,
        }
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
            "detail": self.detail,
            "ms": platform::now_ms() - call.started(),
        }));
    }

    /// The response. No answer of ours may be cached or sniffed; an upstream's request id stays its own.
    pub fn into_response(self, call: &Call) -> Result<Response, JsValue> {
        let headers = self.headers;
        headers.set("cache-control", "private, no-store")?;
        headers.set("x-content-type-options", "nosniff")?;
        headers.set("x-ofauth-edge", if self.from_upstream { "upstream" } else { "gateway" })?;
        if let Some(verdict) = self.verdict {
            headers.set("x-ofauth-edge-action", verdict.as_str())?;
        }
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
        Self { status, headers, body, from_upstream: false, kind, verdict: None, detail: None }
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        Self::from(failure.error).detail(failure.detail)
    }
}

impl From<EdgeError> for Reply {
    fn from(error: EdgeError) -> Self {
        let body = Body::Error { message: error.to_string(), code: error.code(), action: error.action_required() };
        let reply = Self::new(error.status(), body, Some(error.code())).verdict(Some(error.verdict()));
        match error {
            EdgeError::StorageUnavailable | EdgeError::NotConfigured => reply.header("retry-after", RETRY_AFTER),
            _ => reply,
        }
    }
}

/// An error in OFAuth's shape.
pub fn error_body(message: &str, code: &str, request_id: &str, action: Option<&str>) -> String {
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
