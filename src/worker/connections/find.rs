//! Finding a connection.

use percent_encoding::percent_decode_str;
use worker::Env;

use crate::{
    core::{
        config::Config,
        connection::Record,
        gateway::{Caller, EdgeError, Session},
        id::{is_connection_id, is_handle},
        storage,
    },
    worker::{
        hub, ledger,
        platform::{Failure, kv},
    },
};

/// Which connection a path names.
pub enum FoundConnection {
    /// One that is kept here.
    Known(Box<Record>),
    /// One that is not, by OFAuth's id.
    Unknown(String),
}

impl FoundConnection {
    /// CONNECTION_NOT_FOUND unless it is kept here.
    pub fn record(self) -> Result<Record, EdgeError> {
        match self {
            Self::Known(record) => Ok(*record),
            Self::Unknown(_) => Err(EdgeError::ConnectionNotFound),
        }
    }

    /// OFAuth's id.
    pub fn id(&self) -> &str {
        match self {
            Self::Known(record) => &record.id,
            Self::Unknown(id) => id,
        }
    }
}

/// Finds the connection that a path's segment names.
pub async fn find(segment: &str, caller: &Caller, config: &Config, env: &Env) -> Result<FoundConnection, Failure> {
    let name = percent_decode_str(segment).decode_utf8().map_err(|_| EdgeError::ConnectionNotFound)?;
    find_named(&name, caller, config, env).await
}

/// Finds a connection by handle or id: a session's in its hub, any other in its ledger. A raw id is taken from a gateway
/// key only.
pub async fn find_named(name: &str, caller: &Caller, config: &Config, env: &Env) -> Result<FoundConnection, Failure> {
    let (handle, id) = match name {
        handle if is_handle(handle) => (handle.to_owned(), None),
        id if is_connection_id(id) && *caller == Caller::Server => (config.index.handle(id), Some(id.to_owned())),
        _ => return Err(EdgeError::ConnectionNotFound.into()),
    };
    let record = match caller {
        Caller::Session(session) => {
            of_session(session, config, env).await?.into_iter().find(|record| record.handle == handle)
        }
        Caller::Server if id.is_none() => record_named(&handle, config, env).await?,
        _ => ledger::record(&handle, env).await?,
    };
    match (record, id) {
        (Some(record), _) => Ok(FoundConnection::Known(Box::new(record))),
        (None, Some(id)) => Ok(FoundConnection::Unknown(id)),
        (None, None) => Err(EdgeError::ConnectionNotFound.into()),
    }
}

/// The record of the connection that has this handle; else of the connection whose id is this text, since an id may have
/// the form of a handle.
pub async fn record_named(handle: &str, config: &Config, env: &Env) -> Result<Option<Record>, Failure> {
    match ledger::record(handle, env).await? {
        Some(record) => Ok(Some(record)),
        None => ledger::record(&config.index.handle(handle), env).await,
    }
}

/// The same connection as its ledger has it. The hub may not have heard yet that one is another user's now; the ledger has.
pub async fn confirm(record: &Record, session: &Session, env: &Env) -> Result<Record, Failure> {
    let record = ledger::record(&record.handle, env).await?;
    let own = record.filter(|record| record.belongs_to(&session.client_reference_id));
    own.ok_or_else(|| EdgeError::ConnectionNotFound.into())
}

/// Finds a connection for more than a look: a session's is confirmed.
pub async fn find_own(segment: &str, caller: &Caller, config: &Config, env: &Env) -> Result<FoundConnection, Failure> {
    let found = find(segment, caller, config, env).await?;
    match (caller, found) {
        (Caller::Session(session), FoundConnection::Known(record)) => {
            Ok(FoundConnection::Known(Box::new(confirm(&record, session, env).await?)))
        }
        (_, found) => Ok(found),
    }
}

/// All that a session may see: its user's, or the only one its token is for.
pub async fn of_session(session: &Session, config: &Config, env: &Env) -> Result<Vec<Record>, Failure> {
    let mut records = hub::connections(&session.client_reference_id, config, env).await?;
    records.retain(|record| session.connection.as_ref().is_none_or(|only| *only == record.handle));
    Ok(records)
}

/// The connection a call goes to.
pub struct Target {
    pub id: String,
    /// What the store knows of it.
    pub known: Option<Record>,
}

/// A server's hot path: one KV get; on a miss, or with KV failing, the ledger.
pub async fn by_handle(handle: &str, config: &Config, env: &Env) -> Result<Target, Failure> {
    let record = match from_kv(handle, config, env).await? {
        Some(record) => Some(record),
        None => record_named(handle, config, env).await?,
    };
    Ok(record.filter(Record::is_connected).ok_or(EdgeError::ConnectionNotFound)?.into())
}

/// An id that the store does not know goes up as it is, and nothing is stored.
pub async fn by_id(id: &str, config: &Config, env: &Env) -> Result<Target, Failure> {
    let known = ledger::record(&config.index.handle(id), env).await?;
    if known.as_ref().is_some_and(|record| !record.is_connected()) {
        return Err(EdgeError::ConnectionNotFound.into());
    }
    Ok(Target { id: id.to_owned(), known })
}

pub async fn from_kv(handle: &str, config: &Config, env: &Env) -> Result<Option<Record>, Failure> {
    let kv = kv::open(env)?;
    let value = kv.get(&storage::connection_key(handle)).bytes().await.ok().flatten();
    Ok(value.and_then(|value| storage::open_connection(handle, &value, &config.sealer)))
}

impl From<Record> for Target {
    fn from(record: Record) -> Self {
        Self { id: record.id.clone(), known: Some(record) }
    }
}
