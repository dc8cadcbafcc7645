//! `GET /edge/connections` and `GET /edge/connections/{handle or id}`.

use futures_util::future::try_join_all;
use serde::Serialize;
use worker::{Env, kv::KvStore};

use crate::{
    core::{
        config::Config,
        connection::Record,
        gateway::{
            Caller,
            list::{ConnectionQuery, INVALID_CURSOR, MAX_BATCHES, MAX_OFFSET, PageBuilder},
        },
        storage::{self, CONNECTION_PREFIX, ConnectionMeta},
    },
    worker::{
        connections::{find, of_session},
        http::{Call, Reply},
        hub,
        platform::{self, Failure, kv},
    },
};

const BATCH: u64 = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    list: Vec<Record>,
    total: Option<usize>,
    has_more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// A user's connections from their hub, newest first; all others from KV, in the order of their handles.
pub async fn list(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    let query = ConnectionQuery::parse(call.query())?;
    let answer = match (caller, &query.client_reference_id) {
        (Caller::Session(session), asked) => {
            let own = &session.client_reference_id;
            let theirs = asked.as_ref().is_none_or(|asked| asked == own);
            let records = if theirs { of_session(session, config, env).await? } else { Vec::new() };
            pick(records, &query)?
        }
        (_, Some(reference)) => pick(hub::connections(reference, config, env).await?, &query)?,
        (_, None) => from_kv(&query, config, env).await?,
    };
    let list = answer.list.into_iter().map(|record| caller.view(record)).collect();
    Ok(Reply::json(&Answer { list, ..answer }))
}

/// One connection.
pub async fn show(segment: &str, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    let record = find(segment, caller, config, env).await?.record()?;
    Ok(Reply::json(&caller.view(record)))
}

/// A page of records that are all at hand. It has no cursor: a user has few, and the offset reaches them all.
fn pick(mut records: Vec<Record>, query: &ConnectionQuery) -> Result<Answer, Failure> {
    if query.cursor.is_some() {
        return Err(INVALID_CURSOR.into());
    }
    let is = |asked: &Option<String>, value: Option<&str>| asked.as_deref().is_none_or(|asked| value == Some(asked));
    records.retain(|record| {
        is(&query.status, Some(&record.status)) && is(&query.platform_user_id, record.platform_user_id.as_deref())
    });
    let total = records.len();
    let list: Vec<_> = records.into_iter().skip(query.offset).take(query.limit).collect();
    let has_more = query.offset + list.len() < total;
    Ok(Answer { list, total: (total <= MAX_OFFSET).then_some(total), has_more, cursor: None })
}

async fn from_kv(query: &ConnectionQuery, config: &Config, env: &Env) -> Result<Answer, Failure> {
    let start = query.open_cursor(&config.sealer)?;
    let kv = kv::open(env)?;
    let mut rest = start.as_ref().and_then(|start| start.batch.clone());
    let mut page = PageBuilder::new(query, start, &config.index);
    for _ in 0..MAX_BATCHES {
        let batch = rest.take();
        let listed = kv::list(&kv, CONNECTION_PREFIX, batch.as_deref(), BATCH).await.map_err(kv::unavailable)?;
        rest = listed.rest;
        let handle = |(key, meta): (String, _)| Some((key.strip_prefix(CONNECTION_PREFIX)?.to_owned(), meta));
        let keys = listed.keys.into_iter().filter_map(handle);
        let wanted: Vec<_> = keys.filter(|(handle, meta)| page.matches(handle, meta)).collect();
        page.add_batch(batch.as_deref(), wanted);
        if rest.is_none() || !page.needs_more() {
            break;
        }
    }
    let paged = page.finish(rest);
    let records = try_join_all(paged.items.iter().map(|(handle, meta)| open(handle, meta, &kv, config))).await?;
    let cursor = paged.next.map(|next| query.seal_cursor(&next, &config.sealer, platform::nonce()));
    let list = records.into_iter().flatten().collect();
    Ok(Answer { list, total: paged.total, has_more: cursor.is_some(), cursor })
}

/// Opens a listed connection: from its summary, else from its value. `None` if it went away meanwhile.
async fn open(handle: &str, meta: &ConnectionMeta, kv: &KvStore, config: &Config) -> Result<Option<Record>, Failure> {
    if let Some(record) = storage::open_summary(handle, meta, &config.sealer) {
        return Ok(Some(record));
    }
    let value = kv.get(&storage::connection_key(handle)).bytes().await.map_err(kv::unavailable)?;
    Ok(value.and_then(|value| storage::open_connection(handle, &value, &config.sealer)))
}
