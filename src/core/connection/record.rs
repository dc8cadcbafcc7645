//! A connection as callers see it, as KV stores it, and as the hub of its user holds it.
//!
//! One record in JSON:
//!
//! ```json
//! {
//!   "id": "conn_abc123",
//!   "handle": "acct_00112233445566778899aabbccddeeff",
//!   "status": "active",
//!   "statusReason": { "type": "connection.created", "at": "2024-01-15T10:30:00.000Z" },
//!   "clientReferenceId": "user_456",
//!   "platformUserId": "123456789",
//!   "accountChangedAt": null,
//!   "permissions": ["profile:read"],
//!   "userData": { "id": "123456789", "name": "Jane Doe", "username": "janedoe", "avatar": null },
//!   "metadata": { "username": "janedoe", "displayName": "Jane Doe", "lastActivity": null },
//!   "createdAt": "2024-01-15T10:30:00.000Z",
//!   "updatedAt": "2024-01-15T10:30:00.000Z",
//!   "expiredAt": null,
//!   "expiresAt": null,
//!   "lastCheckedAt": null,
//!   "imported": null,
//!   "live": true
//! }
//! ```

use serde::{Deserialize, Serialize};

use super::{
    fold::{Connection, Register},
    status::{DISCONNECTED, EXPIRED, UNKNOWN},
};
use crate::core::instant::iso_8601;

/// A connection as callers see it. A field is null while nothing has told its value.
///
/// Instants that the gateway computes are ISO 8601 in UTC, with milliseconds. Instants that OFAuth names stay as OFAuth
/// wrote them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// OFAuth's connection id. Callers that may not see it get the handle here.
    pub id: String,
    /// The gateway's name for the connection. It opens nothing at OFAuth, so it is safe in URLs, logs and pages.
    pub handle: String,
    /// The status as OFAuth wrote it, or `unknown`, or `missing`.
    #[cfg_attr(test, ts(type = "ConnectionStatus"))]
    pub status: String,
    /// What gave the connection its status. Null if nothing has, or if an older version of the gateway stored it.
    pub status_reason: Option<StatusReason>,
    /// The app's own id of the user.
    pub client_reference_id: Option<String>,
    /// The OnlyFans user id. It is a string, because it may have more digits than a number can hold.
    pub platform_user_id: Option<String>,
    /// When `platformUserId` became another one, until a gateway key accepts that. Null if it did not.
    pub account_changed_at: Option<String>,
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
    /// Since when the connection is expired. Null while it is not.
    pub expired_at: Option<String>,
    /// When the connection will expire, if OFAuth said so.
    pub expires_at: Option<String>,
    /// When OFAuth last used the connection, if its list said so.
    pub last_checked_at: Option<String>,
    /// Whether the connection was imported instead of linked, if OFAuth said so.
    pub imported: Option<bool>,
    /// True in production and false in the sandbox, if OFAuth said so.
    pub live: Option<bool>,
}

/// The fact that gave a connection its status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StatusReason {
    /// The type of the webhook, such as `connection.expired`. It begins with `edge.` if the gateway learned it itself.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was so.
    pub at: String,
}

/// The OnlyFans profile (OFAuth documentation, Connection Events: connection.created).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[expect(missing_docs, reason = "OFAuth's own names")]
pub struct UserData {
    pub id: Option<String>,
    pub name: Option<String>,
    pub username: Option<String>,
    pub avatar: Option<String>,
}

/// The OnlyFans profile in the shape of the older SDK (OFAuth documentation, SDK: Connections module).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the SDK's own names")]
pub struct Metadata {
    pub username: Option<String>,
    pub display_name: Option<String>,
    pub last_activity: Option<String>,
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

impl Connection {
    /// The connection as callers see it. `handle` is the gateway's name for it.
    ///
    /// `expiredAt` and `updatedAt` are computed here from the instants of the facts.
    pub fn record(&self, handle: String) -> Record {
        let user_data = UserData {
            id: value_of(self.user_id.as_ref()).or_else(|| value_of(self.platform_user_id.as_ref())),
            name: value_of(self.name.as_ref()),
            username: value_of(self.username.as_ref()),
            avatar: value_of(self.avatar.as_ref()).flatten(),
        };
        let last_checked_at = value_of(self.last_checked_at.as_ref());
        let metadata = Metadata {
            username: user_data.username.clone(),
            display_name: user_data.name.clone(),
            last_activity: last_checked_at.clone(),
        };
        let profile = [&user_data.id, &user_data.name, &user_data.username, &user_data.avatar];
        let has_profile = profile.into_iter().any(Option::is_some);
        let expired = self.status.as_ref().filter(|status| status.value == EXPIRED);
        Record {
            id: self.id.clone(),
            handle,
            status: value_of(self.status.as_ref()).unwrap_or_else(|| UNKNOWN.to_owned()),
            status_reason: self
                .status_type
                .clone()
                .zip(self.status.as_ref())
                .map(|(kind, status)| StatusReason { kind, at: iso_8601(status.at.stamp) }),
            client_reference_id: value_of(self.client_reference_id.as_ref()),
            platform_user_id: value_of(self.platform_user_id.as_ref()),
            account_changed_at: self.former_account.as_ref().map(|account| iso_8601(account.at.stamp)),
            permissions: value_of(self.permissions.as_ref()).unwrap_or_default(),
            user_data: has_profile.then_some(user_data),
            metadata,
            created_at: value_of(self.created_at.as_ref()),
            updated_at: iso_8601(self.newest_stamp()),
            expired_at: expired.map(|status| iso_8601(status.at.stamp)),
            expires_at: value_of(self.expires_at.as_ref()),
            last_checked_at,
            imported: value_of(self.imported.as_ref()),
            live: value_of(self.live.as_ref()),
        }
    }
}

fn value_of<T: Clone>(register: Option<&Register<T>>) -> Option<T> {
    register.map(|register| register.value.clone())
}
