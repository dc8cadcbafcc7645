//! OFAuth itself: sends a call, again if that may help, and understands what must be understood of the answer.

use std::{borrow::Cow, pin::pin};

use futures_util::future::{Either, select};
use wasm_bindgen::{JsCast, JsValue};
use worker::{
    js_sys::{self, futures::JsFuture},
    web_sys::{
        AbortController, AbortSignal, Headers, ReadableStream, Request, RequestCache, RequestInit, RequestRedirect,
        Response,
    },
};

use super::answer::Answer;
use crate::{
    core::{
        config::Config,
        gateway::{
            EdgeError,
            access::{self, Attempt, DEADLINE},
            account::{CONNECTIONS_PATH, ListedConnection},
        },
    },
    worker::{
        http::{Call, copy_headers, read_capped, read_within},
        platform::{self, Failure, wait},
    },
};

/// The longest page of OFAuth's list that is read, in bytes.
const MAX_PAGE: usize = 1024 * 1024;

#[wasm_bindgen::prelude::wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch)]
    fn fetch(request: &Request) -> js_sys::Promise;
}

/// How many connections a page of OFAuth's list has.
const PAGE: usize = 100;

/// Connections, and whether more follow.
pub type Page = (Vec<ListedConnection>, bool);

/// A call on its way up.
pub struct UpstreamRequest<'a> {
    pub method: &'a str,
    /// Path and query, byte for byte.
    pub target: Cow<'a, str>,
    /// What passes of the caller's.
    pub headers: Headers,
    /// A stream, or text.
    pub body: Option<JsValue>,
    /// OFAuth's id of the connection it is for, if it is for one.
    pub connection: Option<&'a str>,
    /// Whether it is sent once even if it could be repeated.
    pub once: bool,
}

impl<'a> UpstreamRequest<'a> {
    /// The caller's own call.
    pub fn of(call: &'a Call, body: Option<ReadableStream>, connection: Option<&'a str>) -> Result<Self, Failure> {
        let headers =
            copy_headers(&call.request.headers(), access::forwards_request_header).map_err(Failure::upstream)?;
        let (target, body) = (call.path_and_query().into(), body.map(JsValue::from));
        Ok(Self { method: &call.method, target, headers, body, connection, once: false })
    }

    /// A call of the gateway's own.
    pub fn own(method: &'a str, target: impl Into<Cow<'a, str>>) -> Result<Self, Failure> {
        let headers = Headers::new().map_err(Failure::upstream)?;
        Ok(Self { method, target: target.into(), headers, body: None, connection: None, once: false })
    }

    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    fn request(&self, config: &Config, signal: &AbortSignal) -> Result<Request, JsValue> {
        self.headers.set("apikey", config.api_key.reveal())?;
        if let Some(id) = self.connection {
            self.headers.set("x-connection-id", id)?;
        }
        let init = RequestInit::new();
        init.set_method(self.method);
        init.set_headers(&self.headers);
        init.set_redirect(RequestRedirect::Manual);
        // One URL has an answer for each connection, and the platform's cache knows URLs only.
        init.set_cache(RequestCache::NoStore);
        init.set_signal(Some(signal));
        if let Some(body) = &self.body {
            init.set_body(body);
        }
        Request::new_with_str_and_init(&format!("{}{}", config.api_url, self.target), &init)
    }
}

/// Sends a GET or HEAD until it is answered for good, within the deadline; any other call exactly once. Notes in `call`
/// how long that took.
pub async fn send(upstream_request: &UpstreamRequest<'_>, call: &Call, config: &Config) -> Result<Answer, Failure> {
    let begun = platform::now_ms();
    let answer = send_until_answered(upstream_request, begun, config).await;
    call.upstream_ms.set(Some(call.upstream_ms.get().unwrap_or_default() + platform::now_ms() - begun));
    answer
}

/// A page of OFAuth's list of connections, counted from 0, and whether more follow; or the answer that is none, if there is
/// one.
pub async fn list(page: usize, once: bool, call: &Call, config: &Config) -> Result<Result<Page, Answer>, Failure> {
    let target = format!("{CONNECTIONS_PATH}?limit={PAGE}&offset={}", page * PAGE);
    let answer = send(&UpstreamRequest { once, ..UpstreamRequest::own("GET", target)? }, call, config).await?;
    if !answer.response.ok() {
        return Ok(Err(answer));
    }
    let body = read_within(answer.response.body(), MAX_PAGE, wait(DEADLINE)).await.unwrap_or_default();
    ListedConnection::read_page(&body)
        .map(Ok)
        .ok_or_else(|| Failure::upstream("no page of the list of connections".into()))
}

async fn send_until_answered(
    upstream_request: &UpstreamRequest<'_>,
    begun: i64,
    config: &Config,
) -> Result<Answer, Failure> {
    let mut tries = 0;
    loop {
        tries += 1;
        let left = || begun + DEADLINE - platform::now_ms();
        let answer = match send_once(upstream_request, config, left()).await {
            Ok(response) if (200..600).contains(&response.status()) => {
                // What is sent once has no deadline; its refusal has one of its own.
                let patience = if access::is_retryable(upstream_request.method) { left() } else { DEADLINE };
                Ok(Answer::read(response, upstream_request.path(), patience).await)
            }
            Ok(response) => Err(Failure::upstream(format!("an answer of status {}", response.status()).into())),
            Err(error) => Err(Failure::upstream(error)),
        };
        let elapsed = platform::now_ms() - begun;
        let tried = answer.as_ref().map_or(Attempt::Failed, |answer| {
            let refusal = answer.refusal.as_ref().map(|refusal| refusal.code.as_str());
            Attempt::Answered { status: answer.response.status(), code: refusal, retry_after: answer.retry_after() }
        });
        let wait = access::retry_delay(upstream_request.method, tried, tries, elapsed, platform::random());
        let Some(wait) = wait.filter(|_| !upstream_request.once) else { return answer };
        if let Some(body) = answer.ok().and_then(|answer| answer.response.body()) {
            // Nobody reads it any more.
            let _ = JsFuture::from(body.cancel()).await;
        }
        platform::wait(wait).await;
    }
}

async fn send_once(
    upstream_request: &UpstreamRequest<'_>,
    config: &Config,
    patience: i64,
) -> Result<Response, JsValue> {
    let abort = AbortController::new()?;
    let request = upstream_request.request(config, &abort.signal())?;
    let answer = JsFuture::from(fetch(&request));
    if !access::is_retryable(upstream_request.method) {
        return Ok(answer.await?.unchecked_into());
    }
    match select(answer, pin!(wait(patience))).await {
        Either::Left((answer, _)) => Ok(answer?.unchecked_into()),
        Either::Right(_) => {
            abort.abort();
            Err("no answer within the deadline".into())
        }
    }
}

/// The body that goes up. A GET or HEAD has none, and an announced but empty one is none.
pub async fn request_body(call: &Call) -> Result<Option<ReadableStream>, Failure> {
    let body = call.request.body();
    if !access::is_retryable(&call.method) {
        return Ok(body);
    }
    match read_capped(body, 0).await {
        Err(EdgeError::BodyTooLarge) => Err(EdgeError::BadRequest("a GET or HEAD carries no body").into()),
        read => Ok(read.map(|_| None)?),
    }
}
