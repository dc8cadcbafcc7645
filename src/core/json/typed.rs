//! Types and functions for `serde_json`, where a JSON text is parsed into structs.
//!
//! They close three gaps between a derived `Deserialize` and what the gateway accepts: an array is not an object, half
//! of a surrogate pair is not an error in a text for people, and `null` is not an absent member.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A JSON object, parsed into `T`. A derived struct alone would also accept an array of its fields' values.
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Map<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Map(PhantomData)).map(Self)
    }
}

/// A JSON string, with U+FFFD in place of half of a surrogate pair. It is meant for text that people read.
pub struct LossyString(pub String);

impl<'de> Deserialize<'de> for LossyString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = LossyString;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<LossyString, E> {
                let mut text = String::with_capacity(bytes.len());
                for chunk in bytes.utf8_chunks() {
                    text.push_str(chunk.valid());
                    // Half of a surrogate pair has three bytes, and each of them is a chunk. Only the first is 0xED.
                    text.extend(chunk.invalid().starts_with(&[0xED]).then_some(char::REPLACEMENT_CHARACTER));
                }
                Ok(LossyString(text))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// Reads a member that is present as `Some`, also if it is `null`, for which `T` may fail. Together with
/// `#[serde(default)]`, only an absent member is `None`.
pub fn some_if_present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
