//! JSON, read in place.

mod deserialize;
mod scan;
