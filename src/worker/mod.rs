//! The Cloudflare Worker: the shell around the core. It receives requests, reads the clock, randomness and
//! configuration, and performs what the core decides.
//!
//! This file is the entry: it finds a request's route, checks the caller's credentials and calls the route's handler.
//!
//! | room | what it is for |
//! |---|---|
//! | `platform` | clock, randomness, environment, KV, SQL, calls to Durable Objects, log |
//! | `http` | the request, its body, the reply |
//! | `metrics` | counts of what happens |
//! | `upstream` | requests to OFAuth and its answers |
//! | `hub` | one Durable Object per user: what a user sees |
//! | `ledger` | one Durable Object per connection: what is true |
//! | `reconcile` | the Durable Object that compares OFAuth's list with what is known |
//! | `connections` | finding a connection, and reporting what happened to it |
//! | `routes` | the handlers, one file per family of routes |
//!
//! A room uses only rooms above it. To follow a request, read this file, then its handler in `routes`.

mod connections;
mod http;
mod hub;
mod ledger;
mod metrics;
mod platform;
mod reconcile;
mod routes;
mod upstream;

use std::{future::ready, rc::Rc};

use futures_channel::oneshot;
use wasm_bindgen::prelude::*;
use worker::{Env, js_sys::Promise, web_sys};

use crate::core::{
    config::Config,
    gateway::{
        Credentials, EdgeError, Identity, live, origin,
        route::{Route, allows_cross_origin, route},
    },
    monitor::name,
};
use http::{Call, Reply};
use platform::{Boxed, Failure, environment, promise};
use routes::{
    access, account, callback, connections as connection_routes, deliveries, events, link, live as live_route, manage,
    metrics as metrics_route, sessions, status, users, webhook,
};

#[wasm_bindgen]
extern "C" {
    /// The [context](https://developers.cloudflare.com/workers/runtime-apis/context/) of a request.
    pub type Context;
    #[wasm_bindgen(method, js_name = waitUntil)]
    fn wait_until(this: &Context, work: &Promise);
}

/// The entry of a request, which `entry.js` calls. Fails only if the reply cannot be made.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, env: Env, context: Context) -> Promise {
    promise(async move { Ok(answer(request, env, context).await?.into()) })
}

/// Serves one request.
///
/// 1. Its route is found.
/// 2. It is served. A request that changes something at OFAuth is served to the end even if its caller disconnects.
/// 3. Its log line is written, and what happened is counted.
/// 4. Its reply is sent.
async fn answer(request: web_sys::Request, env: Env, context: Context) -> platform::Result<web_sys::Response> {
    let call = Rc::new(Call::new(request));
    #[cfg(feature = "test-hooks")]
    test_hooks::panic_if_requested(call.path());
    // 1.
    let route = route(&call.method, call.path());
    // 2.
    let reply = if route.completes_without_caller(&call.method, call.path()) {
        serve_to_completion(Rc::clone(&call), env.clone(), &context).await?
    } else {
        serve(&call, route, &env).await
    };
    // 3.
    reply.log(&call, if is_preflight(&call) { "preflight" } else { route.name() });
    if let Some((name, code)) = reply.metric(route == Route::Webhook) {
        metrics::count(name, code);
    }
    if let Some(task) = metrics::hand_over_later(env, call.started()) {
        context.wait_until(&task);
    }
    // 4.
    Ok(reply.into_response(&call)?)
}

/// Serves a call to the end, even if its caller disconnects. The platform would stop the work then, except for what was
/// given to [`waitUntil`](https://developers.cloudflare.com/workers/runtime-apis/context/).
async fn serve_to_completion(call: Rc<Call>, env: Env, context: &Context) -> platform::Result<Reply> {
    let (sender, receiver) = oneshot::channel();
    context.wait_until(&promise(async move {
        let reply = serve(&call, route(&call.method, call.path()), &env).await;
        // Fails if the caller has disconnected: then nobody waits for the reply.
        let _ = sender.send(reply);
        Ok(JsValue::UNDEFINED)
    }));
    receiver.await.map_err(|_| "the call ended without a reply".into())
}

/// Serves a call under the Worker's configuration.
///
/// 1. While the configuration is incomplete, only `/healthz` is served, which names what is missing.
/// 2. On routes that pages of other sites may call, a CORS preflight is answered, and every reply gets CORS headers.
/// 3. Any other request goes to its handler.
async fn serve(call: &Call, route: Route<'_>, env: &Env) -> Reply {
    // 1.
    let config = match (environment::config(env), route) {
        (Ok(config), _) => config,
        (Err(problems), Route::Health) => return Reply::unhealthy(&problems),
        (Err(_), _) => return EdgeError::NotConfigured.into(),
    };
    // 2. and 3.
    if !allows_cross_origin(call.path()) {
        return dispatch(call, route, &config, env).await.unwrap_or_else(Reply::from);
    }
    let reply = if is_preflight(call) {
        Ok(answer_preflight(call, &config))
    } else {
        dispatch(call, route, &config, env).await
    };
    reply.unwrap_or_else(Reply::from).with_cors_headers(call, &config.allowed_origins)
}

/// Whether a call is a CORS preflight on a route that pages of other sites may call.
fn is_preflight(call: &Call) -> bool {
    call.method == "OPTIONS"
        && allows_cross_origin(call.path())
        && call.header("access-control-request-method").is_some()
}

/// A handler at work. On the heap: as one future with all handlers in it, each request would move the largest.
type Handling<'a> = Boxed<'a, Result<Reply, Failure>>;

/// Calls the route's handler. On every route that needs a credential, it is checked before anything else, and so is the
/// right of a gateway key.
async fn dispatch(call: &Call, route: Route<'_>, config: &Config, env: &Env) -> Result<Reply, Failure> {
    match route {
        Route::Webhook => return handle_webhook(call, config, env).await,
        Route::Health => return Ok(Reply::healthy(&config.warnings)),
        Route::LinkCallback => return handle_callback(call, config, env).await,
        Route::MethodNotAllowed(allow) => {
            return Ok(Reply::from(EdgeError::MethodNotAllowed).with_header("allow", allow));
        }
        Route::NotFound => return Err(EdgeError::RouteNotFound.into()),
        Route::Live if !call.asks_for_websocket() => return Err(EdgeError::UpgradeRequired.into()),
        _ => {}
    }
    let identity = authenticate(call, route, config)?;
    call.set_actor(identity.actor());
    if let Some(right) = route.right(&call.method, call.path()) {
        identity.require(right)?;
    }
    if let Some(key) = identity.key {
        metrics::count(name::KEY, config.usage.key(key));
    }
    handle(call, route, &identity, config, env).await
}

fn handle_webhook<'a>(call: &'a Call, config: &'a Config, env: &'a Env) -> Handling<'a> {
    Box::pin(async { Ok(webhook::receive(call, config, env).await) })
}

fn handle_callback<'a>(call: &'a Call, config: &'a Config, env: &'a Env) -> Handling<'a> {
    Box::pin(callback::receive(call, config, env))
}

/// The handlers of routes that need a credential.
fn handle<'a>(
    call: &'a Call,
    route: Route<'a>,
    identity: &'a Identity<'_>,
    config: &'a Config,
    env: &'a Env,
) -> Handling<'a> {
    let caller = &identity.caller;
    match route {
        Route::Access => Box::pin(access::forward(call, caller, config, env)),
        Route::Sessions => Box::pin(sessions::create(call, identity, config)),
        Route::Connections => Box::pin(connection_routes::list(call, caller, config, env)),
        Route::Connection(segment) => Box::pin(connection_routes::show(segment, caller, config, env)),
        Route::Account | Route::LinkSession => Box::pin(account::forward(call, caller, config, env)),
        Route::DeleteConnection(segment) => Box::pin(manage::delete(segment, call, caller, config, env)),
        Route::InvalidateConnection(segment) => Box::pin(manage::invalidate(segment, call, caller, config, env)),
        Route::AcceptAccount(segment) => Box::pin(manage::accept_account(segment, call, caller, config, env)),
        Route::ConnectionHealth(segment) => Box::pin(manage::health(segment, call, caller, config, env)),
        Route::ConnectionEvents(segment) => Box::pin(manage::timeline(segment, call, caller, config, env)),
        Route::DeleteUser(segment) => Box::pin(users::delete(segment, call, caller, config, env)),
        Route::LinkInit => Box::pin(link::init(call, caller, config, env)),
        Route::Events => Box::pin(events::list(call, caller, config, env)),
        Route::Metrics => Box::pin(metrics_route::show(call, caller, env)),
        Route::Status => Box::pin(status::show(caller, config, env)),
        Route::Deliveries => Box::pin(deliveries::list(call, caller, config, env)),
        Route::Replay(segment) => Box::pin(deliveries::replay(segment, caller, config, env)),
        Route::Live => Box::pin(live_route::open(call, caller, config, env)),
        // These need no credential, and `dispatch` has answered them.
        Route::Webhook | Route::Health | Route::LinkCallback | Route::MethodNotAllowed(_) | Route::NotFound => {
            Box::pin(ready(Err(EdgeError::RouteNotFound.into())))
        }
    }
}

/// Who calls, by the credential in `Authorization` or `apikey`. For a WebSocket, the token among its subprotocols counts
/// before both. Fails as [`Authenticator::authenticate`] does.
///
/// [`Authenticator::authenticate`]: crate::core::gateway::Authenticator::authenticate
fn authenticate<'a>(call: &Call, route: Route<'_>, config: &'a Config) -> Result<Identity<'a>, EdgeError> {
    let protocols = if route == Route::Live { call.header(live::HEADER) } else { None };
    let token = protocols.as_deref().and_then(live::token);
    let (authorization, apikey, origin) = (call.header("authorization"), call.header("apikey"), call.header("origin"));
    let credentials = Credentials {
        authorization: authorization.as_deref().filter(|_| token.is_none()),
        apikey: token.or(apikey.as_deref()),
        origin: origin.as_deref(),
        own_origin: call.own_origin(),
    };
    config.authenticator.authenticate(credentials, call.started() / 1000)
}

/// Answers a CORS preflight, which a browser sends before it lets a page of another site call (Fetch standard, "CORS
/// protocol"). ORIGIN_DENIED unless the origin is one of ALLOWED_ORIGINS. A page may send whatever headers it asks for.
fn answer_preflight(call: &Call, config: &Config) -> Reply {
    let origin = call.header("origin").unwrap_or_default();
    if !config.allowed_origins.allows(&origin) {
        return Reply::origin_denied(&origin);
    }
    let headers = call.header("access-control-request-headers").unwrap_or_default();
    Reply::empty(204)
        .with_header("access-control-allow-methods", origin::ALLOWED_METHODS)
        .with_header("access-control-allow-headers", &headers)
        .with_header("access-control-max-age", origin::MAX_AGE)
        .with_header("vary", "access-control-request-headers")
}

#[cfg(feature = "test-hooks")]
mod test_hooks {
    /// Panics while it serves `/test-hooks/panic`, so that a test can check that the next request is served.
    pub fn panic_if_requested(path: &str) {
        assert!(path != "/test-hooks/panic", "test-hooks/panic");
    }
}
