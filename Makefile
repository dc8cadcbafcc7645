# Every target installs what it needs first; what cannot be installed from here is named, with the line that does it.

# Recipes source this, rather than have make export PATH: GNU Make 3.81 looks commands up in the PATH it was started with.
tools = . scripts/env.sh &&

.PHONY: help run test test-all check build worker deploy clean setup toolchain
.NOTPARALLEL:

help:
	@echo "make run        the Worker on http://127.0.0.1:8787 with an emulated OFAuth beside it (PORT, EMULATOR_PORT)"
	@echo "make test       all tests"
	@echo "make test-all   all tests, with many more cases for the property tests"
	@echo "make check      format, lints and native tests: the quick answer while editing"
	@echo "make build      what a deployment uploads, into build/"
	@echo "make deploy     build and upload to your Cloudflare account"
	@echo "make clean      remove what was built and the local data (not the tools, nor .dev.vars)"

run: worker
	@$(tools) exec node scripts/dev.mjs

test: setup
	@echo "Test: Rust"
	@$(tools) cargo test
	@$(tools) node scripts/worker.mjs
	@echo "Test: emulator and Worker"
	@$(tools) CHROME="$$(node scripts/browser.mjs)" && export CHROME && \
	  node --test --test-concurrency=2 tests/emulator/*.test.mjs tests/e2e/*.test.mjs

test-all:
	@PROPTEST_CASES=$${PROPTEST_CASES:-10000} $(MAKE) --no-print-directory test

check: toolchain
	@echo "Check: format"
	@$(tools) cargo fmt --check
	@echo "Check: lints, native"
	@$(tools) cargo clippy --all-targets -- -D warnings
	@echo "Check: lints, Worker"
	@$(tools) cargo clippy --lib --target wasm32-unknown-unknown --features worker -- -D warnings
	@echo "Check: native tests"
	@$(tools) cargo test

build: worker

worker: setup
	@$(tools) node scripts/worker.mjs

deploy: setup
	@$(tools) wrangler deploy

clean:
	@rm -rf build target .wrangler

setup:
	@sh scripts/prerequisites.sh
	@$(tools) node scripts/setup.mjs

toolchain:
	@sh scripts/prerequisites.sh
	@$(tools) node scripts/setup.mjs rust
