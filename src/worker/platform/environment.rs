//! Configuration and bindings. Configuration is judged once per isolate: it changes only with a deployment.

use std::{cell::OnceCell, rc::Rc};

use js_sys::Reflect;
use worker::{Env, ObjectNamespace, kv::KvStore};

use crate::core::config::{Config, Problem, Reason};

const CONNECTIONS: &str = "CONNECTIONS";
const LEDGER: &str = "LEDGER";
const HUB: &str = "HUB";

type Judged = Result<Rc<Config>, Rc<Vec<Problem>>>;

thread_local! {
    static CONFIG: OnceCell<Judged> = const { OnceCell::new() };
}

/// The configuration, or all that is wrong with it.
pub fn config(env: &Env) -> Judged {
    CONFIG.with(|config| config.get_or_init(|| judge(env)).clone())
}

/// The KV namespace.
pub fn connections(env: &Env) -> worker::Result<KvStore> {
    env.kv(CONNECTIONS)
}

/// The Durable Objects that keep a connection each.
pub fn ledgers(env: &Env) -> worker::Result<ObjectNamespace> {
    env.durable_object(LEDGER)
}

/// The Durable Objects that keep a user each.
pub fn hubs(env: &Env) -> worker::Result<ObjectNamespace> {
    env.durable_object(HUB)
}

fn judge(env: &Env) -> Judged {
    let unbound =
        [(CONNECTIONS, connections(env).is_err()), (LEDGER, ledgers(env).is_err()), (HUB, hubs(env).is_err())];
    let unbound = unbound.into_iter().filter(|(_, missing)| *missing);
    let unbound: Vec<Problem> = unbound.map(|(name, _)| Problem { name, reason: Reason::NotBound }).collect();
    match Config::read(|name| variable(env, name)) {
        Ok(config) if unbound.is_empty() => Ok(Rc::new(config)),
        Ok(_) => Err(Rc::new(unbound)),
        Err(problems) => Err(Rc::new(problems.into_iter().chain(unbound).collect())),
    }
}

/// A number without quotes in wrangler.toml arrives as one; anything but text or a number is judged as an empty text.
fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &name.into()).ok().filter(|value| !value.is_undefined())?;
    value.as_string().or_else(|| value.as_f64().map(|number| number.to_string())).or_else(|| Some(String::new()))
}
