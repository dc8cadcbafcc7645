//! Any `/v2/access/*`: the call goes up with the key and the connection id, the answer comes back, bodies are streamed.

use std::{pin::pin, time::Duration};

use futures_util::future::select;
use worker::{Delay, Env};

use super::{
    call::Call,
    hub, kv,
    ledger::{self, Entry},
    platform,
    reply::{Failure, Reply},
    upstream,
};
use crate::{
    access::{self, Named},
    api_error::EdgeError,
    config::Config,
    connection::{At, Changes, Fact, Rank, Record},
    session::{Caller, Session},
    store,
};

/// How long an answer waits for its ledger to hear what it showed.
const PATIENCE: Duration = Duration::from_secs(2);

/// The connection a call goes to.
struct Target {
    id: String,
    /// What the store knows of it.
    known: Option<Record>,
}

/// 1. The path is judged.
/// 2. A session needs the route's permission.
/// 3. The connection is found.
/// 4. The call is sent to the configured origin, redirects not followed: they would carry the key to another host.
/// 5. What the answer shows of the connection is entered in its ledger.
/// 6. The answer is passed back.
pub async fn forward(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    access::check_path(call.path())?;
    let body = upstream::body_of(call).await?;
    // 2. and 3.
    let header = call.header("x-connection-id");
    let target = match caller {
        Caller::Console => return Err(EdgeError::PermissionDenied.into()),
        Caller::Session(session) => {
            session.require(access::permission(&call.method, call.path()))?;
            of_session(session, header.as_deref(), config, env).await?
        }
        Caller::Gateway => match access::named(header.as_deref())? {
            Named::Handle(handle) => by_handle(handle, config, env).await?.ok_or(EdgeError::ConnectionNotFound)?,
            Named::Id(id) => by_id(id, config, env).await?,
        },
    };
    // 4.
    let sent = platform::now_ms();
    let answer = upstream::send(call, body.as_ref(), &target.id, config).await;
    call.upstream_ms.set(Some(platform::now_ms() - sent));
    let answer = answer?;
    // 5.
    let refusal = answer.refusal(call);
    if let Some(known) = target.known.as_ref().filter(|_| !answer.is_silent(call)) {
        let is_auth = answer.is_auth(call);
        if let Some(status) = access::learned(&known.status, answer.status(), refusal.as_ref(), is_auth) {
            learn(&target.id, status, call, config, env).await;
        }
    }
    // 6.
    answer.pass_back(call, refusal)
}

/// A session's own connection, named or meant. It comes from the user's hub: KV may still show for a minute that a
/// connection is theirs which is another's now, or disconnected. Only with the hub failing, KV is asked for a named one.
async fn of_session(session: &Session, header: Option<&str>, config: &Config, env: &Env) -> Result<Target, Failure> {
    let named = access::named_by_session(header, session)?;
    let failure = match hub::connections(&session.client_reference_id, config, env).await {
        Ok(records) => return Ok(access::choose(named, &records)?.clone().into()),
        Err(failure) => failure,
    };
    let Some(handle) = named else { return Err(failure) };
    let theirs = |record: &Record| record.client_reference_id.as_ref() == Some(&session.client_reference_id);
    let record = from_kv(handle, config, env).await?.filter(|record| theirs(record) && record.is_connected());
    record.map(Target::from).ok_or(failure)
}

/// A server's hot path: one KV get; on a miss, or with KV failing, the ledger.
async fn by_handle(handle: &str, config: &Config, env: &Env) -> Result<Option<Target>, Failure> {
    let record = match from_kv(handle, config, env).await? {
        Some(record) => Some(record),
        None => ledger::record(handle, env).await?,
    };
    Ok(record.filter(Record::is_connected).map(Target::from))
}

/// An id that the store does not know goes up as it is, and nothing is stored.
async fn by_id(id: &str, config: &Config, env: &Env) -> Result<Target, Failure> {
    let known = ledger::record(&config.index.handle(id), env).await?;
    if known.as_ref().is_some_and(|record| !record.is_connected()) {
        return Err(EdgeError::ConnectionNotFound.into());
    }
    Ok(Target { id: id.to_owned(), known })
}

async fn from_kv(handle: &str, config: &Config, env: &Env) -> Result<Option<Record>, Failure> {
    let kv = kv::open(env)?;
    let value = kv.get(&store::connection_key(handle)).bytes().await.ok().flatten();
    Ok(value.and_then(|value| store::open_connection(handle, &value, &config.sealer)))
}

impl From<Record> for Target {
    fn from(record: Record) -> Self {
        Self { id: record.id.clone(), known: Some(record) }
    }
}

/// Enters a fact that a call showed, dated to the call's start: a late refusal never undoes a reconnect.
async fn learn(id: &str, status: &'static str, call: &Call, config: &Config, env: &Env) {
    let at = At { stamp: call.started(), rank: Rank::Observed, delivery: call.id.clone() };
    let changes = Changes { status: Some(status.to_owned()), ..Changes::default() };
    let kind = format!("edge.{status}");
    let entry = Entry { id: id.to_owned(), kind, received: call.started(), fact: Fact { at, changes }, learned: true };
    // The caller's answer neither depends on it nor waits long for it; the next call will show the same.
    select(pin!(ledger::enter(&entry, b"", config, env)), pin!(Delay::from(PATIENCE))).await;
}
