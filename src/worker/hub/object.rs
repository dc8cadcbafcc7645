//! The hub as a Durable Object: one per user, named by the keyed hash of the clientReferenceId.
//!
//! Ledgers send updates, and may repeat them or be late: each carries the ledger's version, and one that is older than
//! the stored one is ignored. A connection that left stays as a mark for [`MARK_LIFETIME`], so that a late update cannot
//! bring it back.
//!
//! The tables are `connections` (`records.rs`), `listing` (`listing.rs`), `changes` (`live.rs`) and `links` (`links.rs`).
//! The first write creates them, and so does the first WebSocket. The hub of an older build lacks `changes`, or `listing` too;
//! the first write creates and fills them. `erasure.rs` has tables of its own.
//!
//! The alarm does the erasure of the user, if one runs. It deletes marks, Link sessions and the result of an erasure whose
//! time is over, and closes WebSockets whose token has expired. It is set only while there are any.

use std::{cell::Cell, rc::Rc};

use wasm_bindgen::prelude::*;
use worker::{Env, js_sys::Promise};

use super::{
    erasure, links,
    listing::Listing,
    live,
    message::{HubUpdate, LinkRequest, Message, NULL},
    records,
};
use crate::{
    core::{config::Config, json},
    worker::platform::{self, Database, State, environment, integer, promise},
};

/// How long a connection that left stays as a mark, in ms: 30 days.
const MARK_LIFETIME: i64 = 30 * 86_400_000;

/// The Durable Object, as `entry.js` calls it.
#[wasm_bindgen]
pub struct Hub(Rc<HubObject>);

struct HubObject {
    env: Env,
    database: Database,
    /// `None` until they are looked up.
    tables: Cell<Option<Tables>>,
    listing: Listing,
    /// The object's context, for its WebSockets.
    context: JsValue,
    /// Whether `alarm_at` is known.
    is_alarm_known: Cell<bool>,
    /// When the alarm rings, in unix ms.
    alarm_at: Cell<Option<i64>>,
}

/// Which tables the hub has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tables {
    None,
    /// Those that an older build created: all but `changes`, or all but `changes` and `listing`.
    Older,
    All,
}

#[wasm_bindgen]
impl Hub {
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, env: Env) -> Self {
        let context = state.clone().into();
        Self(Rc::new(HubObject {
            database: Database::new(&state),
            env,
            tables: Cell::new(None),
            listing: Listing::default(),
            context,
            is_alarm_known: Cell::new(false),
            alarm_at: Cell::new(None),
        }))
    }

    /// Answers a message: the hub's name and a [`Message`], as JSON in `head`. The answer is JSON. [`Message::Live`] comes with
    /// a WebSocket.
    pub fn answer(&self, _path: String, head: String, socket: JsValue) -> Promise {
        let hub = Rc::clone(&self.0);
        promise(async move { Ok(hub.receive(&head, &socket).await?.into()) })
    }

    pub fn alarm(&self) -> Promise {
        let hub = Rc::clone(&self.0);
        promise(async move {
            hub.wake().await?;
            Ok(JsValue::UNDEFINED)
        })
    }
}

impl HubObject {
    async fn receive(&self, head: &str, socket: &JsValue) -> platform::Result<String> {
        let config = environment::config(&self.env).map_err(|_| "not configured")?;
        let (name, message): (String, Message) = json::from_slice(head.as_bytes())?;
        self.load_alarm().await?;
        // From here on there is no await, so all writes are one commit, and no change comes between what a WebSocket gets first
        // and what it gets next.
        self.answer_message(&name, message, socket, &config)
    }

    /// Closes WebSockets whose token has expired, goes on with an erasure that runs, deletes what has expired, and sets the next
    /// alarm.
    async fn wake(&self) -> platform::Result<()> {
        // Before the erasure, which takes its time.
        live::close_expired(&self.context, platform::now_ms())?;
        let mut erasure_at = erasure::next_alarm(&self.database, platform::now_ms())?;
        if erasure_at.is_some_and(|at| at <= platform::now_ms()) {
            // Before the run, so that the next one comes whatever becomes of this one.
            self.set_alarm(platform::now_ms() + erasure::RETRY)?;
            let run = erasure::run(&self.database, &self.env).await;
            erasure_at = erasure::next_alarm(&self.database, platform::now_ms())?;
            match run {
                // There was no await since its end, so no page has come in between.
                Ok(true) => live::close_erased(&self.context)?,
                Ok(false) => {}
                Err(error) => {
                    platform::log_error("erasure", &error);
                    erasure_at = Some(platform::now_ms() + erasure::RETRY_FAILED);
                }
            }
        }
        let now = platform::now_ms();
        if self.find_tables()? != Tables::None {
            let marks = "DELETE FROM connections WHERE record IS NULL AND told <= ?";
            self.database.run(marks, vec![(now - MARK_LIFETIME).into()])?;
            links::prune(&self.database, now)?;
            let ends = "SELECT min(ends) FROM (SELECT told + ? AS ends FROM connections WHERE record IS NULL \
                UNION ALL SELECT until FROM links)";
            let next = self.database.first_row(ends, vec![MARK_LIFETIME.into()])?.first().and_then(integer);
            let next = next.into_iter().chain(erasure_at).chain(live::close_expired(&self.context, now)?).min();
            self.alarm_at.set(next);
            self.is_alarm_known.set(true);
            if next.is_some() {
                self.database.set_alarm(next)?;
            }
        }
        Ok(())
    }

    /// The answer to a message, as JSON.
    fn answer_message(
        &self,
        name: &str,
        message: Message,
        socket: &JsValue,
        config: &Config,
    ) -> platform::Result<String> {
        if message.needs_tables() {
            self.create_tables(name, config)?;
        } else if self.find_tables()? == Tables::None {
            return Ok(answer_empty(&message).to_owned());
        }
        let (database, now) = (&self.database, platform::now_ms());
        match message {
            Message::List => records::list(name, database, config),
            Message::Page(page) => self.listing.page(page, name, database, config),
            Message::Candidates => self.listing.candidates(name, database, config),
            Message::Get(handle) => records::get(name, &handle, database, config),
            Message::Reseal(handle) => records::reseal(name, &handle, database, config),
            Message::Update(update) => self.apply_update(name, update, config, now),
            Message::Link(request) => {
                if let LinkRequest::Add(_, until) = &request {
                    self.advance_alarm(*until)?;
                }
                links::answer(request, name, database, config, now)
            }
            Message::Erase(job) => {
                let answer = erasure::answer(job, name, database, config, now)?;
                // An older build may have set the alarm to later.
                self.advance_alarm(if job.is_none() { now } else { now + erasure::RETRY })?;
                Ok(answer)
            }
            Message::Live(request) => {
                let expires_at = live::open(&self.context, socket, &request)?;
                if let Some(at) = expires_at {
                    self.advance_alarm(at)?;
                }
                Ok(expires_at.is_some().to_string())
            }
        }
    }

    /// Creates the tables that are missing.
    fn create_tables(&self, name: &str, config: &Config) -> platform::Result<()> {
        let tables = self.find_tables()?;
        if tables != Tables::All {
            records::create_table(&self.database)?;
            links::create_table(&self.database)?;
            self.listing.create_table(tables == Tables::None, name, &self.database, config)?;
            live::create_table(&self.database, platform::now_ms())?;
            self.tables.set(Some(Tables::All));
        }
        Ok(())
    }

    /// Finds out which tables exist, once per wake-up.
    fn find_tables(&self) -> platform::Result<Tables> {
        if let Some(tables) = self.tables.get() {
            return Ok(tables);
        }
        let tables = if self.database.has_table("changes")? {
            Tables::All
        } else if self.database.has_table("links")? {
            if !self.database.has_table("listing")? {
                self.listing.set_missing();
            }
            Tables::Older
        } else {
            Tables::None
        };
        self.tables.set(Some(tables));
        Ok(tables)
    }

    /// Reads when the alarm rings, once per wake-up.
    async fn load_alarm(&self) -> platform::Result<()> {
        if !self.is_alarm_known.get() {
            self.alarm_at.set(self.database.alarm().await?);
            self.is_alarm_known.set(true);
        }
        Ok(())
    }

    /// Sets the alarm to `at` (unix ms) if it would ring later, or not at all.
    fn advance_alarm(&self, at: i64) -> platform::Result<()> {
        if self.alarm_at.get().is_none_or(|alarm| alarm > at) {
            self.set_alarm(at)?;
        }
        Ok(())
    }

    fn set_alarm(&self, at: i64) -> platform::Result<()> {
        self.database.set_alarm(Some(at))?;
        self.alarm_at.set(Some(at));
        self.is_alarm_known.set(true);
        Ok(())
    }

    fn apply_update(&self, name: &str, update: HubUpdate, config: &Config, now: i64) -> platform::Result<String> {
        let HubUpdate { handle, version, record } = update;
        if record.is_none() {
            self.advance_alarm(now + MARK_LIFETIME)?;
        }
        let frame = live::note(&self.context, &handle, version, record.as_ref(), now)?;
        records::write(&handle, version, record.as_ref(), name, &self.database, config, now)?;
        self.listing.write(&handle, version, record.as_ref(), name, &self.database, config)?;
        if let Some(frame) = frame {
            live::send(&self.context, &handle, &frame, now)?;
        }
        Ok(NULL.to_owned())
    }
}

/// The answer of a hub without tables.
fn answer_empty(message: &Message) -> &'static str {
    match message {
        Message::List | Message::Candidates | Message::Link(LinkRequest::List) => "[]",
        Message::Page(..) => "[[],0]",
        Message::Link(LinkRequest::LookUp(_) | LinkRequest::CountPage(_)) => "false",
        Message::Reseal(_) => "{}",
        Message::Get(_) | Message::Update(_) | Message::Link(_) | Message::Erase(_) | Message::Live(_) => NULL,
    }
}
