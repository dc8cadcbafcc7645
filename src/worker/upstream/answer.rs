//! OFAuth's answers: reads what the gateway must understand, and makes the reply to the caller.
//!
//! Most bodies pass through unread. Two kinds of answer are always read: a refusal (401 or 403), which may mean that
//! the user must link again, and the answer of `GET /v2/access/self`, which is 200 even for a dead session. A route can
//! read other answers with [`UpstreamAnswer::json`]. Whatever is read is read from a copy of the body, up to
//! [`MAX_ERROR_BODY`] bytes and for a limited time, so the answer itself can still be passed back.

use worker::web_sys::Response;

use crate::{
    core::{
        config::Config,
        gateway::{
            ApiError, Caller, RetryHeaders, Verdict,
            access::{self, DEADLINE, MAX_ERROR_BODY},
            account,
        },
        json, reconcile,
        storage::without_ids,
    },
    worker::{
        http::{Call, Reply, copy_headers, error_body, read_answer},
        platform::{self, Failure},
    },
};

/// An answer of OFAuth's, and the part of it that was understood.
pub struct UpstreamAnswer {
    pub(super) response: Response,
    /// The path of the request, without the query.
    path: String,
    /// The body, if the answer is one that must be understood and its body could be read.
    read_body: Option<Vec<u8>>,
    pub(super) refusal: Option<ApiError>,
}

/// What `GET /v2/access/self` says about the session.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct SelfStatus {
    is_auth: Option<bool>,
}

impl UpstreamAnswer {
    /// Reads a refusal, or the body of `/v2/access/self`, for at most `timeout_ms`. The body of `response` itself stays
    /// unread. A body that is too long or too slow is ignored.
    pub(super) async fn from_response(response: Response, path: &str, timeout_ms: i64) -> Self {
        let status = response.status();
        let may_refuse = access::may_be_refusal(path, status);
        let needs_body = may_refuse || (access::is_self_path(path) && status == 200);
        let read_body = if needs_body { read_copy(&response, timeout_ms).await } else { None };
        let refusal = read_body.as_ref().filter(|_| may_refuse).and_then(|body| ApiError::read_refusal(status, body));
        Self { response, path: path.to_owned(), read_body, refusal }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status()
    }

    /// The error of a 401 or 403 that has OFAuth's shape.
    pub fn refusal(&self) -> Option<&ApiError> {
        self.refusal.as_ref()
    }

    /// A copy of the body, if it is JSON of at most [`MAX_ERROR_BODY`] bytes and arrives within [`DEADLINE`] ms.
    pub async fn json(&self) -> Option<Vec<u8>> {
        match &self.read_body {
            Some(body) => Some(body.clone()),
            None => read_copy(&self.response, DEADLINE).await,
        }
    }

    /// Whether OFAuth did what it was asked to do: see [`account::is_success`].
    pub async fn is_success(&self) -> bool {
        account::is_success(self.status(), self.json().await.as_deref(), self.is_html())
    }

    /// Whether the connection does not exist any more after a DELETE: see [`account::is_deleted`].
    pub async fn is_deleted(&self) -> bool {
        account::is_deleted(self.status(), self.json().await.as_deref(), self.is_html())
    }

    fn is_html(&self) -> bool {
        let content_type = self.response.headers().get("content-type").ok().flatten();
        content_type.is_some_and(|content_type| content_type.to_ascii_lowercase().contains("html"))
    }

    /// The reply to a caller when a request that the gateway made for it did not succeed. `id` is OFAuth's id of the
    /// connection that the request was for.
    ///
    /// A server gets OFAuth's answer unchanged. A session or the console gets OFAuth's message, type and
    /// `actionRequired`, with a handle in the place of each connection id, and the headers that say how long to wait.
    ///
    /// Fails with UPSTREAM_UNREACHABLE if the answer has no error status.
    pub async fn into_error_reply(
        self,
        caller: &Caller,
        id: Option<&str>,
        call: &Call,
        config: &Config,
    ) -> Result<Reply, Failure> {
        let status = self.status();
        if *caller == Caller::Server && status >= 300 {
            return self.into_reply();
        }
        let not_an_error = || Failure::upstream("the answer is neither a success nor an error".into());
        let error = self.error().await.ok_or_else(not_an_error)?;
        let message =
            id.map_or_else(|| error.message.clone(), |id| error.message.replace(id, &config.index.handle(id)));
        let request_id = error.request_id.as_ref().unwrap_or(&call.id);
        let message = without_ids(&message, &config.index);
        let body = error_body(&message, &error.code, request_id, error.action_required.as_deref());
        let is_forwarded =
            |name: &str, _: &str| matches!(name, "retry-after" | "x-request-id") || name.starts_with("x-ratelimit-");
        let headers = copy_headers(&self.response.headers(), is_forwarded);
        Ok(Reply::upstream_with_body(status, headers, body).with_verdict(Some(error.verdict)))
    }

    /// The error, for a status of 400 or more: with the seconds to wait, from a header or the body.
    ///
    /// A 401 or 403 without OFAuth's shape was not sent by OFAuth, but by something on the way to it. It counts as a
    /// 502.
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

    /// Whether a success says nothing about the connection. OFAuth answers `/v2/access/self` with 200 for a dead
    /// session too, so such a 200 shows something only if it answers a GET and its body was read. Under the raw proxy it is
    /// OnlyFans that answers, also to calls that need no session.
    pub fn is_inconclusive(&self, method: &str) -> bool {
        let is_silent = access::is_self_path(&self.path) && (method != "GET" || self.self_status().is_none());
        self.response.ok() && (is_silent || access::is_raw_proxy_path(&self.path))
    }

    /// The `isAuth` of `/v2/access/self`: false means that the session is dead. `None` for any other answer.
    pub fn is_auth(&self) -> Option<bool> {
        self.self_status()?.is_auth
    }

    fn self_status(&self) -> Option<SelfStatus> {
        let body = self.read_body.as_ref().filter(|_| access::is_self_path(&self.path))?;
        json::from_slice(body).ok()
    }

    /// The `Retry-After` header of an error, in seconds. `None` if it is absent or a date.
    pub(super) fn retry_after(&self) -> Option<u64> {
        if self.status() < 400 {
            return None;
        }
        self.response.headers().get("retry-after").ok().flatten()?.trim().parse().ok()
    }

    /// How long to wait before the next request because the rate limit is used up, in ms.
    pub(super) fn pause(&self) -> i64 {
        let header = |name| self.response.headers().get(name).ok().flatten();
        let (remaining, reset) = (header("x-ratelimit-remaining"), header("x-ratelimit-reset"));
        reconcile::pause(remaining.as_deref(), reset.as_deref(), platform::now_ms())
    }

    /// OFAuth's answer as the reply to the caller, its body streamed.
    ///
    /// A refusal that means "the user must link again" gets `actionRequired` if it has none. An error gets the header
    /// `x-ofauth-edge-action`.
    pub fn into_reply(self) -> Result<Reply, Failure> {
        let status = self.response.status();
        let headers = copy_headers(&self.response.headers(), access::forwards_response_header);
        let verdict = access::verdict(&self.path, status, self.refusal.as_ref());
        let relink = self.refusal.is_some_and(|refusal| refusal.verdict == Verdict::Relink);
        let with_hint = self.read_body.as_ref().filter(|_| relink).and_then(|body| access::with_relink_hint(body));
        let reply = match with_hint {
            Some(body) => {
                headers.delete("content-length").map_err(Failure::upstream)?;
                Reply::upstream_with_body(status, headers, body)
            }
            None => Reply::upstream(status, headers, self.response.body()),
        };
        Ok(reply.with_verdict(verdict))
    }
}

/// Reads a copy of a JSON body. `None` if it is not JSON, too long, too slow or broken off.
async fn read_copy(response: &Response, timeout_ms: i64) -> Option<Vec<u8>> {
    let header = |name| response.headers().get(name).ok().flatten();
    let is_json = header("content-type").is_some_and(|value| value.to_ascii_lowercase().contains("json"));
    let length = header("content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or_default();
    let copy = (is_json && length <= MAX_ERROR_BODY).then(|| response.clone().ok()).flatten()?;
    read_answer(copy.body(), MAX_ERROR_BODY, timeout_ms).await
}
