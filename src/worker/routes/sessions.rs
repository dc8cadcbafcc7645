//! `POST /edge/sessions`: creates a session token for a user's browser, or a token for the console.

use serde::Serialize;

use crate::{
    core::{
        config::Config,
        gateway::{Identity, Right, SessionRequest},
        instant::iso_8601,
    },
    worker::{
        http::{Call, Reply, read_body},
        platform::Failure,
    },
};

/// The longest body, in bytes. A longer one could only ask for a token that is too long.
const MAX_BODY: usize = 8 * 1024;

/// Creates a token: 201 `{token, expiresAt}`, with `expiresAt` in ISO 8601.
///
/// 1. Only a server may do this.
/// 2. The body is read and checked: see [`SessionRequest::parse`]. A console token opens what the rights `read` and
///    `manage` open, so the key needs both.
/// 3. The token is signed.
pub async fn create(call: &Call, identity: &Identity<'_>, config: &Config) -> Result<Reply, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct SessionBody {
        token: String,
        expires_at: String,
    }
    // 1.
    identity.caller.require_server()?;
    // 2.
    let request = SessionRequest::parse(&read_body(call, MAX_BODY).await?)?;
    if request.is_console() {
        identity.require(Right::Read)?;
        identity.require(Right::Manage)?;
    }
    // 3.
    let (token, expires) = config.authenticator.mint(request, call.started() / 1000)?;
    Ok(Reply::json(&SessionBody { token, expires_at: iso_8601(expires * 1000) }).with_status(201))
}
