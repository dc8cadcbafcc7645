//! JSON, read in place.

mod cursor;
mod scan;
mod simd;
mod string;
mod typed;

pub use scan::{Field, Found, elements, find, is_number, skim};
pub(crate) use string::{cut_at_backslash, unescape};
pub use string::{string, text};
pub(crate) use typed::{Object, Text, present};
