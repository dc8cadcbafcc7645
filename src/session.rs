//! Who is calling.
//!
//! A *gateway key* is for servers and opens everything. It comes as `Authorization: Bearer …` or as `apikey: …`; where
//! Authorization is present it alone counts. Keys are compared through a MAC, so
//! the time it takes says nothing of their content.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::api_error::EdgeError;

/// The shortest gateway key, in characters.
pub const MIN_KEY: usize = 32;

/// The gateway's keys, newest first. Cannot be printed.
pub struct GatewayKeys(Vec<String>);

impl GatewayKeys {
    /// Takes keys that [`crate::config`] has judged.
    pub fn new(keys: Vec<String>) -> Self {
        Self(keys)
    }

    /// Judges the credential in the two headers: CREDENTIALS_MISSING without any, CREDENTIALS_INVALID if it opens
    /// nothing.
    pub fn authenticate(&self, authorization: Option<&str>, apikey: Option<&str>) -> Result<(), EdgeError> {
        let credential = match (authorization, apikey) {
            (Some(authorization), _) => bearer(authorization).ok_or(EdgeError::CredentialsInvalid)?,
            (None, Some(apikey)) => apikey,
            (None, None) => return Err(EdgeError::CredentialsMissing),
        };
        let known = self.0.iter().any(|key| same(key, credential));
        if known { Ok(()) } else { Err(EdgeError::CredentialsInvalid) }
    }
}

impl fmt::Debug for GatewayKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GatewayKeys({})", self.0.len())
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, credential) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credential.trim_ascii())
}

/// Compares MACs of the two, so that the time it takes says nothing of either. They are the message: as HMAC's key, one
/// with a NUL at its end would be the same.
fn same(key: &str, credential: &str) -> bool {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mac = |text: &str| {
        Hmac::<Sha256>::new_from_slice(b"gateway key").expect("any key length").chain_update(text).finalize()
    };
    mac(key) == mac(credential)
}
