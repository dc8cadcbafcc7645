//! Leases: of several equal changes of a connection at OFAuth, one at a time is made.
//!
//! A caller takes the lease of a change before it makes the change. While another caller has the lease, the request waits
//! for the reply of that one and shares it. So a hundred deletes at once are one delete at OFAuth. A lease is in memory
//! only: if the object stops, the change is at worst made twice, which OFAuth allows.

use std::{cell::RefCell, mem, pin::pin};

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use serde::{Deserialize, Serialize};

use crate::worker::{http::SharedReply, platform};

/// How long a lease is valid, in ms. Then one of those who wait takes it over, because its holder may be gone.
const LIFETIME: i64 = 10_000;

/// The answer to a request for a lease.
#[derive(Debug, Serialize, Deserialize)]
pub enum Lease {
    /// The caller has the lease. It must report the reply.
    Granted,
    /// Another caller had it, with this reply.
    Shared(SharedReply),
    /// Another caller had it. Its reply cannot be shared, or did not come in time.
    Ended,
}

/// The leases of one ledger.
#[derive(Default)]
pub struct Leases(RefCell<Vec<HeldLease>>);

struct HeldLease {
    change: String,
    since: i64,
    waiting: Vec<oneshot::Sender<Option<SharedReply>>>,
}

impl Leases {
    /// Takes the lease of a change, or waits for the reply of the caller that has it.
    pub async fn take(&self, change: String) -> Lease {
        let now = platform::now_ms();
        let (reply, remaining) = {
            let mut held = self.0.borrow_mut();
            held.retain(|lease| lease.since + LIFETIME > now);
            let Some(lease) = held.iter_mut().find(|lease| lease.change == change) else {
                held.push(HeldLease { change, since: now, waiting: Vec::new() });
                return Lease::Granted;
            };
            let (sender, receiver) = oneshot::channel();
            lease.waiting.push(sender);
            (receiver, lease.since + LIFETIME - now)
        };
        match select(reply, pin!(platform::wait(remaining))).await {
            Either::Left((Ok(Some(reply)), _)) => Lease::Shared(reply),
            _ => Lease::Ended,
        }
    }

    /// Ends the lease of a change and hands the reply to those who wait.
    pub fn end(&self, change: &str, reply: Option<SharedReply>) {
        let (ended, held) = mem::take(&mut *self.0.borrow_mut()).into_iter().partition(|lease| lease.change == change);
        self.0.replace(held);
        let ended: Vec<HeldLease> = ended;
        for waiting in ended.into_iter().flat_map(|lease| lease.waiting) {
            // Fails if the caller has left.
            let _ = waiting.send(reply.clone());
        }
    }
}
