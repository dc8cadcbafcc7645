//! OFAuth's routes for servers, passed through: `/v2/account/*`, `/v2/dynamic-rules/*`, `/v2/vault-plus/*`, `/v2/vault/*`,
//! `/v2/link/{clientSecret}`, and `/v2/connections` of older documents.

use percent_encoding::percent_decode_str;
use worker::Env;

use crate::{
    core::{
        config::Config,
        connection::Rank,
        gateway::{
            Caller, EdgeError,
            access::{self, ConnectionSelector},
            account::{AccountCall, AccountEffect, ListedConnection},
        },
        id::{is_connection_id, is_handle},
    },
    worker::{
        connections,
        http::{Call, Reply},
        ledger::{self, Entry},
        platform::Failure,
        upstream::{self, Answer, UpstreamRequest},
    },
};

/// 1. Servers only; the path is judged.
/// 2. A handle in the path or in `x-connection-id` becomes the id.
/// 3. The call goes up, and its body is neither read nor kept: that of an import is a raw session.
/// 4. The ledger hears what OFAuth did to a connection.
/// 5. The answer is passed back.
pub async fn forward(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    if *caller != Caller::Server {
        return Err(EdgeError::PermissionDenied.into());
    }
    access::check_segments(call.path())?;
    let body = upstream::request_body(call).await?;
    // 2.
    let asked = AccountCall::read(&call.method, call.path());
    let named = match asked.connection {
        Some(segment) => Some(id_of(segment, config, env).await?),
        None => None,
    };
    let header = call.header("x-connection-id").filter(|header| !header.is_empty());
    let connection = match header.as_deref().map(|header| access::select_for_server(Some(header))).transpose()? {
        Some(ConnectionSelector::Handle(handle)) => Some(connections::by_handle(handle, config, env).await?.id),
        Some(ConnectionSelector::Id(id)) => Some(id.to_owned()),
        None => None,
    };
    // 3.
    let translated = named.as_ref().and_then(|named| named.translated.then_some(named.id.as_str()));
    let path = asked.upstream_path(translated);
    access::check_segments(&path)?;
    let query = call.path_and_query().strip_prefix(call.path()).unwrap_or_default();
    let path_and_query = format!("{path}{query}");
    let upstream_request = UpstreamRequest::of(call, body, connection.as_deref())?;
    let answer =
        upstream::send(&UpstreamRequest { target: path_and_query.into(), ..upstream_request }, call, config).await?;
    // 4.
    keep_up(asked.effect, named.as_ref().map(|named| named.id.as_str()), &answer, call, config, env).await?;
    // 5.
    answer.into_reply()
}

/// The connection that a path names.
struct InPath {
    id: String,
    /// Whether it was named by handle.
    translated: bool,
}

async fn id_of(segment: &str, config: &Config, env: &Env) -> Result<InPath, Failure> {
    let name = percent_decode_str(segment).decode_utf8().map_err(|_| EdgeError::ConnectionNotFound)?;
    if !is_handle(&name) {
        return Ok(InPath { id: name.into_owned(), translated: false });
    }
    let record = connections::record_named(&name, config, env).await?.ok_or(EdgeError::ConnectionNotFound)?;
    Ok(InPath { id: record.id, translated: true })
}

/// Step 4 of [`forward`]. What OFAuth does not know any more is as good as deleted, but nothing is stored about an id that
/// nobody here knows either.
async fn keep_up(
    effect: AccountEffect,
    id: Option<&str>,
    answer: &Answer,
    call: &Call,
    config: &Config,
    env: &Env,
) -> Result<(), Failure> {
    let id = id.filter(|id| is_connection_id(id));
    match (effect, id) {
        (AccountEffect::Delete, Some(id)) if answer.is_deleted().await => {
            let known = answer.status() != 404 || is_known(id, config, env).await?;
            if known { connections::note_deleted(id, None, call, config, env).await } else { Ok(()) }
        }
        (AccountEffect::Invalidate, Some(id)) if answer.is_success().await && is_known(id, config, env).await? => {
            connections::note_invalidated(id, call, config, env).await
        }
        (AccountEffect::Import, _) if answer.is_success().await => {
            if let Some(item) = answer.json().await.as_deref().and_then(ListedConnection::read) {
                let id = item.id().to_owned();
                let entry = Entry::own(&id, "imported", Rank::Listed, item.changes(), call.started(), &call.id);
                // OFAuth would refuse it a second time, so this cannot fail; the webhook will say the same.
                let _ = ledger::enter(&entry, b"", config, env).await;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn is_known(id: &str, config: &Config, env: &Env) -> Result<bool, Failure> {
    Ok(ledger::record(&config.index.handle(id), env).await?.is_some())
}
