//! The hub: a Durable Object per clientReferenceId, named by its keyed hash, that holds a sealed copy of the record of
//! each of that user's connections. What a user sees as theirs is read here, strongly consistent.
//!
//! Ledgers tell it, and may repeat themselves or be late: every message carries the ledger's version, and one that is
//! older than what is known is ignored. A connection that left is remembered for [`MEMORY`] at least, so that a late
//! message cannot bring it back.
//!
//! | table | columns |
//! |---|---|
//! | `connections` | handle; the version told last; when that was (unix ms); the sealed record, or NULL once it left |
//!
//! A record's place (see [`crate::seal`]) is `hub/{name}/{handle}`.

use serde::{Deserialize, Serialize};
use worker::{
    DurableObject, Env, Method, Request, RequestInit, Response, SqlStorage, SqlStorageValue as Value, State,
    durable_object,
};

use super::{env, platform, reply::Failure};
use crate::{config::Config, connection::Record};

const MEMORY: i64 = 30 * 86_400_000;
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS connections (
        handle TEXT PRIMARY KEY, version INTEGER NOT NULL, told INTEGER NOT NULL, record BLOB)";

/// What a ledger tells a hub about one connection.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    /// The hub's own name: an object may not know it.
    pub hub: String,
    /// The connection.
    pub handle: String,
    /// The ledger's version.
    pub version: i64,
    /// What to do.
    pub news: News,
}

/// The news about a connection.
#[derive(Debug, Serialize, Deserialize)]
pub enum News {
    /// It belongs to this user and looks like this.
    Is(Box<Record>),
    /// It belongs to another user now, or to none.
    Left,
    /// Its ledger is gone: later versions would begin at 1 again.
    Gone,
}

/// The Durable Object.
#[durable_object(fetch)]
pub struct Hub {
    state: State,
    env: Env,
}

/// Tells a hub.
pub async fn tell(told: &Told, env: &Env) -> worker::Result<()> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(serde_json::to_string(told)?.into()));
    let request = Request::new_with_init("https://hub/tell", &init)?;
    let answer = env::hubs(env)?.get_by_name(&told.hub)?.fetch_with_request(request).await?;
    if answer.status_code() == 200 { Ok(()) } else { Err("the hub refused".into()) }
}

/// All connections of a user, the newest `updatedAt` first.
pub async fn connections(reference: &str, config: &Config, env: &Env) -> Result<Vec<Record>, Failure> {
    let name = config.index.reference(reference);
    let url = format!("https://hub/{name}");
    let ask = async {
        let request = Request::new(&url, Method::Get)?;
        env::hubs(env)?.get_by_name(&name)?.fetch_with_request(request).await?.json::<Vec<Record>>().await
    };
    let mut records = ask.await.map_err(|error| Failure::storage("hub", &error))?;
    records.sort_by(|a, b| b.updated_at.cmp(&a.updated_at).then_with(|| a.handle.cmp(&b.handle)));
    Ok(records)
}

impl DurableObject for Hub {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let config = env::config(&self.env).map_err(|_| "not configured")?;
        let sql = self.state.storage().sql();
        if request.method() == Method::Get {
            let name = request.path();
            return Response::from_json(&list(name.trim_start_matches('/'), &sql, &config)?);
        }
        let told: Told = request.json().await?;
        hear(told, &sql, &config, platform::now_ms())?;
        Response::ok("")
    }
}

fn list(name: &str, sql: &SqlStorage, config: &Config) -> worker::Result<Vec<Record>> {
    let tables = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'connections'", None)?.raw().next();
    if tables.is_none() {
        return Ok(Vec::new());
    }
    let rows = sql.exec("SELECT handle, record FROM connections WHERE record IS NOT NULL", None)?;
    // A row that does not open, since its key is not configured any more, does not hide the others.
    let open = |row: Vec<Value>| match <[Value; 2]>::try_from(row) {
        Ok([Value::String(handle), Value::Blob(sealed)]) => {
            serde_json::from_slice(&config.sealer.open(&place(name, &handle), &sealed).ok()?).ok()
        }
        _ => None,
    };
    rows.raw().filter_map(|row| row.map(open).transpose()).collect()
}

fn hear(told: Told, sql: &SqlStorage, config: &Config, now: i64) -> worker::Result<()> {
    sql.exec(SCHEMA, None)?;
    let Told { hub, handle, version, news } = told;
    let forget = "DELETE FROM connections WHERE record IS NULL AND told <= ?";
    sql.exec(forget, vec![(now - MEMORY).into()])?;
    let record = match news {
        News::Gone => {
            return sql.exec("DELETE FROM connections WHERE handle = ?", vec![handle.into()]).map(|_| ());
        }
        News::Left => None,
        News::Is(record) => {
            Some(config.sealer.seal(&place(&hub, &handle), &serde_json::to_vec(&record)?, platform::nonce()))
        }
    };
    sql.exec(
        "INSERT INTO connections VALUES (?, ?, ?, ?) ON CONFLICT (handle) DO UPDATE \
            SET version = excluded.version, told = excluded.told, record = excluded.record \
            WHERE version <= excluded.version",
        vec![handle.into(), version.into(), now.into(), record.into()],
    )
    .map(|_| ())
}

fn place(name: &str, handle: &str) -> String {
    format!("hub/{name}/{handle}")
}
