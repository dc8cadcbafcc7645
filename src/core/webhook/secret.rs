//! The secrets that webhooks are signed with: as they are written, and as the keys they are to a scheme.

use std::fmt;

use super::{
    encoding::base64,
    error::{SecretFault, SignatureError},
    scheme::Scheme,
};

/// The most secrets a scheme may have at once: a rotation needs two.
pub const MAX_SECRETS: usize = 5;

/// The signing secrets, judged, newest first. Cannot be printed.
pub struct Secrets {
    ofauth: Vec<Vec<u8>>,
    /// Of bare secrets, the error that stands if svix is picked.
    svix: Result<Vec<Vec<u8>>, SignatureError>,
}

/// Secrets as a caller wrote them, newest first, not judged. Cannot be printed.
#[derive(Clone)]
pub enum SecretStrings {
    /// For the scheme whose header is present.
    Bare(Vec<String>),
    /// For each scheme its own; a scheme without any is off.
    Each {
        /// For `OFAuth-Signature`.
        ofauth: Vec<String>,
        /// For `svix-*` and `webhook-*`.
        svix: Vec<String>,
    },
}

impl Secrets {
    /// Takes the secrets of each scheme, newest first; a scheme without any is off. Every secret is judged here, once:
    /// an unusable one is refused by its place.
    pub fn new<S: AsRef<str>>(ofauth: &[S], svix: &[S]) -> Result<Self, SignatureError> {
        Self::judged(ofauth, svix, false)
    }

    /// Takes secrets, newest first, that serve the scheme whose header is present, ofauth if both are. What is wrong for
    /// both schemes is refused here; one that is only no base64, not before svix is picked.
    pub fn bare<S: AsRef<str>>(secrets: impl AsRef<[S]>) -> Result<Self, SignatureError> {
        Self::judged(secrets.as_ref(), secrets.as_ref(), true)
    }

    fn judged<S: AsRef<str>>(ofauth: &[S], svix: &[S], bare: bool) -> Result<Self, SignatureError> {
        if ofauth.is_empty() && svix.is_empty() {
            return Err(SignatureError::InvalidSecret(None, 0, SecretFault::NoneGiven));
        }
        let list = |scheme| if bare { None } else { Some(scheme) };
        let ofauth = keys(Scheme::Ofauth, list(Scheme::Ofauth), ofauth)?;
        // What is wrong for both schemes comes before what is no base64.
        keys(Scheme::Ofauth, list(Scheme::Svix), svix)?;
        let svix = keys(Scheme::Svix, Some(Scheme::Svix), svix);
        match svix {
            Err(error) if !bare => Err(error),
            svix => Ok(Self { ofauth, svix }),
        }
    }

    /// Whether a scheme is on.
    pub(crate) fn has(&self, scheme: Scheme) -> bool {
        !matches!(self.keys(scheme), Ok([]))
    }

    /// The keys of a scheme.
    pub(crate) fn keys(&self, scheme: Scheme) -> Result<&[Vec<u8>], SignatureError> {
        match scheme {
            Scheme::Ofauth => Ok(&self.ofauth),
            Scheme::Svix => self.svix.as_deref().map_err(|error| *error),
        }
    }
}

impl SecretStrings {
    /// Judges them, as [`Secrets::bare`] or [`Secrets::new`].
    pub fn judge(&self) -> Result<Secrets, SignatureError> {
        Secrets::judged(self.of(Scheme::Ofauth), self.of(Scheme::Svix), self.is_bare())
    }

    /// Whether they serve both schemes.
    pub(crate) fn is_bare(&self) -> bool {
        matches!(self, Self::Bare(_))
    }

    /// Those that serve a scheme.
    pub(crate) fn of(&self, scheme: Scheme) -> &[String] {
        match (self, scheme) {
            (Self::Bare(secrets), _) => secrets,
            (Self::Each { ofauth, .. }, Scheme::Ofauth) => ofauth,
            (Self::Each { svix, .. }, Scheme::Svix) => svix,
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets {{ ofauth: {}, svix: {:?} }}", self.ofauth.len(), self.svix.as_ref().map(Vec::len).ok())
    }
}

/// The keys that the secrets of a list are under a scheme.
fn keys<S: AsRef<str>>(scheme: Scheme, list: Option<Scheme>, secrets: &[S]) -> Result<Vec<Vec<u8>>, SignatureError> {
    if secrets.len() > MAX_SECRETS {
        return Err(SignatureError::InvalidSecret(list, MAX_SECRETS, SecretFault::TooMany));
    }
    let mut keys = Vec::with_capacity(secrets.len());
    for (place, secret) in secrets.iter().enumerate() {
        let key = key(scheme, secret.as_ref());
        keys.push(key.map_err(|fault| SignatureError::InvalidSecret(list, place, fault))?);
    }
    Ok(keys)
}

/// The key in a secret of this scheme.
pub(crate) fn key(scheme: Scheme, secret: &str) -> Result<Vec<u8>, SecretFault> {
    match secret {
        "" => Err(SecretFault::Empty),
        _ if trim(secret).len() < secret.len() => Err(SecretFault::OuterWhiteSpace),
        _ if scheme == Scheme::Svix => svix_key(secret.as_bytes()),
        _ => Ok(secret.as_bytes().to_vec()),
    }
}

/// A secret without the white space at its ends.
pub(crate) fn trim(mut secret: &str) -> &str {
    while let Some(rest) = secret.strip_prefix(is_white_space).or_else(|| secret.strip_suffix(is_white_space)) {
        secret = rest;
    }
    secret
}

/// Unicode's `White_Space`, as [`char::is_whitespace`] has it in a table, which this does without: it is code that a
/// browser loads.
#[inline(never)]
fn is_white_space(char: char) -> bool {
    matches!(char, '\t'..='\r' | ' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}')
        || matches!(char, '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

fn svix_key(secret: &[u8]) -> Result<Vec<u8>, SecretFault> {
    let text = secret.strip_prefix(b"whsec_").unwrap_or(secret);
    let mut room = vec![0; text.len()];
    let len = base64(text, &mut room).map_or(0, <[u8]>::len);
    room.truncate(len);
    if room.is_empty() { Err(SecretFault::NotBase64) } else { Ok(room) }
}
