//! The connection statuses that the gateway acts on.
//!
//! OFAuth documents more of them, and may add others (OFAuth documentation, Connections API: Connection States). The
//! gateway keeps every status as OFAuth wrote it.

/// The connection can be used for Access API calls.
pub const ACTIVE: &str = "active";
/// The session at OnlyFans has ended. The user can reconnect through Link, and the connection keeps its id.
pub const EXPIRED: &str = "expired";
/// The connection was removed from OFAuth for good (OFAuth documentation, Connection Events: connection.disconnected).
pub const DISCONNECTED: &str = "disconnected";
/// A status of the gateway's own: the user wanted to reconnect this connection, but OFAuth no longer knew it and made a
/// new one.
pub const MISSING: &str = "missing";
/// A status of the gateway's own: nothing has told the connection's status yet.
pub const UNKNOWN: &str = "unknown";
