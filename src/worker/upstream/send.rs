//! Sends requests to OFAuth, and retries a GET or HEAD when that may help.
//!
//! | method | attempts | time limit |
//! |---|---|---|
//! | GET, HEAD | at most [`MAX_ATTEMPTS`](access::MAX_ATTEMPTS) | [`DEADLINE`] ms for all attempts, until the answer begins |
//! | any other, made by the gateway, and the start of Link | exactly one | [`CHANGE_DEADLINE`] ms until the answer begins |
//! | any other, forwarded | exactly one | none: an upload takes as long as it takes, and ends with its caller |

use std::{borrow::Cow, cell::Cell, pin::pin};

use futures_util::future::{Either, select};
use wasm_bindgen::prelude::*;
use worker::{
    js_sys::{Promise, futures::JsFuture},
    web_sys::{AbortController, AbortSignal, Headers, ReadableStream, Response},
};

use super::answer::UpstreamAnswer;
use crate::{
    core::{
        config::Config,
        gateway::{
            EdgeError, Verdict,
            access::{self, Attempt, DEADLINE},
            account::{CONNECTIONS_PATH, ListedConnection},
        },
        monitor::{is_rate_low, name},
    },
    worker::{
        http::{Call, copy_headers, read_answer, read_body},
        metrics,
        platform::{self, Failure, wait},
    },
};

/// The longest page of OFAuth's list of connections that is read, in bytes.
const MAX_PAGE_BYTES: usize = 1024 * 1024;
/// How long a change that the gateway itself makes may take until OFAuth's answer begins, in ms.
pub const CHANGE_DEADLINE: i64 = 30_000;
/// How many connections are requested per page. OFAuth allows 1 to 100 (OFAuth documentation, SDK: Connections,
/// `getAll`).
const PAGE_SIZE: usize = 100;

// A redirect that is followed could carry the key to another host. The platform's cache distinguishes URLs only, but one URL
// has a different answer for each connection.
#[wasm_bindgen(inline_js = r#"
export function request(method, url, headers, apikey, connectionId, body, signal) {
  headers.set("apikey", apikey);
  if (connectionId !== undefined) headers.set("x-connection-id", connectionId);
  return fetch(url, { method, headers, body, signal, redirect: "manual", cache: "no-store" });
}
"#)]
extern "C" {
    /// Sends one request, with these two headers besides `headers`.
    #[wasm_bindgen(catch)]
    fn request(
        method: &str,
        url: &str,
        headers: &Headers,
        apikey: &str,
        connection_id: Option<&str>,
        body: &JsValue,
        signal: Option<&AbortSignal>,
    ) -> Result<Promise, JsValue>;
}

/// A page of OFAuth's list: its connections, and whether more pages follow.
pub type ListedPage = (Vec<ListedConnection>, bool);

/// A request to OFAuth.
pub struct UpstreamRequest<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// Path and query, sent byte for byte.
    pub target: Cow<'a, str>,
    /// The headers. `apikey` and `x-connection-id` are added when it is sent.
    pub headers: Headers,
    /// The body: a `ReadableStream`, a string or a `Uint8Array`.
    pub body: Option<JsValue>,
    /// OFAuth's id of the connection that the request is for: the header `x-connection-id`.
    pub connection_id: Option<&'a str>,
    /// Whether a GET or HEAD is not retried.
    pub single_attempt: bool,
    /// How long it may take until the answer begins, in ms. `None` for as long as the caller waits.
    pub timeout_ms: Option<i64>,
}

impl<'a> UpstreamRequest<'a> {
    /// A request that forwards a call: its method, path, query and the headers that may go to OFAuth.
    pub fn forward(call: &'a Call, body: Option<ReadableStream>, connection_id: Option<&'a str>) -> Self {
        let headers = copy_headers(&call.request.headers(), access::forwards_request_header);
        let (target, body) = (call.path_and_query().into(), body.map(JsValue::from));
        let timeout_ms = access::is_retryable(&call.method).then_some(DEADLINE);
        Self { method: &call.method, target, headers, body, connection_id, single_attempt: false, timeout_ms }
    }

    /// A request that the gateway makes itself, without headers and body.
    pub fn new(method: &'a str, target: impl Into<Cow<'a, str>>) -> Result<Self, Failure> {
        let headers = Headers::new().map_err(Failure::upstream)?;
        let timeout_ms = Some(if access::is_retryable(method) { DEADLINE } else { CHANGE_DEADLINE });
        let target = target.into();
        Ok(Self { method, target, headers, body: None, connection_id: None, single_attempt: false, timeout_ms })
    }

    /// A request whose answer shows whether the session of a connection is alive (`connection_id` is OFAuth's id).
    pub fn session_check(connection_id: &'a str) -> Result<Self, Failure> {
        Ok(Self { connection_id: Some(connection_id), ..Self::new("GET", "/v2/access/self")? })
    }

    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    fn send(&self, config: &Config, signal: Option<&AbortSignal>) -> Result<JsFuture, JsValue> {
        let url = format!("{}{}", config.api_url, self.target);
        let (key, body) = (config.api_key.reveal(), self.body.clone().unwrap_or_default());
        Ok(request(self.method, &url, &self.headers, key, self.connection_id, &body, signal)?.into())
    }
}

/// Sends a request, with retries as the head of this file says, and adds the time it took to `upstream_ms`: for a call,
/// that is what its log line says.
///
/// An answer of any status is `Ok`. Fails with UPSTREAM_UNREACHABLE if there is no answer.
pub async fn send(
    upstream_request: &UpstreamRequest<'_>,
    upstream_ms: &Cell<Option<i64>>,
    config: &Config,
) -> Result<UpstreamAnswer, Failure> {
    let started = platform::now_ms();
    let answer = send_with_retries(upstream_request, started, config).await;
    upstream_ms.set(Some(upstream_ms.get().unwrap_or_default() + platform::now_ms() - started));
    answer
}

/// Requests a page of OFAuth's list of connections; the first page is 0. The inner error is OFAuth's answer if it is
/// not a 2xx.
///
/// Fails with UPSTREAM_UNREACHABLE if there is no answer, or a 2xx that is not a page of the list.
pub async fn list_connections(
    page: usize,
    single_attempt: bool,
    upstream_ms: &Cell<Option<i64>>,
    config: &Config,
) -> Result<Result<ListedPage, UpstreamAnswer>, Failure> {
    let body = match list_page(page * PAGE_SIZE, PAGE_SIZE, single_attempt, upstream_ms, config).await? {
        Ok((body, _)) => body,
        Err(refused) => return Ok(Err(refused)),
    };
    ListedConnection::read_page(&body)
        .map(Ok)
        .ok_or_else(|| Failure::upstream("the answer is not a page of the list of connections".into()))
}

/// Requests `limit` connections of OFAuth's list after the first `offset`. Returns the body, and how long to wait before the
/// next request because of OFAuth's rate limit, in ms. The inner error is OFAuth's answer if it is not a 2xx.
///
/// Fails with UPSTREAM_UNREACHABLE if there is no answer.
pub async fn list_page(
    offset: usize,
    limit: usize,
    single_attempt: bool,
    upstream_ms: &Cell<Option<i64>>,
    config: &Config,
) -> Result<Result<(Vec<u8>, i64), UpstreamAnswer>, Failure> {
    let target = format!("{CONNECTIONS_PATH}?limit={limit}&offset={offset}");
    let upstream_request = UpstreamRequest { single_attempt, ..UpstreamRequest::new("GET", target)? };
    let answer = send(&upstream_request, upstream_ms, config).await?;
    if !answer.response.ok() {
        return Ok(Err(answer));
    }
    let body = read_answer(answer.response.body(), MAX_PAGE_BYTES, DEADLINE).await.unwrap_or_default();
    Ok(Ok((body, answer.pause())))
}

async fn send_with_retries(
    upstream_request: &UpstreamRequest<'_>,
    started: i64,
    config: &Config,
) -> Result<UpstreamAnswer, Failure> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let remaining_ms = || upstream_request.timeout_ms.map(|timeout| started + timeout - platform::now_ms());
        let answer = match send_once(upstream_request, config, remaining_ms()).await {
            Ok(response) if (200..600).contains(&response.status()) => {
                // A request without a deadline still has one for reading its refusal.
                let timeout_ms = remaining_ms().unwrap_or(DEADLINE);
                Ok(UpstreamAnswer::from_response(response, upstream_request.path(), timeout_ms).await)
            }
            Ok(response) => Err(EdgeError::UpstreamStatus(response.status()).into()),
            Err(error) => Err(Failure::upstream(error)),
        };
        count(answer.as_ref().ok());
        let elapsed = platform::now_ms() - started;
        let attempt = answer.as_ref().map_or(Attempt::Failed, |answer| {
            let refusal = answer.refusal.as_ref().map(|refusal| refusal.code.as_str());
            Attempt::Answered { status: answer.response.status(), code: refusal, retry_after: answer.retry_after() }
        });
        let random = platform::random_fraction();
        let delay = access::retry_delay(upstream_request.method, attempt, attempts, elapsed, random);
        let Some(delay) = delay.filter(|_| !upstream_request.single_attempt) else { return answer };
        if let Some(body) = answer.ok().and_then(|answer| answer.response.body()) {
            // An unread body would keep its connection open.
            let _ = JsFuture::from(body.cancel()).await;
        }
        wait(delay).await;
    }
}

/// Counts an answer, or that there was none.
fn count(answer: Option<&UpstreamAnswer>) {
    let Some(answer) = answer else { return metrics::count(name::UPSTREAM, "none") };
    let (status, header) = (answer.status(), |name| answer.response.headers().get(name).ok().flatten()?.parse().ok());
    metrics::count(name::UPSTREAM, &format!("{}xx", status / 100));
    let rate = (header("x-ratelimit-remaining"), header("x-ratelimit-limit"));
    if let (Some(remaining), Some(limit)) = rate
        && is_rate_low(remaining, limit)
    {
        metrics::count(name::RATE_LIMIT, "low");
    }
    match &answer.refusal {
        Some(refusal) => {
            metrics::count(name::UPSTREAM_ERROR, &refusal.code);
            if refusal.verdict == Verdict::Operator {
                metrics::count(name::API_KEY, &refusal.code);
            }
        }
        None if status >= 400 => metrics::count(name::UPSTREAM_ERROR, &status.to_string()),
        None => {}
    }
}

/// Sends a request once. It is aborted if no answer begins within `timeout_ms`.
async fn send_once(
    upstream_request: &UpstreamRequest<'_>,
    config: &Config,
    timeout_ms: Option<i64>,
) -> Result<Response, JsValue> {
    let Some(timeout_ms) = timeout_ms else {
        return Ok(upstream_request.send(config, None)?.await?.unchecked_into());
    };
    let abort = AbortController::new()?;
    let answer = upstream_request.send(config, Some(&abort.signal()))?;
    match select(answer, pin!(wait(timeout_ms))).await {
        Either::Left((answer, _)) => Ok(answer?.unchecked_into()),
        Either::Right(_) => {
            abort.abort();
            Err("no answer within the deadline".into())
        }
    }
}

/// The body of a call that is forwarded, as a stream.
///
/// Fails with BAD_REQUEST if a GET or HEAD has a body that is not empty: HTTP gives it no meaning (RFC 9110, section
/// 9.3.1), and `fetch` refuses to send it.
pub async fn request_body(call: &Call) -> Result<Option<ReadableStream>, Failure> {
    if !access::is_retryable(&call.method) {
        return Ok(call.request.body());
    }
    match read_body(call, 0).await {
        Err(EdgeError::BodyTooLarge) => Err(EdgeError::BadRequest("a GET or HEAD must have no body").into()),
        read => Ok(read.map(|_| None)?),
    }
}
