//! Gateway keys: their names and their rights. [`Route::right`](super::route::Route::right) says which right a route needs.
//!
//! An item of `GATEWAY_KEY` is a key alone, which has all rights, or `name:rights:key`:
//!
//! ```text
//! billing:read+manage:0f4e…,app:access+sessions+link:77ab…
//! ```
//!
//! - The name has 1 to 32 letters, digits, `-` or `_`, and begins with a letter. A key without a name is called by its
//!   place in the list, such as `1`.
//! - The rights are joined by `+`.
//! - A key alone has no colon.
//!
//! | right | routes |
//! |---|---|
//! | `access` | `/v2/access/*` |
//! | `sessions` | `POST /edge/sessions`: acts as any user, through a session token |
//! | `link` | `/v2/link/*` |
//! | `manage` | what changes connections, users or the account, and OFAuth's other routes for servers |
//! | `read` | what only shows connections, events and the state of the gateway |

use super::token::mac;
use crate::core::storage::BlindIndex;

/// The names of the rights. The place of a name is the number of its [`Right`].
const NAMES: [&str; 5] = ["access", "sessions", "link", "manage", "read"];
/// The longest name of a key, in bytes.
const MAX_NAME: usize = 32;

/// What a gateway key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// The Access API.
    Access,
    /// Creating session tokens.
    Sessions,
    /// Link.
    Link,
    /// Changing connections, users and the account.
    Manage,
    /// Looking at connections, events and the state of the gateway.
    Read,
}

/// A gateway key. It has no `Debug`, because it is a secret.
pub struct GatewayKey {
    name: String,
    /// The place in the list, counted from 1.
    place: usize,
    /// One bit for each [`Right`].
    rights: u8,
    key: String,
}

impl Right {
    /// The name of the right, as `GATEWAY_KEY` has it.
    pub fn name(self) -> &'static str {
        NAMES.get(self as usize).copied().unwrap_or_default()
    }
}

impl GatewayKey {
    /// Reads the item at this place of the list, counted from 1. `None` if it has a colon but is not `name:rights:key`.
    pub fn parse(item: &str, place: usize) -> Option<Self> {
        let Some((name, rest)) = item.split_once(':') else {
            return Some(Self { name: place.to_string(), place, rights: u8::MAX, key: item.to_owned() });
        };
        let (rights, key) = rest.split_once(':')?;
        let is_name = name.len() <= MAX_NAME
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let bit = |right: &str| Some(1 << NAMES.iter().position(|name| *name == right)?);
        let rights = rights.split('+').try_fold(0, |rights, right| Some(rights | bit(right)?))?;
        (is_name && key.trim() == key).then(|| Self { name: name.to_owned(), place, rights, key: key.to_owned() })
    }

    /// How many characters the key has, without its name and rights.
    pub fn chars(&self) -> usize {
        self.key.chars().count()
    }

    /// The name, or the place in the list.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The place in the list, counted from 1.
    pub fn place(&self) -> usize {
        self.place
    }

    /// The code under which uses are counted: the fingerprint, behind the name if the key has one. The place is not in it,
    /// because another key may get that.
    pub fn usage_code(&self, index: &BlindIndex) -> String {
        let fingerprint = index.fingerprint("key", self.key.as_bytes());
        if self.name.starts_with(|first: char| first.is_ascii_digit()) {
            return fingerprint;
        }
        [&self.name, ":", &fingerprint].concat()
    }

    /// Whether the key has this right.
    pub fn has(&self, right: Right) -> bool {
        self.rights & (1 << right as u8) != 0
    }

    /// Whether the credential is this key. It compares MACs of both in constant time, so an attacker learns nothing from
    /// how long it takes.
    ///
    /// Both are the message of the MAC, not its key: HMAC pads its key with zero bytes (RFC 2104, section 2), so a
    /// credential with a NUL at its end would be equal to the key without it.
    pub(super) fn is(&self, credential: &str) -> bool {
        mac("gateway key", self.key.as_bytes()) == mac("gateway key", credential.as_bytes())
    }
}
