//! The Worker's environment: its configuration, and its bindings from wrangler.toml.
//!
//! The configuration is read and checked once per isolate. Only a deployment changes it, and a deployment starts new
//! isolates.

use std::{cell::OnceCell, rc::Rc};

use js_sys::{Number, Object, Reflect};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::error::Result;
use crate::core::config::{Config, Problem, Reason};

#[wasm_bindgen]
extern "C" {
    /// The [namespace](https://developers.cloudflare.com/durable-objects/api/namespace/) of a class of Durable Objects.
    pub type ObjectNamespace;
    /// The object of that name.
    #[wasm_bindgen(method, catch, js_name = getByName)]
    pub fn get_by_name(this: &ObjectNamespace, name: &str) -> Result<JsValue, JsValue>;
}

const CONNECTIONS: &str = "CONNECTIONS";
const LEDGER: &str = "LEDGER";
const HUB: &str = "HUB";
const METRICS_STORE: &str = "METRICS_STORE";
const RECONCILER: &str = "RECONCILER";
/// The bindings that may take the place of `FORWARD_URL`: a [queue](https://developers.cloudflare.com/queues/) and a
/// [service](https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/). The queue goes first.
const FORWARD_BINDINGS: [&str; 2] = ["FORWARD_QUEUE", "FORWARD"];
/// The URL of a request to the service, if `FORWARD_URL` names none. The bound Worker alone sees it.
const FORWARD_SERVICE_URL: &str = "https://forward/";

type ConfigResult = Result<Rc<Config>, Rc<Vec<Problem>>>;

thread_local! {
    static CONFIG: OnceCell<ConfigResult> = const { OnceCell::new() };
}

/// The configuration, or everything that is wrong with it: missing or weak variables and missing bindings.
pub fn config(env: &Env) -> ConfigResult {
    CONFIG.with(|config| config.get_or_init(|| read_config(env)).clone())
}

/// The KV namespace `CONNECTIONS`. Fails if it is not bound.
pub fn kv_namespace(env: &Env) -> Result<JsValue> {
    let binding = Reflect::get(env, &CONNECTIONS.into())?;
    if binding.is_object() { Ok(binding) } else { Err("CONNECTIONS is not bound".into()) }
}

/// The namespace `LEDGER`: one Durable Object per connection. Fails if it is not bound.
pub fn ledger_namespace(env: &Env) -> Result<ObjectNamespace> {
    object_namespace(env, LEDGER)
}

/// The namespace `HUB`: one Durable Object per user. Fails if it is not bound.
pub fn hub_namespace(env: &Env) -> Result<ObjectNamespace> {
    object_namespace(env, HUB)
}

/// The namespace `METRICS_STORE`: the objects of the metrics. Fails if it is not bound, which it may be.
pub fn metrics_namespace(env: &Env) -> Result<ObjectNamespace> {
    object_namespace(env, METRICS_STORE)
}

/// The namespace `RECONCILER`: the object that compares OFAuth's list with what is known. Fails if it is not bound.
pub fn reconciler_namespace(env: &Env) -> Result<ObjectNamespace> {
    object_namespace(env, RECONCILER)
}

fn object_namespace(env: &Env, name: &str) -> Result<ObjectNamespace> {
    let binding = Reflect::get(env, &name.into())?;
    let is_namespace =
        binding.is_object() && binding.unchecked_ref::<Object>().constructor().name() == "DurableObjectNamespace";
    if is_namespace { Ok(binding.unchecked_into()) } else { Err(format!("{name} is not bound").into()) }
}

fn read_config(env: &Env) -> ConfigResult {
    let unbound = [
        (CONNECTIONS, kv_namespace(env).is_err()),
        (LEDGER, ledger_namespace(env).is_err()),
        (HUB, hub_namespace(env).is_err()),
    ];
    let unbound = unbound.into_iter().filter(|(_, missing)| *missing);
    let unbound: Vec<Problem> = unbound.map(|(name, _)| Problem { name, reason: Reason::NotBound }).collect();
    let is_bound = |name: &str| Reflect::get(env, &name.into()).is_ok_and(|binding| binding.is_object());
    let binding_url = || FORWARD_BINDINGS.into_iter().any(is_bound).then(|| FORWARD_SERVICE_URL.to_owned());
    let lookup = |name: &str| {
        let value = variable(env, name);
        if name == "FORWARD_URL" { value.filter(|url| !url.is_empty()).or_else(binding_url) } else { value }
    };
    match Config::read(lookup) {
        Ok(config) if unbound.is_empty() => Ok(Rc::new(config)),
        Ok(_) => Err(Rc::new(unbound)),
        Err(problems) => Err(Rc::new(problems.into_iter().chain(unbound).collect())),
    }
}

/// A variable or secret as text; `None` if it is not set.
///
/// A number without quotes in wrangler.toml arrives as a number and is turned into text. A value of any other type
/// counts as an empty text.
fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &name.into()).ok().filter(|value| !value.is_undefined())?;
    let number = |value: &JsValue| Number::from(value.as_f64()?).to_string_with_radix(10).ok().map(String::from);
    value.as_string().or_else(|| number(&value)).or_else(|| Some(String::new()))
}
