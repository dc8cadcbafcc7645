//! [`Raw`]: a part of a JSON text that a type takes without reading it.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Visitor};

/// The name by which [`Raw`] asks the reader in `deserialize.rs` for the text of a value.
pub(super) const RAW: &str = "ofauth-edge raw JSON";

/// A JSON value as it is written in the text. Only [`from_slice`](super::from_slice) can read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a>(pub &'a str);

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Raw<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Raw<'de>, E> {
                Ok(Raw(text))
            }
        }
        deserializer.deserialize_newtype_struct(RAW, Text)
    }
}
