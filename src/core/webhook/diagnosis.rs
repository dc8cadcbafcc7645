//! What an explanation is made of: a cause, its evidence, words for a person.

use serde::{Serialize, Serializer, ser::SerializeMap};

/// What is wrong, or that nothing is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Whether the webhook verifies.
    pub ok: bool,
    /// What is wrong, in one word.
    pub cause: Cause,
    /// The same for a person, with what to do.
    pub message: String,
    /// What it is known by, and what else may help.
    pub evidence: Evidence,
}

/// What a cause is known by. Nothing here helps a forger. Serialised, names are in camel case, and what is `None` is left
/// out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Whether a MAC matches, the cause being undone; else a form alone proves it, or nothing does.
    pub mac_matches: bool,
    /// Length of the body that was given, in bytes.
    pub body_bytes: usize,
    /// The verifier's code, if it refuses.
    pub code: Option<&'static str>,
    /// The scheme of the headers that were judged: `ofauth` or `svix`.
    pub scheme: Option<&'static str>,
    /// The list that the secret in question stands in: `ofauth` or `svix`; absent if secrets serve both.
    pub secret_list: Option<&'static str>,
    /// Its place in that list, from 0.
    pub secret_index: Option<usize>,
    /// The header that is absent from a set of three.
    pub missing_header: Option<&'static str>,
    /// Now less the timestamp, in seconds: positive if signed in the past.
    pub skew_seconds: Option<i64>,
    /// Length of the body that was signed, in bytes, if it is another.
    pub signed_bytes: Option<usize>,
    /// Where the two bodies first differ, in bytes from 0.
    pub offset: Option<usize>,
    /// White space in the JSON that was signed: `compact`, `spaced`, `indent_2`, `indent_4` or `indent_tab`.
    pub layout: Option<&'static str>,
    /// Escapes in the JSON that was signed: `kept`, `none`, `ascii` or `ascii_and_slash`.
    pub escapes: Option<&'static str>,
}

/// A value in JSON.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Number(i64),
    Truth(bool),
}

impl Evidence {
    /// All of it, under its names in JSON.
    pub(crate) fn members(&self) -> [(&'static str, Option<Value<'static>>); 12] {
        let number = |number: usize| i64::try_from(number).ok().map(Value::Number);
        [
            ("macMatches", Some(Value::Truth(self.mac_matches))),
            ("bodyBytes", number(self.body_bytes)),
            ("code", self.code.map(Value::Text)),
            ("scheme", self.scheme.map(Value::Text)),
            ("secretList", self.secret_list.map(Value::Text)),
            ("secretIndex", self.secret_index.and_then(number)),
            ("missingHeader", self.missing_header.map(Value::Text)),
            ("skewSeconds", self.skew_seconds.map(Value::Number)),
            ("signedBytes", self.signed_bytes.and_then(number)),
            ("offset", self.offset.and_then(number)),
            ("layout", self.layout.map(Value::Text)),
            ("escapes", self.escapes.map(Value::Text)),
        ]
    }
}

impl Serialize for Evidence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.members() {
            match value {
                Some(Value::Text(text)) => map.serialize_entry(name, text)?,
                Some(Value::Number(number)) => map.serialize_entry(name, &number)?,
                Some(Value::Truth(truth)) => map.serialize_entry(name, &truth)?,
                None => {}
            }
        }
        map.end()
    }
}

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident = $word:literal: $message:literal,)*) => {
        /// What is wrong. Serialised, it is [`Cause::word`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Cause { $($(#[$doc])* $name,)* }

        impl Cause {
            /// All causes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable word for it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            pub(crate) fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

causes! {
    /// Nothing: it verifies.
    None = "none": "The signature is good.",
    /// Neither a form nor a MAC proves anything.
    Unknown = "unknown":
        "The secret is not the sender's or the body is not what was signed; a signature cannot tell which. \
        Compare the secret with the dashboard's. Verify the raw bytes.",
    /// No headers of a scheme, or not all of them.
    MissingHeaders = "missing_headers":
        "A signature header is missing; svix needs three. Pass them as received.",
    /// Headers only of the scheme that has no secret.
    WrongSchemeHeader = "wrong_scheme_header":
        "The request is signed under the other scheme. Give a secret for that one.",
    /// No timestamp or two, an empty id, or a header that is too long.
    MalformedHeader = "malformed_header": "A signature header is malformed. Pass it as received.",
    /// A timestamp that is no plain number.
    InvalidTimestamp = "invalid_timestamp": "The timestamp is not plain decimal unix seconds.",
    /// No signature of a form that is known.
    NoValidSignatures = "no_valid_signatures":
        "No v1 signature is well-formed: 64 hex digits, or for svix base64 of 32 bytes.",
    /// A secret that is unusable.
    InvalidSecret = "invalid_secret": "A secret cannot be used. Copy it anew from the dashboard.",
    /// A secret with white space at an end.
    SecretWhiteSpace = "secret_white_space":
        "A secret has white space at an end. Trim it.",
    /// ofauth, signed with the decoded secret.
    SecretDecoded = "secret_decoded":
        "The sender decoded the secret. Under ofauth the key is its text, whsec_ included.",
    /// svix, signed with the secret's text.
    SecretNotDecoded = "secret_not_decoded":
        "The sender did not decode the secret. Under svix the key is the base64 after whsec_.",
    /// ofauth, signed without the `whsec_` that the secret has.
    SecretPrefixRemoved = "secret_prefix_removed":
        "The sender left whsec_ off the secret. Under ofauth the key is its text, whsec_ included.",
    /// ofauth, signed with a `whsec_` that the secret lacks.
    SecretPrefixAdded = "secret_prefix_added":
        "The sender's secret begins with whsec_. Write it in full.",
    /// Signed with a secret that is given for the other scheme.
    OtherSchemeSecret = "other_scheme_secret":
        "The secret is given for the other scheme. Swap them.",
    /// A timestamp in milliseconds, in the header or in what was signed.
    Milliseconds = "milliseconds":
        "The sender took milliseconds for the timestamp. It is unix seconds.",
    /// Signed over `{t},{body}`.
    CommaForDot = "comma_for_dot": "The sender joined timestamp and body with a comma. It is a dot.",
    /// Signed over the body alone.
    BodyWithoutTimestamp = "body_without_timestamp":
        "The sender signed the body alone. The timestamp and a dot come before it.",
    /// ofauth with a signature in base64.
    Base64ForHex = "base64_for_hex": "The signature is base64. Under ofauth it is hex.",
    /// svix with a signature in hex.
    HexForBase64 = "hex_for_base64": "The signature is hex. Under svix it is base64.",
    /// Right, but out of tolerance.
    ClockSkew = "clock_skew":
        "The signature is good, but out of tolerance: a clock is wrong, or it came late or twice.",
    /// A line break follows what was signed.
    TrailingNewlineAdded = "trailing_newline_added":
        "The body ends in a line break that was not signed. Verify the raw bytes.",
    /// What was signed ended in a line break.
    TrailingNewlineRemoved = "trailing_newline_removed":
        "The body lost the line break at its end. Verify the raw bytes.",
    /// LF was signed, CRLF is here.
    NewlinesToCrlf = "newlines_to_crlf": "Line breaks in the body became CRLF. Verify the raw bytes.",
    /// CRLF was signed, LF is here.
    NewlinesToLf = "newlines_to_lf": "Line breaks in the body became LF. Verify the raw bytes.",
    /// A byte order mark precedes what was signed.
    BomAdded = "bom_added":
        "The body begins with a byte order mark that was not signed. Verify the raw bytes.",
    /// What was signed began with a byte order mark.
    BomRemoved = "bom_removed":
        "The body lost its byte order mark. Verify the raw bytes.",
    /// JSON on one line was signed, JSON on several is here.
    JsonPrettyPrinted = "json_pretty_printed":
        "The JSON was pretty-printed after it was signed. Verify the raw bytes.",
    /// The same JSON was signed, written by another serialiser.
    JsonReserialised = "json_reserialised":
        "The JSON was written anew after it was signed. Verify the raw bytes.",
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
