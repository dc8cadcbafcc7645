//! Reads a JSON text into types that implement serde's `Deserialize`: [`from_slice`].
//!
//! `serde_json` could read the same texts into the same types. It made the gzipped Worker 29 KB larger: it links the texts of
//! all its errors, the printing of floating-point numbers in them, and a way to read each type from an array too. Here an
//! error has no text. The gateway's own errors tell a sender of JSON which fields it expects.
//!
//! A type is read as follows.
//!
//! | type | JSON |
//! |---|---|
//! | struct, map | an object; unknown members are skipped, but validated |
//! | `Vec`, tuple | an array |
//! | `String`, `&str` | a string; one with half of a surrogate pair is an error |
//! | `bool`, integers | themselves; a number with a fraction or an exponent is an error |
//! | `Option` | `null` is `None` |
//! | enum | the variant's name as a string, or an object with the name as its only key |
//! | [`Raw`](super::Raw) | any value, as it is written |
//!
//! There is no floating-point number, and no type that takes any value: not `Value`, no untagged enum, no flattened struct.

use std::{borrow::Cow, fmt, mem};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor},
    forward_to_deserialize_any,
};

use super::{
    cursor::{Cursor, SyntaxError},
    raw::RAW,
    string::decode_string,
};

/// The text is not JSON, or not of the shape that was asked for.
#[derive(Debug)]
pub struct UnexpectedJson;

/// Reads a JSON text (RFC 8259), the whole of it, into a `T`. White space around the value is allowed.
pub fn from_slice<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, UnexpectedJson> {
    let json = str::from_utf8(json).map_err(|_| UnexpectedJson)?;
    let mut reader = Reader(Cursor { json, at: 0 });
    reader.0.skip_white_space();
    let value = T::deserialize(&mut reader)?;
    reader.0.skip_white_space();
    if reader.0.at == json.len() { Ok(value) } else { Err(UnexpectedJson) }
}

/// A reader in front of a value.
struct Reader<'de>(Cursor<'de, true>);

impl<'de> Reader<'de> {
    /// Reads a string, with its escapes decoded.
    #[inline(never)]
    fn string(&mut self) -> Result<Cow<'de, str>, UnexpectedJson> {
        decode_string(self.raw()?).ok_or(UnexpectedJson)
    }

    /// Reads any value as text.
    #[inline(never)]
    fn raw(&mut self) -> Result<&'de str, UnexpectedJson> {
        let start = self.0.at;
        self.0.skip_value()?;
        Ok(self.0.text_since(start)?)
    }

    /// Skips `null` if it comes next. Returns whether it did.
    #[inline(never)]
    fn take_null(&mut self) -> Result<bool, UnexpectedJson> {
        Ok(self.0.peek() == b'n' && self.raw().map(|_| true)?)
    }

    /// Moves behind the opening bracket of an object or array.
    #[inline(never)]
    fn open(&mut self, bracket: u8) -> Result<(), UnexpectedJson> {
        self.0.expect(bracket)?;
        self.0.skip_white_space();
        Ok(())
    }

    /// Moves behind the colon after a key.
    #[inline(never)]
    fn colon(&mut self) -> Result<(), UnexpectedJson> {
        self.0.skip_white_space();
        self.0.expect(b':')?;
        self.0.skip_white_space();
        Ok(())
    }
}

/// Implements the methods that read a whole number by one that reads an `i64` or a `u64`.
macro_rules! integers {
    ($($method:ident => $visit:ident,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, UnexpectedJson> {
            visitor.$visit(self.raw()?.parse().map_err(|_| UnexpectedJson)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = UnexpectedJson;

    /// Fails: the type must say what it expects.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, UnexpectedJson> {
        Err(UnexpectedJson)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, UnexpectedJson> {
        match self.raw()? {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(UnexpectedJson),
        }
    }

    integers! {
        deserialize_i8 => visit_i8,
        deserialize_i16 => visit_i16,
        deserialize_i32 => visit_i32,
        deserialize_i64 => visit_i64,
        deserialize_u8 => visit_u8,
        deserialize_u16 => visit_u16,
        deserialize_u32 => visit_u32,
        deserialize_u64 => visit_u64,
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, UnexpectedJson> {
        match self.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, UnexpectedJson> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, UnexpectedJson> {
        visitor.visit_str(&self.string()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, UnexpectedJson> {
        if self.take_null()? { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, UnexpectedJson> {
        if self.take_null()? { visitor.visit_unit() } else { Err(UnexpectedJson) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, UnexpectedJson> {
        if name == RAW { visitor.visit_borrowed_str(self.raw()?) } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, UnexpectedJson> {
        self.open(b'[')?;
        let mut elements = Elements::new(self);
        let value = visitor.visit_seq(&mut elements)?;
        // A tuple stops before it has asked for the end.
        if elements.is_next(b']')? { Err(UnexpectedJson) } else { Ok(value) }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, UnexpectedJson> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, UnexpectedJson> {
        self.open(b'{')?;
        visitor.visit_map(Elements::new(self))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, UnexpectedJson> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, UnexpectedJson> {
        let has_content = self.0.peek() == b'{';
        if has_content {
            self.open(b'{')?;
        }
        let value = visitor.visit_enum(Variant { reader: &mut *self, has_content })?;
        if has_content {
            self.0.skip_white_space();
            self.0.expect(b'}')?;
        }
        Ok(value)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, UnexpectedJson> {
        self.raw()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { f32 f64 char bytes byte_buf unit_struct tuple_struct }
}

/// The elements of an array, or the members of an object.
struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    is_first: bool,
    /// Whether the closing bracket has been read.
    is_closed: bool,
}

impl<'a, 'de> Elements<'a, 'de> {
    fn new(reader: &'a mut Reader<'de>) -> Self {
        Self { reader, is_first: true, is_closed: false }
    }

    /// Moves to the next element, or behind the closing bracket. Returns whether there is one.
    #[inline(never)]
    fn is_next(&mut self, closing: u8) -> Result<bool, UnexpectedJson> {
        let cursor = &mut self.reader.0;
        cursor.skip_white_space();
        self.is_closed = self.is_closed || cursor.take(closing);
        if !self.is_closed && !mem::take(&mut self.is_first) {
            cursor.expect(b',')?;
            cursor.skip_white_space();
        }
        Ok(!self.is_closed)
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'_, 'de> {
    type Error = UnexpectedJson;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, UnexpectedJson> {
        if self.is_next(b']')? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = UnexpectedJson;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, UnexpectedJson> {
        if self.is_next(b'}')? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, UnexpectedJson> {
        self.reader.colon()?;
        seed.deserialize(&mut *self.reader)
    }
}

/// A variant of an enum. `has_content` if it is the key of an object, and the value follows.
struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
    has_content: bool,
}

impl<'a, 'de> Variant<'a, 'de> {
    fn content(self) -> Result<&'a mut Reader<'de>, UnexpectedJson> {
        if self.has_content { Ok(self.reader) } else { Err(UnexpectedJson) }
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = UnexpectedJson;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), UnexpectedJson> {
        let variant = seed.deserialize(&mut *self.reader)?;
        if self.has_content {
            self.reader.colon()?;
        }
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = UnexpectedJson;

    fn unit_variant(self) -> Result<(), UnexpectedJson> {
        if self.has_content { Err(UnexpectedJson) } else { Ok(()) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, UnexpectedJson> {
        seed.deserialize(self.content()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, UnexpectedJson> {
        self.content()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, UnexpectedJson> {
        self.content()?.deserialize_map(visitor)
    }
}

impl fmt::Display for UnexpectedJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is not JSON of the expected shape")
    }
}

impl std::error::Error for UnexpectedJson {}

impl Error for UnexpectedJson {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl From<SyntaxError> for UnexpectedJson {
    fn from(_: SyntaxError) -> Self {
        Self
    }
}
