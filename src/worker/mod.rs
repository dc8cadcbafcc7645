//! The shell on Cloudflare: performs what the core decides, and reads the clock, randomness and configuration for it.

mod body;
mod book;
mod call;
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
use call::Call;
use reply::{Failure, Reply};

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
    match (env::config(env), route) {
        (Ok(config), _) => dispatch(call, route, &config, env).await.unwrap_or_else(Reply::from),
        (Err(problems), Route::Health) => Reply::unhealthy(&problems),
        (Err(_), _) => EdgeError::NotConfigured.into(),
    }
}

/// The routes for servers judge the credential before anything else.
async fn dispatch(call: &Call, route: Route<'_>, config: &Config, env: &Env) -> Result<Reply, Failure> {
    let admit = || {
        let (authorization, apikey) = (call.header("authorization"), call.header("apikey"));
        config.gateway_keys.authenticate(authorization.as_deref(), apikey.as_deref())
    };
    match route {
        Route::Webhook => Ok(webhook::receive(call, config, env).await),
        Route::Health => Ok(Reply::healthy()),
        Route::Access => {
            admit()?;
            proxy::forward(call, config, env).await
        }
        Route::Connections => {
            admit()?;
            connections::list(call, config, env).await
        }
        Route::Connection(segment) => {
            admit()?;
            connections::show(segment, config, env).await
        }
        Route::Events => {
            admit()?;
            events::list(call, config, env).await
        }
        Route::MethodNotAllowed(allow) => Ok(Reply::from(EdgeError::MethodNotAllowed).header("allow", allow)),
        Route::NotFound => Err(EdgeError::RouteNotFound.into()),
    }
}
