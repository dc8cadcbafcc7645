//! The secrets that webhooks are signed with: as a caller writes them, and as the keys that each scheme derives.
//!
//! Several secrets can be valid at once, so that a secret can be rotated without losing webhooks. No type here shows a
//! secret when it is printed.

use std::fmt;

use super::{
    encoding::decode_base64,
    error::{SecretFault, SignatureError},
    scheme::Scheme,
};

/// The largest number of secrets in one list. A rotation needs two.
pub const MAX_SECRETS: usize = 5;

/// Usable signing keys, newest first. `Debug` prints only how many there are.
pub struct Secrets {
    ofauth: Vec<Vec<u8>>,
    /// An error if the secrets are for any scheme and one of them is not base64. It is reported only when a request is
    /// signed under svix.
    svix: Result<Vec<Vec<u8>>, SignatureError>,
}

/// Secrets as a caller writes them, newest first and not validated.
#[derive(Clone)]
pub enum SecretStrings {
    /// One list for both schemes.
    AnyScheme(Vec<String>),
    /// One list for each scheme. A scheme with an empty list verifies nothing.
    PerScheme {
        /// The secrets for `OFAuth-Signature`.
        ofauth: Vec<String>,
        /// The secrets for the `svix-*` and `webhook-*` headers.
        svix: Vec<String>,
    },
}

impl Secrets {
    /// Takes the secrets of each scheme, newest first. A scheme with an empty list verifies nothing.
    ///
    /// Returns [`SignatureError::InvalidSecret`] if a secret cannot be used, if a list has more than [`MAX_SECRETS`]
    /// secrets, or if both lists are empty.
    pub fn new<S: AsRef<str>>(ofauth: &[S], svix: &[S]) -> Result<Self, SignatureError> {
        Self::from_lists(ofauth, svix, false)
    }

    /// Takes one list of secrets, newest first, for both schemes. The headers of a request say which scheme it uses. If
    /// it has headers of both, it is verified under ofauth.
    ///
    /// Returns [`SignatureError::InvalidSecret`] as [`Secrets::new`] does, with one exception: a secret that is not
    /// base64 is refused only when a request is signed under svix, because ofauth does not need base64.
    pub fn for_any_scheme<S: AsRef<str>>(secrets: impl AsRef<[S]>) -> Result<Self, SignatureError> {
        Self::from_lists(secrets.as_ref(), secrets.as_ref(), true)
    }

    fn from_lists<S: AsRef<str>>(ofauth: &[S], svix: &[S], any_scheme: bool) -> Result<Self, SignatureError> {
        if ofauth.is_empty() && svix.is_empty() {
            return Err(SignatureError::InvalidSecret { scheme: None, index: 0, fault: SecretFault::NoneGiven });
        }
        let scheme_in_error = |scheme| if any_scheme { None } else { Some(scheme) };
        let ofauth = decode_keys(Scheme::Ofauth, scheme_in_error(Scheme::Ofauth), ofauth)?;
        // Under ofauth a secret need not be base64, so this finds only the other faults. They are reported first.
        decode_keys(Scheme::Ofauth, scheme_in_error(Scheme::Svix), svix)?;
        let svix = decode_keys(Scheme::Svix, Some(Scheme::Svix), svix);
        match svix {
            Err(error) if !any_scheme => Err(error),
            svix => Ok(Self { ofauth, svix }),
        }
    }

    /// Returns whether the scheme has secrets, usable or not.
    pub(crate) fn has(&self, scheme: Scheme) -> bool {
        !matches!(self.keys(scheme), Ok([]))
    }

    /// Returns the keys of a scheme, or the error of a secret that the scheme cannot use.
    pub(crate) fn keys(&self, scheme: Scheme) -> Result<&[Vec<u8>], SignatureError> {
        match scheme {
            Scheme::Ofauth => Ok(&self.ofauth),
            Scheme::Svix => self.svix.as_deref().map_err(|error| *error),
        }
    }
}

impl SecretStrings {
    /// Makes keys of the secrets. Returns the errors of [`Secrets::for_any_scheme`] or [`Secrets::new`].
    pub fn validate(&self) -> Result<Secrets, SignatureError> {
        Secrets::from_lists(self.list(Scheme::Ofauth), self.list(Scheme::Svix), self.is_for_any_scheme())
    }

    /// Returns whether both schemes use the same list.
    pub(crate) fn is_for_any_scheme(&self) -> bool {
        matches!(self, Self::AnyScheme(_))
    }

    /// Returns the secrets that a scheme uses.
    pub(crate) fn list(&self, scheme: Scheme) -> &[String] {
        match (self, scheme) {
            (Self::AnyScheme(secrets), _) => secrets,
            (Self::PerScheme { ofauth, .. }, Scheme::Ofauth) => ofauth,
            (Self::PerScheme { svix, .. }, Scheme::Svix) => svix,
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets {{ ofauth: {}, svix: {:?} }}", self.ofauth.len(), self.svix.as_ref().map(Vec::len).ok())
    }
}

/// Makes keys of a list of secrets. `scheme_in_error` is the scheme that an error names.
fn decode_keys<S: AsRef<str>>(
    scheme: Scheme,
    scheme_in_error: Option<Scheme>,
    secrets: &[S],
) -> Result<Vec<Vec<u8>>, SignatureError> {
    let invalid = |index, fault| SignatureError::InvalidSecret { scheme: scheme_in_error, index, fault };
    if secrets.len() > MAX_SECRETS {
        return Err(invalid(MAX_SECRETS, SecretFault::TooMany));
    }
    let mut keys = Vec::with_capacity(secrets.len());
    for (index, secret) in secrets.iter().enumerate() {
        let key = decode_key(scheme, secret.as_ref());
        keys.push(key.map_err(|fault| invalid(index, fault))?);
    }
    Ok(keys)
}

/// Makes the key of a secret: its text under ofauth, the bytes that it decodes to under svix.
pub(crate) fn decode_key(scheme: Scheme, secret: &str) -> Result<Vec<u8>, SecretFault> {
    match secret {
        "" => Err(SecretFault::Empty),
        _ if trim(secret).len() < secret.len() => Err(SecretFault::OuterWhiteSpace),
        _ if scheme == Scheme::Svix => decode_svix_key(secret.as_bytes()),
        _ => Ok(secret.as_bytes().to_vec()),
    }
}

/// Removes white space at the start and at the end of a secret.
pub(crate) fn trim(mut secret: &str) -> &str {
    while let Some(rest) = secret.strip_prefix(is_white_space).or_else(|| secret.strip_suffix(is_white_space)) {
        secret = rest;
    }
    secret
}

/// Returns what [`char::is_whitespace`] returns: whether Unicode calls the character `White_Space`. The standard
/// library looks it up in a table, which makes the wasm of the npm package larger.
#[inline(never)]
fn is_white_space(character: char) -> bool {
    matches!(character, '\t'..='\r' | ' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}')
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

fn decode_svix_key(secret: &[u8]) -> Result<Vec<u8>, SecretFault> {
    let text = secret.strip_prefix(b"whsec_").unwrap_or(secret);
    let mut key = vec![0; text.len()];
    let len = decode_base64(text, &mut key).map_or(0, <[u8]>::len);
    key.truncate(len);
    if key.is_empty() { Err(SecretFault::NotBase64) } else { Ok(key) }
}
