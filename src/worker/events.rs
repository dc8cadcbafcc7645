//! `GET /edge/events`: kept events, newest first.

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::future::try_join_all;
use serde::Serialize;
use worker::{Env, kv::KvStore};

use super::{
    env, kv, platform,
    reply::{Call, Reply},
};
use crate::{
    api_error::EdgeError,
    config::Config,
    event::iso_8601,
    list::EventQuery,
    store::{EVENT_PREFIX, EventMeta, parse_event_key},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    id: String,
    r#type: Option<String>,
    received_at: String,
    stamp: String,
    encoding: &'static str,
    body: String,
}

/// A body that is UTF-8 is shown as it is, any other in base64.
pub async fn list(call: &Call, config: &Config, env: &Env) -> Result<Reply, EdgeError> {
    #[derive(Serialize)]
    struct Answer {
        list: Vec<Kept>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    }
    let query = EventQuery::parse(call.query())?;
    let cursor = query.open_cursor(&config.sealer)?;
    let kv = env::connections(env).map_err(|_| EdgeError::StorageUnavailable)?;
    let listed = kv::list(&kv, EVENT_PREFIX, cursor.as_deref(), query.limit as u64).await.map_err(kv::unavailable)?;
    let kept = try_join_all(listed.keys.into_iter().map(|(key, meta)| open(key, meta, &kv, config))).await?;
    let cursor = listed.rest.map(|rest| EventQuery::seal_cursor(&rest, &config.sealer, platform::nonce()));
    Ok(Reply::json(&Answer { list: kept.into_iter().flatten().collect(), cursor }))
}

/// `None` if it expired meanwhile, or its key is not configured any more.
async fn open(key: String, meta: EventMeta, kv: &KvStore, config: &Config) -> Result<Option<Kept>, EdgeError> {
    let value = kv.get(&key).bytes().await.map_err(kv::unavailable)?;
    let opened = value.and_then(|value| config.sealer.open(&key, &value).ok());
    Ok(opened.zip(parse_event_key(&key)).map(|(body, parsed)| {
        let (encoding, body) = match String::from_utf8(body) {
            Ok(text) => ("utf8", text),
            Err(error) => ("base64", STANDARD.encode(error.as_bytes())),
        };
        let (id, stamp) = (parsed.id.to_owned(), iso_8601(parsed.stamp));
        Kept { id, r#type: meta.kind, received_at: meta.received_at, stamp, encoding, body }
    }))
}
