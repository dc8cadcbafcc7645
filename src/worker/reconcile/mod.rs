//! Reconciliation: one Durable Object reads OFAuth's list of connections and has the ledgers repair what webhooks missed.
//!
//! The cron trigger wakes the object. Its alarm does the work in slices, so that one invocation makes fewer than 50 requests
//! and needs little CPU time, and so that a crash costs at most one slice.
//!
//! The object is JavaScript, because it mostly joins the platform's SQL, KV and objects: `reconciler.js`, which `entry.js`
//! imports, and `store.js`, its tables. It asks `decisions`, which has [`crate::core::reconcile`] decide.

mod decisions;
