# Every target first installs the tools that it needs. If it cannot install a program, it prints the command that does.

# Sets PATH in each recipe. `export PATH` in this file would not be enough: GNU Make 3.81 searches commands in the PATH that
# it was started with.
with_env = . scripts/env.sh &&

.PHONY: help run test test-all test-wasm test-packaging check build worker worker-dev npm bench bench-worker bench-answers weight licenses release deploy clean setup toolchain
.NOTPARALLEL:

help:
	@echo "make run             start the Worker, an emulated OFAuth and a demo app (ports: PORT, EMULATOR_PORT, DEMO_PORT)"
	@echo "make test            run all tests"
	@echo "make test-all        run all tests, and the random ones with many more cases"
	@echo "make test-wasm       test the wasm bindings of the npm package, in Node and in a headless browser"
	@echo "make test-packaging  test the npm package as users install it"
	@echo "make check           check imports and format, lint, and run the native tests (quick, for use while editing)"
	@echo "make build           build the Worker into build/"
	@echo "make npm             build the npm package into pkg/"
	@echo "make bench           compare the npm package with similar packages in speed and size"
	@echo "make bench-worker    compare the CPU time of the Worker with Workers that do the same job, into bench/RESULTS.md"
	@echo "make bench-answers   measure how long OFAuth waits for the Worker's answer, into bench/RESULTS.md"
	@echo "make weight          print how many bytes of the Worker are whose, by crate and by function"
	@echo "make licenses        check the licenses and origins of all crates (cargo-deny)"
	@echo "make release         build what a release publishes into dist/: the npm package and the Worker"
	@echo "make deploy          build the Worker and upload it to your Cloudflare account (ENV=sandbox or ENV=production)"
	@echo "make clean           remove build output and local data (keeps the tools and .dev.vars)"

run: worker-dev
	@$(with_env) node pkg-template/build-client.mjs
	@$(with_env) node pkg-template/build-console.mjs
	@$(with_env) exec node scripts/dev.mjs

test: setup
	@echo "Test: Rust"
	@$(with_env) cargo test
	@$(with_env) node scripts/bindings.mjs
	@$(with_env) node scripts/vendor.mjs
	@$(with_env) node scripts/worker.mjs
	@$(with_env) node scripts/worker.mjs --test-hooks
	@$(with_env) node scripts/worker.mjs --dev
	@$(with_env) node pkg-template/build.mjs
	@$(with_env) node pkg-template/build-console.mjs
	@echo "Test: scripts, emulator and Worker"
	@rm -rf target/exchanges
	@$(with_env) CHROME="$$(node scripts/browser.mjs)" && RECORD_EXCHANGES="$$PWD/target/exchanges" && export CHROME RECORD_EXCHANGES && \
	  node --test --test-concurrency=6 tests/scripts/*.test.mjs tests/emulator/*.test.mjs tests/client/*.test.mjs tests/e2e/*.test.mjs
	@$(with_env) node --test tests/openapi/*.test.mjs
	@$(MAKE) --no-print-directory test-packaging
	@echo "Test: examples"
	@$(with_env) node --test tests/examples/*.test.mjs

test-packaging: npm
	@echo "Test: npm package"
	@$(with_env) node scripts/setup.mjs nodes
	@$(with_env) node tests/npm/pack.mjs
	@$(with_env) CHROME="$$(node scripts/browser.mjs)" && export CHROME && \
	  node --test tests/npm/alone/*.test.mjs && \
	  node --test --test-concurrency=2 tests/npm/*.test.mjs tests/browser/*.test.mjs
	@$(with_env) for node in node-oldest node-old node; do .tools/$$node/node --test tests/npm/surface/*.test.mjs || exit; done

# Modules of tests/core whose properties get ten times as many cases: headers, events, paths, tokens, keys, sealed values and
# cursors.
properties = header:: event_json:: event_user:: access:: access_header:: route:: session_token:: session_claims:: key:: seal:: list::

# Optimised code runs this many cases sooner, and it keeps its overflow checks. Property tests reject some random cases, so
# the limit of rejects is higher too. TESTS=all is for tests/full.mjs.
test-all: setup
	@CARGO_PROFILE_DEV_OPT_LEVEL=2 PROPTEST_CASES=$${PROPTEST_CASES:-10000} PROPTEST_MAX_GLOBAL_REJECTS=1000000 TESTS=all \
	  $(MAKE) --no-print-directory test
	@echo "Test: properties of what strangers send"
	@$(with_env) CARGO_PROFILE_DEV_OPT_LEVEL=2 PROPTEST_CASES=$${PROPTEST_CASES:-100000} PROPTEST_MAX_GLOBAL_REJECTS=10000000 \
	  cargo test --test webhook --test storage --test gateway -- $(properties)
	@echo "Test: licenses"
	@$(MAKE) --no-print-directory licenses
	@echo "Test: examples whose packages npm installs"
	@$(with_env) CHROME="$$(node scripts/browser.mjs)" && export CHROME && node --test --test-concurrency=1 tests/examples/apps/*.test.mjs
	@echo "Test: a release from another folder (up to 10 minutes)"
	@$(with_env) node --test tests/release/*.test.mjs

test-wasm: setup
	@$(with_env) node scripts/bindings.mjs

check: toolchain
	@echo "Check: arrows"
	@$(with_env) node scripts/arrows.mjs
	@echo "Check: format"
	@$(with_env) cargo fmt --check
	@echo "Check: lints, native"
	@$(with_env) cargo clippy --all-targets -- -D warnings
	@echo "Check: lints, Worker"
	@$(with_env) cargo clippy --lib --target wasm32-unknown-unknown --features worker -- -D warnings
	@echo "Check: lints, npm package"
	@$(with_env) CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=-Ctarget-feature=+simd128 \
	  cargo clippy --lib --test bindings --target wasm32-unknown-unknown --features npm -- -D warnings
	@echo "Check: native tests"
	@$(with_env) cargo test

build: worker

worker: setup
	@$(with_env) node scripts/vendor.mjs
	@$(with_env) node scripts/worker.mjs
	@$(with_env) node pkg-template/build-console.mjs

# What `make run` starts. It needs fewer tools, and compiles faster.
worker-dev:
	@sh scripts/prerequisites.sh
	@$(with_env) node scripts/setup.mjs run
	@$(with_env) node scripts/vendor.mjs
	@$(with_env) node scripts/worker.mjs --dev

npm: setup
	@$(with_env) node pkg-template/build.mjs

bench: npm
	@$(with_env) (cd bench && npm ci --silent --ignore-scripts --no-fund --no-audit)
	@$(with_env) node bench/bench.mjs

bench-worker: build
	@$(with_env) (cd bench && npm ci --silent --ignore-scripts --no-fund --no-audit)
	@$(with_env) node bench/worker/bench.mjs

bench-answers: build
	@$(with_env) node bench/worker/answers.mjs

weight: setup
	@$(with_env) node scripts/worker.mjs --names
	@$(with_env) node bench/worker/weight.mjs

licenses: toolchain
	@$(with_env) node scripts/licenses.mjs

release: build npm
	@$(with_env) node scripts/release.mjs

deploy: setup
	@$(with_env) ENV='$(ENV)' ROTATE='$(ROTATE)' RETIRE='$(RETIRE)' node scripts/deploy.mjs

clean:
	@rm -rf build pkg target dist .wrangler www/console/package www/console/vendor

setup:
	@sh scripts/prerequisites.sh
	@$(with_env) node scripts/setup.mjs

toolchain:
	@sh scripts/prerequisites.sh
	@$(with_env) node scripts/setup.mjs rust
