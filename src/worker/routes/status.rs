//! `GET /edge/status`: is everything all right, and if not, what to do. The rules are in [`crate::core::monitor`].

use worker::Env;

use crate::{
    core::{
        config::Config,
        connection::EXPIRED,
        gateway::{Caller, EdgeError},
        monitor::{Minutes, Observations, status},
        storage::{CONNECTION_PREFIX, ConnectionMeta},
    },
    worker::{
        http::Reply,
        metrics,
        platform::{
            Failure,
            kv::{self, Kv},
        },
    },
};

/// Shows the status. It is shown as far as it is known if metrics or KV do not answer.
///
/// 1. A session is refused.
/// 2. The counts of the last hour and day are read.
/// 3. The expired ones are counted among the first [`kv::MAX_KEYS`] connections.
pub async fn show(caller: &Caller, config: &Config, env: &Env) -> Result<Reply, Failure> {
    // 1.
    if let Caller::Session(_) = caller {
        return Err(EdgeError::PermissionDenied.into());
    }
    // 2.
    let (hour, day) = (metrics::sum(60, env).await.ok(), metrics::sum(Minutes::MAX, env).await.ok());
    // 3.
    let kv = Kv::open(env).map_err(kv::unavailable)?;
    let listed = kv.list::<ConnectionMeta>(CONNECTION_PREFIX, None, kv::MAX_KEYS).await.ok();
    let connections = listed.map(|listed| {
        let expired = listed.keys.iter().filter(|(_, meta)| meta.status == EXPIRED).count();
        (expired, listed.keys.len(), listed.next_cursor.is_none())
    });
    let seen = Observations { config, hour: hour.as_ref(), day: day.as_ref(), connections };
    Ok(Reply::json_text(status(&seen)))
}
