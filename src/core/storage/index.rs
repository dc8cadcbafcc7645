//! Names for what may not be named in clear.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::core::id::HANDLE_PREFIX;

/// Names what may not be named: see [`Index::handle`]. Cannot be printed.
pub struct Index {
    mac: Hmac<Sha256>,
}

impl Index {
    /// Takes INDEX_KEY. It never rotates: handles are stored by others.
    pub fn new(key: &[u8; 32]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mac = Hmac::new_from_slice(key).expect("any key length");
        Self { mac }
    }

    /// The handle of a connection: `acct_` and 32 lower-case hex digits, always the same for the same id.
    pub fn handle(&self, connection_id: &str) -> String {
        format!("{HANDLE_PREFIX}{}", base16ct::lower::encode_string(&self.hash::<16>("handle", connection_id)))
    }

    /// 16 hex digits that stand for an OnlyFans user id in KV metadata: enough to filter by, too few to be one.
    pub fn user(&self, platform_user_id: &str) -> String {
        base16ct::lower::encode_string(&self.hash::<8>("user", platform_user_id))
    }

    /// 32 hex digits that stand for a clientReferenceId: the name of that user's hub.
    pub fn reference(&self, client_reference_id: &str) -> String {
        base16ct::lower::encode_string(&self.hash::<16>("ref", client_reference_id))
    }

    fn hash<const N: usize>(&self, kind: &str, value: &str) -> [u8; N] {
        let mac = self.mac.clone().chain_update(kind).chain_update([0]).chain_update(value).finalize().into_bytes();
        let mut head = [0; N];
        head.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
        head
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Index")
    }
}
