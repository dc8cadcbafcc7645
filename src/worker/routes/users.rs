//! `DELETE /edge/users/{clientReferenceId}`: deletes a user's connections at OFAuth, and the user's data here.
//!
//! One encrypted id per connection stays in its ledger for 90 days, so that late webhooks are recognised.

use percent_encoding::percent_decode_str;
use serde::Serialize;
use worker::Env;

use crate::{
    core::{
        config::Config,
        gateway::{Caller, EdgeError},
        webhook::MAX_TEXT_BYTES,
    },
    worker::{
        http::{Call, RETRY_AFTER, Reply},
        hub::{self, ErasureError, ErasureProgress},
        platform::{self, Failure},
    },
};

/// How long the answer waits for the end of the erasure, in ms.
const ANSWER_TIMEOUT: i64 = 10_000;
/// The first pause between two questions to the hub, in ms. Each further one is twice as long, up to [`MAX_PAUSE`].
const MIN_PAUSE: i64 = 25;
const MAX_PAUSE: i64 = 1_600;

/// Deletes a user.
///
/// 1. Only a server may do this.
/// 2. The user's hub starts the erasure, or has one running already. See `hub/erasure.rs` for what it does.
/// 3. If connections could not be deleted, the answer is the first error, and names their handles.
/// 4. The answer waits for the end of the erasure. After [`ANSWER_TIMEOUT`] it is 202 `{done, remaining}`; the erasure goes on.
///
/// The request can be repeated. It fails with STORAGE_UNAVAILABLE during a roll-out, if the hub or a ledger runs an older
/// build, which does not know erasures.
pub async fn delete(segment: &str, call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    caller.require_server()?;
    let reference =
        percent_decode_str(segment).decode_utf8().ok().filter(|reference| reference.len() <= MAX_TEXT_BYTES);
    let reference = reference.ok_or(EdgeError::BadRequest("clientReferenceId is UTF-8 of at most 4096 bytes"))?;
    // 2.
    let (mut job, mut pause) = (None, MIN_PAUSE);
    loop {
        let ErasureProgress { job: running, has_ended, deleted, remaining, failed, error } =
            hub::erase(&reference, job, config, env).await?;
        job = Some(running);
        // 3.
        match error {
            Some(ErasureError { code, detail, .. }) if code == EdgeError::StorageUnavailable.code() => {
                return Err(Failure { error: EdgeError::StorageUnavailable, detail });
            }
            Some(error) => return Ok(incomplete(error, deleted, &failed, call)),
            None if has_ended => return Ok(Reply::success("The user has been deleted", Some(deleted))),
            None => {}
        }
        // 4.
        if platform::now_ms() + pause > call.started() + ANSWER_TIMEOUT {
            #[derive(Serialize)]
            struct Pending {
                done: usize,
                remaining: usize,
            }
            return Ok(Reply::json(&Pending { done: deleted, remaining }).with_status(202));
        }
        platform::wait(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// The error reply when connections could not be deleted: the members of every own error, how many were deleted, and the
/// handles of those that were not.
fn incomplete(error: ErasureError, deleted: usize, failed: &[String], call: &Call) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Incomplete<'a> {
        error: &'a str,
        message: &'a str,
        r#type: &'a str,
        code: &'a str,
        request_id: &'a str,
        deleted: usize,
        failed: &'a [String],
    }
    let ErasureError { status, code, action, retry_after, detail } = error;
    let message = "some connections of the user could not be deleted; send the request again";
    let (code, request_id) = (code.as_str(), call.id.as_str());
    let seconds = retry_after.map(|seconds| seconds.to_string());
    let retry_after = seconds.as_deref().or((status == 503).then_some(RETRY_AFTER));
    let body = Incomplete { error: message, message, r#type: code, code, request_id, deleted, failed };
    Reply::json(&body)
        .with_status(status)
        .with_header("x-ofauth-edge-action", &action)
        .with_optional_header("retry-after", retry_after)
        .with_detail(detail.or_else(|| Some(format!("{} not deleted: {code}", failed.len()))))
}
