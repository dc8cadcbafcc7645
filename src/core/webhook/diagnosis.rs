//! An explanation as a type: the cause, the evidence for it, and a message for the developer.
//!
//! All names and values here are the same in JSON and in JavaScript.

use serde::{Serialize, Serializer};

/// Why a webhook does not verify, or that it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Diagnosis {
    /// Whether the webhook verifies.
    pub ok: bool,
    /// The cause; `none` if the webhook verifies.
    #[cfg_attr(test, ts(type = "Cause"))]
    pub cause: Cause,
    /// The cause as a sentence, and what to do about it.
    pub message: String,
    /// The facts that prove the cause, and others that help to find it.
    pub evidence: Evidence,
}

/// The facts behind a diagnosis. None of them helps to forge a signature. A fact that is unknown is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Whether a MAC matches once the cause is undone. Otherwise the form of a header or a secret proves the cause, or
    /// nothing does.
    pub mac_matches: bool,
    /// The length of the body that was received, in bytes.
    pub body_bytes: usize,
    /// The code of the verifier's error, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "SignatureErrorCode"))]
    pub code: Option<&'static str>,
    /// The scheme of the headers that were checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "Scheme"))]
    pub scheme: Option<&'static str>,
    /// The list that holds the secret that matters. Left out if both schemes use the same list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "Scheme"))]
    pub secret_list: Option<&'static str>,
    /// The position of that secret in its list, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_index: Option<usize>,
    /// The header that is missing in a set of three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_header: Option<&'static str>,
    /// The current time minus the timestamp, in seconds. It is positive if the timestamp is in the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew_seconds: Option<i64>,
    /// The length of the body that was signed, in bytes, if that is a different body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_bytes: Option<usize>,
    /// The position of the first byte in which the two bodies differ, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// The white space in the JSON that was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "JsonLayout"))]
    pub layout: Option<&'static str>,
    /// The escapes in the JSON that was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "JsonEscapes"))]
    pub escapes: Option<&'static str>,
}

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident = $word:literal: $message:literal,)*) => {
        /// The cause of a failed verification. In JSON it is the text of [`Cause::as_str`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Cause { $($(#[$doc])* $name,)* }

        impl Cause {
            /// All causes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable name of the cause.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The cause as a sentence, and what to do about it.
            pub(crate) fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

causes! {
    /// Nothing is wrong: the webhook verifies.
    None = "none": "The signature is good.",
    /// Nothing proves a cause. Either the secret or the body is wrong.
    Unknown = "unknown":
        "Either the secret is wrong or the body was changed; a signature cannot tell which. \
        Compare the secret with the dashboard's. Verify the raw bytes.",
    /// The request has no signature headers, or a set of three is incomplete.
    MissingHeaders = "missing_headers":
        "A signature header is missing; svix needs three. Pass them as received.",
    /// The request has headers of one scheme, and there are only secrets for the other.
    WrongSchemeHeader = "wrong_scheme_header":
        "The request is signed under the other scheme. Give a secret for it.",
    /// There is no timestamp or more than one, the message id is empty, or a header is too long.
    MalformedHeader = "malformed_header": "A signature header is malformed. Pass it as received.",
    /// The svix headers are of both sets, `svix-*` and `webhook-*`, and only together they are three.
    MixedHeaderFamilies = "mixed_header_families":
        "Headers of both svix sets are mixed. Pass them as received.",
    /// Another message id was signed, or none.
    WrongSvixId = "wrong_svix_id":
        "The sender signed another message id. Pass it as received.",
    /// The timestamp is not written in plain decimal digits.
    InvalidTimestamp = "invalid_timestamp": "The timestamp is not plain decimal unix seconds.",
    /// No signature in the header is well-formed.
    NoValidSignatures = "no_valid_signatures":
        "No v1 signature is well-formed: 64 hex digits, or for svix base64 of 32 bytes.",
    /// A secret cannot be used.
    InvalidSecret = "invalid_secret": "A secret cannot be used. Copy it anew from the dashboard.",
    /// A secret starts or ends with white space.
    SecretWhiteSpace = "secret_white_space":
        "A secret starts or ends with white space. Trim it.",
    /// A secret has quotes around it, or ends in a line break that is written out as `\n`.
    SecretQuoted = "secret_quoted":
        "A secret has quotes around it or a written-out \\n. Remove them.",
    /// Under ofauth, the sender used the decoded secret as the key.
    SecretDecoded = "secret_decoded":
        "The sender decoded the secret. Under ofauth the key is its text, whsec_ included.",
    /// Under svix, the sender used the text of the secret as the key.
    SecretNotDecoded = "secret_not_decoded":
        "The sender did not decode the secret. Under svix the key is the base64 after whsec_.",
    /// Under ofauth, the secret begins with `whsec_` and the sender removed that.
    SecretPrefixRemoved = "secret_prefix_removed":
        "The sender left whsec_ off the secret. Under ofauth the key is its text, whsec_ included.",
    /// Under ofauth, the sender's secret begins with `whsec_` and the secret here does not.
    SecretPrefixAdded = "secret_prefix_added":
        "The sender's secret begins with whsec_. Copy all of it.",
    /// The sender used a secret that is given for the other scheme.
    OtherSchemeSecret = "other_scheme_secret":
        "The secret is given for the other scheme. Swap them.",
    /// The timestamp in the header, or the one that was signed, is in milliseconds.
    Milliseconds = "milliseconds":
        "The sender used milliseconds for the timestamp. Use unix seconds.",
    /// The sender signed `{t},{body}`.
    CommaForDot = "comma_for_dot": "The sender joined timestamp and body with a comma. Use a dot.",
    /// The sender signed the body without the timestamp.
    BodyWithoutTimestamp = "body_without_timestamp":
        "The sender signed the body alone. The timestamp and a dot come before it.",
    /// Under ofauth, the signature is encoded in base64.
    Base64ForHex = "base64_for_hex": "The signature is base64. Under ofauth it is hex.",
    /// Under svix, the signature is encoded in hex.
    HexForBase64 = "hex_for_base64": "The signature is hex. Under svix it is base64.",
    /// The signature is right, and its time is out of tolerance.
    ClockSkew = "clock_skew":
        "The signature is good, but out of tolerance: a clock is wrong, or it came late or twice.",
    /// The body has a line break at its end that was not signed.
    TrailingNewlineAdded = "trailing_newline_added":
        "The body ends in a line break that was not signed. Verify the raw bytes.",
    /// The body lacks a line break that was signed at its end.
    TrailingNewlineRemoved = "trailing_newline_removed":
        "The body lost the line break at its end. Verify the raw bytes.",
    /// The body was signed with LF as its line breaks and received with CRLF.
    NewlinesToCrlf = "newlines_to_crlf": "Line breaks in the body became CRLF. Verify the raw bytes.",
    /// The body was signed with CRLF as its line breaks and received with LF.
    NewlinesToLf = "newlines_to_lf": "Line breaks in the body became LF. Verify the raw bytes.",
    /// The body has white space at an end that was not signed.
    OuterWhiteSpaceAdded = "outer_white_space_added":
        "The body has white space that was not signed. Verify the raw bytes.",
    /// The body lacks a space that was signed at its end.
    OuterWhiteSpaceRemoved = "outer_white_space_removed":
        "The body lost the space at its end. Verify the raw bytes.",
    /// The body begins with a byte order mark that was not signed.
    BomAdded = "bom_added":
        "The body begins with a byte order mark that was not signed. Verify the raw bytes.",
    /// The body lacks a byte order mark that was signed.
    BomRemoved = "bom_removed":
        "The body lost its byte order mark. Verify the raw bytes.",
    /// The body is the base64 of the body that was signed.
    BodyBase64 = "body_base64":
        "The body is still base64. Decode it first.",
    /// The bytes of the body were read as Latin-1 and written as UTF-8.
    BodyLatin1 = "body_latin1":
        "The body was decoded as Latin-1. Verify the raw bytes.",
    /// The body is compressed. What was signed is the body before that.
    BodyGzip = "body_gzip":
        "The body is gzip. Undo the Content-Encoding first.",
    /// The body is empty.
    BodyEmpty = "body_empty":
        "The body is empty: it was read before, or no parser keeps it.",
    /// The body is what JavaScript makes of an object that is used as a string.
    BodyObjectString = "body_object_string":
        "The body is a parsed object that was made a string. Verify the raw bytes.",
    /// The members of the JSON were signed in the order that OFAuth documents and received in another.
    JsonKeysReordered = "json_keys_reordered":
        "The keys of the JSON were sorted. Verify the raw bytes.",
    /// The JSON was signed on one line and received on several.
    JsonPrettyPrinted = "json_pretty_printed":
        "The JSON was pretty-printed after it was signed. Verify the raw bytes.",
    /// The JSON was signed as one program writes it and received as another program writes it.
    JsonReserialised = "json_reserialised":
        "The JSON was written again after it was signed. Verify the raw bytes.",
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
