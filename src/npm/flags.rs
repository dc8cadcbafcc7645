//! What `verify_webhook` says of a body in one number.

/// What [`verify_webhook`](super::bindings::verify_webhook) answers is 0 for a failure, else a sum of these: it is good,
pub(super) const VERIFIED: u32 = 1;
/// the type is one whose shape the core knows,
pub(super) const KNOWN_TYPE: u32 = 2;
/// the body carries a timestamp,
pub(super) const HAS_TIMESTAMP: u32 = 4;
/// the body says whether it is live,
pub(super) const HAS_LIVE: u32 = 8;
/// the body writes ids as numbers, which the answer lists.
pub(super) const HAS_NUMBER_IDS: u32 = 16;
