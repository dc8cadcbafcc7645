//! CORS: which other sites' pages may read answers. Never with credentials: a token is sent by the page's own code.

/// The methods a page may use.
pub const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
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
