//! Selects a page of connections from the keys of KV.
//!
//! KV lists keys in their order, at most 1,000 at a time, and filters only by a prefix (Cloudflare Workers KV, List
//! keys). So a [`PageBuilder`] takes one such batch after the other, and filters by the metadata of each key. The
//! values of keys that are not on the page are never read.

use super::list::{ConnectionCursor, ConnectionQuery, MAX_OFFSET};
use crate::core::storage::{BlindIndex, ConnectionMeta, truncate_status};

/// How many batches of keys one request reads from KV at most.
pub const MAX_BATCHES: usize = 10;

/// Builds a page of connections from the batches of keys that KV lists.
#[derive(Debug)]
pub struct PageBuilder {
    status: Option<String>,
    /// The keyed hash of the OnlyFans user id. Metadata have it in place of the id.
    user_hash: Option<String>,
    limit: usize,
    /// How many matches must still be skipped.
    skip: usize,
    start: Option<ConnectionCursor>,
    /// How many matches were added so far, those that were skipped among them.
    matches_seen: usize,
    items: Vec<(String, ConnectionMeta)>,
    /// KV's cursor of the batch that the last item is from.
    last_batch: Option<String>,
    /// Whether a match was found that the page has no room for.
    has_more: bool,
}

/// A page of connections.
#[derive(Debug, PartialEq, Eq)]
pub struct ConnectionPage {
    /// Handles and their metadata, in the order of the handles.
    pub items: Vec<(String, ConnectionMeta)>,
    /// How many connections match in all. `None` if they are more than [`MAX_OFFSET`], or if not all keys were read.
    pub total: Option<usize>,
    /// The cursor of the next page, if there may be one.
    pub next: Option<ConnectionCursor>,
}

impl PageBuilder {
    /// Begins a page. `start` is the query's opened cursor; without one the page begins at the query's offset.
    pub fn new(query: &ConnectionQuery, start: Option<ConnectionCursor>, index: &BlindIndex) -> Self {
        Self {
            status: query.status.clone(),
            user_hash: query.platform_user_id.as_deref().map(|user| index.hash_platform_user_id(user)),
            limit: query.limit,
            skip: start.as_ref().map_or(query.offset, |start| start.skip),
            start,
            matches_seen: 0,
            items: Vec::new(),
            last_batch: None,
            has_more: false,
        }
    }

    /// Whether a key is after the cursor and its metadata match the filters.
    pub fn matches(&self, handle: &str, meta: &ConnectionMeta) -> bool {
        let is_after_cursor = self.start.as_ref().is_none_or(|start| handle > start.after.as_str());
        // Metadata hold a long status shortened, so the status of the query is shortened in the same way.
        let is_same = |status: &str| truncate_status(status).eq_ignore_ascii_case(&meta.status);
        let has_status = self.status.as_deref().is_none_or(is_same);
        is_after_cursor && has_status && (self.user_hash.is_none() || self.user_hash == meta.user)
    }

    /// Adds the keys of one batch that [`match`](PageBuilder::matches). `batch` is KV's cursor of that batch.
    pub fn add_batch(&mut self, batch: Option<&str>, matching: impl IntoIterator<Item = (String, ConnectionMeta)>) {
        for item in matching {
            self.matches_seen += 1;
            if self.skip > 0 {
                self.skip -= 1;
            } else if self.items.len() < self.limit {
                self.items.push(item);
                self.last_batch = batch.map(str::to_owned);
            } else {
                self.has_more = true;
            }
        }
    }

    /// Whether another batch must be read: it is not known yet whether there is a next page, or the total may still be
    /// exact.
    pub fn needs_more(&self) -> bool {
        !self.has_more || (self.start.is_none() && self.matches_seen <= MAX_OFFSET)
    }

    /// Ends the page. `next_batch` is KV's cursor of the first batch that was not read, if there is one.
    pub fn finish(self, next_batch: Option<String>) -> ConnectionPage {
        let is_exact = next_batch.is_none() && self.matches_seen <= MAX_OFFSET;
        let total = self.start.as_ref().map_or(is_exact.then_some(self.matches_seen), |start| start.total);
        let previous = self.start.map(|start| start.after).unwrap_or_default();
        let after = self.items.last().map_or(previous, |(handle, _)| handle.clone());
        let next = match (self.has_more, next_batch) {
            (true, _) => Some(ConnectionCursor { batch: self.last_batch, after, skip: 0, total }),
            (false, Some(batch)) => Some(ConnectionCursor { batch: Some(batch), after, skip: self.skip, total }),
            (false, None) => None,
        };
        ConnectionPage { items: self.items, total, next }
    }
}
