//! The ledger as a Durable Object: one per connection, named by its handle. Every change of a connection goes through
//! it.
//!
//! | request | answer |
//! |---|---|
//! | `POST /enter`: an [`Entry`](super::Entry) as one line of JSON, then the raw body | the [`Outcome`](crate::core::connection::Outcome) |
//! | `GET /record` | the record, or null |
//! | `GET /timeline/{before}/{limit}` | a [`Timeline`](super::Timeline) |
//! | `POST /lease`: the name of a change, as one line of JSON | a [`Lease`](super::Lease) |
//! | `POST /lease-end`: the change and its [`CallResult`](super::CallResult) or null, as one line of JSON | nothing |
//! | `POST /erase` | nothing |
//! | `POST /rules`: [`Rules`](super::Rules) as one line of JSON, then the raw body | nothing; see `rules.rs` |

use std::rc::Rc;

use worker::{DurableObject, Env, Method, Request, Response, State, durable_object};

use super::{entry::Entry, lease::Leases, projector::Projector, rules, store::Entered};
use crate::{
    core::json,
    worker::platform::{self, environment, on_heap},
};

/// The Durable Object.
#[durable_object(alarm)]
pub struct Ledger {
    projector: Rc<Projector>,
    leases: Leases,
    env: Env,
}

impl DurableObject for Ledger {
    fn new(state: State, env: Env) -> Self {
        Self { projector: Rc::new(Projector::new(state, env.clone())), leases: Leases::default(), env }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        on_heap(self.answer(request)).await
    }

    /// Fails only if Workers is to call again.
    async fn alarm(&self) -> worker::Result<Response> {
        on_heap(self.projector.wake()).await?;
        Response::empty()
    }
}

impl Ledger {
    async fn answer(&self, mut request: Request) -> worker::Result<Response> {
        let config = environment::config(&self.env).map_err(|_| "not configured")?;
        let store = self.projector.store();
        let url = request.inner().url();
        let path = url.strip_prefix("https://ledger").unwrap_or_default();
        if request.method() == Method::Get {
            return match path.strip_prefix("/timeline/").and_then(|place| place.split_once('/')) {
                Some((before, limit)) => {
                    let (before, limit) = (before.parse().unwrap_or(0), limit.parse().unwrap_or(0));
                    Response::from_json(&store.timeline(before, limit, &config, platform::now_ms())?)
                }
                None => Response::from_json(&store.row(&config)?.and_then(|row| row.record())),
            };
        }
        let message = request.bytes().await?;
        let line = message.iter().position(|byte| *byte == b'\n').ok_or("the message has no line")?;
        let (head, body) = message.split_at(line);
        let body = body.get(1..).unwrap_or_default();
        match path {
            "/enter" => {
                let entry: Entry = json::from_slice(head)?;
                let waits_for_gap = entry.is_from_call();
                let entered = store.enter(entry, body, &config, platform::now_ms())?;
                self.project(&entered, waits_for_gap).await;
                Response::from_json(&entered.outcome)
            }
            "/erase" => {
                if let Some(entered) = store.erase(&config, platform::now_ms())? {
                    self.project(&entered, true).await;
                }
                Response::empty()
            }
            "/lease" => Response::from_json(&self.leases.take(json::from_slice(head)?).await),
            "/lease-end" => {
                let (change, result): (String, _) = json::from_slice(head)?;
                self.leases.end(&change, result);
                Response::empty()
            }
            "/rules" => {
                let state = self.projector.state();
                rules::enter(json::from_slice(head)?, body, state, Rc::clone(&config), &self.env).await?;
                Response::empty()
            }
            _ => Response::error("no such path", 404),
        }
    }

    /// Waits for the first attempt to copy what KV or the hub lacks.
    async fn project(&self, entered: &Entered, waits_for_gap: bool) {
        if let Some(version) = entered.dirty_version {
            self.projector.attempt(version, waits_for_gap).await;
        }
    }
}
