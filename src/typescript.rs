//! Writes the models that cross to JavaScript as TypeScript, and compares them with `pkg-template/generated.d.ts`.
//!
//! `UPDATE_TYPES=1 cargo test --lib` writes the file anew.

use std::{env, fmt::Write, fs};

use ts_rs::{Config, TS};

use crate::core::{
    connection::{Metadata, Outcome, Record, StatusReason, UserData},
    gateway::{EdgeError, Verdict, health::Health, list::ConnectionList},
    webhook::{Cause, Diagnosis, EscapeStyle, EventError, Evidence, LAYOUTS, Scheme, SignatureError, Verification},
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pkg-template/generated.d.ts");
const HEAD: &str = "// Generated from the Rust sources by src/typescript.rs: UPDATE_TYPES=1 cargo test --lib\n\n\
    import type { ConnectionStatus } from \"./client.js\";\n";

#[test]
#[expect(clippy::disallowed_methods, reason = "a test may be told by the environment to write the file")]
fn the_committed_types_are_those_of_the_models() {
    let types = [
        HEAD.to_owned(),
        declaration::<Scheme>(),
        declaration::<Verification>(),
        declaration::<Record>(),
        declaration::<StatusReason>(),
        declaration::<UserData>(),
        declaration::<Metadata>(),
        declaration::<ConnectionList>(),
        declaration::<Outcome>(),
        declaration::<Health>(),
        declaration::<Verdict>(),
        union("SignatureErrorCode", "Why a request or a secret is refused.", SignatureError::CODES),
        union("EventErrorCode", "Why an authentic body is refused.", EventError::CODES),
        union("EdgeErrorCode", "Why the gateway itself refuses a call.", EdgeError::CODES),
        declaration::<Diagnosis>(),
        union(
            "Cause",
            "The reason why a request does not verify.",
            &Cause::ALL.iter().copied().map(described).collect::<Vec<_>>(),
        ),
        declaration::<Evidence>(),
        names("JsonLayout", "The white space in a JSON text.", &LAYOUTS.each_ref().map(|layout| layout.name)),
        names("JsonEscapes", "The escapes in a JSON text.", &EscapeStyle::ALL.map(EscapeStyle::as_str)),
    ]
    .join("\n");
    if env::var_os("UPDATE_TYPES").is_some() {
        fs::write(FILE, &types).expect("the file can be written");
    }
    assert_eq!(
        types,
        fs::read_to_string(FILE).expect("the file is there"),
        "UPDATE_TYPES=1 cargo test --lib writes it"
    );
}

/// Declares the type of a model. The links of rustdoc become plain names.
fn declaration<T: TS>() -> String {
    let config = Config::new().with_large_int("number");
    let text = format!("{}export {}\n", T::docs().unwrap_or_default(), T::decl(&config));
    let mut plain = String::new();
    let mut rest = &*text;
    while let Some((before, link)) = rest.split_once("[`") {
        let (name, after) = link.split_once("`]").unwrap_or((link, ""));
        let target = after.strip_prefix('(').and_then(|after| after.split_once(')'));
        plain.extend([before, "`", name, "`"]);
        rest = target.map_or(after, |(_, after)| after);
    }
    plain + rest
}

fn described(cause: Cause) -> (&'static str, &'static str) {
    (cause.as_str(), cause.message())
}

/// Declares a union of texts, each with what it says.
fn union(name: &str, doc: &str, members: &[(&str, &str)]) -> String {
    let mut text = format!("/** {doc} */\nexport type {name} =");
    for (member, doc) in members {
        write!(text, "\n  /** {doc} */\n  | \"{member}\"").expect("a string takes all");
    }
    text + ";\n"
}

fn names(name: &str, doc: &str, members: &[&str]) -> String {
    format!("/** {doc} */\nexport type {name} = \"{}\";\n", members.join("\" | \""))
}
