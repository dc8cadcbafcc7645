//! The two signature schemes of OFAuth's webhooks.
//!
//! OFAuth documents both and does not say which one an account gets. A request shows its scheme by its headers:
//!
//! - **ofauth** (OFAuth documentation, Integration checklist: Verify Webhook Signatures):
//!   `OFAuth-Signature: t=<unix seconds>,v1=<hex>`. The signature is the HMAC-SHA256 of `{t}.{raw body}`. The key is
//!   the text of the secret, including a `whsec_` prefix.
//! - **svix** ([Standard Webhooks]): `svix-id`, `svix-timestamp` and `svix-signature: v1,<base64>`, or the same headers
//!   named `webhook-*`. The signature is the HMAC-SHA256 of `{id}.{timestamp}.{raw body}`. The key is decoded from the
//!   base64 after `whsec_`.
//!
//! [Standard Webhooks]: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

use serde::Serialize;

/// A signature scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// One header: `OFAuth-Signature`.
    Ofauth,
    /// Three headers: `svix-id`, `svix-timestamp` and `svix-signature`, or the same named `webhook-*`.
    Svix,
}

impl Scheme {
    /// The stable name of the scheme: `ofauth` or `svix`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ofauth => "ofauth",
            Self::Svix => "svix",
        }
    }
}
