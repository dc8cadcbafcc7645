//! A secret variable that the gateway sends on, such as `OFAUTH_API_KEY`.

use std::fmt;

/// A text that `Debug` does not show.
pub struct Secret(pub(super) String);

impl Secret {
    /// The text itself. Never log it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is an API key of OFAuth's sandbox. The prefix decides (OFAuth documentation, Authentication).
    pub(super) fn is_sandbox(&self) -> bool {
        self.is_live() == Some(false)
    }

    /// Whether it is an API key for production, and not one of the sandbox. `None` if its prefix says neither.
    pub fn is_live(&self) -> Option<bool> {
        let environments = [("sk_live_", true), ("sk_sandbox_", false)];
        environments.into_iter().find(|(prefix, _)| self.0.starts_with(prefix)).map(|(_, live)| live)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
