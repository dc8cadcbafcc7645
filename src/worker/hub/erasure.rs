//! The erasure of the hub's user: a job that is stored here and that the hub's alarm does, whether or not anybody waits.
//!
//! 1. The handles of the user's connections are collected: the hub's own, those of KV's keys, those of OFAuth's list. Each
//!    may be late, so each connection's ledger decides whether it belongs to the user.
//! 2. Each ledger deletes its connection at OFAuth and erases itself: at most [`AT_ONCE`] at the same time.
//! 3. Stored events about the user or one of the deleted connections are deleted.
//! 4. The user's Link sessions and changes are deleted. If updates have brought more connections meanwhile, they are
//!    deleted too. Then the result is stored, for [`RESULT_LIFETIME`].
//!
//! If OFAuth refuses something, or a ledger fails, that is noted and the job goes on; the next erasure tries it again. If the
//! connections or events cannot be collected because a storage fails, the job ends, so that it deletes nothing without
//! knowing all.
//!
//! Table `erasure`, at most one row:
//! - `job`: the time of its start in unix ms, which names it
//! - `name`: the hub's name, because an object may not know its own
//! - `step`: see [`CONNECTIONS`] and below, and `place` in it: KV's cursor, or the page of OFAuth's list
//! - `unreported`: how many connections were deleted by earlier jobs whose result nobody asked for
//! - `ended`: unix ms, and `result`: the encrypted [`ErasureProgress`], both null while it runs
//!
//! Table `erasing`, empty when no job runs: `item`, a handle or the KV key of an event; `id`, the encrypted id if OFAuth's
//! list has it; `fate`, as in a [`ForgetResult`], null before the item's turn; `error`, an encrypted [`ErasureError`]. A step
//! that failed has a row too.

use std::{cell::RefCell, rc::Rc};

use futures_util::future::{join, join3};
use worker::Env;

use super::{
    erasure_message::{ERASED, ErasureError, ErasureProgress, ForgetRequest, ForgetResult, KEPT, ListedOfUser},
    links, live,
};
use crate::{
    core::{
        config::Config,
        id::HANDLE_PREFIX,
        json,
        storage::{CONNECTION_PREFIX, EVENT_PREFIX, EventMeta},
    },
    worker::platform::{
        self, Boxed, Database, Failure, ObjectRequest, Value, environment, integer,
        kv::{self, Kv},
        on_heap, read_ledger_answer, text_of,
    },
};

/// How soon the alarm rings again if the object stops during a run, in ms.
pub const RETRY: i64 = 10_000;
/// How soon the alarm rings again after a run that failed, in ms.
pub const RETRY_FAILED: i64 = 300_000;
/// How long the result of an erasure stays, in ms.
const RESULT_LIFETIME: i64 = 3_600_000;
/// How many items are deleted at the same time. [`Erasure::delete_items`] has as many tasks.
const AT_ONCE: usize = 6;
/// How many requests one run makes. The free plan allows 50 per invocation
/// ([Cloudflare Workers: Limits](https://developers.cloudflare.com/workers/platform/limits/)).
const REQUESTS_PER_RUN: usize = 4 * AT_ONCE;
/// How many pages of OFAuth's list are read at most: 10,000 connections.
const MAX_PAGES: usize = 100;

/// Steps of an erasure: the connections in KV are collected.
const CONNECTIONS: i64 = 0;
/// OFAuth's list is read: all of it, before anything in it is deleted. Otherwise the items after a deleted one would move up,
/// and the next page would skip some of them.
const LIST: i64 = 1;
/// The connections are deleted, then the events in KV are collected.
const EVENTS: i64 = 2;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS erasure (
        one INTEGER PRIMARY KEY CHECK (one = 1), job INTEGER NOT NULL, name TEXT NOT NULL, step INTEGER NOT NULL,
        place TEXT, unreported INTEGER NOT NULL, ended INTEGER, result BLOB);
    CREATE TABLE IF NOT EXISTS erasing (item TEXT PRIMARY KEY, id BLOB, fate INTEGER, error BLOB) WITHOUT ROWID";
const ADD_OWN: &str = "INSERT OR IGNORE INTO erasing (item) SELECT handle FROM connections WHERE record IS NOT NULL";

/// An erasure that runs.
pub struct Erasure<'a> {
    name: String,
    step: i64,
    place: Option<String>,
    database: &'a Database,
    config: &'a Config,
    env: &'a Env,
}

/// Answers how far the erasure `job` is. Without `job`, joins the one that runs, or starts one.
pub fn answer(
    job: Option<i64>,
    name: &str,
    database: &Database,
    config: &Config,
    now: i64,
) -> platform::Result<String> {
    database.run(SCHEMA, vec![])?;
    let row = database.first_row("SELECT job, result FROM erasure", vec![])?;
    match <[Value; 2]>::try_from(row) {
        Ok([Value::Integer(running), Value::Null]) => Ok(serde_json::to_string(&progress(running, database)?)?),
        Ok([Value::Integer(ended), Value::Blob(sealed)]) if job == Some(ended) => {
            database.run("UPDATE erasure SET unreported = 0", vec![])?;
            let result = config.sealer.open(&place(name), &sealed).map_err(|error| error.to_string())?;
            String::from_utf8(result).map_err(|error| error.to_string().into())
        }
        _ => {
            let insert = "INSERT OR REPLACE INTO erasure SELECT 1, max(?, ifnull(max(job) + 1, 0)), ?, 0, NULL, \
                ifnull(max(unreported), 0), NULL, NULL FROM erasure";
            database.run(insert, vec![now.into(), name.into()])?;
            database.run(ADD_OWN, vec![])?;
            answer(None, name, database, config, now)
        }
    }
}

/// Deletes a result whose time is over. Returns when the alarm must ring for an erasure or its result, in unix ms.
pub fn next_alarm(database: &Database, now: i64) -> platform::Result<Option<i64>> {
    if !database.has_table("erasure")? {
        return Ok(None);
    }
    database.run("DELETE FROM erasure WHERE ended <= ?", vec![(now - RESULT_LIFETIME).into()])?;
    let select = "SELECT ifnull(ended + ?, ?) FROM erasure";
    Ok(database.first_row(select, vec![RESULT_LIFETIME.into(), now.into()])?.first().and_then(integer))
}

/// Does a part of the erasure, if one runs. Returns whether it has ended now and nothing of the user is left.
pub async fn run(database: &Database, env: &Env) -> platform::Result<bool> {
    let config = environment::config(env).map_err(|_| "not configured")?;
    let mut requests = 0;
    while requests < REQUESTS_PER_RUN {
        let Some(erasure) = Erasure::load(database, &config, env)? else { break };
        let limit = if erasure.step < EVENTS { 0 } else { REQUESTS_PER_RUN - requests };
        let items = erasure.items(limit)?;
        requests += items.len().max(1);
        match erasure.step {
            _ if !items.is_empty() => erasure.delete_items(items).await,
            CONNECTIONS => erasure.collect_keys(CONNECTION_PREFIX).await?,
            LIST => erasure.collect_listed().await?,
            EVENTS => erasure.collect_keys(EVENT_PREFIX).await?,
            _ if erasure.finish()? => return Ok(true),
            _ => {}
        }
    }
    Ok(false)
}

impl<'a> Erasure<'a> {
    fn load(database: &'a Database, config: &'a Config, env: &'a Env) -> platform::Result<Option<Self>> {
        let row = database.first_row("SELECT name, step, place FROM erasure WHERE ended IS NULL", vec![])?;
        let Ok([Value::String(name), Value::Integer(step), place]) = <[Value; 3]>::try_from(row) else {
            return Ok(None);
        };
        Ok(Some(Self { name, step, place: text_of(place), database, config, env }))
    }

    /// At most `limit` items whose turn has not come, with their ids.
    fn items(&self, limit: usize) -> platform::Result<Vec<(String, Option<String>)>> {
        let limit = i64::try_from(limit).unwrap_or_default();
        let rows = self.database.rows("SELECT item, id FROM erasing WHERE fate IS NULL LIMIT ?", vec![limit.into()])?;
        let item = |row: Vec<Value>| match <[Value; 2]>::try_from(row) {
            Ok([Value::String(item), Value::Blob(sealed)]) => {
                let id = self.config.sealer.open(&place(&self.name), &sealed).ok();
                Some((item, id.and_then(|id| String::from_utf8(id).ok())))
            }
            Ok([Value::String(item), _]) => Some((item, None)),
            _ => None,
        };
        Ok(rows.into_iter().filter_map(item).collect())
    }

    /// Goes on at `place` in this step, or with the next step.
    fn advance(&self, place: Option<String>) -> platform::Result<()> {
        let step = self.step + i64::from(place.is_none());
        self.database.run("UPDATE erasure SET step = ?, place = ?", vec![step.into(), place.into()])
    }

    /// Notes what became of an item.
    fn note(&self, item: &str, fate: i64, error: Option<&ErasureError>) -> platform::Result<()> {
        let error = error.map(serde_json::to_vec).transpose()?.map(|error| self.seal(&error));
        let upsert = "INSERT INTO erasing VALUES (?, NULL, ?, ?) ON CONFLICT (item) DO UPDATE \
            SET fate = excluded.fate, error = excluded.error";
        self.database.run(upsert, vec![item.into(), fate.into(), error.into()])
    }

    /// Collects the user's keys in one batch of KV's list.
    async fn collect_keys(&self, prefix: &str) -> platform::Result<()> {
        let deleted = self.database.rows("SELECT item FROM erasing WHERE fate > 0 ORDER BY item", vec![])?;
        let handles: Vec<String> = deleted.into_iter().flatten().filter_map(text_of).collect();
        let kv = Kv::open(self.env)?;
        let batch = user_keys(&kv, prefix, self.place.as_deref(), &self.name, &handles).await;
        let (keys, next) = match batch {
            Ok(batch) => batch,
            Err(failure) => return self.give_up(prefix, failure),
        };
        for key in keys {
            let item = key.strip_prefix(CONNECTION_PREFIX).unwrap_or(&key);
            self.database.run("INSERT OR IGNORE INTO erasing (item) VALUES (?)", vec![item.into()])?;
        }
        self.advance(next)
    }

    /// Collects the user's connections on one page of OFAuth's list. An object of the ledgers' class reads it, because hubs
    /// do not call OFAuth.
    async fn collect_listed(&self) -> platform::Result<()> {
        let page: usize = self.place.as_ref().and_then(|page| page.parse().ok()).unwrap_or_default();
        let path = format!("listed/{}/{page}", self.name);
        let answer = self.call_ledger(&self.name, &path, "").await;
        match answer.and_then(|answer| read_ledger_answer::<ListedOfUser>(&answer)) {
            Ok(ListedOfUser { error: None, connections, has_more }) => {
                for (handle, id) in connections {
                    let upsert = "INSERT INTO erasing (item, id) VALUES (?, ?) \
                        ON CONFLICT (item) DO UPDATE SET id = excluded.id";
                    self.database.run(upsert, vec![handle.into(), self.seal(id.as_bytes()).into()])?;
                }
                self.advance((has_more && page + 1 < MAX_PAGES).then(|| (page + 1).to_string()))
            }
            Ok(ListedOfUser { error, .. }) => {
                self.note("list", KEPT, error.as_ref())?;
                self.advance(None)
            }
            Err(failure) => self.give_up("list", failure),
        }
    }

    /// Ends the erasure because a storage failed in this step: nothing more is deleted.
    fn give_up(&self, step: &str, failure: Failure) -> platform::Result<()> {
        self.database.run(ADD_OWN, vec![])?;
        self.database.run("UPDATE erasing SET fate = 0 WHERE fate IS NULL", vec![])?;
        self.note(step, KEPT, Some(&failure.into()))?;
        self.database.run("UPDATE erasure SET step = ?", vec![(EVENTS + 1).into()])
    }

    /// Deletes connections and events.
    async fn delete_items(&self, items: Vec<(String, Option<String>)>) {
        let items = Rc::new(RefCell::new(items));
        let task = || -> Boxed<'_, ()> {
            let items = Rc::clone(&items);
            on_heap(async move {
                loop {
                    let next = items.borrow_mut().pop();
                    let Some((item, id)) = next else { return };
                    let ForgetResult { fate, error } = self.delete_item(&item, id).await;
                    if let Err(error) = self.note(&item, fate, error.as_ref()) {
                        platform::log_error("erasure", &error);
                    }
                }
            })
        };
        join(join3(task(), task(), task()), join3(task(), task(), task())).await;
    }

    async fn delete_item(&self, item: &str, id: Option<String>) -> ForgetResult {
        let deletion = async {
            if item.starts_with(EVENT_PREFIX) {
                Kv::open(self.env).map_err(kv::unavailable)?.delete(item).await.map_err(kv::unavailable)?;
                return Ok(ForgetResult { fate: ERASED, error: None });
            }
            let request = serde_json::to_string(&ForgetRequest { hub: self.name.clone(), id }).unwrap_or_default();
            read_ledger_answer(&self.call_ledger(item, "forget", &request).await?)
        };
        deletion.await.unwrap_or_else(|failure: Failure| ForgetResult { fate: KEPT, error: Some(failure.into()) })
    }

    async fn call_ledger(&self, name: &str, path: &str, head: &str) -> Result<String, Failure> {
        platform::call_ledger(name, ObjectRequest { path, head, body: b"" }, self.env).await
    }

    /// Ends the erasure, unless updates have brought more connections meanwhile. Returns whether all is erased.
    fn finish(&self) -> platform::Result<bool> {
        self.database.run(ADD_OWN, vec![])?;
        if !self.items(1)?.is_empty() {
            return Ok(false);
        }
        links::clear(self.database)?;
        live::clear(self.database, platform::now_ms())?;
        let job = self.database.first_row("SELECT job FROM erasure", vec![])?.first().and_then(integer);
        let mut result = progress(job.unwrap_or_default(), self.database)?;
        let select = "SELECT item, error FROM erasing WHERE error IS NOT NULL ORDER BY item";
        for row in self.database.rows(select, vec![])? {
            let Ok([Value::String(item), Value::Blob(sealed)]) = <[Value; 2]>::try_from(row) else { continue };
            let error = self.config.sealer.open(&place(&self.name), &sealed).ok();
            result.error = result.error.or_else(|| json::from_slice(&error?).ok());
            result.failed.extend(item.starts_with(HANDLE_PREFIX).then_some(item));
        }
        result.has_ended = true;
        let sealed = self.seal(&serde_json::to_vec(&result)?);
        let deleted = i64::try_from(result.deleted).unwrap_or_default();
        let update = "UPDATE erasure SET ended = ?, result = ?, unreported = ?";
        self.database.run(update, vec![platform::now_ms().into(), sealed.into(), deleted.into()])?;
        self.database.run("DELETE FROM erasing", vec![])?;
        Ok(result.error.is_none())
    }

    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        self.config.sealer.seal(&place(&self.name), plain, platform::nonce())
    }
}

/// Of one batch of KV's list, the keys about a user or one of these connections, and the cursor of the next batch. `handles`
/// are in order.
async fn user_keys(
    kv: &Kv,
    prefix: &str,
    cursor: Option<&str>,
    reference_hash: &str,
    handles: &[String],
) -> Result<(Vec<String>, Option<String>), Failure> {
    // The metadata of connections name the user in the same way.
    let batch = kv.list::<EventMeta>(prefix, cursor, kv::MAX_KEYS).await.map_err(kv::unavailable)?;
    let is_about = |meta: &EventMeta| {
        let names_user = meta.reference.as_deref() == Some(reference_hash);
        names_user || meta.handle.as_ref().is_some_and(|handle| handles.binary_search(handle).is_ok())
    };
    let keys = batch.keys.into_iter().filter(|(_, meta)| is_about(meta)).map(|(key, _)| key);
    Ok((keys.collect(), batch.next_cursor))
}

fn progress(job: i64, database: &Database) -> platform::Result<ErasureProgress> {
    let count = "SELECT (SELECT unreported FROM erasure) + count(*) FILTER (WHERE fate = 1), \
        count(*) FILTER (WHERE fate IS NULL OR fate = 0 AND error IS NOT NULL) \
        FROM erasing WHERE substr(item, 1, length(?1)) = ?1";
    let row = database.first_row(count, vec![HANDLE_PREFIX.into()])?;
    let number = |column| row.get(column).and_then(integer).and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    let (deleted, remaining) = (number(0), number(1));
    Ok(ErasureProgress { job, has_ended: false, deleted, remaining, failed: Vec::new(), error: None })
}

fn place(name: &str) -> String {
    format!("hub/{name}/erasure")
}
