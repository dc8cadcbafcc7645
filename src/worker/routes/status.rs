//! `GET /edge/status`: is everything all right, and if not, what to do. The rules are in [`crate::core::monitor`].

use worker::Env;

use crate::{
    core::{
        config::Config,
        connection::EXPIRED,
        gateway::Caller,
        monitor::{Minutes, Observations, Passes, status},
        storage::{CONNECTION_PREFIX, ConnectionMeta},
    },
    worker::{
        http::Reply,
        ledger, metrics,
        platform::{
            self, Failure, ObjectRequest, environment,
            kv::{self, Kv},
        },
    },
};

/// Shows the status. It is shown as far as it is known if metrics or KV do not answer.
///
/// 1. A session is refused.
/// 2. The counts of the last hour and day are read.
/// 3. The expired ones are counted among the first [`kv::MAX_KEYS`] connections.
/// 4. The index of forwards and the reconciler are asked.
pub async fn show(caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    caller.refuse_session()?;
    // 2.
    let (hour, day) = (metrics::sum(60, env).await.ok(), metrics::sum(Minutes::MAX, env).await.ok());
    // 3.
    let kv = Kv::open(env).map_err(kv::unavailable)?;
    let listed = kv.list::<ConnectionMeta>(CONNECTION_PREFIX, None, kv::MAX_KEYS).await.ok();
    let connections = listed.map(|listed| {
        let expired = listed.keys.iter().filter(|(_, meta)| meta.status == EXPIRED).count();
        (expired, listed.keys.len(), listed.next_cursor.is_none())
    });
    // 4.
    let forwards = match config.forward {
        Some(_) => ledger::ask_forwards("count", "", env).await.ok(),
        None => None,
    };
    let numbers = forwards.as_deref().and_then(|counts| counts.split_once(' '));
    let forwards = numbers.and_then(|(pending, parked)| Some((pending.parse().ok()?, parked.parse().ok()?)));
    let state = passes(env).await.ok();
    let passes = state.as_deref().map(Passes);
    let (hour, day) = (hour.as_ref(), day.as_ref());
    let seen = Observations { config, hour, day, connections, forwards, passes };
    Ok(Reply::json_text(status(&seen)))
}

/// The state of the reconciler, as JSON.
async fn passes(env: &Env) -> platform::Result<String> {
    let request = ObjectRequest { path: "state", head: "", body: b"" };
    platform::call(&environment::reconciler_namespace(env)?, "reconciler", request).await
}
