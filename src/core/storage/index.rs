//! Replaces identifiers by keyed hashes, so that storage and URLs need not hold the identifiers themselves.
//!
//! A connection id opens an OnlyFans account, so the gateway treats it as a credential (OFAuth documentation,
//! Connections API: Best Practices). The gateway still has to find the stored data of a connection or of a user. It
//! therefore computes a *blind index*: a hash of the identifier under a secret key. The same identifier always has the
//! same hash. Without the key, nobody can compute the hash of an identifier or test a guess.
//!
//! Every hash is HMAC-SHA256 (RFC 2104) under `INDEX_KEY`, cut to its first bytes and written in lower-case hex. The
//! hashed text is a kind, a zero byte and the identifier. The kind keeps equal texts of two kinds apart.
//!
//! | identifier | kind | bytes kept | used as |
//! |---|---|---|---|
//! | connection id | `handle` | 16 | the handle, `acct_` and the hex digits |
//! | OnlyFans user id | `user` | 8 | a filter in KV metadata |
//! | clientReferenceId | `ref` | 16 | the name of the user's hub, and a filter in KV metadata |
//! | webhook secret | `ofauth`, `svix` | 4 | its name in the counts of uses |
//! | gateway key | `key` | 4 | its name in the counts of uses |

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::core::id::HANDLE_PREFIX;

/// Computes handles and the other keyed hashes of identifiers. `Debug` does not show the key.
pub struct BlindIndex {
    mac: Hmac<Sha256>,
}

impl BlindIndex {
    /// Takes the 32 bytes of `INDEX_KEY`. This key must never change, because apps store handles.
    pub fn new(key: &[u8; 32]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mac = Hmac::new_from_slice(key).expect("any key length");
        Self { mac }
    }

    /// The handle of a connection: `acct_` and 32 lower-case hex digits.
    ///
    /// ```
    /// use ofauth_edge::core::{id::is_handle, storage::BlindIndex};
    ///
    /// let index = BlindIndex::new(&[2; 32]);
    /// let handle = index.handle("conn_abc123");
    /// assert!(is_handle(&handle));
    /// assert_eq!(index.handle("conn_abc123"), handle);
    /// ```
    pub fn handle(&self, connection_id: &str) -> String {
        format!(
            "{HANDLE_PREFIX}{}",
            base16ct::lower::encode_string(&self.hash::<16>("handle", connection_id.as_bytes()))
        )
    }

    /// The hash of an OnlyFans user id, 16 hex digits. KV metadata holds it, so that lists can be filtered by user.
    pub fn hash_platform_user_id(&self, platform_user_id: &str) -> String {
        base16ct::lower::encode_string(&self.hash::<8>("user", platform_user_id.as_bytes()))
    }

    /// The hash of a clientReferenceId, 32 hex digits. It is the name of that user's hub.
    pub fn hash_client_reference_id(&self, client_reference_id: &str) -> String {
        base16ct::lower::encode_string(&self.hash::<16>("ref", client_reference_id.as_bytes()))
    }

    /// The fingerprint of a configured secret, 8 hex digits, by which counts name it. It is a keyed hash, because a webhook
    /// secret may be short enough to be guessed from a plain one.
    pub fn fingerprint(&self, kind: &str, secret: &[u8]) -> String {
        base16ct::lower::encode_string(&self.hash::<4>(kind, secret))
    }

    /// The first `N` bytes of the HMAC of `{kind}\0{value}`.
    fn hash<const N: usize>(&self, kind: &str, value: &[u8]) -> [u8; N] {
        let mac = self.mac.clone().chain_update(kind).chain_update([0]).chain_update(value).finalize().into_bytes();
        let mut prefix = [0; N];
        prefix.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
        prefix
    }
}

impl fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlindIndex")
    }
}
