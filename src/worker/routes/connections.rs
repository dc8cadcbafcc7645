//! `GET /edge/connections` lists connections, and `GET /edge/connections/{handle or id}` shows one.
//!
//! A list is `{list, total, hasMore, cursor?}`. `total` is exact; it is null if it is over [`MAX_OFFSET`] or not known.

use worker::Env;

use crate::{
    core::{
        config::Config,
        connection::Record,
        gateway::{
            Caller,
            list::{ConnectionList, ConnectionQuery, INVALID_CURSOR, MAX_OFFSET, UserPage},
            page::{MAX_BATCHES, PageBuilder},
        },
        storage::{self, CONNECTION_PREFIX, ConnectionMeta},
    },
    worker::{
        connections::{find_by_segment, page_of_session},
        http::{Call, Reply},
        hub,
        platform::{
            self, Failure,
            kv::{self, Kv},
        },
    },
};

/// Lists one page of connections.
///
/// 1. The query is read.
/// 2. A session's connections, and those of a `clientReferenceId`, come from that user's hub, the newest `updatedAt`
///    first. A session that asks for another user's gets an empty list.
/// 3. Any other list comes from KV, in the order of the handles, and can be a minute late.
/// 4. A session and the console see handles in the place of ids.
pub async fn list(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    let query = ConnectionQuery::parse(call.query())?;
    // 2. and 3.
    let page = match (caller, &query.client_reference_id) {
        (Caller::Session(session), requested) => {
            let is_own = requested.as_ref().is_none_or(|reference| *reference == session.client_reference_id);
            let page = if is_own { page_of_session(session, &query, config, env).await? } else { UserPage::default() };
            list_of_user(page, &query)?
        }
        (_, Some(reference)) => list_of_user(hub::page(reference, &query, config, env).await?, &query)?,
        (_, None) => page_from_kv(&query, config, env).await?,
    };
    // 4.
    let list = page.list.into_iter().map(|record| caller.view(record)).collect();
    Ok(Reply::json(&ConnectionList { list, ..page }))
}

/// Shows one connection. CONNECTION_NOT_FOUND if the gateway has no record of it that the caller may see.
pub async fn show(segment: &str, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    let record = find_by_segment(segment, caller, config, env).await?.record()?;
    Ok(Reply::json(&caller.view(record)))
}

/// The answer for a page of one user's connections. It has no cursor, because `offset` reaches all of them; a query with
/// one is a BAD_REQUEST.
fn list_of_user(page: UserPage, query: &ConnectionQuery) -> Result<ConnectionList, Failure> {
    if query.cursor.is_some() {
        return Err(INVALID_CURSOR.into());
    }
    let UserPage { records: list, total } = page;
    let has_more = query.offset + list.len() < total;
    Ok(ConnectionList { list, total: (total <= MAX_OFFSET).then_some(total), has_more, cursor: None })
}

/// One page of all connections. At most [`MAX_BATCHES`] batches of keys are listed; filters read the keys' metadata,
/// and only the connections of the page are opened.
async fn page_from_kv(query: &ConnectionQuery, config: &Config, env: &Env) -> Result<ConnectionList, Failure> {
    let start = query.open_cursor(&config.sealer)?;
    let kv = Kv::open(env).map_err(kv::unavailable)?;
    let mut next_batch = start.as_ref().and_then(|start| start.batch.clone());
    let mut builder = PageBuilder::new(query, start, &config.index);
    for _ in 0..MAX_BATCHES {
        let batch = next_batch.take();
        let listed = kv.list(CONNECTION_PREFIX, batch.as_deref(), kv::MAX_KEYS).await.map_err(kv::unavailable)?;
        next_batch = listed.next_cursor;
        let with_handle = |(key, meta): (String, _)| Some((key.strip_prefix(CONNECTION_PREFIX)?.to_owned(), meta));
        let items = listed.keys.into_iter().filter_map(with_handle);
        let matching: Vec<_> = items.filter(|(handle, meta)| builder.matches(handle, meta)).collect();
        builder.add_batch(batch.as_deref(), matching);
        if next_batch.is_none() || !builder.needs_more() {
            break;
        }
    }
    let page = builder.finish(next_batch);
    let list = open_records(&page.items, &kv, config).await.map_err(kv::unavailable)?;
    let cursor = page.next.map(|next| query.seal_cursor(&next, &config.sealer, platform::nonce()));
    Ok(ConnectionList { list, total: page.total, has_more: cursor.is_some(), cursor })
}

/// Opens the records of listed keys: from the summary in a key's metadata, else from its value, which costs one more KV read.
/// A key that was deleted since it was listed has none.
///
/// All reads are started before the first is awaited. KV can read up to 100 keys at once, but only values that are text, and
/// these are bytes ([Workers KV: Read key-value pairs](https://developers.cloudflare.com/kv/api/read-key-value-pairs/)).
async fn open_records(items: &[(String, ConnectionMeta)], kv: &Kv, config: &Config) -> platform::Result<Vec<Record>> {
    let mut reads = Vec::new();
    for (handle, meta) in items {
        let summary = storage::open_summary(handle, meta, &config.sealer);
        let value = match summary {
            Some(_) => None,
            None => Some(kv.start_get(&storage::connection_key(handle))?),
        };
        reads.push((summary, value));
    }
    let mut records = Vec::new();
    for ((handle, _), (summary, value)) in items.iter().zip(reads) {
        records.extend(match value {
            None => summary,
            Some(value) => {
                value.finish().await?.and_then(|value| storage::open_connection(handle, &value, &config.sealer))
            }
        });
    }
    Ok(records)
}
