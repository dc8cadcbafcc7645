//! Origins, and the URLs that a browser may be sent to.

use std::net::IpAddr;

use http::Uri;

/// The longest URL that a browser is sent to, in bytes.
const MAX_URL: usize = 2048;

/// Scheme, host and port of a URL that a browser can be sent to: https, or http on loopback.
pub fn origin_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let origin = format!("{}://{}", uri.scheme_str()?, uri.authority()?);
    let visible = url.len() <= MAX_URL && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (visible && is_origin(&origin) && url.starts_with(&origin)).then_some(origin)
}

/// Whether browsers write an origin like this: in lower case, without its scheme's own port.
pub fn is_canonical(origin: &str) -> bool {
    let own = if origin.starts_with("https") { ":443" } else { ":80" };
    !origin.ends_with(own) && !origin.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Scheme, host and perhaps a port, nothing else: https, or http on loopback.
pub fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let host = authority.host();
    let address = match host.strip_prefix('[').map(|host| host.strip_suffix(']').unwrap_or_default().parse()) {
        Some(Ok(address)) => Some(IpAddr::V6(address)),
        Some(Err(_)) => return false,
        None => host.parse().ok().map(IpAddr::V4),
    };
    let loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    let port = match authority.as_str().strip_prefix(host) {
        Some("") => true,
        Some(port) => {
            port.trim_start_matches(':').bytes().all(|byte| byte.is_ascii_digit()) && authority.port().is_some()
        }
        None => false,
    };
    let whole = format!("{scheme}://{authority}") == text && !host.is_empty();
    whole && port && (scheme == "https" || (scheme == "http" && loopback))
}

/// The methods a page may use.
pub const ALLOWED_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// The headers a page may send.
pub const ALLOWED_HEADERS: &str = "authorization, apikey, content-type, x-connection-id";
/// The headers a page may read, by name: `*` does not cover them all in every browser.
pub const EXPOSED_HEADERS: &str = "retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, \
    x-ratelimit-retry-after, x-ofauth-upload-total-parts, x-ofauth-upload-part-size, x-request-id, x-ofauth-edge, \
    x-ofauth-edge-action";
/// Seconds a browser may remember a preflight.
pub const MAX_AGE: &str = "7200";

/// Origins, compared exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    /// Takes origins that [`crate::config`] has judged.
    pub fn new(origins: Vec<String>) -> Self {
        Self(origins)
    }

    /// Whether pages of this origin may read answers.
    pub fn allow(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == origin)
    }
}
