//! OFAuth's answers: what must be understood of one, and how it is passed back.

use worker::web_sys::Response;

use crate::{
    core::{
        config::Config,
        gateway::{
            ApiError, Caller, RetryHeaders, Verdict,
            access::{self, DEADLINE, MAX_ERROR_BODY},
            account::{self},
        },
        json::Object,
        storage::without_ids,
    },
    worker::{
        http::{Call, Reply, copy_headers, error_body, read_within},
        platform::{Failure, wait},
    },
};

/// An answer, and what of its body was read.
pub struct Answer {
    pub(super) response: Response,
    path: String,
    read: Option<Vec<u8>>,
    pub(super) refusal: Option<ApiError>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct SelfStatus {
    is_auth: Option<bool>,
}

impl Answer {
    /// Reads what must be understood: a refusal of OFAuth's, and what `/v2/access/self` says of itself. The body itself
    /// stays unread; one that is longer than any of these, or does not come in time, is not understood.
    pub(super) async fn read(response: Response, path: &str, patience: i64) -> Self {
        let status = response.status();
        let may_refuse = access::may_be_refusal(path, status);
        let telling = may_refuse || (access::is_self_path(path) && status == 200);
        let read = if telling { read_copy(&response, patience).await } else { None };
        let refusal = read.as_ref().filter(|_| may_refuse).and_then(|body| ApiError::read_refusal(status, body));
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

    /// See [`account::is_success`].
    pub async fn is_success(&self) -> bool {
        account::is_success(self.status(), self.json().await.as_deref(), self.is_page())
    }

    /// See [`account::is_deleted`].
    pub async fn is_deleted(&self) -> bool {
        account::is_deleted(self.status(), self.json().await.as_deref(), self.is_page())
    }

    fn is_page(&self) -> bool {
        let kind = self.response.headers().get("content-type").ok().flatten();
        kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
    }

    /// An error that answers a call of the gateway's own, for the one it was made for. A server gets it as it is; anybody
    /// else what it says in OFAuth's words, without ids, and how long to wait.
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
        let none = || Failure::upstream("an answer that is none of OFAuth's".into());
        let error = self.error().await.ok_or_else(none)?;
        let message =
            id.map_or_else(|| error.message.clone(), |id| error.message.replace(id, &config.index.handle(id)));
        let request_id = error.request_id.as_ref().unwrap_or(&call.id);
        let message = without_ids(&message, &config.index);
        let body = error_body(&message, &error.code, request_id, error.action_required.as_deref());
        let passes =
            |name: &str, _: &str| matches!(name, "retry-after" | "x-request-id") || name.starts_with("x-ratelimit-");
        let headers = copy_headers(&self.response.headers(), passes).map_err(Failure::upstream)?;
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
    pub fn is_inconclusive(&self, method: &str) -> bool {
        access::is_self_path(&self.path) && self.response.ok() && (method != "GET" || self.own().is_none())
    }

    /// What `/v2/access/self` said of its session.
    pub fn is_auth(&self) -> Option<bool> {
        self.own()?.is_auth
    }

    fn own(&self) -> Option<SelfStatus> {
        let body = self.read.as_ref().filter(|_| access::is_self_path(&self.path))?;
        serde_json::from_slice::<Object<SelfStatus>>(body).ok().map(|Object(own)| own)
    }

    pub(super) fn retry_after(&self) -> Option<u64> {
        self.response.headers().get("retry-after").ok().flatten()?.trim().parse().ok()
    }

    /// The answer as the caller gets it: with a hint in a refusal that means relink and has none, and the verdict on any
    /// error.
    pub fn into_reply(self) -> Result<Reply, Failure> {
        let status = self.response.status();
        let headers =
            copy_headers(&self.response.headers(), access::forwards_response_header).map_err(Failure::upstream)?;
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
