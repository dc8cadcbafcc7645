//! Workers KV: performs the writes that [`crate::core::storage`] describes, and lists keys.
//!
//! KV takes one write per second for each key, and a change can take 60 s until it is seen everywhere
//! ([Workers KV: Limits](https://developers.cloudflare.com/kv/platform/limits/),
//! [How KV works](https://developers.cloudflare.com/kv/concepts/how-kv-works/)).

use worker::{
    Env,
    kv::{KvError, KvStore},
};

use super::{environment, failure::Failure};
use crate::core::storage::KvPut;

/// One batch of a list of keys.
pub struct KeyBatch<M> {
    /// The keys in order, each with its metadata.
    pub keys: Vec<(String, M)>,
    /// KV's cursor for the next batch; `None` after the last one.
    pub next_cursor: Option<String>,
}

/// The KV namespace; STORAGE_UNAVAILABLE if it is not bound.
pub fn open(env: &Env) -> Result<KvStore, Failure> {
    environment::kv_namespace(env).map_err(|error| Failure::storage("kv", &error))
}

/// Performs one write.
pub async fn put(kv: &KvStore, put: KvPut) -> Result<(), KvError> {
    let write = kv.put_bytes(&put.key, &put.value)?.metadata(put.metadata)?;
    match put.ttl {
        Some(seconds) => write.expiration_ttl(seconds).execute().await,
        None => write.execute().await,
    }
}

/// Lists the keys that begin with `prefix`, starting at `cursor`. A key whose metadata is missing or cannot be read
/// gets the default of `M`.
///
/// `limit` is 1 to 1,000 keys ([Workers KV: List keys](https://developers.cloudflare.com/kv/api/list-keys/)).
pub async fn list<M: Default + serde::de::DeserializeOwned>(
    kv: &KvStore,
    prefix: &str,
    cursor: Option<&str>,
    limit: u64,
) -> Result<KeyBatch<M>, KvError> {
    let mut list = kv.list().prefix(prefix.to_owned()).limit(limit);
    if let Some(cursor) = cursor {
        list = list.cursor(cursor.to_owned());
    }
    let list = list.execute().await?;
    let meta = |meta: Option<_>| meta.and_then(|meta| serde_json::from_value(meta).ok()).unwrap_or_default();
    let keys = list.keys.into_iter().map(|key| (key.name, meta(key.metadata))).collect();
    Ok(KeyBatch { keys, next_cursor: list.cursor.filter(|_| !list.list_complete) })
}

/// STORAGE_UNAVAILABLE, with KV's own error for the log.
pub fn unavailable(error: KvError) -> Failure {
    Failure::storage("kv", &error)
}
