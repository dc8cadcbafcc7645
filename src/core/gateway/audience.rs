//! The claim `aud` of a token: for whom it is (RFC 7519, section 4.1.3).

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::core::json::{Raw, decode_string, from_slice};

const GATEWAY: &str = "ofauth-edge";
const CONSOLE: &str = "ofauth-edge-console";

/// For whom a token is: one name or a list of names.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    /// The audience of a session token.
    pub fn gateway() -> Self {
        Self::One(GATEWAY.to_owned())
    }

    /// The audience of a console token.
    pub fn console() -> Self {
        Self::One(CONSOLE.to_owned())
    }

    /// Whether the token is a session token for this gateway.
    pub fn has_gateway(&self) -> bool {
        match self {
            Self::One(name) => name == GATEWAY,
            Self::Many(names) => names.iter().any(|name| name == GATEWAY),
        }
    }

    /// Whether the token is a console token. One for several audiences is not.
    pub fn is_console(&self) -> bool {
        matches!(self, Self::One(name) if name == CONSOLE)
    }
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Raw(value) = Raw::deserialize(deserializer)?;
        let one = decode_string(value).map(|one| Self::One(one.into_owned()));
        let many = || from_slice(value.as_bytes()).map(Self::Many);
        one.map_or_else(many, Ok).map_err(D::Error::custom)
    }
}
