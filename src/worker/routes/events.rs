//! `GET /edge/events`: kept events, newest first.

use serde::Serialize;
use worker::{Env, kv::KvStore};

use crate::{
    core::{
        config::Config,
        gateway::{
            Caller, EdgeError,
            list::{EventCursor, EventQuery},
        },
        instant::iso_8601,
        storage::{EVENT_PREFIX, EventMeta, PAGE_BYTES, StoredBody, parse_event_key},
    },
    worker::{
        http::{Call, Reply},
        platform::{self, Failure, kv},
    },
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoredEvent {
    id: String,
    r#type: Option<String>,
    received_at: String,
    stamp: String,
    #[serde(flatten)]
    body: StoredBody,
}

/// A page ends at its limit or after [`PAGE_BYTES`].
pub async fn list(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    #[derive(Serialize)]
    struct Answer {
        list: Vec<StoredEvent>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    }
    if let Caller::Session(_) = caller {
        return Err(EdgeError::PermissionDenied.into());
    }
    let query = EventQuery::parse(call.query())?;
    let EventCursor { batch, after } = query.open_cursor(&config.sealer)?;
    let kv = kv::open(env)?;
    let listed = kv::list(&kv, EVENT_PREFIX, batch.as_deref(), query.limit as u64).await.map_err(kv::unavailable)?;
    let mut next = listed.rest.map(|rest| EventCursor { batch: Some(rest), after: String::new() });
    let (mut list, mut bytes, mut last) = (Vec::new(), 0, after.clone());
    // One after the other: a page of long bodies must not be in memory several times over.
    for (key, meta) in listed.keys.into_iter().filter(|(key, _)| *key > after) {
        if bytes >= PAGE_BYTES {
            next = Some(EventCursor { batch, after: last });
            break;
        }
        let stored = open(&key, meta, &kv, config).await?;
        bytes += stored.as_ref().map_or(0, |stored| stored.body.len());
        list.extend(stored.map(|stored| StoredEvent { body: caller.view_body(stored.body, &config.index), ..stored }));
        last = key;
    }
    let cursor = next.map(|next| EventQuery::seal_cursor(&next, &config.sealer, platform::nonce()));
    Ok(Reply::json(&Answer { list, cursor }))
}

/// `None` if it expired meanwhile, or its key is not configured any more.
async fn open(key: &str, meta: EventMeta, kv: &KvStore, config: &Config) -> Result<Option<StoredEvent>, Failure> {
    let value = kv.get(key).bytes().await.map_err(kv::unavailable)?;
    let opened = value.and_then(|value| config.sealer.open(key, &value).ok());
    Ok(opened.zip(parse_event_key(key)).map(|(body, parsed)| {
        let (id, stamp) = (parsed.id.to_owned(), iso_8601(parsed.stamp));
        StoredEvent { id, r#type: meta.kind, received_at: meta.received_at, stamp, body: StoredBody::new(body) }
    }))
}
