# Every target installs what it needs first; what cannot be installed from here is named, with the line that does it.

# Recipes source this, rather than have make export PATH: GNU Make 3.81 looks commands up in the PATH it was started with.
tools = . scripts/env.sh &&

.PHONY: help run test test-all test-wasm test-packaging check build worker npm bench deploy clean setup toolchain
.NOTPARALLEL:

help:
	@echo "make run        the Worker on http://127.0.0.1:8787 with an emulated OFAuth beside it (PORT, EMULATOR_PORT)"
	@echo "make test       all tests"
	@echo "make test-all   all tests, with many more cases for the property tests"
	@echo "make test-wasm  the tests of the npm package's bindings alone, as wasm, in Node and in a headless browser"
	@echo "make check      imports, format, lints and native tests: the quick answer while editing"
	@echo "make build      what a deployment uploads, into build/"
	@echo "make npm        the npm package, into pkg/"
	@echo "make bench      speed and size of the npm package, beside those it is measured against"
	@echo "make deploy     build and upload to your Cloudflare account"
	@echo "make clean      remove what was built and the local data (not the tools, nor .dev.vars)"

run: worker
	@$(tools) exec node scripts/dev.mjs

test: setup
	@echo "Test: Rust"
	@$(tools) cargo test
	@$(tools) node scripts/bindings.mjs
	@$(tools) node scripts/worker.mjs
	@echo "Test: scripts, emulator and Worker"
	@$(tools) CHROME="$$(node scripts/browser.mjs)" && export CHROME && \
	  node --test --test-concurrency=2 tests/scripts/*.test.mjs tests/emulator/*.test.mjs tests/client/*.test.mjs tests/e2e/*.test.mjs
	@$(MAKE) --no-print-directory test-packaging

test-packaging: npm
	@echo "Test: npm package"
	@$(tools) node scripts/setup.mjs nodes
	@$(tools) node tests/packaging/pack.mjs
	@$(tools) CHROME="$$(node scripts/browser.mjs)" && export CHROME && \
	  node --test --test-concurrency=2 tests/packaging/*.test.mjs
	@$(tools) for node in node-old node; do .tools/$$node/node --test tests/packaging/surface/*.test.mjs || exit; done

# So many cases are tried sooner by code that is optimised, overflow checks and all; and some of them are passed over.
test-all: setup
	@CARGO_PROFILE_DEV_OPT_LEVEL=2 PROPTEST_CASES=$${PROPTEST_CASES:-10000} PROPTEST_MAX_GLOBAL_REJECTS=1000000 \
	  $(MAKE) --no-print-directory test

test-wasm: setup
	@$(tools) node scripts/bindings.mjs

check: toolchain
	@echo "Check: arrows"
	@$(tools) node scripts/arrows.mjs
	@echo "Check: format"
	@$(tools) cargo fmt --check
	@echo "Check: lints, native"
	@$(tools) cargo clippy --all-targets -- -D warnings
	@echo "Check: lints, Worker"
	@$(tools) cargo clippy --lib --target wasm32-unknown-unknown --features worker -- -D warnings
	@echo "Check: lints, npm package"
	@$(tools) CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=-Ctarget-feature=+simd128 \
	  cargo clippy --lib --test bindings --target wasm32-unknown-unknown --features npm -- -D warnings
	@echo "Check: native tests"
	@$(tools) cargo test

build: worker

worker: setup
	@$(tools) node scripts/worker.mjs

npm: setup
	@$(tools) node pkg-template/build.mjs

bench: npm
	@$(tools) (cd bench && npm ci --silent --ignore-scripts --no-fund --no-audit)
	@$(tools) node bench/bench.mjs

deploy: setup
	@$(tools) wrangler deploy

clean:
	@rm -rf build pkg target .wrangler

setup:
	@sh scripts/prerequisites.sh
	@$(tools) node scripts/setup.mjs

toolchain:
	@sh scripts/prerequisites.sh
	@$(tools) node scripts/setup.mjs rust
