//! The shell for JavaScript: takes what `pkg-template/` has read off JavaScript's values, asks the core, hands back what
//! it says. No rule of the protocol lives here.

mod answer;
mod bindings;
mod flags;
mod hmac;
mod shell;
