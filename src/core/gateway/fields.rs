//! The members of a JSON object that is read, changed and written again.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::core::json::Raw;

/// The members of a JSON object, ordered by name, each value as JSON. Of members of the same name, the last one counts.
///
/// `BTreeMap` would take 2 KB of the gzipped Worker. The boxes keep an insertion cheap: a body may have thousands of members.
#[derive(Debug)]
#[expect(clippy::vec_box, reason = "an insertion moves what follows")]
pub struct Fields(Vec<Box<(String, String)>>);

impl Fields {
    /// The JSON of a member.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(self.position(name).ok()?).map(|field| field.1.as_str())
    }

    pub fn insert(&mut self, name: String, value: String) {
        self.remove(&name);
        let (Ok(at) | Err(at)) = self.position(&name);
        self.0.insert(at, Box::new((name, value)));
    }

    pub fn remove(&mut self, name: &str) {
        if let Ok(at) = self.position(name) {
            self.0.remove(at);
        }
    }

    /// Removes all members whose names are not wanted.
    pub fn retain(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.0.retain(|field| is_wanted(&field.0));
    }

    /// Where the member is, or where it would be.
    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|field| field.0.as_str().cmp(name))
    }

    pub fn to_json(&self) -> String {
        let json = |name: &str| serde_json::to_string(name).unwrap_or_default();
        let members: Vec<_> = self.0.iter().map(|field| format!("{}:{}", json(&field.0), field.1)).collect();
        format!("{{{}}}", members.join(","))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Fields(Vec::new());
                while let Some((name, Raw(value))) = map.next_entry()? {
                    fields.insert(name, value.to_owned());
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Members)
    }
}
