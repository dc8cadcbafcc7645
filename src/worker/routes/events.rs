//! `GET /edge/events`: lists the stored events that are not about a connection, newest first.
//!
//! ```json
//! {
//!   "list": [
//!     {
//!       "id": "msg_2Lh9", "type": "rules.updated", "receivedAt": "2024-01-15T10:30:02.000Z",
//!       "stamp": "2024-01-15T10:30:00.000Z", "encoding": "utf8", "body": "{\"type\":\"rules.updated\"}"
//!     }
//!   ],
//!   "cursor": "AbC…"
//! }
//! ```
//!
//! `id` is the delivery's id, `stamp` is when the event happened. `type` is null for a body that is not an event.
//! `cursor` is absent on the last page.

use serde::Serialize;
use worker::Env;

use crate::{
    core::{
        config::Config,
        gateway::{
            Caller,
            list::{EventCursor, EventQuery},
        },
        instant::iso_8601,
        storage::{EVENT_PREFIX, Encoding, EventMeta, PAGE_BYTES, StoredBody, parse_event_key},
    },
    worker::{
        http::{Call, Reply},
        platform::{
            self, Failure,
            kv::{self, Kv},
        },
    },
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoredEvent {
    id: String,
    r#type: Option<String>,
    received_at: String,
    stamp: String,
    encoding: Encoding,
    body: String,
}

/// Lists one page of events. It ends after `limit` events, or after the one that brings its bodies to [`PAGE_BYTES`].
///
/// 1. A session is refused: the events are those of all users.
/// 2. The query and its cursor are read.
/// 3. One batch of keys is listed from KV.
/// 4. Its events are opened one by one, until the page is full. The console sees handles in the place of ids.
/// 5. The cursor of the next page is sealed.
pub async fn list(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    #[derive(Serialize)]
    struct EventList {
        list: Vec<StoredEvent>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    }
    // 1.
    caller.refuse_session()?;
    // 2.
    let query = EventQuery::parse(call.query())?;
    let EventCursor { batch, after } = query.open_cursor(&config.sealer)?;
    // 3.
    let kv = Kv::open(env).map_err(kv::unavailable)?;
    let listed = kv.list(EVENT_PREFIX, batch.as_deref(), query.limit as u64).await.map_err(kv::unavailable)?;
    let mut next = listed.next_cursor.map(|cursor| EventCursor { batch: Some(cursor), after: String::new() });
    let (mut list, mut bytes, mut last) = (Vec::new(), 0, after.clone());
    // 4. One by one, because opening them all at once could need several times the page's size in memory.
    for (key, meta) in listed.keys.into_iter().filter(|(key, _)| *key > after) {
        if bytes >= PAGE_BYTES {
            next = Some(EventCursor { batch, after: last });
            break;
        }
        let stored = open_event(&key, meta, caller, &kv, config).await?;
        bytes += stored.as_ref().map_or(0, |stored| stored.body.len());
        list.extend(stored);
        last = key;
    }
    // 5.
    let cursor = next.map(|next| EventQuery::seal_cursor(&next, &config.sealer, platform::nonce()));
    Ok(Reply::json(&EventList { list, cursor }))
}

/// Reads and opens one event. `None` if it has expired since its key was listed, or if its encryption key is not
/// configured any more.
async fn open_event(
    key: &str,
    meta: EventMeta,
    caller: &Caller,
    kv: &Kv,
    config: &Config,
) -> Result<Option<StoredEvent>, Failure> {
    let value = kv.get(key).await.map_err(kv::unavailable)?;
    let opened = value.and_then(|value| config.sealer.open(key, &value).ok());
    Ok(opened.zip(parse_event_key(key)).map(|(body, parsed)| {
        let (id, stamp) = (parsed.id.to_owned(), iso_8601(parsed.stamp));
        let StoredBody { encoding, body } = caller.view_body(StoredBody::new(body), &config.index);
        StoredEvent { id, r#type: meta.kind, received_at: meta.received_at, stamp, encoding, body }
    }))
}
