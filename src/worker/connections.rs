//! `GET /edge/connections` and `GET /edge/connections/{handle or id}`.

use futures_util::future::try_join_all;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use worker::{Env, kv::KvStore};

use super::{
    call::Call,
    hub, kv, ledger, platform,
    reply::{Failure, Reply},
};
use crate::core::{
    config::Config,
    connection::Record,
    gateway::{
        Caller, EdgeError, Session,
        list::{BAD_CURSOR, ConnectionQuery, MAX_BATCHES, MAX_OFFSET, Page},
    },
    id::{is_connection_id, is_handle},
    storage::{self, CONNECTION_PREFIX, ConnectionMeta},
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

/// Which connection a path names.
pub enum Found {
    /// One that is kept here.
    Known(Box<Record>),
    /// One that is not, by OFAuth's id.
    Unknown(String),
}

impl Found {
    /// CONNECTION_NOT_FOUND unless it is kept here.
    pub fn record(self) -> Result<Record, EdgeError> {
        match self {
            Self::Known(record) => Ok(*record),
            Self::Unknown(_) => Err(EdgeError::ConnectionNotFound),
        }
    }

    /// OFAuth's id.
    pub fn id(&self) -> &str {
        match self {
            Self::Known(record) => &record.id,
            Self::Unknown(id) => id,
        }
    }
}

/// Finds the connection that a path's segment names.
pub async fn find(segment: &str, caller: &Caller, config: &Config, env: &Env) -> Result<Found, Failure> {
    let name = percent_decode_str(segment).decode_utf8().map_err(|_| EdgeError::ConnectionNotFound)?;
    find_named(&name, caller, config, env).await
}

/// Finds a connection by handle or id: a session's in its hub, any other in its ledger. A raw id is taken from a gateway
/// key only.
pub async fn find_named(name: &str, caller: &Caller, config: &Config, env: &Env) -> Result<Found, Failure> {
    let (handle, id) = match name {
        handle if is_handle(handle) => (handle.to_owned(), None),
        id if is_connection_id(id) && *caller == Caller::Gateway => (config.index.handle(id), Some(id.to_owned())),
        _ => return Err(EdgeError::ConnectionNotFound.into()),
    };
    let record = match caller {
        Caller::Session(session) => {
            of_session(session, config, env).await?.into_iter().find(|record| record.handle == handle)
        }
        _ => ledger::record(&handle, env).await?,
    };
    match (record, id) {
        (Some(record), _) => Ok(Found::Known(Box::new(record))),
        (None, Some(id)) => Ok(Found::Unknown(id)),
        (None, None) => Err(EdgeError::ConnectionNotFound.into()),
    }
}

/// The same connection as its ledger has it. The hub may not have heard yet that one is another user's now; the ledger has.
pub async fn confirm(record: &Record, session: &Session, env: &Env) -> Result<Record, Failure> {
    let record = ledger::record(&record.handle, env).await?;
    let own = record.filter(|record| record.is_of(&session.client_reference_id));
    own.ok_or_else(|| EdgeError::ConnectionNotFound.into())
}

/// Finds a connection for more than a look: a session's is confirmed.
pub async fn find_own(segment: &str, caller: &Caller, config: &Config, env: &Env) -> Result<Found, Failure> {
    let found = find(segment, caller, config, env).await?;
    match (caller, found) {
        (Caller::Session(session), Found::Known(record)) => {
            Ok(Found::Known(Box::new(confirm(&record, session, env).await?)))
        }
        (_, found) => Ok(found),
    }
}

/// All that a session may see: its user's, or the only one its token is for.
async fn of_session(session: &Session, config: &Config, env: &Env) -> Result<Vec<Record>, Failure> {
    let mut records = hub::connections(&session.client_reference_id, config, env).await?;
    records.retain(|record| session.connection.as_ref().is_none_or(|only| *only == record.handle));
    Ok(records)
}

/// A page of records that are all at hand. It has no cursor: a user has few, and the offset reaches them all.
fn pick(mut records: Vec<Record>, query: &ConnectionQuery) -> Result<Answer, Failure> {
    if query.cursor.is_some() {
        return Err(BAD_CURSOR.into());
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
    let mut page = Page::new(query, start, &config.index);
    for _ in 0..MAX_BATCHES {
        let batch = rest.take();
        let listed = kv::list(&kv, CONNECTION_PREFIX, batch.as_deref(), BATCH).await.map_err(kv::unavailable)?;
        rest = listed.rest;
        let handle = |(key, meta): (String, _)| Some((key.strip_prefix(CONNECTION_PREFIX)?.to_owned(), meta));
        let keys = listed.keys.into_iter().filter_map(handle);
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
