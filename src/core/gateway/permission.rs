//! The permissions of sessions: which one a call of the Access API needs, and which exist.
//!
//! Most permissions are OFAuth's. `routes.json` lists the routes of the Access API, each with its permission (OFAuth
//! documentation, API reference, and the paths of OFAuth's older SDKs). Three are the gateway's own: [`ANY`], [`LINK`]
//! and [`WRITE`].

use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::core::{id::is_named, json};

/// The permission for calls that have none of OFAuth's: calls of the raw proxy (`/v2/access/proxy/*`), and calls of a
/// route that is not in `routes.json`.
pub const ANY: &str = "access:any";
/// The permission to start Link.
pub const LINK: &str = "connections:link";
/// The permission to delete or invalidate a connection of the session's user.
pub const WRITE: &str = "connections:write";

static ROUTES: LazyLock<Vec<ListedRoute>> =
    LazyLock::new(|| json::from_slice(include_bytes!("routes.json")).unwrap_or_default());

/// An entry of `routes.json`: a route of the Access API and its permission.
#[derive(Deserialize)]
struct ListedRoute {
    method: String,
    path: String,
    permission: Option<String>,
}

/// The permission that a session needs for a call of the Access API: the one in `routes.json`, or [`ANY`].
///
/// Each segment of the path is percent-decoded once. HEAD needs the permission of GET. If several routes match, a
/// fixed segment counts before a parameter at the same position. A path with an empty segment matches no route.
///
/// A segment that only some servers take for a fixed one (see [`is_named`]), such as `Lists` where another route has a
/// user's id, needs [`ANY`]: it may open what either route opens.
pub fn required(method: &str, path: &str) -> &'static str {
    let method = if method == "HEAD" { "GET" } else { method };
    let segments: Option<Vec<_>> = path.split('/').map(|raw| percent_decode_str(raw).decode_utf8().ok()).collect();
    let Some(segments) = segments else { return ANY };
    let routes = ROUTES.iter().filter(|route| route.method == method);
    // Of two routes, the greater one is fixed at the first segment where one is fixed and the other has a parameter.
    let matching = routes.filter_map(|route| Some((route.fixed_segments(&segments)?, route)));
    let best = matching.max_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, route)| route);
    best.filter(|route| route.is_spelt(&segments)).and_then(|route| route.permission.as_deref()).unwrap_or(ANY)
}

/// Whether a permission exists: a call can need it.
pub fn exists(permission: &str) -> bool {
    [ANY, LINK, WRITE].contains(&permission)
        || ROUTES.iter().any(|route| route.permission.as_deref() == Some(permission))
}

impl ListedRoute {
    /// If the route may match, as [`is_named`] says, says for each segment whether the route fixes it (`true`) or has a
    /// parameter there (`false`).
    fn fixed_segments(&self, segments: &[impl AsRef<str>]) -> Option<Vec<bool>> {
        let patterns = self.path.split('/');
        if patterns.clone().count() != segments.len() {
            return None;
        }
        let matched = patterns.zip(segments).enumerate().map(|(index, (pattern, segment))| {
            let segment = segment.as_ref();
            match (pattern.starts_with('{'), segment) {
                (_, "") => (index == 0).then_some(true),
                (true, _) => Some(false),
                (false, _) => is_named(segment.as_bytes(), pattern).then_some(true),
            }
        });
        matched.collect()
    }

    /// Whether each segment that the route fixes is written as the route writes it.
    fn is_spelt(&self, segments: &[impl AsRef<str>]) -> bool {
        self.path
            .split('/')
            .zip(segments)
            .all(|(pattern, segment)| pattern.starts_with('{') || pattern == segment.as_ref())
    }
}
