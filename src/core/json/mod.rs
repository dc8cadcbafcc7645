//! Reads JSON (RFC 8259) without building a tree.
//!
//! OFAuth's webhooks hold a few members that the gateway needs among many that it does not. A parser that builds a tree
//! copies all of them. The functions here go over the text once and return the wanted members as slices of it. They are
//! small, because the npm package downloads them to browsers, and no depth of nesting overflows the stack.
//!
//! With `serde_json` in their place, the wasm of the npm package was 18 KB larger (gzipped), and an event of a connection
//! took 1.3 to 1.4 times as long. Without SIMD, verifying a webhook takes 5 to 8 % longer for a body of 1 KiB with a long
//! string, 12 % for one of many small values, and 16 to 33 % for 15 to 20 KiB.
//!
//! | file | what it does |
//! |---|---|
//! | `scan.rs` | [`read`] and [`scan()`]: the members that a tree of [`Field`]s names; [`elements`]: those of an array |
//! | `cursor.rs` | the position in the text, and how it moves over a token or a whole value |
//! | `simd.rs` | looks at 16 bytes of text at a time |
//! | `string.rs` | [`decode_string`]: the text that a JSON string stands for |
//! | `deserialize.rs` | [`from_slice`]: reads a text into structs that derive serde's `Deserialize` |
//! | `raw.rs` | [`Raw`]: a member that such a struct takes as it is written |
//!
//! ```
//! use ofauth_edge::core::json::{Field, Members, decode_string, read};
//!
//! const NAME: usize = 1;
//! const ROOT: Field = Field { name: "", slot: 0, inner: &[Field::leaf("name", NAME)] };
//!
//! let members: Members<2> = read(r#"{"id": 7, "name": "Ad\u00e8le"}"#, &ROOT).unwrap();
//! let name = members.values[NAME].unwrap();
//! assert_eq!(name, r#""Ad\u00e8le""#);
//! assert_eq!(decode_string(name).unwrap(), "Adèle");
//! ```

mod cursor;
mod deserialize;
mod raw;
mod scan;
mod simd;
mod string;

pub use deserialize::{UnexpectedJson, from_slice};
pub use raw::Raw;
pub use scan::{Field, Members, decode_strings, elements, is_number, read, scan};
pub(crate) use string::{decode_escape, map_strings, split_at_backslash};
pub use string::{decode_string, decode_string_lossy};
