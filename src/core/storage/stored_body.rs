//! A raw body as it is shown: as text if it is UTF-8, any other in base64.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{index::Index, redact::without_ids};

/// How much of bodies a page shows at the most, and one body more, in bytes.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A body as it is shown: as it is if it is UTF-8, any other in base64.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredBody {
    encoding: Encoding,
    body: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Utf8,
    Base64,
}

impl StoredBody {
    /// Takes the raw bytes.
    pub fn of(body: Vec<u8>) -> Self {
        match String::from_utf8(body) {
            Ok(body) => Self { encoding: Encoding::Utf8, body },
            Err(error) => Self { encoding: Encoding::Base64, body: STANDARD.encode(error.as_bytes()) },
        }
    }

    /// The length of the shown text, in bytes.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Whether the body is empty.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// The body for those who may not see connection ids: a handle stands in the place of each. A body that is not text is
    /// left empty, because nobody can tell which ids it holds.
    #[must_use]
    pub fn without_ids(self, index: &Index) -> Self {
        let body = match self.encoding {
            Encoding::Utf8 => without_ids(&self.body, index),
            Encoding::Base64 => String::new(),
        };
        Self { body, ..self }
    }
}
