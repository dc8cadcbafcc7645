//! Messages to hubs.

use serde::de::DeserializeOwned;
use worker::Env;

use super::message::{LinkRequest, Message};
use crate::{
    core::{config::Config, connection::Record, gateway::link::PendingLink, json},
    worker::platform::{self, Failure, environment},
};

/// Sends a message to the hub of that name.
pub async fn send<T: DeserializeOwned>(name: &str, message: Message, env: &Env) -> worker::Result<T> {
    let body = serde_json::to_vec(&(name, message))?;
    let answer = platform::call(&environment::hub_namespace(env)?, name, "https://hub/", Some(&body)).await?;
    Ok(json::from_slice(&answer)?)
}

/// All connections of a user, the newest `updatedAt` first.
pub async fn connections(reference: &str, config: &Config, env: &Env) -> Result<Vec<Record>, Failure> {
    let listed = send::<Vec<Record>>(&config.index.hash_client_reference_id(reference), Message::List, env).await;
    let mut records = listed.map_err(|error| Failure::storage("hub", &error))?;
    records.sort_by(|a, b| b.updated_at.cmp(&a.updated_at).then_with(|| a.handle.cmp(&b.handle)));
    Ok(records)
}

/// The connection of a user with this handle, or `None` if the user has none.
pub async fn connection(reference: &str, handle: &str, config: &Config, env: &Env) -> Result<Option<Record>, Failure> {
    let hub = config.index.hash_client_reference_id(reference);
    if let Ok(record) = send(&hub, Message::Get(handle.to_owned()), env).await {
        return Ok(record);
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
    ask(reference, LinkRequest::Add(pending, until), config, env).await
}

/// The pending Link sessions of a user, newest first, with their keys.
pub async fn links(reference: &str, config: &Config, env: &Env) -> Result<Vec<(i64, PendingLink)>, Failure> {
    ask(reference, LinkRequest::List, config, env).await
}

/// Counts one more page of OFAuth's list for a Link session. Returns whether it may be read.
pub async fn count_page(reference: &str, key: i64, config: &Config, env: &Env) -> Result<bool, Failure> {
    ask(reference, LinkRequest::CountPage(key), config, env).await
}

/// Deletes a Link session.
pub async fn remove_link(reference: &str, key: i64, config: &Config, env: &Env) -> Result<(), Failure> {
    ask(reference, LinkRequest::Remove(key), config, env).await
}

/// Deletes all Link sessions of a user.
pub async fn clear_links(reference: &str, config: &Config, env: &Env) -> Result<(), Failure> {
    ask(reference, LinkRequest::Clear, config, env).await
}

async fn ask<T: DeserializeOwned>(
    reference: &str,
    request: LinkRequest,
    config: &Config,
    env: &Env,
) -> Result<T, Failure> {
    let answer = send(&config.index.hash_client_reference_id(reference), Message::Link(request), env).await;
    answer.map_err(|error| Failure::storage("hub", &error))
}
