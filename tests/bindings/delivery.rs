//! A webhook as it is handed to a verifier, and what the core says of it.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]

use ofauth_edge::core::webhook::{
    Event, Payload, RequestHeaders, SIGNATURE_HEADER_NAMES, Scheme, SecretStrings, Secrets, SignatureError, Verified,
    explain, sign_ofauth, sign_svix, verify,
};
use serde_json::{Value, json};

/// A secret of the ofauth scheme, that of the shared vectors.
pub const SECRET: &str = "whsec_test_secret";
/// A secret of the svix scheme, that of the shared vectors.
pub const SVIX_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// When deliveries are signed and judged, unless a test says otherwise.
pub const NOW: u64 = 1_700_000_000;

/// The event is good,
pub const VERIFIED: u32 = 1;
/// its type is known,
pub const KNOWN_TYPE: u32 = 2;
/// The known types whose data the gateway does not read.
const REALTIME_TYPES: [&str; 4] = [
    "of.websocket.event.received",
    "realtime.chat_message.received",
    "realtime.chat_typing.updated",
    "realtime.system_messages.updated",
];
/// it has a timestamp,
pub const HAS_TIMESTAMP: u32 = 4;
/// it says whether it is live,
pub const HAS_LIVE: u32 = 8;
/// it has ids that are numbers.
pub const HAS_NUMBER_IDS: u32 = 16;

/// All that a verdict depends on.
#[derive(Clone)]
pub struct Delivery {
    pub body: Vec<u8>,
    pub headers: Vec<(String, String)>,
    pub secrets: SecretStrings,
    pub tolerance: u64,
    pub now: u64,
}

impl Delivery {
    /// Signed at [`NOW`] with the first of the secrets.
    pub fn signed(scheme: Scheme, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref().to_vec();
        let secret = if scheme == Scheme::Ofauth { SECRET } else { SVIX_SECRET };
        let headers = signature(scheme, &body, secret, NOW);
        Self { body, headers, secrets: SecretStrings::AnyScheme(vec![secret.to_owned()]), tolerance: 300, now: NOW }
    }

    /// What `verifySignature` returns or throws.
    pub fn verify(&self) -> Result<Value, Value> {
        self.judge(|verified| {
            let place = verified.secret_index();
            json!({
                "scheme": verified.scheme().as_str(),
                "timestamp": verified.timestamp(),
                "secretIndex": place,
                "digest": verified.digest(),
            })
        })
    }

    /// What is told of an event besides the ids that are numbers, or what `verifyWebhook` throws.
    pub fn webhook(&self) -> Result<u32, Value> {
        self.judge(Event::parse)?.map_or_else(
            |error| Err(failure(error.code(), &error.to_string())),
            |event| {
                let flag = |set: bool, flag: u32| if set { flag } else { 0 };
                let is_realtime = REALTIME_TYPES.contains(&&*event.kind);
                let known = flag(event.payload != Payload::Other || is_realtime, KNOWN_TYPE);
                Ok(VERIFIED
                    | known
                    | flag(event.timestamp.is_some(), HAS_TIMESTAMP)
                    | flag(event.live.is_some(), HAS_LIVE))
            },
        )
    }

    /// What `explainSignature` returns.
    pub fn explain(&self) -> Value {
        let diagnosis = explain(&self.body, self.collected(), &self.secrets, self.tolerance, self.now);
        serde_json::to_value(diagnosis).unwrap()
    }

    fn judge<T>(&self, look: impl FnOnce(&Verified) -> T) -> Result<T, Value> {
        let refused = |error: SignatureError| failure(error.code(), &error.to_string());
        let secrets: Secrets = self.secrets.validate().map_err(refused)?;
        let verified = verify(&self.body, self.collected(), &secrets, self.tolerance, self.now).map_err(refused)?;
        Ok(look(&verified))
    }

    fn collected(&self) -> RequestHeaders<'_> {
        RequestHeaders::new(
            SIGNATURE_HEADER_NAMES
                .map(|wanted| self.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| &**value)),
        )
    }
}

/// What is thrown.
pub fn failure(code: &str, message: &str) -> Value {
    json!({"code": code, "message": message})
}

/// The headers of `body` under `scheme`; a secret that cannot sign makes a signature of nothing.
pub fn signature(scheme: Scheme, body: &[u8], secret: &str, t: u64) -> Vec<(String, String)> {
    let named = |(name, value): (&str, String)| (name.to_owned(), value);
    match scheme {
        Scheme::Ofauth => {
            let value = sign_ofauth(body, secret, t).unwrap_or_else(|_| format!("t={t},v1={}", "0".repeat(64)));
            vec![named(("ofauth-signature", value))]
        }
        Scheme::Svix => {
            let value = sign_svix(body, secret, "msg_1", t).unwrap_or_else(|_| "v1,".to_owned());
            let all = [("svix-id", "msg_1".to_owned()), ("svix-timestamp", t.to_string()), ("svix-signature", value)];
            all.map(named).into()
        }
    }
}
