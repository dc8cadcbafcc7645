//! Decides which sites may call the gateway from a browser (CORS), and to which URLs it may send a browser.
//!
//! An origin is scheme, host and port of a URL, such as `https://app.example.com` (RFC 6454, section 4). The gateway
//! accepts https, and http only on loopback (`localhost`, `127.0.0.0/8`, `[::1]`), for development. Pages may also be
//! those of an app with a web view, of a browser's extension, or of a computer nearby: see [`is_page_origin`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

/// The methods that a page may use: the header `Access-Control-Allow-Methods`.
pub const ALLOWED_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// The headers that a page may read: the header `Access-Control-Expose-Headers`. Each is named, because in some
/// browsers `*` does not cover all of them.
pub const EXPOSED_HEADERS: &str = "retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, \
    x-ratelimit-retry-after, x-ofauth-upload-total-parts, x-ofauth-upload-part-size, x-request-id, x-ofauth-edge, \
    x-ofauth-edge-action";
/// How long a browser may reuse the answer to a preflight request, in seconds: the header `Access-Control-Max-Age`.
pub const MAX_AGE: &str = "7200";

/// The longest URL to which a browser is sent, in bytes.
const MAX_URL: usize = 2048;

/// The origins of the variable `ALLOWED_ORIGINS`, whose pages may call the gateway. They are compared byte for byte.
///
/// A page may send any header. The names in a preflight are not checked, because
/// [`forwards_request_header`](super::access::forwards_request_header) decides which headers go to OFAuth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    /// Takes origins that [`Config`](crate::core::config::Config) has checked with [`is_page_origin`].
    pub fn new(origins: Vec<String>) -> Self {
        Self(origins)
    }

    /// Whether pages of this origin may call the gateway. `origin` is the value of the header `Origin`.
    pub fn allows(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == origin)
    }

    /// Whether a browser may be sent to this URL, because it is a page of one of these origins. The URL keeps the rules
    /// of [`origin_of`], except that its scheme may be any that an allowed origin has.
    pub fn has_page(&self, url: &str) -> bool {
        let is_page = |origin: &String| {
            url.strip_prefix(origin.as_str()).is_some_and(|path| path.is_empty() || path.starts_with(['/', '?', '#']))
        };
        is_visible(url) && self.0.iter().any(is_page)
    }
}

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
    (is_visible(url) && is_origin(&origin) && url.starts_with(&origin)).then_some(origin)
}

/// Whether a browser would write `origin` like this in the header `Origin`: in lower case, and without the port that is
/// the default of its scheme. `origin` must be an origin: see [`is_origin`].
pub fn is_canonical(origin: &str) -> bool {
    let default_port = if origin.starts_with("https") { ":443" } else { ":80" };
    !origin.ends_with(default_port) && !origin.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Whether `text` is an https origin, or an http origin on loopback: scheme, host, perhaps a port, and nothing else.
pub fn is_origin(text: &str) -> bool {
    is_web_origin(text, Reach::Loopback)
}

/// Whether the host of an origin is neither `localhost`, a name under it, nor an address that is not of the public internet, in any
/// spelling that `fetch` reads as an address: see [`NOT_PUBLIC`]. A name is not looked up. `origin` must be an
/// origin as a browser writes it: see [`is_canonical`].
///
/// ```
/// use ofauth_edge::core::gateway::origin::is_public;
///
/// assert!(is_public("https://app.example.com"));
/// assert!(!is_public("https://127.0.0.1:8443"));
/// ```
pub fn is_public(origin: &str) -> bool {
    let uri: Uri = origin.parse().unwrap_or_default();
    let host = uri.host().unwrap_or_default();
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(is_public_v6);
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default();
    // The URL standard reads such a host as an address, also one like `127.1` and `0x7f000001`.
    if last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return host.parse::<Ipv4Addr>().is_ok_and(|address| is_public_v4(address.to_bits()));
    }
    last != "localhost"
}

/// Whether pages can have the origin `text`, which is written as browsers write it. Such an origin is one of these:
///
/// - an https origin, or an http origin on loopback, also on a name under `localhost`;
/// - an http origin on a private address (RFC 1918, RFC 4193) or a link-local one, if `allows_private`;
/// - that of an app with a web view: any other scheme on `localhost`, such as `capacitor://localhost`, and any host
///   under the schemes `app`, `capacitor`, `ionic` and `tauri`;
/// - that of a browser's extension: a scheme that ends with `-extension`, and any host.
pub fn is_page_origin(text: &str, allows_private: bool) -> bool {
    if text.starts_with("http:") || text.starts_with("https:") {
        let reach = if allows_private { Reach::Nearby } else { Reach::Localhost };
        // A wildcard is a valid host to the parser, and would allow nothing.
        return !text.contains('*') && is_canonical(text) && is_web_origin(text, reach);
    }
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let is_name = |name: &str, others: &[u8]| {
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
        !name.is_empty() && name.bytes().all(is_valid)
    };
    let is_app = host == "localhost" || matches!(scheme, "app" | "capacitor" | "ionic" | "tauri");
    let is_web = matches!(scheme, "ws" | "wss" | "ftp" | "file");
    let is_scheme = is_name(scheme, b"+-.") && scheme.bytes().all(|byte| !byte.is_ascii_uppercase());
    is_scheme && is_name(host, b"-._") && !is_web && (is_app || scheme.ends_with("-extension"))
}

/// To which hosts an http origin may belong. Each reaches further than the one before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// `localhost` and loopback addresses.
    Loopback,
    /// Names under `localhost` too, which a browser looks up nowhere (RFC 6761, section 6.3).
    Localhost,
    /// Private and link-local addresses too.
    Nearby,
}

/// Whether `text` is an https origin, or an http origin on a host within `reach`.
fn is_web_origin(text: &str, reach: Reach) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let host = authority.host();
    let address = match host.strip_prefix('[').map(|host| host.strip_suffix(']').unwrap_or_default().parse()) {
        Some(Ok(address)) => Some(IpAddr::V6(address)),
        Some(Err(_)) => return false,
        None => host.parse().ok().map(IpAddr::V4),
    };
    let is_within_reach = host == "localhost"
        || (reach >= Reach::Localhost && host.ends_with(".localhost"))
        || address.is_some_and(|address| address.is_loopback() || (reach >= Reach::Nearby && is_private(address)));
    let has_valid_port = match authority.as_str().strip_prefix(host) {
        Some("") => true,
        Some(port) => {
            port.trim_start_matches(':').bytes().all(|byte| byte.is_ascii_digit()) && authority.port().is_some()
        }
        // The authority starts with a user name.
        None => false,
    };
    let is_complete = format!("{scheme}://{authority}") == text && !host.is_empty();
    is_complete && has_valid_port && (scheme == "https" || (scheme == "http" && is_within_reach))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

/// The IPv4 addresses that are not of the public internet: the first of each range, and the length of its prefix
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry>; RFC 5771 for multicast).
const NOT_PUBLIC: [([u8; 4], u32); 13] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast and reserved addresses.
    ([224, 0, 0, 0], 3),
];

fn is_public_v4(address: u32) -> bool {
    !NOT_PUBLIC.iter().any(|&(first, length)| (address ^ u32::from_be_bytes(first)).leading_zeros() >= length)
}

/// IPv6 addresses of the internet begin with the bits 001 (RFC 4291, section 2.4), except those that NAT64 makes of IPv4 addresses.
/// One that has an IPv4 address in it reaches that one.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, fourth, fifth, sixth, seventh, eighth] = address.segments();
    let v4 = |high: u16, low: u16| is_public_v4(u32::from(high) << 16 | u32::from(low));
    match (first, second, third, fourth, fifth, sixth) {
        // IPv4-compatible and IPv4-mapped ones, and NAT64.
        (0, 0, 0, 0, 0, 0 | 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => v4(seventh, eighth),
        // 6to4.
        (0x2002, ..) => v4(second, third),
        // Teredo, documentation.
        (0x2001, 0 | 0xdb8, ..) | (0x3fff, 0..=0xfff, ..) => false,
        _ => first >> 13 == 1,
    }
}

/// Whether a browser reads a URL as it is written: it drops tabs and line breaks, and reads a backslash as a slash.
fn is_visible(url: &str) -> bool {
    url.len() <= MAX_URL && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}
