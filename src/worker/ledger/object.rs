//! The ledger as a Durable Object: one per connection, named by its handle. Every change of a connection goes through
//! it.
//!
//! | path | head | body | answer |
//! |---|---|---|---|
//! | `enter` | an [`Entry`] | the raw webhook | the [`Outcome`](crate::core::connection::Outcome) |
//! | `record` | – | – | the record, or null |
//! | `timeline/{before}/{limit}` | – | – | a [`Timeline`](super::entry::Timeline) |
//! | `lane` | a [`LaneEvent`](super::LaneEvent) | the raw webhook | nothing; see `lane.rs` |
//! | `replay/{id}` | – | – | whether an event of that id waited or was parked, and is sent now |
//! | `forwards/…` | | | see `forwards.rs` |
//! | `lease` | the name of a change | – | a [`Lease`](super::Lease) |
//! | `lease-end` | the change, and its [`SharedReply`](crate::worker::http::SharedReply) or null | – | nothing |
//! | `erase`, which only older builds ask | null | – | nothing |
//! | `forget` | a [`ForgetRequest`](crate::worker::hub::ForgetRequest) | – | a [`ForgetResult`](crate::worker::hub::ForgetResult) |
//! | `listed/{hub}/{page}` | – | – | a [`ListedOfUser`](crate::worker::hub::ListedOfUser); see `forget.rs` |
//! | `clean-up` | – | – | the [`Outcome`](crate::core::connection::Outcome) of what was learned; see `forget.rs` |
//! | `reseal` | `kv` if KV's copy is under an older key | – | all is sealed under the newest key: how many values are sealed under each key |
//! | `rules` | [`Rules`](super::Rules) | the raw webhook | nothing; see `rules.rs` |
//!
//! Heads and answers are JSON.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use worker::{Env, js_sys::Promise};

use super::{
    entry::{Entered, Entry},
    forget, forward, forwards, lane,
    lease::Leases,
    projector::Projector,
    reseal,
    row::body_lifetime,
    rules,
};
use crate::{
    core::{config::Config, json},
    worker::platform::{self, Database, KEY_MISSING, State, environment, on_heap, promise},
};

/// The Durable Object, as `entry.js` calls it.
#[wasm_bindgen]
pub struct Ledger(Rc<LedgerObject>);

struct LedgerObject {
    projector: Rc<Projector>,
    leases: Leases,
    env: Env,
}

#[wasm_bindgen]
impl Ledger {
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, env: Env) -> Self {
        let projector = Rc::new(Projector::new(state, env.clone()));
        Self(Rc::new(LedgerObject { projector, leases: Leases::default(), env }))
    }

    /// Answers a request: see the head of this file.
    pub fn answer(&self, path: String, head: String, body: Option<Vec<u8>>) -> Promise {
        let ledger = Rc::clone(&self.0);
        promise(async move { Ok(ledger.receive(&path, &head, &body.unwrap_or_default()).await?.into()) })
    }

    /// Fails only if Workers is to call again.
    pub fn alarm(&self) -> Promise {
        let ledger = Rc::clone(&self.0);
        promise(async move {
            ledger.projector.wake().await?;
            Ok(JsValue::UNDEFINED)
        })
    }
}

impl LedgerObject {
    async fn receive(&self, path: &str, head: &str, body: &[u8]) -> platform::Result<String> {
        match self.dispatch(path, head, body).await {
            Err(_) if self.projector.store().lacks_key() => Ok(KEY_MISSING.to_owned()),
            answer => answer,
        }
    }

    /// Rare requests have a future of their own on the heap, so that its code is not part of this one.
    async fn dispatch(&self, path: &str, head: &str, body: &[u8]) -> platform::Result<String> {
        let config = environment::config(&self.env).map_err(|_| "not configured")?;
        let (store, now) = (self.projector.store(), platform::now_ms());
        let (what, place) = path.split_once('/').unwrap_or((path, ""));
        match what {
            "enter" => {
                let entry: Entry = json::from_slice(head.as_bytes())?;
                let waits_for_gap = entry.is_own();
                let entered = store.enter(entry, body, &config, now)?;
                self.projector.forward(&config);
                self.project(&entered, waits_for_gap).await;
                Ok(serde_json::to_string(&entered.outcome)?)
            }
            "record" => Ok(serde_json::to_string(&store.row(&config)?.and_then(|row| row.record()))?),
            "erase" => {
                if let Some(entered) = store.erase(&config, now)? {
                    self.project(&entered, true).await;
                }
                Ok(String::new())
            }
            "lease" => Ok(serde_json::to_string(&self.leases.take(json::from_slice(head.as_bytes())?).await)?),
            "lease-end" => {
                let (change, reply): (String, _) = json::from_slice(head.as_bytes())?;
                self.leases.end(&change, reply);
                Ok(String::new())
            }
            "timeline" => {
                let (before, limit) = place.split_once('/').ok_or("no such path")?;
                let (before, limit) = (before.parse().unwrap_or(0), limit.parse().unwrap_or(0));
                Ok(serde_json::to_string(&store.timeline(before, limit, &config, now)?)?)
            }
            _ => on_heap(self.dispatch_rare([what, place], head, body, &config)).await,
        }
    }

    async fn dispatch_rare(
        &self,
        [what, place]: [&str; 2],
        head: &str,
        body: &[u8],
        config: &Rc<Config>,
    ) -> platform::Result<String> {
        let (store, now) = (self.projector.store(), platform::now_ms());
        match what {
            "forget" => {
                let request = json::from_slice(head.as_bytes())?;
                Ok(serde_json::to_string(&forget::forget(request, &self.projector, config).await?)?)
            }
            "clean-up" => Ok(serde_json::to_string(&forget::clean_up(&self.projector, config).await?)?),
            "reseal" => {
                let database = Database::new(self.projector.state());
                if reseal::reseal(store, &database, config)? || head == "kv" {
                    self.projector.put_again().await?;
                }
                reseal::count_keys(store, &database, config)
            }
            "rules" => {
                let (rules, state) = (json::from_slice(head.as_bytes())?, self.projector.state());
                rules::enter(rules, body, state, Rc::clone(config), &self.env).await?;
                Ok(String::new())
            }
            "listed" => Ok(serde_json::to_string(&forget::listed(place, config).await?)?),
            "lane" => {
                lane::enter(json::from_slice(head.as_bytes())?, body, store, self.projector.state(), config)?;
                self.projector.forward(config);
                Ok(String::new())
            }
            "replay" => {
                let found = forward::replay(place, store, config, now)?;
                self.projector.forward(config);
                Ok(found.to_string())
            }
            "forwards" => forwards::answer(place, head, self.projector.state(), body_lifetime(config)),
            _ => Err("no such path".into()),
        }
    }

    /// Waits for the first attempt to copy what KV or the hub lacks.
    async fn project(&self, entered: &Entered, waits_for_gap: bool) {
        if let Some(version) = entered.dirty_version {
            self.projector.attempt(version, waits_for_gap).await;
        }
    }
}
