//! A random sender of webhooks that can make every mistake, and checks of what is explained about its requests.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use ofauth_edge::core::webhook::{Cause, Diagnosis, Scheme, SecretStrings, explain};
use proptest::prelude::*;
use sha2::Sha256;

use super::{NOW, SECRET, headers};

/// Secrets as they should be, and what signs with one of them.
#[derive(Clone, Debug)]
pub struct Sender {
    pub scheme: Scheme,
    /// For `scheme`.
    pub secrets: Vec<String>,
    /// Which of them signs.
    pub place: usize,
    /// Given for the other scheme; `None` if `secrets` are given for any scheme.
    pub others: Option<Vec<String>>,
    pub id: String,
    pub t: u64,
    pub now: u64,
    pub tolerance: u64,
}

/// Headers by name.
pub type List = Vec<(&'static str, String)>;

/// A secret that both schemes take, with or without a prefix.
pub fn any_secret() -> impl Strategy<Value = String> {
    (any::<bool>(), prop::collection::vec(any::<u8>(), 12..48))
        .prop_map(|(prefix, key)| format!("{}{}", if prefix { "whsec_" } else { "" }, STANDARD.encode(key)))
}

/// A secret that only ofauth takes.
fn ofauth_secret() -> impl Strategy<Value = String> {
    (any::<bool>(), "[!-~]{8,60}!").prop_map(|(prefix, text)| format!("{}{text}", if prefix { "whsec_" } else { "" }))
}

/// Of either scheme, on time.
pub fn sender() -> impl Strategy<Value = Sender> {
    prop_oneof![Just(Scheme::Ofauth), Just(Scheme::Svix)].prop_flat_map(sender_of)
}

/// Of this scheme, on time.
pub fn sender_of(scheme: Scheme) -> impl Strategy<Value = Sender> {
    let secret = match scheme {
        Scheme::Ofauth => prop_oneof![any_secret(), ofauth_secret()].boxed(),
        Scheme::Svix => any_secret().boxed(),
    };
    let secrets = (prop::collection::vec(secret, 1..=5), any::<prop::sample::Index>());
    let others = prop::option::of(prop::collection::vec(any_secret(), 0..3));
    let time = (200_000_000_u64..90_000_000_000, 0_u64..1000, any::<prop::sample::Index>());
    (secrets, others, "[a-zA-Z0-9_.]{1,30}", time).prop_map(
        move |((secrets, place), others, id, (t, tolerance, off))| {
            let now = t - tolerance + off.index(usize::try_from(2 * tolerance).unwrap() + 1) as u64;
            Sender { scheme, place: place.index(secrets.len()), secrets, others, id, t, now, tolerance }
        },
    )
}

/// The MAC itself.
pub fn mac(key: &[u8], content: &[u8]) -> [u8; 32] {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(content).finalize().into_bytes().into()
}

/// What a secret is after its prefix.
pub fn after_prefix(secret: &str) -> &str {
    secret.strip_prefix("whsec_").unwrap_or(secret)
}

impl Sender {
    /// Of the ofauth scheme, with one secret for any scheme.
    pub fn plain() -> Self {
        let secrets = vec![SECRET.to_owned()];
        let id = String::new();
        Self { scheme: Scheme::Ofauth, secrets, place: 0, others: None, id, t: NOW, now: NOW, tolerance: 300 }
    }

    pub fn secret(&self) -> &str {
        &self.secrets[self.place]
    }

    /// The key that the scheme wants.
    pub fn key(&self) -> Vec<u8> {
        match self.scheme {
            Scheme::Ofauth => self.secret().as_bytes().to_vec(),
            Scheme::Svix => STANDARD.decode(after_prefix(self.secret())).unwrap(),
        }
    }

    /// What is signed, put together with `glue`.
    pub fn content(&self, glue: &str, t: &str, body: &[u8]) -> Vec<u8> {
        let id = if self.scheme == Scheme::Svix { format!("{}{glue}", self.id) } else { String::new() };
        [id.as_bytes(), t.as_bytes(), glue.as_bytes(), body].concat()
    }

    /// Headers with this time and MAC, encoded as the scheme wants it.
    pub fn headers(&self, t: &str, mac: [u8; 32]) -> List {
        self.headers_as(t, mac, self.scheme == Scheme::Ofauth)
    }

    /// The same, encoded as asked.
    pub fn headers_as(&self, t: &str, mac: [u8; 32], hex: bool) -> List {
        let mac = if hex { base16ct::lower::encode_string(&mac) } else { STANDARD.encode(mac) };
        match self.scheme {
            Scheme::Ofauth => vec![("ofauth-signature", format!("t={t},v1={mac}"))],
            Scheme::Svix => vec![
                ("svix-id", self.id.clone()),
                ("svix-timestamp", t.to_owned()),
                ("svix-signature", format!("v1,{mac}")),
            ],
        }
    }

    /// The headers of a body that is signed with `key`, right but for that.
    pub fn sign_with(&self, key: &[u8], body: &[u8]) -> List {
        let t = self.t.to_string();
        self.headers(&t, mac(key, &self.content(".", &t, body)))
    }

    /// The headers of a body, right.
    pub fn sign(&self, body: &[u8]) -> List {
        self.sign_with(&self.key(), body)
    }

    pub fn written(&self) -> SecretStrings {
        let own = self.secrets.clone();
        match (self.scheme, self.others.clone()) {
            (_, None) => SecretStrings::AnyScheme(own),
            (Scheme::Ofauth, Some(svix)) => SecretStrings::PerScheme { ofauth: own, svix },
            (Scheme::Svix, Some(ofauth)) => SecretStrings::PerScheme { ofauth, svix: own },
        }
    }

    /// What is said about a request; in any case nothing that must stay secret.
    pub fn explain(&self, body: &[u8], list: &List) -> Diagnosis {
        let list: Vec<_> = list.iter().map(|(name, value)| (*name, &**value)).collect();
        let diagnosis = explain(body, headers(&list), &self.written(), self.tolerance, self.now);
        assert_eq!(diagnosis.ok, diagnosis.cause == Cause::None);
        let right = mac(&self.key_if_any(), &self.content(".", &self.t.to_string(), body));
        let mut hidden = vec![base16ct::lower::encode_string(&right), STANDARD.encode(right)];
        hidden.extend(self.secrets.iter().chain(self.others.iter().flatten()).map(|secret| secret.trim().to_owned()));
        hidden.push(String::from_utf8_lossy(body).into_owned());
        let shown = format!("{} {diagnosis:?}", serde_json::to_string(&diagnosis).unwrap());
        for hidden in hidden.iter().filter(|hidden| hidden.len() > 7) {
            assert!(!shown.contains(after_prefix(hidden)), "{shown}\nshows\n{hidden}");
        }
        diagnosis
    }

    fn key_if_any(&self) -> Vec<u8> {
        let decoded = STANDARD.decode(after_prefix(self.secret())).unwrap_or_default();
        if self.scheme == Scheme::Svix { decoded } else { self.secret().as_bytes().to_vec() }
    }

    /// Asserts that the cause is exactly this, proven by a MAC of the secret that signed.
    pub fn expect(&self, body: &[u8], list: &List, cause: Cause) -> Diagnosis {
        let diagnosis = self.explain(body, list);
        assert_eq!(diagnosis.cause, cause, "{diagnosis:?}");
        assert!(diagnosis.evidence.mac_matches, "{diagnosis:?}");
        // The same secret may stand in the list twice.
        let place = self.secrets.iter().position(|secret| secret == self.secret());
        assert_eq!(diagnosis.evidence.secret_index, place, "{diagnosis:?}");
        assert_eq!(diagnosis.evidence.secret_list, self.others.is_some().then_some(self.scheme.as_str()));
        assert_eq!(diagnosis.evidence.scheme, Some(self.scheme.as_str()));
        diagnosis
    }
}
