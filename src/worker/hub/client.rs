//! Messages to hubs.

use serde::de::DeserializeOwned;
use worker::{Env, web_sys::Response};

use super::{
    erasure_message::ErasureProgress,
    message::{LinkRequest, Message},
};
use crate::{
    core::{
        config::Config,
        connection::Record,
        gateway::{
            EdgeError, Session,
            link::PendingLink,
            list::{ConnectionQuery, UserPage},
        },
        json,
    },
    worker::platform::{self, Failure, ObjectRequest, environment},
};

/// Sends a message to the hub of that name. Returns the answer, which is JSON.
pub async fn send(name: &str, message: Message, env: &Env) -> platform::Result<String> {
    let request = ObjectRequest { path: "", head: &encode(name, &message)?, body: b"" };
    platform::call(&environment::hub_namespace(env)?, name, request).await
}

/// All connections of a user, in no order. The hub opens each of them.
pub async fn connections(reference: &str, config: &Config, env: &Env) -> Result<Vec<Record>, Failure> {
    read(&ask(reference, Message::List, config, env).await?)
}

/// One page of a user's connections. The hub opens these only, unless the query names an OnlyFans user.
pub async fn page(reference: &str, query: &ConnectionQuery, config: &Config, env: &Env) -> Result<UserPage, Failure> {
    if query.platform_user_id.is_none() {
        let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
        let message = Message::Page((query.status.clone(), number(query.limit), number(query.offset)));
        let answer = ask(reference, message, config, env).await;
        if let Ok(Some((records, total))) = answer.and_then(|answer| read(&answer)) {
            return Ok(UserPage { records, total });
        }
    }
    // The hub cannot select by its index, or during a roll-out it runs an older build, which only lists.
    Ok(query.page_of(connections(reference, config, env).await?))
}

/// Connections of a user among which `access::choose_connection` chooses as among all. Fails with STORAGE_KEY_MISSING if it
/// would choose one whose key is not configured.
pub async fn candidates(reference: &str, config: &Config, env: &Env) -> Result<Vec<Record>, Failure> {
    let answer = ask(reference, Message::Candidates, config, env).await;
    match answer.and_then(|answer| read(&answer)) {
        Ok(Some(records)) => Ok(records),
        Err(failure) if failure.error == EdgeError::StorageKeyMissing => Err(failure),
        // As for a page.
        _ => connections(reference, config, env).await,
    }
}

/// The connection of a user with this handle, or `None` if the user has none. Fails with STORAGE_KEY_MISSING if its key is not
/// configured: the user must not be told to link it again.
pub async fn connection(reference: &str, handle: &str, config: &Config, env: &Env) -> Result<Option<Record>, Failure> {
    let answer = ask(reference, Message::Get(handle.to_owned()), config, env).await;
    match answer.and_then(|answer| read(&answer)) {
        Err(failure) if failure.error != EdgeError::StorageKeyMissing => {}
        answered => return answered,
    }
    // During a roll-out the hub may run an older build, which only lists.
    let records = connections(reference, config, env).await?;
    Ok(records.into_iter().find(|record| record.handle == handle))
}

/// Stores a Link session of a user until an instant in unix milliseconds.
pub async fn add_link(
    reference: &str,
    pending: PendingLink,
    until: i64,
    config: &Config,
    env: &Env,
) -> Result<(), Failure> {
    read(&ask(reference, Message::Link(LinkRequest::Add(pending, until)), config, env).await?)
}

/// The pending Link sessions of a user, newest first, with their keys.
pub async fn links(reference: &str, config: &Config, env: &Env) -> Result<Vec<(i64, PendingLink)>, Failure> {
    read(&ask(reference, Message::Link(LinkRequest::List), config, env).await?)
}

/// Asks whether OFAuth's list may be read for a Link session now. It may not if it was read less than
/// [`LOOK_UP_GAP`](crate::core::gateway::link::LOOK_UP_GAP) ago.
pub async fn may_look_up(reference: &str, key: i64, config: &Config, env: &Env) -> bool {
    // During a roll-out the hub may run an older build, which does not know the message.
    let answer = ask(reference, Message::Link(LinkRequest::LookUp(key)), config, env).await;
    answer.and_then(|answer| read(&answer)).unwrap_or_default()
}

/// Notes that a Link session has ended with the connection of this handle.
pub async fn settle_link(reference: &str, key: i64, handle: &str, config: &Config, env: &Env) -> Result<(), Failure> {
    let settle = Message::Link(LinkRequest::Settle(key, handle.to_owned()));
    if ask(reference, settle, config, env).await.is_err() {
        // As above. The older build forgets the session.
        ask(reference, Message::Link(LinkRequest::Remove(key)), config, env).await?;
    }
    Ok(())
}

/// How far the erasure `job` of a user is. Without `job`, joins the one that runs, or starts one.
pub async fn erase(reference: &str, job: Option<i64>, config: &Config, env: &Env) -> Result<ErasureProgress, Failure> {
    read(&ask(reference, Message::Erase(job), config, env).await?)
}

/// Opens a WebSocket on the hub of a session's user: see `live.rs`. `since` is the number of the last change that the page
/// has seen, or empty.
///
/// TOO_MANY_SOCKETS if the user has as many as a user may have. During a roll-out the hub may run an older build, which
/// opens none: then it is STORAGE_UNAVAILABLE.
pub async fn open_socket(session: &Session, since: &str, config: &Config, env: &Env) -> Result<Response, Failure> {
    let name = config.index.hash_client_reference_id(&session.client_reference_id);
    let only = session.connection.as_deref().unwrap_or_default();
    let message = Message::Live(format!("{} {since} {only}", session.expires_at));
    let opened = async { platform::connect(&environment::hub_namespace(env)?, &name, &encode(&name, &message)?).await };
    let response = opened.await.map_err(unavailable)?;
    match response.status() {
        101 => Ok(response),
        429 => Err(EdgeError::TooManySockets.into()),
        _ => Err(unavailable("it opens no WebSockets".into())),
    }
}

fn encode(name: &str, message: &Message) -> platform::Result<String> {
    Ok(serde_json::to_string(&(name, message))?)
}

async fn ask(reference: &str, message: Message, config: &Config, env: &Env) -> Result<String, Failure> {
    let answer = send(&config.index.hash_client_reference_id(reference), message, env).await.map_err(unavailable)?;
    platform::refuse_missing_key(answer)
}

fn read<T: DeserializeOwned>(answer: &str) -> Result<T, Failure> {
    json::from_slice(answer.as_bytes()).map_err(|error| unavailable(error.into()))
}

fn unavailable(error: platform::Error) -> Failure {
    Failure::storage("hub", &error)
}
