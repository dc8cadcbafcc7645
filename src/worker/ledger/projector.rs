//! The projector: carries a ledger's record to Workers KV and to the hub of its user.
//!
//! A put inside a Durable Object does not close its input gate, so an old one can land last; hence one lane to each
//! place, at most one message in flight in a lane (but for one that was given up), always of the newest version, and at least [`PUT_GAP`] between two
//! puts (KV takes one write a second of a key). A lane runs while its place lacks a version. What it cannot do now the
//! alarm does later: at first after 2 s, doubling to 5 min, for as long as it takes.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    time::Duration,
};

use futures_channel::oneshot::{self, Receiver};
use futures_util::future::{Either, join, select};
use worker::{Delay, Env, ScheduledTime, State, js_sys, kv::KvStore};

use super::{
    row::{MAX_RETRY, MIN_RETRY},
    store::Book,
};
use crate::{
    core::{
        config::Config,
        connection::Record,
        storage::{self, KvPut},
    },
    worker::{
        hub::{self, Message, Told},
        platform::{self, environment, kv, log_error},
    },
};

/// How long the answer to OFAuth waits for the first attempt.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long one put, or one message to a hub, may take.
const PUT_PATIENCE: Duration = Duration::from_secs(30);
/// Between two puts of a key, in milliseconds.
const PUT_GAP: i64 = 1_000;

/// One ledger's projector.
pub struct Projector {
    state: State,
    env: Env,
    last_put: Cell<i64>,
    kv: Lane,
    hub: Lane,
}

/// The way to one place.
#[derive(Default)]
struct Lane {
    running: Cell<bool>,
    waiting: RefCell<Vec<(i64, oneshot::Sender<()>)>>,
}

#[derive(Clone, Copy)]
enum Place {
    Kv,
    Hub,
}

impl Projector {
    pub fn new(state: State, env: Env) -> Self {
        Self { state, env, last_put: Cell::new(0), kv: Lane::default(), hub: Lane::default() }
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// Starts what is not running, and waits until `version` was tried at both places, at most a second.
    pub async fn attempt(self: &Rc<Self>, version: i64) {
        let tried = join(self.kv.hear_of(version), self.hub.hear_of(version));
        for place in [Place::Kv, Place::Hub] {
            if !self.lane(place).running.replace(true) {
                let projector = Rc::clone(self);
                self.state.wait_until(async move { projector.run(place).await });
            }
        }
        select(tried, pin!(Delay::from(PATIENCE))).await;
    }

    /// The alarm: lets go of what is old, carries what is dirty, and sets the next alarm. Fails only if that fails.
    pub async fn wake(self: &Rc<Self>) -> worker::Result<()> {
        match self.try_wake().await {
            Ok(()) => Ok(()),
            Err(error) => {
                log_error("alarm", &error);
                // Configuration or storage is broken; whatever it is, come back.
                self.set_alarm(platform::now_ms() + MAX_RETRY).await
            }
        }
    }

    /// Sets the alarm for an instant in unix milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "a date is a safe integer")]
    pub async fn set_alarm(&self, at: i64) -> worker::Result<()> {
        let date = js_sys::Date::new(&(at as f64).into());
        self.state.storage().set_alarm(ScheduledTime::new(date)).await
    }

    async fn try_wake(self: &Rc<Self>) -> worker::Result<()> {
        let config = environment::config(&self.env).map_err(|_| "not configured")?;
        let book = Book::new(&self.state, &config);
        let Some(row) = book.read()? else { return Ok(()) };
        let now = platform::now_ms();
        let busy = self.kv.running.get() || self.hub.running.get();
        if row.purge_at.is_some_and(|at| at <= now) && !busy {
            match (row.is_erased(), row.is_dirty()) {
                // KV and the hub know it no more. Nothing comes between this and what was just read.
                (true, false) => return self.state.storage().delete_all().await,
                (true, true) => {}
                (false, _) => book.erase(now).map(|_| ())?,
            }
        }
        book.tidy(now)?;
        if !book.read()?.is_some_and(|row| row.is_dirty()) && !busy {
            return self.settle(&book).await;
        }
        // Before the try, so that the next one comes whatever becomes of this.
        book.armed(Some(now + row.retry_ms), (row.retry_ms * 2).min(MAX_RETRY))?;
        self.set_alarm(now + row.retry_ms).await?;
        let run = async |place| {
            if !self.lane(place).running.replace(true) {
                self.run(place).await;
            }
        };
        join(run(Place::Kv), run(Place::Hub)).await;
        Ok(())
    }

    async fn run(self: &Rc<Self>, place: Place) {
        let config = environment::config(&self.env);
        if let Ok(config) = &config {
            let carried = match place {
                Place::Kv => self.carry_to_kv(config).await,
                Place::Hub => self.carry_to_hub(config).await,
            };
            if let Err(error) = carried {
                log_error("projector", &error);
            }
        }
        let lane = self.lane(place);
        lane.running.set(false);
        // Whoever still waits waits for nothing.
        lane.waiting.borrow_mut().clear();
        if let Ok(config) = &config
            && let Err(error) = self.settle(&Book::new(&self.state, config)).await
        {
            log_error("projector", &error);
        }
    }

    /// Puts the newest version until KV has it, or a put fails.
    async fn carry_to_kv(self: &Rc<Self>, config: &Config) -> worker::Result<()> {
        let book = Book::new(&self.state, config);
        let kv = environment::kv_namespace(&self.env)?;
        while book.read()?.is_some_and(|row| row.projected < row.version) {
            let gap = self.last_put.get() + PUT_GAP - platform::now_ms();
            if let Ok(gap @ 1..) = u64::try_from(gap) {
                Delay::from(Duration::from_millis(gap.min(PUT_GAP.unsigned_abs()))).await;
            }
            let Some(row) = book.read()? else { return Ok(()) };
            let nonces = [platform::nonce(), platform::nonce()];
            let put =
                row.record().map(|record| storage::put_connection(&record, &config.index, &config.sealer, nonces));
            self.last_put.set(platform::now_ms());
            let done = self.write(&kv, storage::connection_key(&row.handle), put).await;
            if done.is_ok() {
                book.projected(row.version)?;
            }
            self.kv.tried(row.version);
            done?;
        }
        Ok(())
    }

    /// Tells the user's hub until it knows the newest version, or a message fails. A hub that knew of the connection
    /// hears first that it left; one that is about to hear of it is noted before, so that it is not forgotten.
    async fn carry_to_hub(&self, config: &Config) -> worker::Result<()> {
        let book = Book::new(&self.state, config);
        while let Some(row) = book.read()?.filter(|row| row.hub_version < row.version) {
            let (version, handle) = (row.version, row.handle.clone());
            let hub_of =
                |record: &Record| Some(config.index.hash_client_reference_id(record.client_reference_id.as_deref()?));
            let wanted = row.record().and_then(|record| Some((hub_of(&record)?, record)));
            let done = match (row.hub, wanted) {
                (Some(old), wanted) if wanted.as_ref().is_none_or(|(hub, _)| *hub != old) => {
                    self.tell(&old, Told { handle, version, record: None }).await?;
                    book.told(None, 0)?;
                    continue;
                }
                (_, Some((hub, record))) => {
                    book.told(Some(hub.clone()), row.hub_version)?;
                    let done = self.tell(&hub, Told { handle, version, record: Some(record) }).await;
                    done.and_then(|()| book.told(Some(hub), version))
                }
                (_, None) => book.told(None, version),
            };
            self.hub.tried(version);
            done?;
        }
        Ok(())
    }

    /// One put, or without one a delete. One that takes longer than [`PUT_PATIENCE`] is given up; should it land after
    /// all, perhaps over a newer one, the newest is put again.
    async fn write(self: &Rc<Self>, kv: &KvStore, key: String, put: Option<KvPut>) -> worker::Result<()> {
        let kv = kv.clone();
        let put = Box::pin(async move {
            match put {
                Some(put) => kv::put(&kv, put).await,
                None => kv.delete(&key).await,
            }
        });
        let late = match select(put, pin!(Delay::from(PUT_PATIENCE))).await {
            Either::Left((done, _)) => return Ok(done?),
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

    async fn put_again(self: &Rc<Self>) -> worker::Result<()> {
        let config = environment::config(&self.env).map_err(|_| "not configured")?;
        let book = Book::new(&self.state, &config);
        let Some(row) = book.read()? else { return Ok(()) };
        book.unprojected()?;
        let at = platform::now_ms() + MIN_RETRY;
        book.armed(Some(at), MIN_RETRY)?;
        self.set_alarm(at).await?;
        self.attempt(row.version).await;
        Ok(())
    }

    /// One message. It carries its version, so one that arrives late does no harm.
    async fn tell(&self, hub: &str, told: Told) -> worker::Result<()> {
        let told = hub::send(hub, Message::Told(told), &self.env);
        match select(pin!(told), pin!(Delay::from(PUT_PATIENCE))).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err("the hub did not answer".into()),
        }
    }

    fn lane(&self, place: Place) -> &Lane {
        match place {
            Place::Kv => &self.kv,
            Place::Hub => &self.hub,
        }
    }

    /// With nothing left to carry, moves the alarm to when something will be too old.
    async fn settle(&self, book: &Book<'_>) -> worker::Result<()> {
        let Some(row) = book.read()?.filter(|row| !row.is_dirty()) else { return Ok(()) };
        let at = book.next_tidying(&row)?;
        book.armed(at, MIN_RETRY)?;
        match at {
            Some(at) => self.set_alarm(at).await,
            None => self.state.storage().delete_alarm().await,
        }
    }
}

impl Lane {
    /// Resolves once `version` or a later one was tried, or the lane has ended.
    fn hear_of(&self, version: i64) -> Receiver<()> {
        let (tried, hear) = oneshot::channel();
        self.waiting.borrow_mut().push((version, tried));
        hear
    }

    fn tried(&self, version: i64) {
        self.waiting.borrow_mut().retain(|(wanted, _)| *wanted > version);
    }
}
