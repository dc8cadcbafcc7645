//! Copies a ledger's record to Workers KV and to the hub of its user.
//!
//! Awaiting a write to KV or a message to a hub does not block other requests to the object, so two of them could finish
//! in the wrong order. Therefore each destination has a queue: at most one write is in flight, and each write carries the
//! newest version. Writes to KV are at least [`PUT_GAP`] apart. A queue runs while its destination lacks a version.
//!
//! The alarm retries what failed: after 2 s, doubling to 5 min, for as long as it takes. It was set when the delivery was
//! stored, so a copy is made even if the object stops. When both destinations have the newest version, the ledger notes
//! that in one commit ("settles"). What is noted before that is only in memory: after a stop, a copy is made again.

use std::{cell::Cell, pin::pin, rc::Rc};

use futures_util::future::{Either, join, select};
use worker::Env;

use super::{
    forward::Forwarder,
    lane,
    queue::ProjectionQueue,
    reseal,
    row::{LedgerRow, MAX_RETRY, MIN_RETRY},
    store::LedgerStore,
};
use crate::{
    core::{
        config::Config,
        storage::{self, KvPut},
    },
    worker::{
        hub::{self, HubUpdate, Message},
        metrics,
        platform::{
            self, Database, State, environment,
            kv::{Kv, PUT_GAP},
            log_error, wait,
        },
    },
};

/// How long the answer to OFAuth waits for the first attempt, in ms.
const ATTEMPT_TIMEOUT: i64 = 1_000;
/// How long one write to KV, or one message to a hub, may take, in ms.
const WRITE_TIMEOUT: i64 = 30_000;

/// The projector of one ledger.
pub struct Projector {
    state: State,
    pub env: Env,
    store: LedgerStore,
    forwarder: Forwarder,
    last_put: Cell<i64>,
    kv: ProjectionQueue,
    hub: ProjectionQueue,
}

#[derive(Clone, Copy)]
enum Destination {
    Kv,
    Hub,
}

impl Projector {
    pub fn new(state: State, env: Env) -> Self {
        let store = LedgerStore::new(&state);
        let (kv, hub) = (ProjectionQueue::default(), ProjectionQueue::default());
        Self { state, env, store, forwarder: Forwarder::default(), last_put: Cell::new(0), kv, hub }
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn store(&self) -> &LedgerStore {
        &self.store
    }

    /// Starts the queues that are not running, and waits for the first attempt to write `version` to each destination, at
    /// most a second.
    ///
    /// An attempt cannot start while the last write to KV is less than [`PUT_GAP`] ago or a write is in flight. It is only
    /// waited for if `waits_for_gap`: a sender of webhooks gains nothing from it, but a caller who deletes a connection
    /// and lists connections next expects to see that.
    pub async fn attempt(self: &Rc<Self>, version: i64, waits_for_gap: bool) {
        let may_put_now = !self.kv.is_running.get() && self.put_gap() <= 0;
        let kv = (may_put_now || waits_for_gap).then(|| self.kv.attempted(version));
        let hub = (!self.hub.is_running.get() || waits_for_gap).then(|| self.hub.attempted(version));
        for destination in [Destination::Kv, Destination::Hub] {
            if !self.queue(destination).is_running.replace(true) {
                let projector = Rc::clone(self);
                self.state.wait_until(async move { projector.run(destination).await });
            }
        }
        let attempts = async {
            for attempt in [kv, hub].into_iter().flatten() {
                // The sender is dropped when nothing more will be attempted.
                _ = attempt.await;
            }
        };
        select(pin!(attempts), pin!(wait(ATTEMPT_TIMEOUT))).await;
    }

    /// Starts to forward the events that wait to the app, and does not wait for that.
    pub fn forward(self: &Rc<Self>, config: &Rc<Config>) {
        if config.forward.is_some() && !self.forwarder.is_running() {
            let (projector, config) = (Rc::clone(self), Rc::clone(config));
            self.state.wait_until(async move {
                if projector.forwarder.run(&projector.store, &config, &projector.env).await
                    && let Err(error) = projector.delete_all().await
                {
                    log_error("forward", &error);
                }
                metrics::hand_over_forwards(&projector.env).await;
            });
        }
    }

    /// The alarm: prunes, copies what is dirty, forwards what is due, and sets the next alarm. Fails only if setting the
    /// alarm fails.
    pub async fn wake(self: &Rc<Self>) -> platform::Result<()> {
        match self.try_wake().await {
            Ok(()) => Ok(()),
            Err(error) if self.store.lacks_key() => {
                if self.store.back_off(platform::now_ms())? {
                    log_error("alarm", &error);
                }
                Ok(())
            }
            Err(error) => {
                log_error("alarm", &error);
                // The configuration or the storage is broken. Try again later.
                self.store.set_alarm(platform::now_ms() + MAX_RETRY)
            }
        }
    }

    async fn try_wake(self: &Rc<Self>) -> platform::Result<()> {
        let config = environment::config(&self.env).map_err(|_| "not configured")?;
        let now = platform::now_ms();
        let Some(row) = self.store.row(&config)?.map(|row| row.clone()) else {
            let is_over = lane::wake(&self.store, &config)?;
            self.forward(&config);
            return if is_over { self.delete_all().await } else { Ok(()) };
        };
        self.store.forget_alarm();
        let is_busy = self.kv.is_running.get() || self.hub.is_running.get();
        if row.purge_at.is_some_and(|at| at <= now) && !is_busy {
            match (row.is_erased(), row.is_dirty()) {
                // KV and the hub do not have it any more.
                (true, false) => return self.delete_all().await,
                (true, true) => {}
                (false, _) => self.store.erase(&config, now).map(|_| ())?,
            }
        }
        self.store.prune(&config, now)?;
        if reseal::reseal(&self.store, &Database::new(&self.state), &config)? {
            self.unproject(&config)?;
        }
        let Some(row) = self.store.row(&config)?.map(|row| row.clone()) else { return Ok(()) };
        // Not awaited: while the handler of an alarm runs, the next alarm does not ring, and the app may be slow.
        self.store.outbox.expect_sending(&config, now)?;
        self.forward(&config);
        if !self.is_dirty(&row) && !is_busy {
            return self.store.settle(row.version, &config);
        }
        // Before the attempt, so that the next one comes whatever becomes of this one.
        self.store.postpone(now + row.retry_ms, (row.retry_ms * 2).min(MAX_RETRY), &config)?;
        let run = async |destination| {
            if !self.queue(destination).is_running.replace(true) {
                self.run(destination).await;
            }
        };
        join(run(Destination::Kv), run(Destination::Hub)).await;
        Ok(())
    }

    async fn delete_all(&self) -> platform::Result<()> {
        self.store.forget();
        Database::new(&self.state).delete_all().await
    }

    async fn run(self: &Rc<Self>, destination: Destination) {
        let config = environment::config(&self.env);
        if let Ok(config) = &config {
            let done = match destination {
                Destination::Kv => self.project_to_kv(config).await,
                Destination::Hub => self.project_to_hub(config).await,
            };
            if let Err(error) = done {
                log_error("projector", &error);
            }
        }
        let queue = self.queue(destination);
        queue.is_running.set(false);
        queue.notify(i64::MAX);
        if let Ok(config) = &config
            && let Err(error) = self.settle(config)
        {
            log_error("projector", &error);
        }
    }

    /// Writes the newest version to KV until KV has it, or a write fails.
    async fn project_to_kv(self: &Rc<Self>, config: &Config) -> platform::Result<()> {
        let kv = Kv::open(&self.env)?;
        while self.store.row(config)?.is_some_and(|row| self.kv_version(&row) < row.version) {
            let gap = self.put_gap();
            if gap > 0 {
                wait(gap.min(PUT_GAP)).await;
            }
            let Some(row) = self.store.row(config)?.map(|row| row.clone()) else { return Ok(()) };
            let nonces = [platform::nonce(), platform::nonce()];
            let put =
                row.record().map(|record| storage::put_connection(&record, &config.index, &config.sealer, nonces));
            let done = self.write(&kv, storage::connection_key(&row.handle), put).await;
            // KV counts from when it took the write, and that was no later than now.
            self.last_put.set(platform::now_ms());
            if done.is_ok() {
                self.kv.version.set(self.kv.version.get().max(row.version));
            }
            self.kv.notify(row.version);
            done?;
        }
        Ok(())
    }

    /// Sends updates to the user's hub until it has the newest version, or a message fails. Former hubs first get an update
    /// that the connection left.
    async fn project_to_hub(&self, config: &Config) -> platform::Result<()> {
        while let Some(row) = self.store.row(config)?.map(|row| row.clone())
            && self.hub_version(&row) < row.version
        {
            let (version, handle) = (row.version, row.handle.clone());
            let done = async {
                for former in &row.former_hubs {
                    self.send_update(former, HubUpdate { handle: handle.clone(), version, record: None }).await?;
                }
                match (&row.hub, row.record()) {
                    (Some(hub), Some(record)) => {
                        self.send_update(hub, HubUpdate { handle, version, record: Some(record) }).await
                    }
                    _ => Ok(()),
                }
            };
            let done = done.await;
            if done.is_ok() {
                self.hub.version.set(version);
            }
            self.hub.notify(version);
            done?;
        }
        Ok(())
    }

    /// One write of a key, or a delete if there is nothing to write. A write that takes longer than [`WRITE_TIMEOUT`] is
    /// given up. If it finishes later, it may have replaced a newer one, so the newest is written again.
    async fn write(self: &Rc<Self>, kv: &Kv, key: String, put: Option<KvPut>) -> platform::Result<()> {
        let kv = kv.clone();
        let put = Box::pin(async move {
            match put {
                Some(put) => kv.put(put).await,
                None => kv.delete(&key).await,
            }
        });
        let late = match select(put, pin!(wait(WRITE_TIMEOUT))).await {
            Either::Left((done, _)) => return done,
            Either::Right(((), late)) => late,
        };
        let projector = Rc::clone(self);
        self.state.wait_until(async move {
            if late.await.is_ok()
                && let Err(error) = projector.put_again().await
            {
                log_error("projector", &error);
            }
        });
        Err("KV did not answer".into())
    }

    /// Writes to KV what it has already.
    pub async fn put_again(self: &Rc<Self>) -> platform::Result<()> {
        let config = environment::config(&self.env).map_err(|_| "not configured")?;
        let Some(version) = self.store.row(&config)?.map(|row| row.version) else { return Ok(()) };
        self.unproject(&config)?;
        self.attempt(version, false).await;
        Ok(())
    }

    fn unproject(&self, config: &Config) -> platform::Result<()> {
        self.kv.version.set(0);
        self.store.unproject(platform::now_ms() + MIN_RETRY, config)
    }

    /// One message. It carries its version, so a message that arrives late does no harm.
    async fn send_update(&self, hub: &str, update: HubUpdate) -> platform::Result<()> {
        let sent = hub::send(hub, Message::Update(update), &self.env);
        match select(pin!(sent), pin!(wait(WRITE_TIMEOUT))).await {
            Either::Left((done, _)) => done.map(|_| ()),
            Either::Right(_) => Err("the hub did not answer".into()),
        }
    }

    /// Notes in the ledger that both destinations have the newest version, if they do.
    fn settle(&self, config: &Config) -> platform::Result<()> {
        let version = self.store.row(config)?.filter(|row| !self.is_dirty(row)).map(|row| row.version);
        version.map_or(Ok(()), |version| self.store.settle(version, config))
    }

    /// Whether KV or the hub lacks the newest version. The ledger may not have noted yet that they have it.
    fn is_dirty(&self, row: &LedgerRow) -> bool {
        self.kv_version(row).min(self.hub_version(row)) < row.version
    }

    fn kv_version(&self, row: &LedgerRow) -> i64 {
        self.kv.version.get().max(row.projected)
    }

    fn hub_version(&self, row: &LedgerRow) -> i64 {
        self.hub.version.get().max(row.hub_version)
    }

    fn queue(&self, destination: Destination) -> &ProjectionQueue {
        match destination {
            Destination::Kv => &self.kv,
            Destination::Hub => &self.hub,
        }
    }

    /// How long the next write to KV must wait, in ms; 0 or less if it may start now.
    fn put_gap(&self) -> i64 {
        self.last_put.get() + PUT_GAP - platform::now_ms()
    }
}
