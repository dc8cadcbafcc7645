//! Forwards the deliveries of a ledger to the app, in the order in which they were received: the next one goes when the one
//! before was taken or parked. `core/gateway/forward.rs` has the rules.
//!
//! It starts after a delivery was stored, and by the ledger's alarm. Nobody waits for it. Each result is one commit, in which
//! the alarm is set too: see `outbox.rs`.

use std::{cell::Cell, pin::pin};

use futures_util::future::{Either, select};
use wasm_bindgen::prelude::*;
use worker::{
    Env,
    js_sys::{Promise, Uint8Array, futures::JsFuture},
};

use super::{
    forwards,
    outbox::{FirstDue, Unsent},
    store::LedgerStore,
};
use crate::{
    core::{
        config::{Config, ForwardTarget},
        gateway::{
            OwnEvent,
            deliveries::delivery_item,
            forward::{Answer, KEY_MISSING, Next, TIMEOUT, wait_after},
            is_link_event,
        },
        monitor::name,
        webhook::sign_ofauth,
    },
    worker::{
        metrics,
        platform::{self, log_error, wait},
    },
};

/// How many events are sent without a pause. Then the alarm goes on, because the platform limits the requests of one call.
const MAX_IN_A_ROW: u32 = 20;

/// How long the index of forwards may take to answer, in ms.
const INDEX_TIMEOUT: i64 = 3_000;
/// An event whose end the index did not confirm is sent again as if so many more attempts had failed: after 80 s or more at first,
/// and after up to an hour in the end. All lanes share the one index, so their retries must not keep it from answering.
const INDEX_HANDICAP: i64 = 5;

// An unread body would keep its connection open. `Retry-After` may be a date (RFC 9110, section 10.2.3). A message of a queue
// is text, because a consumer that pulls it gets text as it is, and JSON in base64. A message may have 128,000 bytes, of which
// the platform takes about 100 (https://developers.cloudflare.com/queues/platform/limits/). The size is looked at after the queue
// has refused, so a higher limit needs no change here.
#[wasm_bindgen(inline_js = r#"
function messageOf(headers, body) {
  let encoding = "utf8";
  try {
    body = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    encoding = "base64";
    body = body.toBase64();
  }
  return JSON.stringify({ headers: Object.fromEntries(new Headers(headers)), encoding, body });
}

export async function post({ FORWARD_QUEUE: queue, FORWARD: service }, url, signature, digest, version, timestamp, isReplay, body, timeout) {
  const headers = {
    "content-type": "application/json",
    "ofauth-signature": signature,
    "x-ofauth-edge-digest": digest,
    "x-ofauth-edge-original-timestamp": timestamp,
  };
  if (version) headers["x-ofauth-edge-version"] = version;
  if (isReplay) headers["x-ofauth-edge-replay"] = "1";
  let message;
  try {
    const signal = AbortSignal.timeout(timeout);
    if (queue?.send) {
      message = messageOf(headers, body);
      const aborted = new Promise((_, reject) => (signal.onabort = () => reject(signal.reason)));
      await Promise.race([queue.send(message, { contentType: "text" }), aborted]);
      return "200 ";
    }
    const answer = await (service ?? globalThis).fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
    await answer.body?.cancel();
    const after = answer.headers.get("retry-after") ?? "";
    return `${answer.status} ${isNaN(after) ? Math.ceil((Date.parse(after) - Date.now()) / 1e3) : after}`;
  } catch ({ name }) {
    if (name === "TimeoutError") return "timeout";
    if (!message) return "network_error";
    return new TextEncoder().encode(message).length > 127_900 ? "too_large" : "queue_error";
  }
}
"#)]
extern "C" {
    /// Sends one event, to the queue if there is one, else to the service if there is one. Gives what [`Answer::read`] reads.
    /// The timeout is in ms.
    fn post(
        env: &JsValue,
        url: &str,
        signature: &str,
        digest: &str,
        version: f64,
        timestamp: f64,
        is_replay: bool,
        body: &Uint8Array,
        timeout: f64,
    ) -> Promise;
}

/// The sender of one ledger.
#[derive(Default)]
pub struct Forwarder {
    is_running: Cell<bool>,
}

impl Forwarder {
    pub fn is_running(&self) -> bool {
        self.is_running.get()
    }

    /// Sends the events that are due, one after the other, if events are forwarded and it does not run already.
    /// Returns whether this is a lane whose event the app has taken.
    pub async fn run(&self, store: &LedgerStore, config: &Config, env: &Env) -> bool {
        let Some(target) = config.forward.as_ref().filter(|_| !self.is_running.replace(true)) else { return false };
        let ended = self.send_all(target, store, config, env).await;
        if let Err(error) = &ended {
            log_error("forward", error);
        }
        store.outbox.set_sending(None);
        self.is_running.set(false);
        ended.unwrap_or_default()
    }

    async fn send_all(
        &self,
        target: &ForwardTarget,
        store: &LedgerStore,
        config: &Config,
        env: &Env,
    ) -> platform::Result<bool> {
        for _ in 0..MAX_IN_A_ROW {
            let now = platform::now_ms();
            let handle = store.row(config)?.map(|row| row.handle.clone()).unwrap_or_default();
            let first = store.outbox.first_due(&handle, now, config)?;
            store.outbox.set_sending(Some(now));
            match first {
                FirstDue::Nothing => return Ok(false),
                FirstDue::Lost(id) => {
                    log_error("forward", &"an event was deleted before the app took it".into());
                    metrics::count(name::FORWARD, "lost");
                    _ = update_index(&handle, &id, "", env).await;
                    store.change_outbox(config, &|outbox| outbox.remove(&id))?;
                }
                FirstDue::Unsent(mut unsent) => {
                    write_own(&mut unsent, store, config)?;
                    if send(&unsent, &handle, target, store, config, env).await? {
                        return Ok(true);
                    }
                }
            }
        }
        store.change_outbox(config, &|outbox| {
            outbox.set_sending(None);
            Ok(())
        })?;
        Ok(false)
    }
}

/// Writes the body of an event that the gateway itself has made. None is stored.
fn write_own(unsent: &mut Unsent, store: &LedgerStore, config: &Config) -> platform::Result<()> {
    if let Some(event) = OwnEvent::of_delivery(&unsent.kind) {
        let record = store.row(config)?.and_then(|row| row.record());
        unsent.body = record.map(|record| event.body(unsent.stamp, &record).into_bytes());
        event.kind.clone_into(&mut unsent.kind);
    }
    Ok(())
}

/// Sends one event and notes the result.
///
/// 1. It is sent, and its attempts are counted, also for the metrics.
/// 2. The index is updated, unless the app has taken the event at the first attempt. If the index does not answer, an end is not
///    noted: the event is sent again.
/// 3. The result is noted, unless a lane has no more to do and nothing to remember: then this returns true.
async fn send(
    unsent: &Unsent,
    handle: &str,
    target: &ForwardTarget,
    store: &LedgerStore,
    config: &Config,
    env: &Env,
) -> platform::Result<bool> {
    // 1.
    let result = attempt(unsent, target, env).await;
    let answer = Answer::read(&result);
    let now = platform::now_ms();
    let (waiting, mut next) = unsent.waiting.after(answer, now, platform::random_fraction());
    let is_first = unsent.waiting.attempts == 0;
    metrics::count(name::FORWARD, answer.code());
    // 2.
    if !is_first || next != Next::Taken {
        let item = delivery_item([&unsent.id, &unsent.kind, handle], waiting, answer, next, now);
        if !update_index(handle, &unsent.id, &item, env).await && !matches!(next, Next::Again(_)) {
            next = Next::Again(now + wait_after(unsent.waiting.attempts + INDEX_HANDICAP, platform::random_fraction()));
            metrics::count(name::FORWARD, "failed");
        }
        if !store.outbox.contains(&unsent.id)? {
            // Erased meanwhile. This update may have reached the index after that of the erasure.
            update_index(handle, &unsent.id, "", env).await;
            return Ok(false);
        }
    }
    if next == Next::Parked {
        metrics::count(name::FORWARD, "parked");
    }
    if next == Next::Parked || (is_first && next != Next::Taken) {
        log_error("forward", &waiting.describe(answer, next).into());
    }
    // 3.
    if handle.is_empty() && next == Next::Taken {
        if !is_link_event(&unsent.kind) {
            return Ok(true);
        }
        store.deliveries.clear()?;
    }
    store.outbox.set_sending(Some(now));
    store.change_outbox(config, &|outbox| match next {
        Next::Taken => outbox.remove(&unsent.id),
        Next::Parked => outbox.note(unsent, waiting, now, Some(now)),
        Next::Again(at) => {
            outbox.set_sending(None);
            outbox.note(unsent, waiting, at, None)
        }
    })?;
    Ok(false)
}

/// Makes an event due at `now` (unix ms) that the app has not taken. Returns whether there is one.
pub fn replay(id: &str, store: &LedgerStore, config: &Config, now: i64) -> platform::Result<bool> {
    let is_found = store.outbox.replay(id, now)?;
    if is_found {
        store.outbox.set_sending(Some(now));
        store.change_outbox(config, &|_| Ok(()))?;
    }
    Ok(is_found)
}

/// Updates what the index has about an event: see `forwards.rs`. Returns whether it has answered in time.
pub async fn update_index(handle: &str, id: &str, item: &str, env: &Env) -> bool {
    let path = format!("note/{handle}/{id}");
    let updated = forwards::ask(&path, item, env);
    matches!(select(updated, pin!(wait(INDEX_TIMEOUT))).await, Either::Left((Ok(_), _)))
}

/// The app's answer, as [`Answer::read`] reads it.
#[expect(clippy::cast_precision_loss, reason = "safe integers")]
async fn attempt(unsent: &Unsent, target: &ForwardTarget, env: &Env) -> String {
    let now = u64::try_from(platform::now_ms() / 1_000).unwrap_or_default();
    let Some((body, signature)) =
        unsent.body.as_deref().and_then(|body| Some((body, sign_ofauth(body, target.secret.reveal(), now).ok()?)))
    else {
        return KEY_MISSING.to_owned();
    };
    let (version, timestamp) = (unsent.version as f64, (unsent.stamp / 1_000) as f64);
    let body = Uint8Array::from(body);
    let sent =
        post(env, &target.url, &signature, &unsent.id, version, timestamp, unsent.is_replay, &body, TIMEOUT as f64);
    JsFuture::from(sent).await.ok().and_then(|result| result.as_string()).unwrap_or_default()
}
