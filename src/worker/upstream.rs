//! OFAuth itself: sends a call, again if that may help, and understands what must be understood of the answer.

use std::{borrow::Cow, pin::pin, time::Duration};

use futures_util::future::{Either, select};
use wasm_bindgen::{JsCast, JsValue};
use worker::{
    Delay,
    js_sys::{self, Array, futures::JsFuture},
    web_sys::{
        AbortController, AbortSignal, Headers, ReadableStream, Request, RequestCache, RequestInit, RequestRedirect,
        Response,
    },
};

use super::{
    body::{read_capped, read_within},
    call::Call,
    platform,
    reply::{Failure, Reply, error_body},
};
use crate::core::{
    config::Config,
    gateway::{
        ApiError, Caller, EdgeError, RetryHeaders, Verdict,
        access::{self, DEADLINE, MAX_ERROR_BODY, Tried},
        account::{self, CONNECTIONS, Item},
    },
    json::Object,
    storage::without_ids,
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
pub type Page = (Vec<Item>, bool);

/// A call on its way up.
pub struct Outgoing<'a> {
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

/// An answer, and what of its body was read.
pub struct Answer {
    response: Response,
    path: String,
    read: Option<Vec<u8>>,
    refusal: Option<ApiError>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Own {
    is_auth: Option<bool>,
}

impl<'a> Outgoing<'a> {
    /// The caller's own call.
    pub fn of(call: &'a Call, body: Option<ReadableStream>, connection: Option<&'a str>) -> Result<Self, Failure> {
        let headers = copy(&call.request.headers(), access::goes_up).map_err(Failure::upstream)?;
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
pub async fn send(outgoing: &Outgoing<'_>, call: &Call, config: &Config) -> Result<Answer, Failure> {
    let begun = platform::now_ms();
    let answer = send_until_answered(outgoing, begun, config).await;
    call.upstream_ms.set(Some(call.upstream_ms.get().unwrap_or_default() + platform::now_ms() - begun));
    answer
}

/// A page of OFAuth's list of connections, counted from 0, and whether more follow; or the answer that is none, if there is
/// one.
pub async fn list(page: usize, once: bool, call: &Call, config: &Config) -> Result<Result<Page, Answer>, Failure> {
    let target = format!("{CONNECTIONS}?limit={PAGE}&offset={}", page * PAGE);
    let answer = send(&Outgoing { once, ..Outgoing::own("GET", target)? }, call, config).await?;
    if !answer.response.ok() {
        return Ok(Err(answer));
    }
    let body = read_within(answer.response.body(), MAX_PAGE, wait(DEADLINE)).await.unwrap_or_default();
    Item::read_page(&body).map(Ok).ok_or_else(|| Failure::upstream("no page of the list of connections".into()))
}

async fn send_until_answered(outgoing: &Outgoing<'_>, begun: i64, config: &Config) -> Result<Answer, Failure> {
    let mut tries = 0;
    loop {
        tries += 1;
        let left = || begun + DEADLINE - platform::now_ms();
        let answer = match send_once(outgoing, config, left()).await {
            Ok(response) if (200..600).contains(&response.status()) => {
                // What is sent once has no deadline; its refusal has one of its own.
                let patience = if access::is_repeatable(outgoing.method) { left() } else { DEADLINE };
                Ok(Answer::read(response, outgoing.path(), patience).await)
            }
            Ok(response) => Err(Failure::upstream(format!("an answer of status {}", response.status()).into())),
            Err(error) => Err(Failure::upstream(error)),
        };
        let elapsed = platform::now_ms() - begun;
        let tried = answer.as_ref().map_or(Tried::Failed, |answer| {
            let refusal = answer.refusal.as_ref().map(|refusal| refusal.code.as_str());
            Tried::Answered(answer.response.status(), refusal, answer.retry_after())
        });
        let wait = access::retry_in(outgoing.method, tried, tries, elapsed, platform::random());
        let Some(wait) = wait.filter(|_| !outgoing.once) else { return answer };
        if let Some(body) = answer.ok().and_then(|answer| answer.response.body()) {
            // Nobody reads it any more.
            let _ = JsFuture::from(body.cancel()).await;
        }
        self::wait(wait).await;
    }
}

async fn send_once(outgoing: &Outgoing<'_>, config: &Config, patience: i64) -> Result<Response, JsValue> {
    let abort = AbortController::new()?;
    let request = outgoing.request(config, &abort.signal())?;
    let answer = JsFuture::from(fetch(&request));
    if !access::is_repeatable(outgoing.method) {
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
pub async fn body_of(call: &Call) -> Result<Option<ReadableStream>, Failure> {
    let body = call.request.body();
    if !access::is_repeatable(&call.method) {
        return Ok(body);
    }
    match read_capped(body, 0).await {
        Err(EdgeError::BodyTooLarge) => Err(EdgeError::BadRequest("a GET or HEAD carries no body").into()),
        read => Ok(read.map(|_| None)?),
    }
}

impl Answer {
    /// Reads what must be understood: a refusal of OFAuth's, and what `/v2/access/self` says of itself. The body itself
    /// stays unread; one that is longer than any of these, or does not come in time, is not understood.
    async fn read(response: Response, path: &str, patience: i64) -> Self {
        let status = response.status();
        let may_refuse = access::may_refuse(path, status);
        let telling = may_refuse || (access::is_self(path) && status == 200);
        let read = if telling { read_copy(&response, patience).await } else { None };
        let refusal = read.as_ref().filter(|_| may_refuse).and_then(|body| ApiError::refusal(status, body));
        Self { response, path: path.to_owned(), read, refusal }
    }

    pub fn status(&self) -> u16 {
        self.response.status()
    }

    /// The refusal, if this is one of OFAuth's.
    pub fn refusal(&self) -> Option<&ApiError> {
        self.refusal.as_ref()
    }

    /// The body, if it is JSON of at most [`MAX_ERROR_BODY`] bytes that comes in time; it can still be passed back.
    pub async fn json(&self) -> Option<Vec<u8>> {
        match &self.read {
            Some(read) => Some(read.clone()),
            None => read_copy(&self.response, DEADLINE).await,
        }
    }

    /// See [`account::is_granted`].
    pub async fn is_granted(&self) -> bool {
        account::is_granted(self.status(), self.json().await.as_deref(), self.is_page())
    }

    /// See [`account::is_gone`].
    pub async fn is_gone(&self) -> bool {
        account::is_gone(self.status(), self.json().await.as_deref(), self.is_page())
    }

    fn is_page(&self) -> bool {
        let kind = self.response.headers().get("content-type").ok().flatten();
        kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
    }

    /// An error that answers a call of the gateway's own, for the one it was made for. A server gets it as it is; anybody
    /// else what it says in OFAuth's words, without ids, and how long to wait.
    pub async fn pass_back_to(
        self,
        caller: &Caller,
        id: Option<&str>,
        call: &Call,
        config: &Config,
    ) -> Result<Reply, Failure> {
        let status = self.status();
        if *caller == Caller::Gateway && status >= 300 {
            return self.pass_back();
        }
        let none = || Failure::upstream("an answer that is none of OFAuth's".into());
        let error = self.error().await.ok_or_else(none)?;
        let message =
            id.map_or_else(|| error.message.clone(), |id| error.message.replace(id, &config.index.handle(id)));
        let request_id = error.request_id.as_ref().unwrap_or(&call.id);
        let message = without_ids(&message, &config.index);
        let body = error_body(&message, &error.code, request_id, error.action_required.as_deref());
        let passes =
            |name: &str, _: &str| matches!(name, "retry-after" | "x-request-id") || name.starts_with("x-ratelimit-");
        let headers = copy(&self.response.headers(), passes).map_err(Failure::upstream)?;
        Ok(Reply::rewritten(status, headers, body).verdict(Some(error.verdict)))
    }

    /// The error, if it is one: with the seconds to wait, wherever they are said. A 401 or 403 that is not of OFAuth's shape
    /// is somebody else's, and as good as no answer.
    pub async fn error(&self) -> Option<ApiError> {
        let header = |name| self.response.headers().get(name).ok().flatten();
        let (retry_after, rate_limit) = (header("retry-after"), header("x-ratelimit-retry-after"));
        let headers = RetryHeaders { retry_after: retry_after.as_deref(), rate_limit: rate_limit.as_deref() };
        match self.status() {
            ..=399 => None,
            401 | 403 => Some(self.refusal.clone().unwrap_or_else(|| ApiError::read(502, headers, b""))),
            status => Some(ApiError::read(status, headers, &self.json().await.unwrap_or_default())),
        }
    }

    /// Whether it says nothing of the connection: a success of `/v2/access/self` that was not read, or is no object, since
    /// OFAuth answers 200 there for a dead session too.
    pub fn is_silent(&self, method: &str) -> bool {
        access::is_self(&self.path) && self.response.ok() && (method != "GET" || self.own().is_none())
    }

    /// What `/v2/access/self` said of its session.
    pub fn is_auth(&self) -> Option<bool> {
        self.own()?.is_auth
    }

    fn own(&self) -> Option<Own> {
        let body = self.read.as_ref().filter(|_| access::is_self(&self.path))?;
        serde_json::from_slice::<Object<Own>>(body).ok().map(|Object(own)| own)
    }

    fn retry_after(&self) -> Option<u64> {
        self.response.headers().get("retry-after").ok().flatten()?.trim().parse().ok()
    }

    /// The answer as the caller gets it: with a hint in a refusal that means relink and has none, and the verdict on any
    /// error.
    pub fn pass_back(self) -> Result<Reply, Failure> {
        let status = self.response.status();
        let headers = copy(&self.response.headers(), access::comes_back).map_err(Failure::upstream)?;
        let verdict = access::verdict(&self.path, status, self.refusal.as_ref());
        let relink = self.refusal.is_some_and(|refusal| refusal.verdict == Verdict::Relink);
        let hinted = self.read.as_ref().filter(|_| relink).and_then(|body| access::with_relink_hint(body));
        let reply = match hinted {
            Some(body) => {
                headers.delete("content-length").map_err(Failure::upstream)?;
                Reply::rewritten(status, headers, body)
            }
            None => Reply::upstream(status, headers, self.response.body()),
        };
        Ok(reply.verdict(verdict))
    }
}

async fn read_copy(response: &Response, patience: i64) -> Option<Vec<u8>> {
    let header = |name| response.headers().get(name).ok().flatten();
    let json = header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
    let length = header("content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or_default();
    let copy = (json && length <= MAX_ERROR_BODY).then(|| response.clone().ok()).flatten()?;
    read_within(copy.body(), MAX_ERROR_BODY, wait(patience)).await.ok()
}

fn wait(ms: i64) -> Delay {
    Delay::from(Duration::from_millis(ms.max(0).unsigned_abs()))
}

/// Copies the headers that pass. A header may come more than once, so they are appended.
fn copy(from: &Headers, passes: impl Fn(&str, &str) -> bool) -> Result<Headers, JsValue> {
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
