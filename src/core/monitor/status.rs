//! The answer of `GET /edge/status`: is everything all right, and if not, what to do.
//!
//! ```json
//! {"ok": false, "lines": [{"name": "lastWebhook", "ok": false, "value": null, "hint": "…"}]}
//! ```
//!
//! A line whose `ok` is null is not known: nobody answered if its `value` is null too, otherwise nothing has happened yet.

use super::{
    counts::{Count, Counts, name},
    passes::Passes,
};
use crate::core::{config::Config, instant::iso_8601, webhook::Scheme};

/// What the status is made of.
pub struct Observations<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The counts of the last hour. `None` if they are not known.
    pub hour: Option<&'a Counts>,
    /// The counts of the last 24 hours. `None` if they are not known.
    pub day: Option<&'a Counts>,
    /// How many of the connections that were looked at have expired, how many those are, and whether they are all.
    pub connections: Option<(usize, usize, bool)>,
    /// How many forwarded events are sent again, and how many are parked. `None` if that is not known, or if the
    /// configuration forwards none.
    pub forwards: Option<(u64, u64)>,
    /// The state of the reconciler. `None` if it is not known.
    pub passes: Option<Passes<'a>>,
}

/// One line of the status.
struct Line {
    name: &'static str,
    ok: Option<bool>,
    /// JSON.
    value: String,
    /// What to do if the line is not all right.
    hint: &'static str,
}

const UNKNOWN: &str = "null";

/// The status as JSON.
pub fn status(seen: &Observations<'_>) -> String {
    let usage = &seen.config.usage;
    let lines = [
        configuration(seen),
        last_webhook(seen),
        rejected_webhooks(seen),
        forwards(
            "failingDeliveries",
            seen.forwards.map(|(pending, _)| pending),
            seen,
            "repair the receiver of the forwards: GET /edge/deliveries?state=pending has its last answers",
        ),
        forwards(
            "parkedForwards",
            seen.forwards.map(|(_, parked)| parked),
            seen,
            "repair the receiver of the forwards, then replay what GET /edge/deliveries lists",
        ),
        expired_connections(seen),
        reconciliation(seen),
        counted(
            "apiKeyRefused",
            name::API_KEY,
            seen,
            "OFAuth refuses the API key: compare OFAUTH_API_KEY with OFAuth's",
        ),
        storage_keys(seen),
        uses("webhookSecrets", name::SECRET, &[Scheme::Ofauth, Scheme::Svix].map(|scheme| usage.secrets(scheme)), seen),
        uses("gatewayKeys", name::KEY, &[usage.keys()], seen),
    ];
    let is_ok = lines.iter().all(|line| line.ok != Some(false));
    let lines = lines.map(|Line { name, ok, value, hint }| {
        let (ok, hint) = match ok {
            None => (UNKNOWN, ""),
            Some(true) => ("true", ""),
            Some(false) => ("false", hint),
        };
        format!("{{\"name\":\"{name}\",\"ok\":{ok},\"value\":{value},\"hint\":\"{hint}\"}}")
    });
    format!("{{\"ok\":{is_ok},\"lines\":[{}]}}", lines.join(","))
}

fn configuration(seen: &Observations<'_>) -> Line {
    let warnings: Vec<String> = seen.config.warnings.iter().map(ToString::to_string).collect();
    Line {
        name: "configuration",
        ok: Some(warnings.is_empty()),
        value: serde_json::to_string(&warnings).unwrap_or_default(),
        hint: "correct the items of the configuration that the warnings name",
    }
}

fn last_webhook(seen: &Observations<'_>) -> Line {
    let last = seen.day.map(|day| day.under(name::ACCEPTED).map(|count| count.last).max());
    Line {
        name: "lastWebhook",
        ok: last.map(|last| last.is_some()),
        value: time(last.flatten()),
        hint: "no webhook was accepted for 24 hours: check the webhook URL and the secret at OFAuth",
    }
}

fn rejected_webhooks(seen: &Observations<'_>) -> Line {
    let hint = "compare the webhook secrets with those at OFAuth, if the rejected webhooks are OFAuth's";
    counted("rejectedWebhooks", name::REJECTED, seen, hint)
}

/// A line about so many forwards, which is all right if there are none. It is too, with the value null, if nothing is
/// forwarded at all.
fn forwards(name: &'static str, count: Option<u64>, seen: &Observations<'_>, hint: &'static str) -> Line {
    let value = count.map_or_else(|| UNKNOWN.to_owned(), |count| count.to_string());
    let is_off = seen.config.forward.is_none().then_some(true);
    Line { name, ok: count.map_or(is_off, |count| Some(count == 0)), value, hint }
}

/// A line that is all right if nothing was counted in the last hour under this name.
fn counted(line: &'static str, name: &str, seen: &Observations<'_>, hint: &'static str) -> Line {
    let counts = seen.hour.map(|hour| {
        let counts = hour.under(name);
        counts.map(|count| format!("\"{}\":{}", count.code, count.count)).collect::<Vec<_>>()
    });
    Line {
        name: line,
        ok: counts.as_ref().map(Vec::is_empty),
        value: counts.map_or_else(|| UNKNOWN.to_owned(), |counts| format!("{{{}}}", counts.join(","))),
        hint,
    }
}

fn expired_connections(seen: &Observations<'_>) -> Line {
    let value = seen.connections.map_or_else(
        || UNKNOWN.to_owned(),
        |(expired, of, all)| format!("{{\"expired\":{expired},\"of\":{of},\"all\":{all}}}"),
    );
    Line {
        name: "expiredConnections",
        ok: seen.connections.map(|(expired, ..)| expired == 0),
        value,
        hint: "ask the users of these connections to link again: GET /edge/connections?status=expired lists them",
    }
}

fn reconciliation(seen: &Observations<'_>) -> Line {
    let passes = seen.passes.unwrap_or_default();
    let (completed, stopped_at, stopped) = (passes.time("completedAt"), passes.time("stoppedAt"), passes.stopped());
    let is_known = completed.or(stopped_at).is_some();
    let (cause, quote) = stopped.map_or((UNKNOWN, ""), |cause| (cause, "\""));
    let (completed, stopped_at) = (instant(completed), instant(stopped_at));
    let value =
        ["{\"completedAt\":", &completed, ",\"stopped\":", quote, cause, quote, ",\"stoppedAt\":", &stopped_at, "}"];
    let value = if seen.passes.is_some() { value.concat() } else { UNKNOWN.to_owned() };
    let hint = match stopped {
        Some("refused") => "OFAuth refuses to list the connections: compare OFAUTH_API_KEY with OFAuth's",
        Some("other_environment") => "use another Worker for connections of another environment than OFAUTH_API_KEY",
        Some("too_many_missing") => {
            "OFAuth lists many connections no more: delete them through the Worker if you meant that"
        }
        _ => "the next pass tries again: the log says what failed",
    };
    Line { name: "reconciliation", ok: is_known.then_some(stopped.is_none()), value, hint }
}

/// How many stored values each key encrypts. All is right if none has a key that is not configured.
fn storage_keys(seen: &Observations<'_>) -> Line {
    let passes = seen.passes.unwrap_or_default();
    let (counted, mut others) = (passes.time("keysCountedAt"), passes.key_counts());
    let mut counts = String::new();
    for id in seen.config.sealer.key_ids() {
        let place = others.iter().position(|(known, _)| *known == id);
        let count = place.map_or("0", |place| others.remove(place).1);
        push_count(&mut counts, &id, if counted.is_some() { count } else { UNKNOWN });
    }
    for (id, count) in &others {
        push_count(&mut counts, id, count);
    }
    Line {
        name: "storageKeys",
        ok: counted.map(|_| others.is_empty()),
        value: if seen.passes.is_some() {
            ["{\"countedAt\":", &instant(counted), ",\"counts\":{", &counts, "}}"].concat()
        } else {
            UNKNOWN.to_owned()
        },
        hint: "put back the key that STORAGE_KEY lacks; the log says which ledgers could not be counted (failed)",
    }
}

fn push_count(counts: &mut String, id: &str, count: &str) {
    let comma = if counts.is_empty() { "\"" } else { ",\"" };
    for part in [comma, id, "\":", count] {
        counts.push_str(part);
    }
}

/// A line about the uses of configured values, which is all right if they are known. The counts under other codes
/// follow: a value that was removed, or one that an older build counted by its place or name.
fn uses(line: &'static str, name: &str, lists: &[&[String]], seen: &Observations<'_>) -> Line {
    let items = seen.day.map(|day| {
        let (mut counted, mut items): (Vec<&Count>, _) = (day.under(name).collect(), Vec::new());
        for (place, code) in lists.iter().flat_map(|list| (1_usize..).zip(*list)) {
            let found = counted.iter().position(|count| count.code == *code);
            items.push(used(code, &place.to_string(), found.map(|found| counted.remove(found))));
        }
        items.extend(counted.into_iter().map(|count| used(&count.code, UNKNOWN, Some(count))));
        items
    });
    Line {
        name: line,
        ok: items.as_ref().map(|_| true),
        value: items.map_or_else(|| UNKNOWN.to_owned(), |items| format!("[{}]", items.join(","))),
        hint: "",
    }
}

fn used(code: &str, place: &str, count: Option<&Count>) -> String {
    let (uses, last) = (count.map_or(0, |count| count.count), time(count.map(|count| count.last)));
    format!("{{\"code\":\"{code}\",\"place\":{place},\"uses\":{uses},\"lastUsed\":{last}}}")
}

/// A minute as JSON.
fn time(minute: Option<i64>) -> String {
    instant(minute.map(|minute| minute.saturating_mul(60_000)))
}

/// Unix ms as JSON.
fn instant(at: Option<i64>) -> String {
    at.map_or_else(|| UNKNOWN.to_owned(), |at| format!("\"{}\"", iso_8601(at)))
}
