//! JSON, read in place.

mod scan;
