//! Workers KV: reads, deletes and lists keys, and performs the writes that [`crate::core::storage`] describes.
//!
//! KV takes one write per second for each key, and a change can take 60 s until it is seen everywhere
//! ([Workers KV: Limits](https://developers.cloudflare.com/kv/platform/limits/),
//! [How KV works](https://developers.cloudflare.com/kv/concepts/how-kv-works/)).
//!
//! This calls the platform's KV directly. That of the crate `worker` passes options and results through
//! `serde-wasm-bindgen` and `serde_json::Value`; here they cross as one JSON text each.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use wasm_bindgen::prelude::*;
use worker::{
    Env,
    js_sys::{JSON, Promise, Uint8Array, futures::JsFuture},
};

use super::{
    environment,
    error::{Error, Result},
    failure::Failure,
};
use crate::core::{
    json::{self, Raw},
    storage::KvPut,
};

#[wasm_bindgen]
extern "C" {
    /// A [KV namespace](https://developers.cloudflare.com/kv/api/).
    #[derive(Clone)]
    type Namespace;
    #[wasm_bindgen(method, catch)]
    fn get(this: &Namespace, key: &str, kind: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn put(this: &Namespace, key: &str, value: &Uint8Array, options: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn delete(this: &Namespace, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn list(this: &Namespace, options: &JsValue) -> Result<Promise, JsValue>;
}

/// The shortest time between two writes of one key, in ms.
pub const PUT_GAP: i64 = 1_000;
/// The most keys that one list request returns
/// ([Workers KV: List keys](https://developers.cloudflare.com/kv/api/list-keys/)).
pub const MAX_KEYS: u64 = 1_000;

/// The KV namespace `CONNECTIONS`.
#[derive(Clone)]
pub struct Kv(Namespace);

/// One batch of a list of keys.
pub struct KeyBatch<M> {
    /// The keys in order, each with its metadata.
    pub keys: Vec<(String, M)>,
    /// KV's cursor for the next batch; `None` after the last one.
    pub next_cursor: Option<String>,
}

/// A value that is being read.
pub struct PendingGet(JsFuture);

impl PendingGet {
    /// The value, or `None` if KV does not have it.
    pub async fn finish(self) -> Result<Option<Vec<u8>>> {
        let value = self.0.await?;
        Ok((!value.is_null()).then(|| Uint8Array::new(&value).to_vec()))
    }
}

impl Kv {
    /// Fails if the namespace is not bound.
    pub fn open(env: &Env) -> Result<Self> {
        Ok(Self(environment::kv_namespace(env)?.unchecked_into()))
    }

    /// The value of a key, or `None` if KV does not have it.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.start_get(key)?.finish().await
    }

    /// Starts to read the value of a key.
    pub fn start_get(&self, key: &str) -> Result<PendingGet> {
        Ok(PendingGet(JsFuture::from(self.0.get(key, "arrayBuffer")?)))
    }

    /// Performs one write.
    pub async fn put(&self, put: KvPut) -> Result<()> {
        let ttl = put.ttl.map(|seconds| format!(",\"expirationTtl\":{seconds}")).unwrap_or_default();
        let options = JSON::parse(&format!("{{\"metadata\":{}{ttl}}}", put.metadata))?;
        JsFuture::from(self.0.put(&put.key, &put.value.as_slice().into(), &options)?).await?;
        Ok(())
    }

    /// Deletes a key. A key that does not exist is no error.
    pub async fn delete(&self, key: &str) -> Result<()> {
        JsFuture::from(self.0.delete(key)?).await?;
        Ok(())
    }

    /// Lists the keys that begin with `prefix`, starting at `cursor`. A key whose metadata is missing or cannot be read
    /// gets the default of `M`.
    ///
    /// `limit` is 1 to [`MAX_KEYS`].
    pub async fn list<M: Default + DeserializeOwned>(
        &self,
        prefix: &str,
        cursor: Option<&str>,
        limit: u64,
    ) -> Result<KeyBatch<M>> {
        let text = self.list_as_text(&ListOptions { prefix, limit, cursor }).await?;
        let listed: Listed = json::from_slice(text.as_bytes())?;
        let meta = |meta: Option<Raw>| meta.and_then(|Raw(meta)| json::from_slice(meta.as_bytes()).ok());
        let keys = listed.keys.into_iter().map(|key| (key.name, meta(key.metadata).unwrap_or_default())).collect();
        Ok(KeyBatch { keys, next_cursor: listed.cursor.filter(|_| !listed.list_complete) })
    }

    async fn list_as_text(&self, options: &ListOptions<'_>) -> Result<String> {
        let options = JSON::parse(&serde_json::to_string(options)?)?;
        let listed = JsFuture::from(self.0.list(&options)?).await?;
        Ok(JSON::stringify(&listed)?.into())
    }
}

/// The options of KV's `list`.
#[derive(Serialize)]
struct ListOptions<'a> {
    prefix: &'a str,
    limit: u64,
    cursor: Option<&'a str>,
}

/// The result of KV's `list`.
#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    keys: Vec<ListedKey<'a>>,
    list_complete: bool,
    cursor: Option<String>,
}

#[derive(Deserialize)]
struct ListedKey<'a> {
    name: String,
    #[serde(borrow)]
    metadata: Option<Raw<'a>>,
}

/// STORAGE_UNAVAILABLE, with KV's own error for the log.
pub fn unavailable(error: Error) -> Failure {
    Failure::storage("kv", &error)
}
