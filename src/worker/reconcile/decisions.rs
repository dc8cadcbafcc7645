//! What `reconciler.js` asks the wasm: a page of OFAuth's list, and the decisions about its items.
//!
//! `known` is what the caller knows about a connection: the metadata of its key in KV, or its ledger's record, as JSON. Times
//! are unix ms. While the configuration is incomplete, a page of the list and the key's id are errors, and nothing is decided.

use std::{cell::Cell, rc::Rc};

use wasm_bindgen::prelude::*;
use worker::{
    Env,
    js_sys::{Array, Promise},
};

use crate::{
    core::{
        config::Config,
        connection::{Changes, MISSING, Rank, Record},
        gateway::account::ListedConnection,
        json,
        monitor::name,
        reconcile::{self, Absence, PAGE_SIZE},
        storage::open_summary,
    },
    worker::{
        ledger::Entry,
        metrics,
        platform::{self, Failure, environment, promise},
        upstream,
    },
};

/// The wait after a 429 that does not say how long to wait, in ms.
const DEFAULT_RETRY: i64 = 60_000;

/// Requests the connections of OFAuth's list that begin at `offset`.
///
/// Resolves to a list: how long to wait before the next request (ms), whether there are more pages, then the handle and the JSON
/// of each item. If OFAuth refuses, the list has -1 and the reason. If OFAuth is busy, it has the wait alone.
#[wasm_bindgen]
pub fn reconcile_list(env: Env, offset: usize) -> Promise {
    promise(async move {
        let config = config(&env)?;
        let page = upstream::list_page(offset, PAGE_SIZE, true, &Cell::default(), &config).await;
        let list = Array::new();
        match page.map_err(error_of)? {
            Ok((body, pause)) => {
                let (items, has_more) = ListedConnection::split_page(&body).ok_or("the answer is not a page")?;
                push_wait(&list, pause);
                list.push(&has_more.into());
                for item in items {
                    if let Some(listed) = ListedConnection::read(item.as_bytes()) {
                        list.push(&config.index.handle(listed.id()).into());
                        list.push(&item.into());
                    }
                }
            }
            Err(refused) => {
                let (status, error) = (refused.status(), refused.error().await);
                let retry_after = error.as_ref().and_then(|error| i64::try_from(error.retry_after?).ok());
                let reason = format!("{status} {}", error.map(|error| error.code).unwrap_or_default());
                match status {
                    429 => push_wait(&list, retry_after.map_or(DEFAULT_RETRY, |seconds| seconds.saturating_mul(1_000))),
                    400..=499 => {
                        push_wait(&list, -1);
                        list.push(&reason.into());
                    }
                    _ => return Err(reason.into()),
                }
            }
        }
        Ok(list.into())
    })
}

/// The message to the ledger of a connection. It is empty if there is none to send, as for a connection of another
/// environment than the API key. All times are unix ms.
///
/// - With an `item` of OFAuth's list that disagrees with `known`: see [`reconcile::fact_of_item`]. `since` is not 0 if the record
///   disagreed in the last pass too.
/// - Without an `item`, if the list has lacked the connection since the pass at `since`: see [`reconcile::absence`]. `None` if its
///   absence counts from `started` on.
#[wasm_bindgen]
pub fn reconcile_message(env: Env, handle: &str, known: &str, item: &str, since: f64, started: f64) -> Option<String> {
    let nothing = Some(String::new());
    let Ok(config) = environment::config(&env) else { return nothing };
    let (known, since, started) = (read_known(handle, known, &config), whole(since), whole(started));
    if config.is_other_environment(known.as_ref().and_then(|record| record.live)) {
        return nothing;
    }
    let received = platform::now_ms();
    let entry = match (ListedConnection::read(item.as_bytes()), known) {
        (Some(item), known) => {
            let fact = reconcile::fact_of_item(item, known.as_ref(), since != 0, started);
            fact.map(|(id, fact)| Entry {
                id,
                kind: "edge.listed".to_owned(),
                received,
                fact,
                learned: false,
                actor: Some("gateway".to_owned()),
                accepts: None,
            })
        }
        (None, None) => None,
        (None, Some(record)) => match reconcile::absence(&record, since, started) {
            Absence::TooShort => None,
            Absence::Interrupted => return None,
            Absence::MissingSince(at) => {
                let changes = Changes::status(MISSING);
                let entry = Entry::own(&record.id, MISSING, Rank::Observed, changes, at, &format!("missing_{at}"));
                Some(Entry { received, learned: true, ..entry })
            }
        },
    };
    entry.map_or(nothing, |entry| serde_json::to_string(&entry).ok())
}

/// What is known about a connection, or about the API key if there is no `handle`, as bits: 1 if it is of production, 2 if it is
/// of the sandbox, 4 if it has been expired for CLEANUP_EXPIRED_AFTER_DAYS.
#[wasm_bindgen]
pub fn reconcile_inspect(env: Env, handle: &str, known: &str) -> u32 {
    let Ok(config) = environment::config(&env) else { return 0 };
    let record = read_known(handle, known, &config);
    let live =
        record.as_ref().map_or_else(|| config.api_key.is_live().filter(|_| handle.is_empty()), |record| record.live);
    let is_due = record
        .is_some_and(|record| reconcile::is_due_for_cleanup(&record, config.cleanup_after_days, platform::now_ms()));
    live.map_or(0, |live| if live { 1 } else { 2 }) + if is_due { 4 } else { 0 }
}

/// The id of the newest `STORAGE_KEY`, as sealed values have it, in hex.
#[wasm_bindgen]
pub fn reconcile_key_id(env: Env) -> Result<String, JsValue> {
    let config = config(&env)?;
    Ok(base16ct::lower::encode_string(config.sealer.newest_key_id()))
}

/// Whether so many connections are absent that the list is not believed.
#[wasm_bindgen]
pub fn reconcile_is_implausible(absent: i32, known: i32) -> bool {
    reconcile::is_implausible(absent.into(), known.into())
}

/// Where the page after the one at `offset` begins, of which `seen` connections were handled.
#[wasm_bindgen]
pub fn reconcile_next_offset(offset: usize, seen: usize) -> usize {
    reconcile::next_offset(offset, seen)
}

/// Counts a pass that has ended: `done` or `stopped`. The promise never fails.
#[wasm_bindgen]
pub fn reconcile_count(env: Env, code: &str) -> Promise {
    metrics::count(name::RECONCILIATION, code);
    promise(async move {
        metrics::hand_over(&env).await;
        Ok(JsValue::UNDEFINED)
    })
}

fn config(env: &Env) -> Result<Rc<Config>, JsValue> {
    environment::config(env).map_err(|_| "not configured".into())
}

fn read_known(handle: &str, known: &str, config: &Config) -> Option<Record> {
    let record = || json::from_slice(known.as_bytes()).ok();
    record().or_else(|| open_summary(handle, &json::from_slice(known.as_bytes()).ok()?, &config.sealer))
}

#[expect(clippy::cast_possible_truncation, reason = "a time from JavaScript is a safe integer")]
fn whole(time: f64) -> i64 {
    time as i64
}

#[expect(clippy::cast_precision_loss, reason = "a wait is a safe integer")]
fn push_wait(list: &Array, wait: i64) {
    list.push(&(wait as f64).into());
}

fn error_of(failure: Failure) -> String {
    failure.detail.unwrap_or_else(|| failure.error.to_string())
}
