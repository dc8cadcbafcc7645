//! The number that [`verify_webhook`](super::bindings::verify_webhook) returns: 0 for an error, else a sum of these
//! flags.

/// The request is authentic and its body is an event. This flag is in every sum.
pub(super) const VERIFIED: u32 = 1;
/// The core knows the shape of this type's `data`.
pub(super) const KNOWN_TYPE: u32 = 2;
/// The event has a timestamp.
pub(super) const HAS_TIMESTAMP: u32 = 4;
/// The event says whether it is live, as a boolean.
pub(super) const HAS_LIVE: u32 = 8;
/// The event has ids that are numbers. The answer lists them.
pub(super) const HAS_NUMBER_IDS: u32 = 16;
