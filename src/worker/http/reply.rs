//! The reply to a request: its status, headers and body, and the log line about it.
//!
//! The gateway's own errors have OFAuth's shape: see [`error_body`]. Every reply forbids caching and has an
//! `x-request-id`. `x-ofauth-edge` says whether the gateway or OFAuth (`upstream`) answered, and on an error
//! `x-ofauth-edge-action` says what a client should do.

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use worker::web_sys::{Headers, ReadableStream, Response};

use super::{
    request::Call,
    response::{Unread, error_body, respond_with_stream, respond_with_text},
};
use crate::{
    core::{
        config::{Problem, Warning},
        connection::Outcome,
        gateway::{
            EdgeError, Verdict, live,
            origin::{self, AllowedOrigins},
        },
        monitor::name,
    },
    worker::platform::{self, Failure},
};

/// The `Retry-After` of a 503, in seconds.
pub const RETRY_AFTER: &str = "2";
/// The same when a user has too many WebSockets. One of them may be that of a page that is gone.
const RETRY_SOCKET_AFTER: &str = "60";

/// The reply to one request.
pub struct Reply {
    status: u16,
    /// The headers of OFAuth's answer, if it answered and not the gateway itself.
    upstream_headers: Option<Headers>,
    /// The gateway's own headers: the name and the value of each on two lines.
    own_headers: String,
    body: ReplyBody,
    /// The log's `type`: an error's code or a webhook's outcome.
    log_type: Option<&'static str>,
    /// What a client should do about an error.
    verdict: Option<Verdict>,
    /// The log's `detail`: what went wrong inside, why the call was refused, or why an authentic webhook is not an event.
    detail: Option<String>,
}

/// The answer of `/healthz`.
#[derive(Serialize)]
struct HealthzBody {
    ok: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// The part of a reply that the callers of equal changes share. During a roll-out, an older build may send or receive it. So
/// its names in JSON are a contract.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SharedReply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: String,
    /// The value of the header `x-ofauth-edge-action`, if the reply has it.
    pub action: Option<String>,
    /// The value of the header `Retry-After`, if the reply has it. Older builds do not send it.
    pub retry_after: Option<String>,
    /// If the reply is OFAuth's answer: its `x-request-id`, or empty if it had none. Older builds do not send it.
    pub upstream: Option<String>,
}

enum ReplyBody {
    Json(String),
    /// An error in OFAuth's shape. It gets its request id when the response is made.
    Error {
        message: String,
        code: &'static str,
        action_required: Option<&'static str>,
    },
    /// A body that passes through unread, or no body.
    Stream(Option<Unread>),
}

impl Reply {
    /// 200 with a JSON body.
    pub fn json(value: &impl Serialize) -> Self {
        Self::json_text(serde_json::to_string(value).unwrap_or_default())
    }

    /// 200 with a JSON body that is written already.
    pub fn json_text(json: String) -> Self {
        Self::new(200, ReplyBody::Json(json), None)
    }

    /// 200 for a webhook that was accepted: `{outcome}`.
    pub fn outcome(outcome: Outcome) -> Self {
        #[derive(Serialize)]
        struct Accepted {
            outcome: Outcome,
        }
        Self { log_type: Some(outcome.as_str()), ..Self::json(&Accepted { outcome }) }
    }

    /// An error that is not an [`EdgeError`], by its code and message.
    pub fn error(status: u16, code: &'static str, message: String) -> Self {
        Self::new(status, ReplyBody::Error { message, code, action_required: None }, Some(code))
    }

    /// OFAuth's own answer.
    pub fn upstream(status: u16, headers: Headers, body: Option<ReadableStream>) -> Self {
        Self { upstream_headers: Some(headers), ..Self::unread(status, body) }
    }

    /// 101 with the WebSocket of a Durable Object's response.
    pub fn websocket(response: Response) -> Self {
        Self::unread(101, Some(response)).with_header(live::HEADER, live::SUBPROTOCOL)
    }

    /// OFAuth's answer with another body, which is JSON.
    pub fn upstream_with_body(status: u16, headers: Headers, body: String) -> Self {
        Self { body: ReplyBody::Json(body), ..Self::upstream(status, headers, None) }
    }

    /// The part of the reply that others may share. `None` if its body is not in memory.
    pub fn to_shared(&self, call: &Call) -> Option<SharedReply> {
        let body = match &self.body {
            ReplyBody::Json(text) => text.clone(),
            ReplyBody::Error { message, code, action_required } => {
                error_body(message, code, &call.id, *action_required)
            }
            ReplyBody::Stream(_) => return None,
        };
        let retry_after = match &self.upstream_headers {
            Some(headers) => headers.get("retry-after").ok().flatten(),
            None => (self.status == 503).then(|| RETRY_AFTER.to_owned()),
        };
        let action = self.verdict.map(|verdict| verdict.as_str().to_owned());
        let request_id = |headers: &Headers| headers.get("x-request-id").ok().flatten().unwrap_or_default();
        let upstream = self.upstream_headers.as_ref().map(request_id);
        Some(SharedReply { status: self.status, body, action, retry_after, upstream })
    }

    /// The reply to a caller who shares that of another.
    pub fn from_shared(SharedReply { status, body, action, retry_after, upstream }: SharedReply) -> Self {
        let upstream_headers = upstream.and_then(|request_id| {
            let headers = Headers::new().ok()?;
            headers.set("x-request-id", &request_id).ok()?;
            Some(headers)
        });
        Self { upstream_headers, ..Self::new(status, ReplyBody::Json(body), None) }
            .with_optional_header("x-ofauth-edge-action", action.as_deref())
            .with_optional_header("retry-after", retry_after.as_deref())
    }

    /// A reply without a body.
    pub fn empty(status: u16) -> Self {
        Self::new(status, ReplyBody::Stream(None), None)
    }

    /// ORIGIN_DENIED for a page whose origin is not one of ALLOWED_ORIGINS.
    pub fn origin_denied(origin: &str) -> Self {
        let denied = EdgeError::OriginDenied;
        let message = format!("origin {origin} is not in ALLOWED_ORIGINS");
        Self::error(denied.status(), denied.code(), message).with_verdict(Some(denied.verdict()))
    }

    /// 200 for a change that was made: `{success: true, message, deleted?}`.
    pub fn success(message: &str, deleted: Option<usize>) -> Self {
        #[derive(Serialize)]
        struct Done<'a> {
            success: bool,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            deleted: Option<usize>,
        }
        Self::json(&Done { success: true, message, deleted })
    }

    /// The answer of `/healthz` when the configuration is complete, with the items that are ignored.
    pub fn healthy(warnings: &[Warning]) -> Self {
        let warnings = warnings.iter().map(ToString::to_string).collect();
        Self::json(&HealthzBody { ok: true, problems: Vec::new(), warnings })
    }

    /// The answer of `/healthz` when it is not: 503, with all problems. A problem names a variable, never its value.
    pub fn unhealthy(problems: &[Problem]) -> Self {
        let problems = problems.iter().map(ToString::to_string).collect();
        let log_type = Some(EdgeError::NotConfigured.code());
        Self { status: 503, log_type, ..Self::json(&HealthzBody { ok: false, problems, warnings: Vec::new() }) }
    }

    /// Sets the status.
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Sets the detail for the log.
    pub fn with_detail(self, detail: Option<String>) -> Self {
        Self { detail, ..self }
    }

    /// Sets a header. It replaces one of OFAuth's of the same name. A value with a line break is no value of a header.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if !value.contains('\n') {
            self.own_headers.extend([name, "\n", value, "\n"]);
        }
        self
    }

    /// Sets a header, if there is a value.
    pub fn with_optional_header(self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value { self.with_header(name, value) } else { self }
    }

    /// Sets what a client should do about an error: the header `x-ofauth-edge-action`.
    pub fn with_verdict(self, verdict: Option<Verdict>) -> Self {
        Self { verdict, ..self }
    }

    /// Adds the CORS headers, if the page's origin is allowed, and `Vary` for the request headers that decide a reply.
    /// See the Fetch standard, "CORS protocol".
    pub fn with_cors_headers(self, call: &Call, allowed: &AllowedOrigins) -> Self {
        let reply = self.with_header("vary", "origin, authorization, apikey, x-connection-id");
        match call.header("origin").filter(|origin| allowed.allows(origin)) {
            Some(origin) => reply
                .with_header("access-control-allow-origin", &origin)
                .with_header("access-control-expose-headers", origin::EXPOSED_HEADERS),
            None => reply,
        }
    }

    /// Under which name and code the metrics count this reply, if they do.
    pub fn metric(&self, is_webhook: bool) -> Option<(&'static str, &'static str)> {
        let name = match self.status {
            400.. if is_webhook => name::REJECTED,
            400.. => name::ERROR,
            _ => name::ACCEPTED,
        };
        self.log_type.map(|code| (name, code))
    }

    /// Writes the log line of a request. It has no URL and no header, because those hold handles, connection ids and
    /// keys.
    pub fn log(&self, call: &Call, route: &str) {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Line<'a> {
            level: &'a str,
            route: &'a str,
            method: &'a str,
            status: u16,
            r#type: Option<&'a str>,
            actor: Option<&'a str>,
            request_id: &'a str,
            upstream_request_id: Option<String>,
            upstream_ms: Option<i64>,
            detail: Option<&'a str>,
            ms: i64,
        }
        let upstream_request_id =
            |headers: &Headers| headers.get("x-request-id").ok().flatten().filter(|id| !id.is_empty());
        platform::log(&Line {
            level: self.level(route),
            route,
            method: &call.method,
            status: self.status,
            r#type: self.log_type,
            actor: call.known_actor(),
            request_id: &call.id,
            upstream_request_id: self.upstream_headers.as_ref().and_then(upstream_request_id),
            upstream_ms: call.upstream_ms.get(),
            detail: self.detail.as_deref(),
            ms: platform::now_ms() - call.started(),
        });
    }

    /// The log's `level`: `error` for a failure of the gateway or of OFAuth, `warn` for a webhook that was refused and is
    /// lost unless somebody looks into it, else `info`.
    fn level(&self, route: &str) -> &'static str {
        match self.status {
            500.. => "error",
            400.. if route == "webhook" => "warn",
            _ => "info",
        }
    }

    /// Makes the platform's response, with the headers that every reply has.
    pub fn into_response(self, call: &Call) -> Result<Response, JsValue> {
        let source = if self.upstream_headers.is_some() { "upstream" } else { "gateway" };
        let action = self.verdict.map(Verdict::as_str);
        let content_type = if let ReplyBody::Stream(_) = self.body { None } else { Some("application/json") };
        let reply = self
            .with_header("cache-control", "private, no-store")
            .with_header("x-content-type-options", "nosniff")
            .with_header("x-ofauth-edge", source)
            .with_optional_header("x-ofauth-edge-action", action)
            .with_optional_header("content-type", content_type);
        let (status, upstream, own) = (reply.status, reply.upstream_headers.as_ref(), reply.own_headers.as_str());
        let text = match reply.body {
            ReplyBody::Stream(stream) => return respond_with_stream(stream.as_ref(), status, upstream, &call.id, own),
            ReplyBody::Json(text) => text,
            ReplyBody::Error { message, code, action_required } => {
                error_body(&message, code, &call.id, action_required)
            }
        };
        let text = (call.method != "HEAD").then_some(text.as_str());
        respond_with_text(text, status, upstream, &call.id, own)
    }

    fn unread(status: u16, body: Option<impl JsCast>) -> Self {
        Self::new(status, ReplyBody::Stream(body.map(JsCast::unchecked_into)), None)
    }

    fn new(status: u16, body: ReplyBody, log_type: Option<&'static str>) -> Self {
        Self { status, upstream_headers: None, own_headers: String::new(), body, log_type, verdict: None, detail: None }
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        let detail = failure.detail.or(failure.error.reason());
        Self::from(failure.error).with_detail(detail)
    }
}

impl From<EdgeError> for Reply {
    fn from(error: EdgeError) -> Self {
        let body = ReplyBody::Error {
            message: error.to_string(),
            code: error.code(),
            action_required: error.action_required(),
        };
        let reply = Self::new(error.status(), body, Some(error.code()));
        let reply = reply.with_verdict(Some(error.verdict())).with_detail(error.reason());
        match error {
            EdgeError::StorageUnavailable
            | EdgeError::StorageKeyMissing
            | EdgeError::NotConfigured
            | EdgeError::NotBound(_)
            | EdgeError::Overloaded => reply.with_header("retry-after", RETRY_AFTER),
            EdgeError::TooManySockets => reply.with_header("retry-after", RETRY_SOCKET_AFTER),
            _ => reply,
        }
    }
}
