//! Finds the connection that a request names.
//!
//! | function | reads | for |
//! |---|---|---|
//! | [`find_by_segment`], [`find_by_name`] | a session's hub; else the ledger | showing a connection |
//! | [`find_confirmed`] | a session's hub, then the ledger; else the ledger | changing one, or showing its events |
//! | [`page_of_session`] | the session's hub | lists |
//! | [`target_by_handle`] | KV, then the ledger | a server's Access call |
//! | [`target_by_id`] | the ledger | a server's Access call |
//!
//! A connection that does not exist and one that belongs to another user give the same error, CONNECTION_NOT_FOUND. A
//! function fails with STORAGE_UNAVAILABLE if its ledger or hub does not answer.

use percent_encoding::percent_decode_str;
use worker::Env;

use crate::{
    core::{
        config::Config,
        connection::Record,
        gateway::{
            Caller, EdgeError, Session,
            list::{ConnectionQuery, UserPage},
        },
        id::{is_connection_id, is_handle},
        storage,
    },
    worker::{
        hub, ledger,
        platform::{
            Failure,
            kv::{self, Kv},
        },
    },
};

/// A connection that a request names.
pub enum FoundConnection {
    /// The gateway has its record.
    Stored(Box<Record>),
    /// The gateway has no record of it: a server named it by OFAuth's id, which this is.
    NotStored(String),
}

impl FoundConnection {
    /// The record; CONNECTION_NOT_FOUND if there is none.
    pub fn record(self) -> Result<Record, EdgeError> {
        match self {
            Self::Stored(record) => Ok(*record),
            Self::NotStored(_) => Err(EdgeError::ConnectionNotFound),
        }
    }

    /// OFAuth's id.
    pub fn id(&self) -> &str {
        match self {
            Self::Stored(record) => &record.id,
            Self::NotStored(id) => id,
        }
    }
}

/// Finds the connection that a segment of a path names. The segment is percent-decoded once.
pub async fn find_by_segment(
    segment: &str,
    caller: &Caller,
    config: &Config,
    env: &Env,
) -> Result<FoundConnection, Failure> {
    let name = percent_decode_str(segment).decode_utf8().map_err(|_| EdgeError::ConnectionNotFound)?;
    find_by_name(&name, caller, config, env).await
}

/// Finds a connection by handle or, for a gateway key only, by OFAuth's id.
///
/// CONNECTION_NOT_FOUND if `name` is neither, if a session's user does not have the connection, or if there is no
/// record under that handle. An id without a record is [`FoundConnection::NotStored`].
pub async fn find_by_name(name: &str, caller: &Caller, config: &Config, env: &Env) -> Result<FoundConnection, Failure> {
    let (handle, id) = match name {
        handle if is_handle(handle) => (handle.to_owned(), None),
        id if is_connection_id(id) && *caller == Caller::Server => (config.index.handle(id), Some(id.to_owned())),
        _ => return Err(EdgeError::ConnectionNotFound.into()),
    };
    let record = match caller {
        Caller::Session(session) => record_of_session(session, &handle, config, env).await?,
        Caller::Server if id.is_none() => record_by_handle(&handle, config, env).await?,
        _ => ledger::record(&handle, env).await?,
    };
    match (record, id) {
        (Some(record), _) => Ok(FoundConnection::Stored(Box::new(record))),
        (None, Some(id)) => Ok(FoundConnection::NotStored(id)),
        (None, None) => Err(EdgeError::ConnectionNotFound.into()),
    }
}

/// The record that a server means by a text in the form of a handle: that of the connection with this handle, else that
/// of the connection with this id, because OFAuth's ids may have the same form.
pub async fn record_by_handle(handle: &str, config: &Config, env: &Env) -> Result<Option<Record>, Failure> {
    match ledger::record(handle, env).await? {
        Some(record) => Ok(Some(record)),
        None => ledger::record(&config.index.handle(handle), env).await,
    }
}

/// Reads a session's connection once more, from its ledger. The hub may not know yet that a connection now belongs to
/// another user; the ledger does, and then this is CONNECTION_NOT_FOUND.
pub async fn confirm_in_ledger(record: &Record, session: &Session, env: &Env) -> Result<Record, Failure> {
    let record = ledger::record(&record.handle, env).await?;
    let own_record = record.filter(|record| record.belongs_to(&session.client_reference_id));
    own_record.ok_or_else(|| EdgeError::ConnectionNotFound.into())
}

/// Finds the connection that a segment of a path names, for more than showing it: a session's is confirmed by
/// [`confirm_in_ledger`].
pub async fn find_confirmed(
    segment: &str,
    caller: &Caller,
    config: &Config,
    env: &Env,
) -> Result<FoundConnection, Failure> {
    let found = find_by_segment(segment, caller, config, env).await?;
    match (caller, found) {
        (Caller::Session(session), FoundConnection::Stored(record)) => {
            Ok(FoundConnection::Stored(Box::new(confirm_in_ledger(&record, session, env).await?)))
        }
        (_, found) => Ok(found),
    }
}

/// One page of the connections that a session may see: those of its user, or the single one that its token is restricted
/// to.
pub async fn page_of_session(
    session: &Session,
    query: &ConnectionQuery,
    config: &Config,
    env: &Env,
) -> Result<UserPage, Failure> {
    match &session.connection {
        Some(only) => Ok(query.page_of(record_of_session(session, only, config, env).await?.into_iter().collect())),
        None => hub::page(&session.client_reference_id, query, config, env).await,
    }
}

/// The connection with this handle, if a session may see it. The hub reads one row for it, however many the user has.
pub async fn record_of_session(
    session: &Session,
    handle: &str,
    config: &Config,
    env: &Env,
) -> Result<Option<Record>, Failure> {
    match &session.connection {
        Some(only) if only != handle => Ok(None),
        _ => hub::connection(&session.client_reference_id, handle, config, env).await,
    }
}

/// The connection that an Access call is forwarded for.
pub struct ConnectionTarget {
    /// OFAuth's id.
    pub id: String,
    /// The gateway's record of it, if it has one.
    pub record: Option<Record>,
}

/// The connection that a server names by handle. This is the fast path: one KV read. The ledger is asked only if KV has
/// no record or does not answer.
///
/// CONNECTION_NOT_FOUND if there is no record, or if the connection is disconnected.
pub async fn target_by_handle(handle: &str, config: &Config, env: &Env) -> Result<ConnectionTarget, Failure> {
    let record = match record_from_kv(handle, config, env).await? {
        Some(record) => Some(record),
        None => record_by_handle(handle, config, env).await?,
    };
    Ok(record.filter(Record::is_connected).ok_or(EdgeError::ConnectionNotFound)?.into())
}

/// The connection that a server names by OFAuth's id. An id without a record is forwarded too, and nothing is stored
/// about it.
///
/// CONNECTION_NOT_FOUND if the connection is disconnected.
pub async fn target_by_id(id: &str, config: &Config, env: &Env) -> Result<ConnectionTarget, Failure> {
    let record = ledger::record(&config.index.handle(id), env).await?;
    if record.as_ref().is_some_and(|record| !record.is_connected()) {
        return Err(EdgeError::ConnectionNotFound.into());
    }
    Ok(ConnectionTarget { id: id.to_owned(), record })
}

/// Reads a record from KV, where it can be up to a minute old. `None` if KV has none, does not answer, or has a value
/// that no configured key opens.
pub async fn record_from_kv(handle: &str, config: &Config, env: &Env) -> Result<Option<Record>, Failure> {
    let kv = Kv::open(env).map_err(kv::unavailable)?;
    let value = kv.get(&storage::connection_key(handle)).await.ok().flatten();
    Ok(value.and_then(|value| storage::open_connection(handle, &value, &config.sealer)))
}

impl From<Record> for ConnectionTarget {
    fn from(record: Record) -> Self {
        Self { id: record.id.clone(), record: Some(record) }
    }
}
