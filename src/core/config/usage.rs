//! The codes under which uses of secrets and keys are counted, such as `ofauth:1a2b3c4d`.
//!
//! A code has the [fingerprint](BlindIndex::fingerprint) of the value, and not its place in the list. So a value keeps its counts
//! if the list changes, and a new value never gets those of an older one.

use crate::core::{
    gateway::{Authenticator, GatewayKey},
    storage::BlindIndex,
    webhook::{Scheme, Secrets},
};

/// The codes of all values. They are computed once for a configuration, so that a request computes none.
#[derive(Debug)]
pub struct UsageCodes {
    ofauth: Vec<String>,
    svix: Vec<String>,
    keys: Vec<String>,
}

impl UsageCodes {
    /// Computes the codes of all values.
    pub(super) fn new(secrets: &Secrets, authenticator: &Authenticator, index: &BlindIndex) -> Self {
        let of = |scheme: Scheme| {
            let code = |key: &Vec<u8>| [scheme.as_str(), ":", &index.fingerprint(scheme.as_str(), key)].concat();
            secrets.keys(scheme).unwrap_or_default().iter().map(code).collect()
        };
        let keys = authenticator.keys().iter().map(|key| key.usage_code(index)).collect();
        Self { ofauth: of(Scheme::Ofauth), svix: of(Scheme::Svix), keys }
    }

    /// The codes of the webhook secrets of a scheme, the newest first: the scheme and the fingerprint.
    pub fn secrets(&self, scheme: Scheme) -> &[String] {
        match scheme {
            Scheme::Ofauth => &self.ofauth,
            Scheme::Svix => &self.svix,
        }
    }

    /// The codes of the gateway keys, the newest first: see [`GatewayKey::usage_code`].
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The code of a gateway key.
    pub fn key(&self, key: &GatewayKey) -> &str {
        key.place().checked_sub(1).and_then(|index| self.keys.get(index)).map_or("", String::as_str)
    }
}
