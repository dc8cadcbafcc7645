//! Puts the members of a JSON text into the order in which OFAuth documents them, to find out whether a program has sorted
//! them.
//!
//! Only events are put in order: the body, `data`, `connection` and `userData`. The order of other objects is not
//! documented. The text need not be valid JSON, because the result is only compared with what was signed.

use super::reserialise::append;

/// The documented order of members (OFAuth documentation, Connection Events and Realtime). No two objects of an event
/// contradict each other, so one list serves all of them. Other members come last, in the order in which they are.
const ORDER: [&[u8]; 24] = [
    b"type",
    b"eventType",
    b"live",
    b"timestamp",
    b"data",
    b"id",
    b"userId",
    b"clientReferenceId",
    b"connection",
    b"platformUserId",
    b"status",
    b"permissions",
    b"userData",
    b"name",
    b"username",
    b"avatar",
    b"environment",
    b"receivedAt",
    b"messageType",
    b"truncated",
    b"json",
    b"rawText",
    b"rawBase64",
    b"eventBody",
];
/// The members whose value is put in order too. So few levels can be nested that no text overflows the stack.
const NESTED: [&[u8]; 3] = [b"data", b"connection", b"userData"];
const MAX_DEPTH: usize = 4;

/// Returns a JSON text without white space between its tokens in the documented order.
pub(crate) fn in_documented_order(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    write(json, MAX_DEPTH, &mut out);
    out
}

fn write(json: &[u8], depth: usize, out: &mut Vec<u8>) {
    let Some(object) = json.strip_prefix(b"{").filter(|_| depth > 0) else { return append(out, json) };
    let (members, rest) = split(object);
    let mut before: &[u8] = b"{";
    // The standard library's sorting would double the size of this file in the wasm.
    for rank in 0..=ORDER.len() {
        for member in &members {
            let name = key(member);
            if ORDER.iter().position(|other| *other == name).unwrap_or(ORDER.len()) != rank {
                continue;
            }
            append(out, before);
            before = b",";
            let (head, value) = member.split_at_checked(name.len() + b"\"\":".len()).unwrap_or((member, b""));
            append(out, head);
            write(value, if NESTED.contains(&name) { depth - 1 } else { 0 }, out);
        }
    }
    append(out, rest);
}

/// Splits the members of an object that stands after its opening brace. Also returns the text from its closing brace
/// on.
fn split(object: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut members = Vec::new();
    let (mut start, mut depth, mut in_string, mut is_escaped) = (0, 0_usize, false, false);
    for (at, byte) in object.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b',' | b'}' | b']' if depth == 0 => {
                members.extend(object.get(start..at));
                start = at + 1;
                if *byte != b',' {
                    return (members, object.get(at..).unwrap_or_default());
                }
            }
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    members.extend(object.get(start..));
    (members, b"")
}

/// Returns the key of a member. It is empty if the key has escapes.
fn key(member: &[u8]) -> &[u8] {
    let quote = member.iter().skip(1).position(|byte| *byte == b'"').unwrap_or_default();
    let is_key = member.get(quote + 2) == Some(&b':');
    member.get(1..=quote).filter(|_| is_key).unwrap_or_default()
}
