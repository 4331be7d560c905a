# The front door. `make help` says what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

JOBS ?= $(shell nproc)
VENV := .venv/bin
PROGRAM := build/meshproof
REPORT := build/report

# Compiler output is shared between clones: paths below this folder do not enter ccache's keys.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1

# The same scenarios must leave the same trace in each of these builds.
BUILDS := release asan clang-debug clang-release
PROGRAMS := $(BUILDS:%=build/%/bin/meshproof)

.PHONY: help
help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- set-up -------------------------------------------------------------------------------------

.PHONY: deps
deps: ## Install the Debian packages that are missing
	@scripts/install-deps

.PHONY: venv
venv: deps ## Set up .venv with pytest and the plugin
	@scripts/install-python

# Ninja runs CMake again by itself when a CMakeLists.txt changes.
.PRECIOUS: build/%/build.ninja
build/%/build.ninja: CMakePresets.json | deps
	@mkdir -p build
	@cmake --preset $* >build/$*-configure.log || { cat build/$*-configure.log; exit 1; }
	@touch $@

# --- build and run ------------------------------------------------------------------------------

.PHONY: build
build: build/release/build.ninja ## Build the program: build/meshproof
	@cmake --build --preset release -j $(JOBS) --target meshproof
	@ln -sfn release/bin/meshproof $(PROGRAM)

.PHONY: dev
dev: build/dev/build.ninja ## Build everything for work on the code: build/dev
	@cmake --build --preset dev -j $(JOBS)

.PHONY: run
run: build ## Build, run the bundled scenarios, say where the report is
	@status=0; $(PROGRAM) run scenarios --report $(REPORT) || status=$$?; \
	echo "report: $(REPORT)/results.json $(REPORT)/junit.xml $(REPORT)/summary.md"; exit $$status

# --- test ---------------------------------------------------------------------------------------

.PHONY: conformance
conformance: build venv ## Say which clauses sim, our live gateway and a real Envoy keep, in docs/conformance.md
	PATH="$(CURDIR)/.venv/bin:$$PATH" $(PROGRAM) conform scenarios --target sim --target gateway --target envoy \
	  --time-scale 2 --page docs/conformance.md

.PHONY: test
test: ## Everything that CI runs
	@$(MAKE) lint
	@$(MAKE) test-unit
	@$(MAKE) test-asan
	@$(MAKE) test-scenarios

.PHONY: h2spec
h2spec: deps
	@scripts/install-h2spec

.PHONY: lint
lint: venv ## Check the formatting of C++ and Python, lint Python
	@echo "== lint"
	@git ls-files -z '*.h' '*.cc' | xargs -0 -r clang-format --dry-run -Werror
	@$(VENV)/ruff check --quiet
	@$(VENV)/ruff format --check --quiet

.PHONY: test-unit
test-unit: build ## Unit tests, as built for use
	@echo "== unit tests, g++ -O3"
	@cmake --build --preset release -j $(JOBS)
	@ctest --preset release -j $(JOBS)

.PHONY: test-asan
test-asan: build/asan/build.ninja ## Unit tests and all scenarios under ASan and UBSan
	@echo "== unit tests and scenarios, ASan and UBSan"
	@cmake --build --preset asan -j $(JOBS)
	@ctest --preset asan -j $(JOBS)
	@build/asan/bin/meshproof run scenarios --report build/report-asan

build/%/bin/meshproof: build/%/build.ninja always
	@cmake --build --preset $* -j $(JOBS) --target meshproof

.PHONY: always
always:

# pytest comes last: its closing lines are those of the whole.
.PHONY: test-scenarios
test-scenarios: venv h2spec build $(PROGRAMS) ## All scenarios, bad input, determinism, real sockets
	@echo "== scenarios, bad input, determinism across builds, real sockets"
	@$(PROGRAM) run scenarios --report $(REPORT)
	@MESHPROOF_BUILDS="$(PROGRAMS)" $(VENV)/pytest tests scenarios --junitxml=build/pytest.xml

.PHONY: tidy
tidy: build/dev/build.ninja ## clang-tidy over all of it (slow)
	@git ls-files '*.cc' | xargs -r -n 4 -P $(JOBS) clang-tidy --quiet -p build/dev

# --- the rest -----------------------------------------------------------------------------------

.PHONY: bench
bench: build/release/build.ninja ## Run the benchmarks; bench/README.md says what they mean
	@cmake --build --preset release -j $(JOBS)
	build/release/bin/parts
	build/release/bin/idle_hosts
	build/release/bin/chain
	build/release/bin/chain --curve
	build/release/bin/http2

.PHONY: format
format: venv ## Format C++ and Python
	@git ls-files -z '*.h' '*.cc' | xargs -0 -r clang-format -i
	@$(VENV)/ruff check --quiet --fix-only
	@$(VENV)/ruff format --quiet

.PHONY: clean
clean: ## Remove everything that was built
	@rm -rf build .venv
