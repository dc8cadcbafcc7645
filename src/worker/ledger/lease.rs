//! Leases: of several equal calls that change a connection at OFAuth, one at a time is made.
//!
//! Whoever wants to make a call asks for its lease first. While another has it, the request waits for the result of that
//! one and shares it. So a hundred deletes at once are one delete at OFAuth. A lease is in memory only: if the object
//! stops, the call is at worst made twice, which OFAuth allows.

use std::{cell::RefCell, mem, pin::pin};

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use serde::{Deserialize, Serialize};

use crate::worker::platform;

/// How long a lease is valid, in ms. Then one of those who wait takes it over, because its holder may be gone.
const LIFETIME: i64 = 10_000;

/// The answer to a request for a lease.
#[derive(Debug, Serialize, Deserialize)]
pub enum Lease {
    /// The caller has the lease. It must report the result.
    Granted,
    /// Another caller had it, with this result.
    Shared(CallResult),
    /// Another caller had it, and its result is of no use to others.
    Ended,
}

/// The result of a call that others may share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallResult {
    /// The HTTP status of the reply.
    pub status: u16,
    /// The JSON body of the reply.
    pub body: String,
    /// The value of the header `x-ofauth-edge-action`, if the reply has it.
    pub action: Option<String>,
}

/// The leases of one ledger.
#[derive(Default)]
pub struct Leases(RefCell<Vec<HeldLease>>);

struct HeldLease {
    call: String,
    since: i64,
    waiting: Vec<oneshot::Sender<Option<CallResult>>>,
}

impl Leases {
    /// Takes the lease of a call, or waits for the result of the one that has it.
    pub async fn take(&self, call: String) -> Lease {
        let now = platform::now_ms();
        let (result, remaining) = {
            let mut held = self.0.borrow_mut();
            held.retain(|lease| lease.since + LIFETIME > now);
            let Some(lease) = held.iter_mut().find(|lease| lease.call == call) else {
                held.push(HeldLease { call, since: now, waiting: Vec::new() });
                return Lease::Granted;
            };
            let (sender, receiver) = oneshot::channel();
            lease.waiting.push(sender);
            (receiver, lease.since + LIFETIME - now)
        };
        match select(result, pin!(platform::wait(remaining))).await {
            Either::Left((Ok(Some(result)), _)) => Lease::Shared(result),
            _ => Lease::Ended,
        }
    }

    /// Ends the lease of a call and hands its result to those who wait.
    pub fn end(&self, call: &str, result: Option<CallResult>) {
        let (ended, held) = mem::take(&mut *self.0.borrow_mut()).into_iter().partition(|lease| lease.call == call);
        self.0.replace(held);
        let ended: Vec<HeldLease> = ended;
        for waiting in ended.into_iter().flat_map(|lease| lease.waiting) {
            // Fails if the caller has left.
            let _ = waiting.send(result.clone());
        }
    }
}
