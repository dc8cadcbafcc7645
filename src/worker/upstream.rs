//! OFAuth itself: sends a call, again if that may help, and understands what must be understood of the answer.

use std::{pin::pin, time::Duration};

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
    reply::{Failure, Reply},
};
use crate::{
    access::{self, DEADLINE, MAX_ERROR_BODY, Tried},
    api_error::{ApiError, EdgeError, Verdict},
    config::Config,
};

#[wasm_bindgen::prelude::wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch)]
    fn fetch(request: &Request) -> js_sys::Promise;
}

/// An answer, and what of its body was read.
pub struct Answer {
    response: Response,
    read: Option<Vec<u8>>,
}

/// Sends a GET or HEAD until it is answered for good, within the deadline; any other call exactly once.
pub async fn send(call: &Call, body: Option<&ReadableStream>, id: &str, config: &Config) -> Result<Answer, Failure> {
    let begun = platform::now_ms();
    let mut tries = 0;
    loop {
        tries += 1;
        let left = || begun + DEADLINE - platform::now_ms();
        let answer = match send_once(call, body, id, config, left()).await {
            Ok(response) if (200..600).contains(&response.status()) => {
                // What is sent once has no deadline; its refusal has one of its own.
                let patience = if access::is_repeatable(&call.method) { left() } else { DEADLINE };
                Ok(Answer::read(response, call, patience).await)
            }
            Ok(response) => Err(Failure::upstream(format!("an answer of status {}", response.status()).into())),
            Err(error) => Err(Failure::upstream(error)),
        };
        let elapsed = platform::now_ms() - begun;
        let refusal = answer.as_ref().ok().and_then(|answer| answer.refusal(call));
        let tried = answer.as_ref().map_or(Tried::Failed, |answer| {
            Tried::Answered(answer.response.status(), refusal.as_ref().map(|it| it.code.as_str()), answer.retry_after())
        });
        let Some(wait) = access::retry_in(&call.method, tried, tries, elapsed, platform::random()) else {
            return answer;
        };
        if let Some(body) = answer.ok().and_then(|answer| answer.response.body()) {
            // Nobody reads it any more.
            let _ = JsFuture::from(body.cancel()).await;
        }
        self::wait(wait).await;
    }
}

async fn send_once(
    call: &Call,
    body: Option<&ReadableStream>,
    id: &str,
    config: &Config,
    patience: i64,
) -> Result<Response, JsValue> {
    let abort = AbortController::new()?;
    let request = upstream_request(call, body, id, config, &abort.signal())?;
    let answer = JsFuture::from(fetch(&request));
    if !access::is_repeatable(&call.method) {
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

fn upstream_request(
    call: &Call,
    body: Option<&ReadableStream>,
    id: &str,
    config: &Config,
    signal: &AbortSignal,
) -> Result<Request, JsValue> {
    let headers = copy(&call.request.headers(), access::goes_up)?;
    headers.set("apikey", config.api_key.reveal())?;
    headers.set("x-connection-id", id)?;
    let init = RequestInit::new();
    init.set_method(&call.method);
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    // One URL has an answer for each connection, and the platform's cache knows URLs only.
    init.set_cache(RequestCache::NoStore);
    init.set_signal(Some(signal));
    if let Some(body) = body {
        init.set_body(body);
    }
    Request::new_with_str_and_init(&format!("{}{}", config.api_url, call.path_and_query()), &init)
}

impl Answer {
    /// Reads what must be understood: a refusal of OFAuth's, and what `/v2/access/self` says of itself. The body itself
    /// stays unread; one that is longer than any of these, or does not come in time, is not understood.
    async fn read(response: Response, call: &Call, patience: i64) -> Self {
        let status = response.status();
        let header = |name| response.headers().get(name).ok().flatten();
        let json = header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
        let length = header("content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or_default();
        let telling = access::may_refuse(call.path(), status) || (access::is_self(call.path()) && status == 200);
        let copy = (telling && json && length <= MAX_ERROR_BODY).then(|| response.clone().ok()).flatten();
        let read = match copy {
            Some(copy) => read_within(copy.body(), MAX_ERROR_BODY, wait(patience)).await.ok(),
            None => None,
        };
        Self { response, read }
    }

    pub fn status(&self) -> u16 {
        self.response.status()
    }

    /// The refusal, if this is one of OFAuth's.
    pub fn refusal(&self, call: &Call) -> Option<ApiError> {
        let body = self.read.as_ref().filter(|_| access::may_refuse(call.path(), self.response.status()))?;
        ApiError::refusal(self.response.status(), body)
    }

    /// Whether it says nothing of the connection: a success of `/v2/access/self` that was not read, since OFAuth answers
    /// 200 there for a dead session too.
    pub fn is_silent(&self, call: &Call) -> bool {
        access::is_self(call.path()) && self.response.ok() && (call.method != "GET" || self.read.is_none())
    }

    /// What `/v2/access/self` said of its session.
    pub fn is_auth(&self, call: &Call) -> Option<bool> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Own {
            is_auth: Option<bool>,
        }
        let body = self.read.as_ref().filter(|_| access::is_self(call.path()))?;
        serde_json::from_slice::<Own>(body).ok()?.is_auth
    }

    fn retry_after(&self) -> Option<u64> {
        self.response.headers().get("retry-after").ok().flatten()?.trim().parse().ok()
    }

    /// The answer as the caller gets it: with a hint in a refusal that means relink and has none, and the verdict on any
    /// error.
    pub fn pass_back(self, call: &Call, refusal: Option<ApiError>) -> Result<Reply, Failure> {
        let status = self.response.status();
        let headers = copy(&self.response.headers(), access::comes_back).map_err(Failure::upstream)?;
        let verdict = access::verdict(call.path(), status, refusal.as_ref());
        let relink = refusal.is_some_and(|refusal| refusal.verdict == Verdict::Relink);
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

fn wait(ms: i64) -> Delay {
    Delay::from(Duration::from_millis(ms.max(0).unsigned_abs()))
}

/// Copies the headers that pass. A header may come more than once, so they are appended.
fn copy(from: &Headers, passes: fn(&str, &str) -> bool) -> Result<Headers, JsValue> {
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
