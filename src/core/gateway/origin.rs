//! Decides which sites may call the gateway from a browser (CORS), and to which URLs it may send a browser.
//!
//! An origin is scheme, host and port of a URL, such as `https://app.example.com` (RFC 6454, section 4). The gateway
//! accepts https, and http only on loopback (`localhost`, `127.0.0.0/8`, `[::1]`), for development.

use std::net::IpAddr;

use http::Uri;

/// The longest URL to which a browser is sent, in bytes.
const MAX_URL: usize = 2048;

/// The origin of a URL to which a browser may be sent. `None` if the URL is neither https nor http on loopback, if
/// it has a user name, if it is longer than 2,048 bytes, or if it has a backslash or a byte that is not visible ASCII.
///
/// ```
/// use ofauth_edge::core::gateway::origin::origin_of;
///
/// assert_eq!(origin_of("https://app.example.com/linked?x=1").as_deref(), Some("https://app.example.com"));
/// assert_eq!(origin_of("https://app.example.com@evil.example/"), None);
/// ```
pub fn origin_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let origin = format!("{}://{}", uri.scheme_str()?, uri.authority()?);
    // A browser drops tabs and line breaks from a URL, and reads a backslash as a slash.
    let visible = url.len() <= MAX_URL && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (visible && is_origin(&origin) && url.starts_with(&origin)).then_some(origin)
}

/// Whether a browser would write `origin` like this in the header `Origin`: in lower case, and without the port that is
/// the default of its scheme. `origin` must be an origin: see [`is_origin`].
pub fn is_canonical(origin: &str) -> bool {
    let default_port = if origin.starts_with("https") { ":443" } else { ":80" };
    !origin.ends_with(default_port) && !origin.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Whether `text` is an https origin, or an http origin on loopback: scheme, host, perhaps a port, and nothing else.
pub fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let host = authority.host();
    let address = match host.strip_prefix('[').map(|host| host.strip_suffix(']').unwrap_or_default().parse()) {
        Some(Ok(address)) => Some(IpAddr::V6(address)),
        Some(Err(_)) => return false,
        None => host.parse().ok().map(IpAddr::V4),
    };
    let is_loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    let has_valid_port = match authority.as_str().strip_prefix(host) {
        Some("") => true,
        Some(port) => {
            port.trim_start_matches(':').bytes().all(|byte| byte.is_ascii_digit()) && authority.port().is_some()
        }
        // The authority starts with a user name.
        None => false,
    };
    let is_complete = format!("{scheme}://{authority}") == text && !host.is_empty();
    is_complete && has_valid_port && (scheme == "https" || (scheme == "http" && is_loopback))
}

/// The methods that a page may use: the header `Access-Control-Allow-Methods`.
pub const ALLOWED_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// The headers that a page may send: the header `Access-Control-Allow-Headers`.
pub const ALLOWED_HEADERS: &str = "authorization, apikey, content-type, x-connection-id";
/// The headers that a page may read: the header `Access-Control-Expose-Headers`. Each is named, because in some
/// browsers `*` does not cover all of them.
pub const EXPOSED_HEADERS: &str = "retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, \
    x-ratelimit-retry-after, x-ofauth-upload-total-parts, x-ofauth-upload-part-size, x-request-id, x-ofauth-edge, \
    x-ofauth-edge-action";
/// How long a browser may reuse the answer to a preflight request, in seconds: the header `Access-Control-Max-Age`.
pub const MAX_AGE: &str = "7200";

/// The origins of the variable `ALLOWED_ORIGINS`, whose pages may call the gateway. They are compared byte for byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    /// Takes origins that [`Config`](crate::core::config::Config) has checked with [`is_origin`] and [`is_canonical`].
    pub fn new(origins: Vec<String>) -> Self {
        Self(origins)
    }

    /// Whether pages of this origin may call the gateway. `origin` is the value of the header `Origin`.
    pub fn allows(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == origin)
    }
}
