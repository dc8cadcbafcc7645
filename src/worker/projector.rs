//! The projector: carries a ledger's record to Workers KV.
//!
//! A put inside a Durable Object does not close its input gate, so an old one can land last; hence one projector per
//! ledger, at most one put in flight, always of the newest version, and at least [`PUT_GAP`] between two (KV takes one
//! write a second of a key). It loops while KV lacks a version. What it cannot do now the alarm does later: at first
//! after 2 s, doubling to 5 min, for as long as it takes.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    time::Duration,
};

use futures_channel::oneshot;
use futures_util::future::select;
use worker::{Delay, Env, ScheduledTime, State, js_sys};

use super::{
    book::{Book, MAX_RETRY, MIN_RETRY},
    env, kv, platform,
};
use crate::{config::Config, store};

/// How long the answer to OFAuth waits for the first attempt.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two puts of a key, in milliseconds.
const PUT_GAP: i64 = 1_000;

/// One ledger's projector.
pub struct Projector {
    state: State,
    env: Env,
    running: Cell<bool>,
    last_put: Cell<i64>,
    waiting: RefCell<Vec<(i64, oneshot::Sender<()>)>>,
}

impl Projector {
    pub fn new(state: State, env: Env) -> Self {
        let (running, last_put) = (Cell::new(false), Cell::new(0));
        Self { state, env, running, last_put, waiting: RefCell::default() }
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// Starts unless running, and waits until `version` was tried, at most a second.
    pub async fn attempt(self: &Rc<Self>, version: i64) {
        let (tried, hear) = oneshot::channel();
        self.waiting.borrow_mut().push((version, tried));
        if !self.running.replace(true) {
            let projector = Rc::clone(self);
            self.state.wait_until(async move { projector.run().await });
        }
        select(hear, pin!(Delay::from(PATIENCE))).await;
    }

    /// The alarm: lets go of what is old, carries what is dirty, and sets the next alarm.
    pub async fn wake(&self) {
        if let Err(error) = self.try_wake().await {
            complain("alarm", &error);
            // Configuration or storage is broken; whatever it is, come back.
            let _ = self.set_alarm(platform::now_ms() + MAX_RETRY).await;
        }
    }

    /// Sets the alarm for an instant in unix milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "a date is a safe integer")]
    pub async fn set_alarm(&self, at: i64) -> worker::Result<()> {
        let date = js_sys::Date::new(&(at as f64).into());
        self.state.storage().set_alarm(ScheduledTime::new(date)).await
    }

    async fn try_wake(&self) -> worker::Result<()> {
        let config = env::config(&self.env).map_err(|_| "not configured")?;
        let book = Book::new(&self.state, &config);
        let Some(page) = book.read()? else { return Ok(()) };
        let now = platform::now_ms();
        if page.purge_at.is_some_and(|at| at <= now) {
            env::connections(&self.env)?.delete(&store::connection_key(&page.handle)).await?;
            return self.state.storage().delete_all().await;
        }
        book.tidy(now)?;
        if page.is_dirty() {
            // Before the try, so that a try that never ends does not end the tries.
            book.armed(Some(now + page.retry_ms), (page.retry_ms * 2).min(MAX_RETRY))?;
            self.set_alarm(now + page.retry_ms).await?;
            if !self.running.replace(true) {
                self.run().await;
            }
            return Ok(());
        }
        self.settle(&book).await
    }

    async fn run(&self) {
        let config = env::config(&self.env);
        if let Ok(config) = &config
            && let Err(error) = self.carry(config).await
        {
            complain("projector", &error);
        }
        self.running.set(false);
        // Whoever still waits waits for nothing.
        self.waiting.borrow_mut().clear();
        if let Ok(config) = &config
            && let Err(error) = self.settle(&Book::new(&self.state, config)).await
        {
            complain("projector", &error);
        }
    }

    /// Puts the newest version until KV has it, or a put fails.
    async fn carry(&self, config: &Config) -> worker::Result<()> {
        let book = Book::new(&self.state, config);
        let kv = env::connections(&self.env)?;
        while book.read()?.is_some_and(|page| page.is_dirty()) {
            let gap = self.last_put.get() + PUT_GAP - platform::now_ms();
            if let Ok(gap @ 1..) = u64::try_from(gap) {
                Delay::from(Duration::from_millis(gap)).await;
            }
            let Some(page) = book.read()? else { return Ok(()) };
            let nonces = [platform::nonce(), platform::nonce()];
            let put = store::put_connection(&page.record(), &config.index, &config.sealer, nonces);
            self.last_put.set(platform::now_ms());
            let done = kv::put(&kv, put).await;
            if done.is_ok() {
                book.projected(page.version)?;
            }
            self.waiting.borrow_mut().retain(|(version, _)| *version > page.version);
            done?;
        }
        Ok(())
    }

    /// With nothing left to carry, moves the alarm to when something will be too old.
    async fn settle(&self, book: &Book<'_>) -> worker::Result<()> {
        let Some(page) = book.read()?.filter(|page| !page.is_dirty()) else { return Ok(()) };
        let at = book.next_tidying(&page)?;
        book.armed(at, MIN_RETRY)?;
        match at {
            Some(at) => self.set_alarm(at).await,
            None => self.state.storage().delete_alarm().await,
        }
    }
}

fn complain(what: &str, error: &worker::Error) {
    platform::log(&serde_json::json!({ "level": "error", "what": what, "error": error.to_string() }));
}
