# Every recipe of the Makefile sources this file, in the project's folder.

# The project's own tools and rustup's cargo come first in PATH.
PATH="$PWD/node_modules/.bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH:/opt/homebrew/opt/rustup/bin:/usr/local/opt/rustup/bin"
# wrangler sends no metrics and no error reports, and does not download sample data for `request.cf`. Without its banner it
# does not look for updates.
WRANGLER_SEND_METRICS=false
WRANGLER_SEND_ERROR_REPORTS=false
WRANGLER_HIDE_BANNER=true
CLOUDFLARE_CF_FETCH_ENABLED=false
# worker-build sets this variable when it builds. It is set here too, so that clippy checks the same code.
WASM_BINDGEN_USE_JS_SYS=1
export PATH WRANGLER_SEND_METRICS WRANGLER_SEND_ERROR_REPORTS WRANGLER_HIDE_BANNER
export CLOUDFLARE_CF_FETCH_ENABLED WASM_BINDGEN_USE_JS_SYS
# wrangler and cargo's build scripts may start another make. It must not inherit the flags and job slots of this one.
unset MAKEFLAGS MFLAGS MAKELEVEL
