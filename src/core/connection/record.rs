//! A connection as callers see it, as KV stores it, and as the hub of its user holds it.
//!
//! One record in JSON:
//!
//! ```json
//! {
//!   "id": "conn_abc123",
//!   "handle": "acct_00112233445566778899aabbccddeeff",
//!   "status": "active",
//!   "clientReferenceId": "user_456",
//!   "platformUserId": "123456789",
//!   "permissions": ["profile:read"],
//!   "userData": { "id": "123456789", "name": "Jane Doe", "username": "janedoe", "avatar": null },
//!   "metadata": { "username": "janedoe", "displayName": "Jane Doe" },
//!   "createdAt": "2024-01-15T10:30:00.000Z",
//!   "updatedAt": "2024-01-15T10:30:00.000Z",
//!   "expiredAt": null,
//!   "expiresAt": null,
//!   "imported": null,
//!   "live": true
//! }
//! ```

use serde::{Deserialize, Serialize};

use super::status::DISCONNECTED;

/// A connection as callers see it. A field is `None`, and null in JSON, while nothing has told its value.
///
/// Instants that the gateway computes are ISO 8601 in UTC, with milliseconds. Instants that OFAuth names stay as OFAuth
/// wrote them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// OFAuth's connection id. Callers that may not see it get the handle here.
    pub id: String,
    /// The gateway's name for the connection, which opens nothing at OFAuth: see
    /// [`BlindIndex::handle`](crate::core::storage::BlindIndex::handle).
    pub handle: String,
    /// The status as OFAuth wrote it, or [`UNKNOWN`](super::UNKNOWN), or [`MISSING`](super::MISSING).
    pub status: String,
    /// The app's own id of the user.
    pub client_reference_id: Option<String>,
    /// The OnlyFans user id.
    pub platform_user_id: Option<String>,
    /// The permissions that the user granted.
    pub permissions: Vec<String>,
    /// The OnlyFans profile, if any part of it is known.
    pub user_data: Option<UserData>,
    /// The profile in the shape of the older SDK.
    pub metadata: Metadata,
    /// When the connection was created.
    pub created_at: Option<String>,
    /// The newest instant at which any field took its value.
    pub updated_at: String,
    /// Since when the connection is expired. `None` while it is not.
    pub expired_at: Option<String>,
    /// When the connection will expire, if OFAuth said so.
    pub expires_at: Option<String>,
    /// Whether the connection was imported instead of linked, if OFAuth said so.
    pub imported: Option<bool>,
    /// True in production and false in the sandbox, if OFAuth said so.
    pub live: Option<bool>,
}

/// The OnlyFans profile (OFAuth documentation, Connection Events: connection.created).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "OFAuth's own names")]
pub struct UserData {
    pub id: Option<String>,
    pub name: Option<String>,
    pub username: Option<String>,
    pub avatar: Option<String>,
}

/// The OnlyFans profile in the shape of the older SDK (OFAuth documentation, SDK: Connections module).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the SDK's own names")]
pub struct Metadata {
    pub username: Option<String>,
    pub display_name: Option<String>,
}

impl Record {
    /// Whether calls on the connection are forwarded: true for every status other than [`DISCONNECTED`].
    pub fn is_connected(&self) -> bool {
        self.status != DISCONNECTED
    }

    /// Whether the connection belongs to this user of the app.
    pub fn belongs_to(&self, client_reference_id: &str) -> bool {
        self.client_reference_id.as_deref() == Some(client_reference_id)
    }
}
