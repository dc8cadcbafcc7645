//! `GET /edge/connections` and `GET /edge/connections/{handle or id}`.

use futures_util::future::try_join_all;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use worker::{Env, kv::KvStore};

use super::{
    call::Call,
    kv, ledger, platform,
    reply::{Failure, Reply},
};
use crate::{
    api_error::EdgeError,
    config::Config,
    connection::Record,
    event::is_connection_id,
    list::{ConnectionQuery, MAX_BATCHES, Page},
    seal::is_handle,
    store::{self, CONNECTION_PREFIX, ConnectionMeta},
};

const BATCH: u64 = 1_000;

/// Connections in the order of their handles, from KV.
pub async fn list(call: &Call, config: &Config, env: &Env) -> Result<Reply, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        list: Vec<Record>,
        total: Option<usize>,
        has_more: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    }
    let query = ConnectionQuery::parse(call.query())?;
    let start = query.open_cursor(&config.sealer)?;
    let kv = kv::open(env)?;
    let mut rest = start.as_ref().and_then(|start| start.batch.clone());
    let mut page = Page::new(&query, start, &config.index);
    for _ in 0..MAX_BATCHES {
        let batch = rest.take();
        let listed = kv::list(&kv, CONNECTION_PREFIX, batch.as_deref(), BATCH).await.map_err(kv::unavailable)?;
        rest = listed.rest;
        let keys = listed
            .keys
            .into_iter()
            .filter_map(|(key, meta)| Some((key.strip_prefix(CONNECTION_PREFIX)?.to_owned(), meta)));
        let wanted: Vec<_> = keys.filter(|(handle, meta)| page.wants(handle, meta)).collect();
        page.feed(batch.as_deref(), wanted);
        if rest.is_none() || !page.is_hungry() {
            break;
        }
    }
    let paged = page.finish(rest);
    let records = try_join_all(paged.items.iter().map(|(handle, meta)| open(handle, meta, &kv, config))).await?;
    let cursor = paged.next.map(|next| query.seal_cursor(&next, &config.sealer, platform::nonce()));
    let list = records.into_iter().flatten().collect();
    Ok(Reply::json(&Answer { list, total: paged.total, has_more: cursor.is_some(), cursor }))
}

/// One connection, from its ledger.
pub async fn show(segment: &str, config: &Config, env: &Env) -> Result<Reply, Failure> {
    let name = percent_decode_str(segment).decode_utf8().map_err(|_| EdgeError::ConnectionNotFound)?;
    let handle = match &*name {
        handle if is_handle(handle) => handle.to_owned(),
        id if is_connection_id(id) => config.index.handle(id),
        _ => return Err(EdgeError::ConnectionNotFound.into()),
    };
    let record = ledger::record(&handle, env).await?.ok_or(EdgeError::ConnectionNotFound)?;
    Ok(Reply::json(&record))
}

/// Opens a listed connection: from its summary, else from its value. `None` if it went away meanwhile.
async fn open(handle: &str, meta: &ConnectionMeta, kv: &KvStore, config: &Config) -> Result<Option<Record>, Failure> {
    if let Some(record) = store::open_summary(handle, meta, &config.sealer) {
        return Ok(Some(record));
    }
    let value = kv.get(&store::connection_key(handle)).bytes().await.map_err(kv::unavailable)?;
    Ok(value.and_then(|value| store::open_connection(handle, &value, &config.sealer)))
}
