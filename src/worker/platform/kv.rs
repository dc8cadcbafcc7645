//! Workers KV: performs the writes that [`crate::store`] describes, and reads back.

use worker::{
    Env,
    kv::{KvError, KvStore},
};

use super::{environment, failure::Failure};
use crate::core::storage::KvPut;

/// One batch of a list: at most 1,000 keys.
pub struct Batch<M> {
    /// Names and metadata, in order.
    pub keys: Vec<(String, M)>,
    /// KV's cursor for what comes next, if anything does.
    pub rest: Option<String>,
}

/// Performs one write.
pub async fn put(kv: &KvStore, put: KvPut) -> Result<(), KvError> {
    let write = kv.put_bytes(&put.key, &put.value)?.metadata(put.metadata)?;
    match put.ttl {
        Some(seconds) => write.expiration_ttl(seconds).execute().await,
        None => write.execute().await,
    }
}

/// Lists keys under `prefix`, from `cursor` on. A key without readable metadata is listed with empty ones.
pub async fn list<M: Default + serde::de::DeserializeOwned>(
    kv: &KvStore,
    prefix: &str,
    cursor: Option<&str>,
    limit: u64,
) -> Result<Batch<M>, KvError> {
    let mut list = kv.list().prefix(prefix.to_owned()).limit(limit);
    if let Some(cursor) = cursor {
        list = list.cursor(cursor.to_owned());
    }
    let list = list.execute().await?;
    let meta = |meta: Option<_>| meta.and_then(|meta| serde_json::from_value(meta).ok()).unwrap_or_default();
    let keys = list.keys.into_iter().map(|key| (key.name, meta(key.metadata))).collect();
    Ok(Batch { keys, rest: list.cursor.filter(|_| !list.list_complete) })
}

/// The namespace, or the failure that it is not bound.
pub fn open(env: &Env) -> Result<KvStore, Failure> {
    environment::connections(env).map_err(|error| Failure::storage("kv", &error))
}

/// KV did not answer.
pub fn unavailable(error: KvError) -> Failure {
    Failure::storage("kv", &error)
}
