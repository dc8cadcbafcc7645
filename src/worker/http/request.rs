//! A request that the Worker received.

use std::cell::{Cell, OnceCell};

use wasm_bindgen::prelude::*;
use worker::web_sys::Request;

use crate::{
    core::{
        gateway::{EdgeError, single_value},
        webhook::SIGNATURE_HEADER_NAMES,
    },
    worker::platform,
};

/// The headers that handlers ask for, besides those of a signature.
const HEADER_NAMES: [&str; 6] = ["authorization", "apikey", "origin", "x-connection-id", "content-length", "upgrade"];
/// What stands for a header that is absent. No header has it in its value.
const ABSENT: &str = "\0";

#[wasm_bindgen(inline_js = r#"
export function describe(request, names) {
  const { method, url, headers } = request;
  return [method, url, ...names.split("\n").map((name) => headers.get(name) ?? "\0")].join("\n");
}
"#)]
extern "C" {
    /// Method, URL and the values of the headers, each on a line of its own. No header has a line break in its value.
    fn describe(request: &Request, names: &str) -> String;
}

/// One request to the Worker, from its arrival to its log line.
pub struct Call {
    /// The platform's own request: headers and body.
    pub request: Request,
    /// The HTTP method, such as `GET`.
    pub method: String,
    /// The `requestId` of errors and of the log line: `req_` and a UUID.
    pub id: String,
    /// How long OFAuth took to answer, in ms, all requests for this call together. `None` if none was sent.
    pub upstream_ms: Cell<Option<i64>>,
    actor: OnceCell<String>,
    started: i64,
    url: String,
    /// Where the path begins in `url`.
    path_start: usize,
    /// Where the path ends in `url`: at the question mark or at the end.
    path_end: usize,
    /// The values of [`header_names`], one on each line.
    headers: String,
}

impl Call {
    /// Takes a request, gives it an id and notes the time. What handlers need of the request is read at once: to read two
    /// headers takes as long as to read twelve.
    pub fn new(request: Request) -> Self {
        let names = header_names().collect::<Vec<_>>().join("\n");
        let described = describe(&request, &names);
        let (method, rest) = described.split_once('\n').unwrap_or_default();
        let (url, headers) = rest.split_once('\n').unwrap_or_default();
        let path = url.find("://").and_then(|scheme| url.get(scheme + 3..)?.find('/').map(|slash| scheme + 3 + slash));
        let path_start = path.unwrap_or(url.len());
        let question_mark = url.get(path_start..).and_then(|rest| rest.find('?'));
        let path_end = question_mark.map_or(url.len(), |offset| path_start + offset);
        Self {
            method: method.to_owned(),
            headers: headers.to_owned(),
            request,
            id: platform::request_id(),
            upstream_ms: Cell::new(None),
            actor: OnceCell::new(),
            started: platform::now_ms(),
            url: url.to_owned(),
            path_start,
            path_end,
        }
    }

    /// The path, byte for byte, without the query.
    pub fn path(&self) -> &str {
        self.url.get(self.path_start..self.path_end).unwrap_or_default()
    }

    /// The query, byte for byte, without its question mark.
    pub fn query(&self) -> &str {
        self.url.get(self.path_end + 1..).unwrap_or_default()
    }

    /// Path and query, byte for byte.
    pub fn path_and_query(&self) -> &str {
        self.url.get(self.path_start..).unwrap_or_default()
    }

    /// The gateway's own origin, as this caller addressed it: `https://gateway.example`.
    pub fn own_origin(&self) -> &str {
        self.url.get(..self.path_start).unwrap_or_default()
    }

    /// The length of the body that the caller announces, in bytes.
    pub fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// The value of a request header. The values of a header that occurs more than once are joined with commas, unless
    /// they are the same: see [`single_value`].
    pub fn header(&self, name: &str) -> Option<String> {
        let value = match header_names().zip(self.headers.split('\n')).find(|(known, _)| *known == name) {
            Some((_, value)) => Some(value).filter(|value| *value != ABSENT).map(str::to_owned),
            None => self.request.headers().get(name).ok().flatten(),
        };
        let mut value = value?;
        value.truncate(single_value(&value).len());
        Some(value)
    }

    /// Whether the call asks for a WebSocket (RFC 6455, section 4.1). Another protocol to which it wants to upgrade is
    /// ignored, as RFC 9110, section 7.8, allows.
    pub fn asks_for_websocket(&self) -> bool {
        let upgrade = self.header("upgrade").unwrap_or_default();
        upgrade.split(',').any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case("websocket"))
    }

    /// Who makes the call: see [`Identity::actor`](crate::core::gateway::Identity::actor). None for a call without a valid
    /// credential.
    pub fn known_actor(&self) -> Option<&str> {
        self.actor.get().map(String::as_str)
    }

    /// Who makes the call, for timelines. `gateway` for a call without a credential.
    pub fn actor(&self) -> &str {
        self.known_actor().unwrap_or("gateway")
    }

    /// Sets who makes the call, once.
    pub fn set_actor(&self, actor: String) {
        self.actor.get_or_init(|| actor);
    }

    /// When the request arrived, in unix milliseconds.
    pub fn started(&self) -> i64 {
        self.started
    }
}

/// Fails with NOT_IMPLEMENTED if a call asks for a WebSocket.
pub fn refuse_websocket(call: &Call) -> Result<(), EdgeError> {
    if call.asks_for_websocket() { Err(EdgeError::WebSocketsNotProxied) } else { Ok(()) }
}

fn header_names() -> impl Iterator<Item = &'static str> {
    HEADER_NAMES.into_iter().chain(SIGNATURE_HEADER_NAMES)
}
