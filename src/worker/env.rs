//! Configuration and bindings. Configuration is judged once per isolate: it changes only with a deployment.

use std::{cell::OnceCell, rc::Rc};

use worker::{Env, ObjectNamespace, kv::KvStore};

use crate::config::{Config, Problem, Reason};

const CONNECTIONS: &str = "CONNECTIONS";
const LEDGER: &str = "LEDGER";

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

fn judge(env: &Env) -> Judged {
    let unbound = [(CONNECTIONS, connections(env).is_err()), (LEDGER, ledgers(env).is_err())];
    let unbound = unbound.into_iter().filter(|(_, missing)| *missing);
    let unbound: Vec<Problem> = unbound.map(|(name, _)| Problem { name, reason: Reason::NotBound }).collect();
    match Config::read(|name| env.var(name).ok().map(|var| var.to_string())) {
        Ok(config) if unbound.is_empty() => Ok(Rc::new(config)),
        Ok(_) => Err(Rc::new(unbound)),
        Err(problems) => Err(Rc::new(problems.into_iter().chain(unbound).collect())),
    }
}
