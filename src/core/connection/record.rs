//! A connection as it is shown: what a caller sees, KV stores and the hub holds.

use serde::{Deserialize, Serialize};

use super::status::DISCONNECTED;

/// A connection as it is shown and stored in KV. Times are ISO 8601.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// OFAuth's id, or the handle for those who may not see it.
    pub id: String,
    /// The name under which the connection may be spoken of: see [`crate::seal`].
    pub handle: String,
    /// As OFAuth said it; the set is open. [`UNKNOWN`](crate::connection::UNKNOWN) while nothing has asserted one.
    pub status: String,
    /// The integrator's own user id.
    pub client_reference_id: Option<String>,
    /// The OnlyFans user id.
    pub platform_user_id: Option<String>,
    /// The permissions granted.
    pub permissions: Vec<String>,
    /// The OnlyFans profile, if any of it is known.
    pub user_data: Option<UserData>,
    /// The older SDK's words for the same profile.
    pub metadata: Metadata,
    /// When it was created.
    pub created_at: Option<String>,
    /// The newest stamp of any register.
    pub updated_at: String,
    /// Since when it is expired, if it is.
    pub expired_at: Option<String>,
    /// When it will expire, if OFAuth said so.
    pub expires_at: Option<String>,
    /// Whether it was imported rather than linked, if OFAuth said so.
    pub imported: Option<bool>,
    /// True for production, false for the sandbox, if OFAuth said so.
    pub live: Option<bool>,
}

/// The OnlyFans profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "OFAuth's own names")]
pub struct UserData {
    pub id: Option<String>,
    pub name: Option<String>,
    pub username: Option<String>,
    pub avatar: Option<String>,
}

/// The profile as the older SDK shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the SDK's own names")]
pub struct Metadata {
    pub username: Option<String>,
    pub display_name: Option<String>,
}

impl Record {
    /// Whether it may still be called: anything but disconnected.
    pub fn is_connected(&self) -> bool {
        self.status != DISCONNECTED
    }

    /// Whether it is that user's.
    pub fn is_of(&self, client_reference_id: &str) -> bool {
        self.client_reference_id.as_deref() == Some(client_reference_id)
    }
}
