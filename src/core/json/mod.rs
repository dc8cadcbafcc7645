//! JSON, read in place.

mod cursor;
mod scan;
mod simd;
mod string;
mod typed;

pub use scan::{Field, Members, elements, is_number, read, scan};
pub(crate) use string::{cut_at_backslash, unescape};
pub use string::{string, text};
pub(crate) use typed::{Object, Text, present};
