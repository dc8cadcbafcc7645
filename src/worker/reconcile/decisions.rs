//! What `reconciler.js` asks the wasm: a page of OFAuth's list, and the decisions about its items.
//!
//! `known` is what the caller knows about a connection: the metadata of its key in KV, or its ledger's record, as JSON. Times
//! are unix ms. Each function throws if the configuration is incomplete.

use std::cell::Cell;

use wasm_bindgen::prelude::*;
use worker::{
    Env,
    js_sys::{Array, Promise},
};

use crate::{
    core::{
        config::Config,
        connection::{Changes, DISCONNECTED, EXPIRED, MISSING, Rank, Record},
        gateway::{
            access::observed_status,
            account::{ListedConnection, connection_path},
        },
        json,
        reconcile::{self, Absence, PAGE_SIZE},
        storage::open_summary,
    },
    worker::{
        ledger::Entry,
        platform::{self, Failure, environment, promise},
        upstream::{self, UpstreamRequest},
    },
};

/// The call that shows whether a connection's session is dead.
const SELF: &str = "/v2/access/self";

/// The wait after a 429 that does not say how long to wait, in ms.
const DEFAULT_RETRY: i64 = 60_000;

/// Requests the connections of OFAuth's list that begin at `offset`.
///
/// Resolves to a list: how long to wait before the next request (ms), whether there are more pages, then the handle and the JSON
/// of each item. If OFAuth refuses, the list has -1 and the reason; if OFAuth is busy, it has the wait alone.
#[wasm_bindgen]
pub fn reconcile_list(env: Env, offset: usize) -> Promise {
    promise(async move {
        let config = environment::config(&env).map_err(|_| "not configured")?;
        let page = upstream::list_page(offset, PAGE_SIZE, true, &Cell::default(), &config).await;
        let list = Array::new();
        match page.map_err(error_of)? {
            Ok((body, pause)) => {
                let (items, has_more) = ListedConnection::split_page(&body).ok_or("the answer is not a page")?;
                push(&list, pause);
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
                    429 => push(&list, retry_after.map_or(DEFAULT_RETRY, |seconds| seconds.saturating_mul(1_000))),
                    400..=499 => {
                        push(&list, -1);
                        list.push(&reason.into());
                    }
                    _ => return Err(reason.into()),
                }
            }
        }
        Ok(list.into())
    })
}

/// The message to the ledger of an item that disagrees with `known`: see [`reconcile::fact_of_item`]. Nothing if there is
/// nothing to repair, or if the connection is of another environment than the API key.
#[wasm_bindgen]
pub fn reconcile_item(
    env: Env,
    handle: &str,
    item: &str,
    known: &str,
    was_disputed: bool,
    started: f64,
) -> Result<Option<String>, JsValue> {
    let config = environment::config(&env).map_err(|_| "not configured")?;
    let known = read_known(handle, known, &config);
    let is_foreign = config.is_other_environment(known.as_ref().and_then(|record| record.live));
    let item = ListedConnection::read(item.as_bytes()).filter(|_| !is_foreign);
    let fact = item.and_then(|item| reconcile::fact_of_item(item, known.as_ref(), was_disputed, whole(started)));
    Ok(fact.map(|(id, fact)| {
        head(&Entry { id, kind: "edge.listed".to_owned(), received: platform::now_ms(), fact, learned: false })
    }))
}

/// The message to the ledger of a connection that OFAuth's list has lacked since the pass at `since`. Empty if it is not
/// missing yet, or if it is of another environment than the API key. Nothing if its absence counts from `started` on: see
/// [`Absence`].
#[wasm_bindgen]
pub fn reconcile_absent(
    env: Env,
    handle: &str,
    known: &str,
    since: f64,
    started: f64,
) -> Result<Option<String>, JsValue> {
    let config = environment::config(&env).map_err(|_| "not configured")?;
    let known = read_known(handle, known, &config).filter(|record| !config.is_other_environment(record.live));
    let Some(record) = known else { return Ok(Some(String::new())) };
    Ok(match reconcile::absence(&record, whole(since), whole(started)) {
        Absence::TooShort => Some(String::new()),
        Absence::Interrupted => None,
        Absence::MissingSince(at) => {
            let changes = Changes::status(MISSING);
            let entry = Entry::own(&record.id, MISSING, Rank::Observed, changes, at, &format!("missing_{at}"));
            Some(head(&Entry { received: platform::now_ms(), learned: true, ..entry }))
        }
    })
}

/// Whether a connection has been expired for CLEANUP_EXPIRED_AFTER_DAYS.
#[wasm_bindgen]
pub fn reconcile_is_due(env: Env, handle: &str, known: &str) -> Result<bool, JsValue> {
    let config = environment::config(&env).map_err(|_| "not configured")?;
    Ok(read_known(handle, known, &config).is_some_and(|record| is_due(&record, &config)))
}

fn is_due(record: &Record, config: &Config) -> bool {
    !config.is_other_environment(record.live)
        && reconcile::is_due_for_cleanup(record, config.cleanup_after_days, platform::now_ms())
}

/// Deletes an expired connection at OFAuth. `record` is its ledger's record as JSON. Resolves to the message to the ledger; empty
/// if nothing was learned.
///
/// 1. The record must still be due.
/// 2. OFAuth is asked whether the session is dead. If it is not, the connection is active.
/// 3. OFAuth is asked to delete the connection.
#[wasm_bindgen]
pub fn reconcile_clean_up(env: Env, record: String) -> Promise {
    promise(async move {
        let config = environment::config(&env).map_err(|_| "not configured")?;
        let nothing = || Ok(JsValue::from_str(""));
        // 1.
        let record: Option<Record> = json::from_slice(record.as_bytes()).ok();
        let Some(record) = record.filter(|record| is_due(record, &config)) else { return nothing() };
        let started = platform::now_ms();
        let learned = |what: &str, rank| {
            let changes = Changes::status(if rank == Rank::Disconnected { DISCONNECTED } else { what });
            Ok(head(&Entry::own(&record.id, what, rank, changes, started, &platform::request_id())).into())
        };
        // 2.
        let new = |method, path: String| UpstreamRequest::new(method, path);
        let check =
            UpstreamRequest { connection_id: Some(&record.id), ..new("GET", SELF.to_owned()).map_err(error_of)? };
        let answer = upstream::send(&check, &Cell::default(), &config).await.map_err(error_of)?;
        if answer.is_inconclusive("GET") {
            return nothing();
        }
        match observed_status(&record.status, answer.status(), answer.refusal(), answer.is_auth()) {
            Some(EXPIRED) => {}
            Some(status) => return learned(status, Rank::Observed),
            None => return nothing(),
        }
        // 3.
        let path = connection_path(&record.id, "").map_err(|error| error.to_string())?;
        let delete = new("DELETE", path).map_err(error_of)?;
        let answer = upstream::send(&delete, &Cell::default(), &config).await.map_err(error_of)?;
        if answer.is_deleted().await { learned("deleted", Rank::Disconnected) } else { nothing() }
    })
}

/// The id of the newest `STORAGE_KEY`, as sealed values have it, in hex.
#[wasm_bindgen]
pub fn reconcile_key_id(env: Env) -> Result<String, JsValue> {
    let config = environment::config(&env).map_err(|_| "not configured")?;
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

/// Whether the API key, or the connection that is named, is of production. Nothing if that is not known.
#[wasm_bindgen]
pub fn reconcile_is_live(env: Env, handle: &str, known: &str) -> Result<Option<bool>, JsValue> {
    let config = environment::config(&env).map_err(|_| "not configured")?;
    let is_key = handle.is_empty();
    Ok(if is_key {
        config.api_key.is_live()
    } else {
        read_known(handle, known, &config).and_then(|record| record.live)
    })
}

fn read_known(handle: &str, known: &str, config: &Config) -> Option<Record> {
    let record = || json::from_slice(known.as_bytes()).ok();
    record().or_else(|| open_summary(handle, &json::from_slice(known.as_bytes()).ok()?, &config.sealer))
}

fn head(entry: &Entry) -> String {
    serde_json::to_string(entry).unwrap_or_default()
}

#[expect(clippy::cast_possible_truncation, reason = "a time from JavaScript is a safe integer")]
fn whole(time: f64) -> i64 {
    time as i64
}

#[expect(clippy::cast_precision_loss, reason = "a wait is a safe integer")]
fn push(list: &Array, wait: i64) {
    list.push(&(wait as f64).into());
}

fn error_of(failure: Failure) -> String {
    failure.detail.unwrap_or_else(|| failure.error.to_string())
}
