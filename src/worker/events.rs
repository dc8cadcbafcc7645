//! `GET /edge/events`: kept events, newest first.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use worker::{Env, kv::KvStore};

use super::{
    call::Call,
    kv, platform,
    reply::{Failure, Reply},
};
use crate::{
    api_error::EdgeError,
    config::Config,
    event::iso_8601,
    list::{EventCursor, EventQuery},
    redact::without_ids,
    session::Caller,
    store::{EVENT_PREFIX, EventMeta, parse_event_key},
};

/// How much of bodies a page shows at the most, and one body more.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    id: String,
    r#type: Option<String>,
    received_at: String,
    stamp: String,
    #[serde(flatten)]
    body: Shown,
}

/// A body as it is shown: as it is if it is UTF-8, any other in base64.
#[derive(Debug, Serialize, Deserialize)]
pub struct Shown {
    encoding: Encoding,
    body: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Utf8,
    Base64,
}

/// A page ends at its limit or after [`PAGE_BYTES`].
pub async fn list(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    #[derive(Serialize)]
    struct Answer {
        list: Vec<Kept>,
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
        let kept = open(&key, meta, &kv, config).await?;
        bytes += kept.as_ref().map_or(0, |kept| kept.body.len());
        list.extend(kept.map(|kept| Kept { body: kept.body.shown_to(caller, config), ..kept }));
        last = key;
    }
    let cursor = next.map(|next| EventQuery::seal_cursor(&next, &config.sealer, platform::nonce()));
    Ok(Reply::json(&Answer { list, cursor }))
}

impl Shown {
    pub fn of(body: Vec<u8>) -> Self {
        match String::from_utf8(body) {
            Ok(body) => Self { encoding: Encoding::Utf8, body },
            Err(error) => Self { encoding: Encoding::Base64, body: STANDARD.encode(error.as_bytes()) },
        }
    }

    /// In bytes.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// The body as the caller may see it: only servers see connection ids, anybody else a handle in the place of each. A
    /// body that is no text is not shown to them, for nobody can tell what is in it.
    pub fn shown_to(self, caller: &Caller, config: &Config) -> Self {
        let body = match (caller, self.encoding) {
            (Caller::Gateway, _) => self.body,
            (_, Encoding::Utf8) => without_ids(&self.body, &config.index),
            (_, Encoding::Base64) => String::new(),
        };
        Self { body, ..self }
    }
}

/// `None` if it expired meanwhile, or its key is not configured any more.
async fn open(key: &str, meta: EventMeta, kv: &KvStore, config: &Config) -> Result<Option<Kept>, Failure> {
    let value = kv.get(key).bytes().await.map_err(kv::unavailable)?;
    let opened = value.and_then(|value| config.sealer.open(key, &value).ok());
    Ok(opened.zip(parse_event_key(key)).map(|(body, parsed)| {
        let (id, stamp) = (parsed.id.to_owned(), iso_8601(parsed.stamp));
        Kept { id, r#type: meta.kind, received_at: meta.received_at, stamp, body: Shown::of(body) }
    }))
}
