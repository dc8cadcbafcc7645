//! JSON that is read in place.

mod deserialize;
mod scan;
