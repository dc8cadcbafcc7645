//! A stored webhook body, as a list of events or deliveries shows it in JSON.
//!
//! A body in UTF-8 is shown as text. Any other body is shown in base64:
//!
//! ```
//! use ofauth_edge::core::storage::StoredBody;
//!
//! let text = StoredBody::new(b"{}".to_vec());
//! assert_eq!(serde_json::to_string(&text).unwrap(), r#"{"encoding":"utf8","body":"{}"}"#);
//! let bytes = StoredBody::new(vec![0xff]);
//! assert_eq!(serde_json::to_string(&bytes).unwrap(), r#"{"encoding":"base64","body":"/w=="}"#);
//! ```

use ct_codecs::Base64;
use serde::{Deserialize, Serialize};

use super::{index::BlindIndex, redact::without_ids};
use crate::core::base64;

/// A page of stored bodies ends after the body with which their total length reaches this many bytes: 4 MiB.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A stored body: text if it is UTF-8, otherwise base64.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredBody {
    /// How `body` stands for the bytes.
    pub encoding: Encoding,
    /// The text, or base64.
    pub body: String,
}

/// How a stored body is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// The body is the text itself.
    Utf8,
    /// The body is base64 (RFC 4648, section 4), because the bytes are not UTF-8.
    Base64,
}

impl StoredBody {
    /// Takes the raw bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(body) => Self { encoding: Encoding::Utf8, body },
            Err(error) => Self { encoding: Encoding::Base64, body: base64::encode::<Base64>(error.as_bytes()) },
        }
    }

    /// The length of the text or of the base64, in bytes.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Whether the body is empty.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// The body with a handle in place of each connection id, for callers that may not see ids: see [`without_ids`].
    ///
    /// A body in base64 becomes empty, because the ids in it cannot be found.
    #[must_use]
    pub fn without_ids(self, index: &BlindIndex) -> Self {
        let body = match self.encoding {
            Encoding::Utf8 => without_ids(&self.body, index),
            Encoding::Base64 => String::new(),
        };
        Self { body, ..self }
    }
}
