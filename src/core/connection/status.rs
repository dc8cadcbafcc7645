//! The statuses that the gateway acts on.

/// The status that makes a connection usable.
pub const ACTIVE: &str = "active";
/// The status of a connection that can be linked again under the same id.
pub const EXPIRED: &str = "expired";
/// The status that is final.
pub const DISCONNECTED: &str = "disconnected";
/// The status of a connection that Link was asked to reconnect and made another one instead of.
pub const MISSING: &str = "missing";
/// The status shown while no fact has asserted one.
pub const UNKNOWN: &str = "unknown";
