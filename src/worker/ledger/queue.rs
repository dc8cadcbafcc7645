//! The writes of a projector to one destination, and who waits for them.

use std::cell::{Cell, RefCell};

use futures_channel::oneshot::{self, Receiver};

/// The writes to one destination.
#[derive(Default)]
pub struct ProjectionQueue {
    pub is_running: Cell<bool>,
    /// The version that the destination has, as far as this wake-up of the object knows.
    pub version: Cell<i64>,
    waiting: RefCell<Vec<(i64, oneshot::Sender<()>)>>,
}

impl ProjectionQueue {
    /// Resolves when `version` or a later one was attempted, or when the queue has stopped.
    pub fn attempted(&self, version: i64) -> Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.borrow_mut().push((version, sender));
        receiver
    }

    /// Wakes those who wait for `version` or an earlier one: everybody for `i64::MAX`.
    pub fn notify(&self, version: i64) {
        self.waiting.borrow_mut().retain(|(wanted, _)| *wanted > version);
    }
}
