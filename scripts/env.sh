# Sourced by every recipe, from the project's folder: the project's own tools and rustup's cargo come first in PATH,
# and wrangler neither reports, asks nor looks for updates (its banner is what does).
PATH="$PWD/node_modules/.bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH:/opt/homebrew/opt/rustup/bin:/usr/local/opt/rustup/bin"
WRANGLER_SEND_METRICS=false
WRANGLER_SEND_ERROR_REPORTS=false
WRANGLER_HIDE_BANNER=true
CLOUDFLARE_CF_FETCH_ENABLED=false
# worker-build sets this for its own cargo; clippy must see the code that the build sees.
WASM_BINDGEN_USE_JS_SYS=1
export PATH WRANGLER_SEND_METRICS WRANGLER_SEND_ERROR_REPORTS WRANGLER_HIDE_BANNER
export CLOUDFLARE_CF_FETCH_ENABLED WASM_BINDGEN_USE_JS_SYS
# wrangler, and cargo's scripts, may call make again: this make's flags and job slots are not meant for that one.
unset MAKEFLAGS MFLAGS MAKELEVEL
