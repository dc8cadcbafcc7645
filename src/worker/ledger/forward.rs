//! Forwards the deliveries of a ledger to the app, in the order in which they were received: the next one goes when the one
//! before was taken or parked. `core/gateway/forward.rs` has the rules.
//!
//! It starts after a delivery was stored, and by the ledger's alarm. Nobody waits for it. Each result is one commit, in which
//! the alarm is set too: see `outbox.rs`.

use std::cell::Cell;

use wasm_bindgen::prelude::*;
use worker::{
    js_sys::{Promise, Uint8Array, futures::JsFuture},
    web_sys::Response,
};

use super::{
    outbox::{First, Unsent},
    store::LedgerStore,
};
use crate::{
    core::{
        config::{Config, ForwardTarget},
        gateway::forward::{Answer, Next, TIMEOUT},
        webhook::sign_ofauth,
    },
    worker::platform::{self, log_error},
};

/// How many events are sent without a pause. Then the alarm goes on, because the platform limits the requests of one call.
const MAX_IN_A_ROW: u32 = 20;

// An unread body would keep its connection open.
#[wasm_bindgen(inline_js = r#"
export async function post(url, signature, digest, version, timestamp, body, timeout) {
  const headers = {
    "content-type": "application/json",
    "ofauth-signature": signature,
    "x-ofauth-edge-digest": digest,
    "x-ofauth-edge-version": version,
    "x-ofauth-edge-original-timestamp": timestamp,
  };
  const signal = AbortSignal.timeout(timeout);
  const answer = await fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
  await answer.body?.cancel();
  return answer;
}
"#)]
extern "C" {
    /// Sends one event. The promise is rejected if there is no answer in time, in ms.
    fn post(
        url: &str,
        signature: &str,
        digest: &str,
        version: f64,
        timestamp: f64,
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
    pub async fn run(&self, store: &LedgerStore, config: &Config) {
        let Some(target) = config.forward.as_ref().filter(|_| !self.is_running.replace(true)) else { return };
        if let Err(error) = self.send_all(target, store, config).await {
            log_error("forward", &error);
        }
        store.outbox.set_sending(None);
        self.is_running.set(false);
    }

    async fn send_all(&self, target: &ForwardTarget, store: &LedgerStore, config: &Config) -> worker::Result<()> {
        for _ in 0..MAX_IN_A_ROW {
            let now = platform::now_ms();
            let handle = store.row(config)?.map(|row| row.handle.clone()).unwrap_or_default();
            let first = store.outbox.first_due(&handle, now, config)?;
            store.outbox.set_sending(Some(now));
            match first {
                First::Nothing => return Ok(()),
                First::Lost(id) => {
                    log_error("forward", &"an event was deleted before the app took it".into());
                    store.change_outbox(config, &|outbox| outbox.remove(&id))?;
                }
                First::Unsent(unsent) => send(&unsent, target, store, config).await?,
            }
        }
        store.change_outbox(config, &|outbox| {
            outbox.set_sending(None);
            Ok(())
        })
    }
}

/// Sends one event and notes the result.
async fn send(unsent: &Unsent, target: &ForwardTarget, store: &LedgerStore, config: &Config) -> worker::Result<()> {
    let response = attempt(unsent, target).await;
    let retry_after = response.as_ref().and_then(|response| response.headers().get("retry-after").ok().flatten());
    let answer = match &response {
        Some(response) => Answer::Status(response.status(), retry_after.as_deref()),
        None => Answer::None,
    };
    let now = platform::now_ms();
    let next = unsent.waiting.after(answer, now, platform::random_fraction());
    let log = |what: &str| {
        let answered = match answer {
            Answer::Status(status, _) => format!("the app answered {status}{what}"),
            Answer::None if unsent.body.is_none() => format!("STORAGE_KEY lacks the key of an event{what}"),
            Answer::None => format!("the app did not answer{what}"),
        };
        log_error("forward", &answered.into());
    };
    match next {
        Next::Again { .. } if unsent.waiting.attempts == 0 => log(""),
        Next::Parked => log(": the event was parked"),
        _ => {}
    }
    store.outbox.set_sending(Some(now));
    store.change_outbox(config, &|outbox| match next {
        Next::Taken => outbox.remove(&unsent.id),
        Next::Parked => outbox.park(&unsent.id, now),
        Next::Again { at, refused_at } => {
            outbox.set_sending(None);
            outbox.postpone(&unsent.id, at, refused_at)
        }
    })
}

/// The app's answer, if it came in time.
#[expect(clippy::cast_precision_loss, reason = "safe integers")]
async fn attempt(unsent: &Unsent, target: &ForwardTarget) -> Option<Response> {
    let body = unsent.body.as_deref()?;
    let now = u64::try_from(platform::now_ms() / 1_000).unwrap_or_default();
    let signature = sign_ofauth(body, target.secret.reveal(), now).ok()?;
    let (version, timestamp) = (unsent.version as f64, (unsent.stamp / 1_000) as f64);
    let body = Uint8Array::from(body);
    let sent = post(&target.url, &signature, &unsent.id, version, timestamp, &body, TIMEOUT as f64);
    JsFuture::from(sent).await.ok().map(JsCast::unchecked_into)
}
