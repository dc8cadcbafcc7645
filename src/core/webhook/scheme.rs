//! The two documented signature schemes.

/// Which of the two documented schemes signed a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `OFAuth-Signature`.
    Ofauth,
    /// `svix-*` or `webhook-*`.
    Svix,
}

impl Scheme {
    /// `ofauth` or `svix`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ofauth => "ofauth",
            Self::Svix => "svix",
        }
    }
}
