//! `POST /edge/sessions`: a token for a user's browser, or for the console.

use serde::Serialize;

use crate::{
    core::{
        config::Config,
        gateway::{Caller, EdgeError, SessionRequest},
        instant::iso_8601,
    },
    worker::{
        http::{Call, Reply, read_capped},
        platform::Failure,
    },
};

/// The longest body, in bytes: a token may not be longer.
const MAX_BODY: usize = 8 * 1024;

/// Mints what the body asks for, for a server.
pub async fn create(call: &Call, caller: &Caller, config: &Config) -> Result<Reply, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        token: String,
        expires_at: String,
    }
    if *caller != Caller::Server {
        return Err(EdgeError::PermissionDenied.into());
    }
    let wish = SessionRequest::parse(&read_capped(call.request.body(), MAX_BODY).await?)?;
    let (token, expires) = config.authenticator.mint(wish, call.started() / 1000)?;
    Ok(Reply::created(&Answer { token, expires_at: iso_8601(expires * 1000) }))
}
