//! `GET /edge/deliveries` lists the events that the app has not taken, and `POST /edge/deliveries/{id}/replay` sends one of
//! them again.

use percent_encoding::percent_decode_str;
use worker::Env;

use crate::{
    core::{
        config::Config,
        gateway::{Caller, EdgeError, deliveries::DeliveryQuery},
    },
    worker::{
        http::{Call, Reply},
        ledger,
        platform::{self, Failure},
    },
};

/// Lists the events that wait or are parked. Those whose first attempt failed last come first.
///
/// 1. A page may not read them. Servers and the console see the same: no item has an id of OFAuth's.
/// 2. The query is read and its cursor is opened.
/// 3. The index answers.
/// 4. The cursor of the next page is sealed.
pub async fn list(call: &Call, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    caller.refuse_session()?;
    // 2.
    let query = DeliveryQuery::parse(call.query())?;
    let before = query.open_cursor(&config.sealer)?;
    // 3.
    let answer = ledger::ask_forwards(&format!("list/{}/{before}", query.state), &query.limit.to_string(), env).await?;
    let (rest, items) = answer.split_once('\n').unwrap_or_default();
    // 4.
    let cursor = rest.parse().map_or_else(
        |_| String::new(),
        |rest| format!(r#","cursor":"{}""#, query.seal_cursor(rest, &config.sealer, platform::nonce())),
    );
    Ok(Reply::json_text(format!(r#"{{"list":[{items}]{cursor}}}"#)))
}

/// Sends an event again: 202 if it waits or is parked, else DELIVERY_NOT_FOUND.
///
/// 1. A page may not do this. Fails with BAD_REQUEST if events are not forwarded.
/// 2. The index says which connection's it is.
/// 3. That connection's ledger sends it. If the ledger does not have it any more, the index forgets it.
pub async fn replay(segment: &str, caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    caller.refuse_session()?;
    if config.forward.is_none() {
        return Err(EdgeError::BadRequest(
            "events are not forwarded: set FORWARD_URL, or bind FORWARD or FORWARD_QUEUE",
        )
        .into());
    }
    // 2.
    let id = percent_decode_str(segment).decode_utf8_lossy();
    let handles = ledger::ask_forwards(&format!("find/{id}"), "", env).await?;
    // 3.
    let mut is_found = false;
    for handle in handles.lines() {
        if ledger::replay(handle, &id, config, env).await? {
            is_found = true;
        } else {
            ledger::ask_forwards(&format!("note/{handle}/{id}"), "", env).await?;
        }
    }
    if is_found {
        Ok(Reply::success("The event is sent again", None).with_status(202))
    } else {
        Err(EdgeError::DeliveryNotFound.into())
    }
}
