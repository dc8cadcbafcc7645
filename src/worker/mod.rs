//! The shell on Cloudflare: performs what the core decides, and reads the clock, randomness and configuration for it.

mod body;
mod book;
mod connections;
mod env;
mod events;
mod kv;
mod ledger;
mod platform;
mod projector;
mod proxy;
mod reply;
mod rules;
mod webhook;

use worker::{Context, Env, event, web_sys};

use crate::{
    api_error::EdgeError,
    config::Config,
    route::{Route, route},
};
use reply::{Call, Reply};

/// Serves one request and writes its one log line.
#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, _: Context) -> worker::Result<web_sys::Response> {
    let call = Call::new(request);
    let route = route(&call.method, call.path());
    let reply = serve(&call, route, &env).await;
    reply.log(&call, route.name());
    Ok(reply.into_response(&call)?)
}

/// `/healthz` says what configuration lacks; nothing else is served until it lacks nothing.
async fn serve(call: &Call, route: Route<'_>, env: &Env) -> Reply {
    let config = match (env::config(env), route) {
        (Ok(_), Route::Health) => return Reply::healthy(),
        (Err(problems), Route::Health) => return Reply::unhealthy(&problems),
        (Err(_), _) => return EdgeError::NotConfigured.into(),
        (Ok(config), _) => config,
    };
    match route {
        Route::Webhook => webhook::receive(call, &config, env).await,
        Route::MethodNotAllowed(allow) => Reply::from(EdgeError::MethodNotAllowed).header("allow", allow),
        Route::NotFound => EdgeError::RouteNotFound.into(),
        _ => gateway(call, route, &config, env).await.unwrap_or_else(Reply::from),
    }
}

/// The routes for servers: the credential is judged before anything else.
async fn gateway(call: &Call, route: Route<'_>, config: &Config, env: &Env) -> Result<Reply, EdgeError> {
    config.gateway_keys.authenticate(call.header("authorization").as_deref(), call.header("apikey").as_deref())?;
    match route {
        Route::Access => proxy::forward(call, config, env).await,
        Route::Connections => connections::list(call, config, env).await,
        Route::Connection(segment) => connections::show(segment, config, env).await,
        Route::Events => events::list(call, config, env).await,
        _ => Err(EdgeError::RouteNotFound),
    }
}
