//! Reads the state of the reconciler, which is one flat JSON object of its own making.
//!
//! ```json
//! {"completedAt": 1764316605000, "stopped": null, "keys.0a1b2c3d": 120, "keysCountedAt": 1764316606000}
//! ```
//!
//! `docs/reconciliation.md` says what the keys mean. A key is found by its text: in JSON, a quotation mark inside a string is
//! escaped, so `"stopped":` is nothing but the key.

/// The state of the reconciler, as its object answers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passes<'a>(pub &'a str);

impl<'a> Passes<'a> {
    /// A time in unix ms. `None` if there is none yet.
    pub fn time(self, key: &str) -> Option<i64> {
        self.value(key)?.parse().ok()
    }

    /// Why the last pass stopped. `None` if it did not. A cause that is no plain word is `failed`.
    pub fn stopped(self) -> Option<&'a str> {
        let cause = self.value("stopped")?.strip_prefix('"')?.strip_suffix('"')?;
        let is_word = cause.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        Some(if is_word { cause } else { "failed" })
    }

    /// How many values were counted under each key id, as they are written; and under `failed`, how many ledgers could not be
    /// asked.
    pub fn key_counts(self) -> Vec<(&'a str, &'a str)> {
        let count = |rest: &'a str| {
            let (id, rest) = rest.split_once("\":")?;
            let count = rest.split([',', '}']).next()?;
            count.bytes().all(|byte| byte.is_ascii_digit()).then_some((id, count))
        };
        self.0.split("\"keys.").skip(1).filter_map(count).collect()
    }

    /// A value as it is written, up to the next comma.
    fn value(self, key: &str) -> Option<&'a str> {
        let (_, rest) = self.0.split_once(&["\"", key, "\":"].concat())?;
        rest.split([',', '}']).next()
    }
}
