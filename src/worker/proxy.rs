//! Any `/v2/access/*`: the call goes up with the key and the connection id, the answer comes back, bodies are streamed.

use wasm_bindgen::{JsCast, JsValue};
use worker::{
    Env,
    js_sys::{self, Array, futures::JsFuture},
    web_sys::{Headers, ReadableStream, Request, RequestCache, RequestInit, RequestRedirect, Response},
};

use super::{
    body::read_capped,
    call::Call,
    kv, ledger, platform,
    reply::{Failure, Reply},
};
use crate::{
    access::{self, Named},
    api_error::EdgeError,
    config::Config,
    connection::{DISCONNECTED, Record},
    store,
};

#[wasm_bindgen::prelude::wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch)]
    fn fetch(request: &Request) -> js_sys::Promise;
}

/// 1. The path is judged; 2. the connection found; 3. the call sent, once, to the configured origin, redirects not
///    followed (they would carry the key to another host); 4. the answer passed back.
pub async fn forward(call: &Call, config: &Config, env: &Env) -> Result<Reply, Failure> {
    access::check_path(call.path())?;
    let body = body_of(call).await?;
    let named = call.header("x-connection-id");
    let id = match access::named(named.as_deref())? {
        Named::Handle(handle) => by_handle(handle, config, env).await?.ok_or(EdgeError::ConnectionNotFound)?,
        Named::Id(id) => by_id(id, config, env).await?,
    };
    let request = upstream_request(call, body.as_ref(), &id, config).map_err(Failure::upstream)?;
    let sent = platform::now_ms();
    let answer = JsFuture::from(fetch(&request)).await;
    call.upstream_ms.set(Some(platform::now_ms() - sent));
    let answer: Response = answer.map_err(Failure::upstream)?.unchecked_into();
    if !(200..600).contains(&answer.status()) {
        return Err(Failure::upstream(format!("an answer of status {}", answer.status()).into()));
    }
    let headers = copy(&answer.headers(), access::comes_back).map_err(Failure::upstream)?;
    Ok(Reply::upstream(answer.status(), headers, answer.body()))
}

/// The hot path: one KV get; on a miss, or with KV failing, the ledger.
async fn by_handle(handle: &str, config: &Config, env: &Env) -> Result<Option<String>, Failure> {
    let kv = kv::open(env)?;
    let value = kv.get(&store::connection_key(handle)).bytes().await.ok().flatten();
    let record = match value.and_then(|value| store::open_connection(handle, &value, &config.sealer)) {
        Some(record) => Some(record),
        None => ledger::record(handle, env).await?,
    };
    Ok(record.filter(is_connected).map(|record| record.id))
}

/// An id that the store does not know goes up as it is, and nothing is stored.
async fn by_id(id: &str, config: &Config, env: &Env) -> Result<String, Failure> {
    match ledger::record(&config.index.handle(id), env).await? {
        Some(record) if !is_connected(&record) => Err(EdgeError::ConnectionNotFound.into()),
        _ => Ok(id.to_owned()),
    }
}

fn is_connected(record: &Record) -> bool {
    record.status != DISCONNECTED
}

/// The body that goes up. A GET or HEAD has none, and an announced but empty one is none.
async fn body_of(call: &Call) -> Result<Option<ReadableStream>, Failure> {
    let body = call.request.body();
    if !matches!(call.method.as_str(), "GET" | "HEAD") {
        return Ok(body);
    }
    match read_capped(body, 0).await {
        Err(EdgeError::BodyTooLarge) => Err(EdgeError::BadRequest("a GET or HEAD carries no body").into()),
        read => Ok(read.map(|_| None)?),
    }
}

fn upstream_request(call: &Call, body: Option<&ReadableStream>, id: &str, config: &Config) -> Result<Request, JsValue> {
    let headers = copy(&call.request.headers(), access::goes_up)?;
    headers.set("apikey", config.api_key.reveal())?;
    headers.set("x-connection-id", id)?;
    let init = RequestInit::new();
    init.set_method(&call.method);
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    // One URL has an answer for each connection, and the platform's cache knows URLs only.
    init.set_cache(RequestCache::NoStore);
    if let Some(body) = body {
        init.set_body(body);
    }
    Request::new_with_str_and_init(&format!("{}{}", config.api_url, call.path_and_query()), &init)
}

/// Copies the headers that pass. A header may come more than once, so they are appended.
fn copy(from: &Headers, passes: fn(&str, &str) -> bool) -> Result<Headers, JsValue> {
    let connection = from.get("connection")?.unwrap_or_default();
    let to = Headers::new()?;
    for pair in js_sys::try_iter(from)?.into_iter().flatten() {
        let pair: Array = pair?.unchecked_into();
        let (Some(name), Some(value)) = (pair.get(0).as_string(), pair.get(1).as_string()) else { continue };
        if passes(&name, &connection) {
            to.append(&name, &value)?;
        }
    }
    Ok(to)
}
