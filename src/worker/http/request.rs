//! A call as it came.

use std::cell::Cell;

use worker::web_sys::Request;

use crate::worker::platform;

/// A request as received.
pub struct Call {
    pub request: Request,
    pub method: String,
    pub id: String,
    /// How long the upstream took to answer, in milliseconds, once it has.
    pub upstream_ms: Cell<Option<i64>>,
    started: i64,
    url: String,
    path: (usize, usize),
}

impl Call {
    pub fn new(request: Request) -> Self {
        let url = request.url();
        let path = url.find("://").and_then(|scheme| url.get(scheme + 3..)?.find('/').map(|slash| scheme + 3 + slash));
        let path = path.unwrap_or(url.len());
        let query = url.get(path..).and_then(|rest| rest.find('?')).map_or(url.len(), |mark| path + mark);
        Self {
            method: request.method(),
            request,
            id: platform::request_id(),
            upstream_ms: Cell::new(None),
            started: platform::now_ms(),
            url,
            path: (path, query),
        }
    }

    /// The path, byte for byte, without the query.
    pub fn path(&self) -> &str {
        self.url.get(self.path.0..self.path.1).unwrap_or_default()
    }

    /// The query, byte for byte, without its question mark.
    pub fn query(&self) -> &str {
        self.url.get(self.path.1 + 1..).unwrap_or_default()
    }

    /// Path and query, byte for byte.
    pub fn path_and_query(&self) -> &str {
        self.url.get(self.path.0..).unwrap_or_default()
    }

    /// The gateway's own origin, as the caller addressed it.
    pub fn own_origin(&self) -> &str {
        self.url.get(..self.path.0).unwrap_or_default()
    }

    /// A header's value, if it is there.
    pub fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).ok().flatten()
    }

    /// When the call came, in unix milliseconds.
    pub fn started(&self) -> i64 {
        self.started
    }
}
