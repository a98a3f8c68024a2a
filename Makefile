SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# embedded: SQLite, a directory, a filesystem queue. real: PostgreSQL, RabbitMQ and an S3 server.
BACKENDS ?= embedded
# Index that pip takes torch from; empty means pip's own. For the CPU build on Linux give PyTorch's CPU index here.
TORCH_INDEX_URL ?=
TORCH_VERSION ?= 2.13.0
# Images are named $(REPOSITORY)/<service>:$(TAG).
REPOSITORY ?= localhost/tonewright
TAG ?= dev
# What goes before each client of the cluster, for one that is reached from a network namespace only.
CLIENT ?=
PYTEST := $(BIN)/python -m pytest

##@ Use it

.PHONY: run
run: $(VENV)/.run ## Start the whole system (BACKENDS=embedded|real); prints its address and key
ifeq ($(BACKENDS),real)
	@$(MAKE) $(VENV)/.real
	@TONEWRIGHT_EXIT_WITH_PARENT=1 exec $(BIN)/python -m tools.run_real
else
	@TONEWRIGHT_EXIT_WITH_PARENT=1 exec $(BIN)/python -m services.launcher
endif

.PHONY: demo
demo: $(VENV)/.run ## Walk the whole path on a piece and a Live Set made on the spot (needs `make run`)
	@$(BIN)/tonewright demo

.PHONY: doctor
doctor: $(VENV)/.run ## Say what is up, what is down and what to do
	@$(BIN)/tonewright doctor

.PHONY: setup
setup: $(VENV)/.run ## Make the virtual environment without starting anything

.PHONY: setup-demucs
setup-demucs: $(VENV)/.run ## Add torch and demucs for the `demucs` engine (TORCH_INDEX_URL chooses the build)
	$(BIN)/pip install -q $(if $(TORCH_INDEX_URL),--index-url $(TORCH_INDEX_URL)) torch==$(TORCH_VERSION)
	$(BIN)/pip install -q -e '.[stems]'

##@ Test it

.PHONY: test
test: $(VENV)/.dev ## Everything that this machine can run: unit, contract, integration on both targets
	$(PYTEST) tests -m "not long"

.PHONY: test-unit
test-unit: $(VENV)/.dev ## Unit tests alone: no sockets, under 15 s
	$(PYTEST) tests/unit -n 2

.PHONY: test-contract
test-contract: $(VENV)/.dev ## One suite per port over all its adapters
	$(PYTEST) tests/contract -m "not long"

.PHONY: test-integration
test-integration: $(VENV)/.dev ## User journeys through the gateway (TARGET=embedded,backends)
	$(PYTEST) tests/integration -m "not long" --target $(or $(TARGET),embedded,backends)

.PHONY: test-long
test-long: $(VENV)/.dev ## The fault, fuzz and load suites with full counts
	$(PYTEST) tests -m long --timeout 1800

.PHONY: bench
bench: bench-gateway bench-export bench-stems ## Every figure that the project publishes

.PHONY: bench-gateway
bench-gateway: $(VENV)/.dev ## A read through the gateway beside the same read by gRPC alone
	$(BIN)/python -m bench.gateway

.PHONY: bench-export
bench-export: $(VENV)/.dev ## An archive of a dataset beside `zip -0`
	$(BIN)/python -m bench.export

.PHONY: bench-stems
bench-stems: $(VENV)/.dev ## A separation beside the demucs package (needs `make setup-demucs`; OPTIONS)
	$(BIN)/python -m bench.stems $(OPTIONS)

##@ Kubernetes

# docker or buildah, whichever is there; OPTIONS go to tools/images.py.
.PHONY: images
images: ## Build the image of every service and print their sizes (TAG, REPOSITORY, OPTIONS)
	$(PYTHON) -m tools.images build --tag $(TAG) --repository $(REPOSITORY) $(OPTIONS)

.PHONY: test-cluster
test-cluster: $(VENV)/.dev ## Install the chart on the cluster of KUBECONFIG and test it there (CLIENT, IMAGE_LOADER, TAG)
	$(CLIENT) $(PYTEST) tests/cluster tests/integration -m "not long" --target cluster

.PHONY: cluster-up
cluster-up: ## A cluster without a container registry, made of ../shared/cluster, with the images loaded
	$(PYTHON) -m tools.cluster prepare
	$(PYTHON) -m tools.cluster up

.PHONY: cluster-down
cluster-down: ## Remove that cluster
	$(PYTHON) -m tools.cluster down

.PHONY: kind-up
kind-up: ## A cluster on Docker by kind, with the images loaded
	deploy/kind/up.sh $(TAG) $(REPOSITORY)

.PHONY: test-kind
test-kind: $(VENV)/.dev ## The same tests on the cluster of `make kind-up`
	. build/kind/env && $(PYTEST) tests/cluster tests/integration -m "not long" --target kind

.PHONY: kind-down
kind-down: ## Remove that cluster
	deploy/kind/down.sh

##@ Change it

.PHONY: check
check: $(VENV)/.dev ## Every gate: style, types, imports, contracts, drift
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy libs services clients/python tools bench tests deploy/docker
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python tools/proto.py lint
	$(BIN)/python tools/proto.py check
	$(BIN)/python tools/proto.py breaking
	$(BIN)/python tools/openapi.py check
	$(BIN)/python tools/client_models.py check
	$(BIN)/python tools/contracts.py check
	$(BIN)/python tools/docs.py check
	$(BIN)/python -m tools.chart check

.PHONY: fmt
fmt: $(VENV)/.dev ## Format and sort
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: generate
generate: proto ## Stubs, OpenAPI, the lists in docs/, dashboards and the chart's goldens
	$(BIN)/python tools/openapi.py
	$(BIN)/python tools/client_models.py
	$(BIN)/python tools/contracts.py
	$(BIN)/python tools/docs.py
	$(BIN)/python -m tools.dashboards
	$(BIN)/python -m tools.chart golden

.PHONY: proto
proto: $(VENV)/.dev ## Stubs in gen/ from proto/
	$(BIN)/python tools/proto.py

.PHONY: clean
clean: ## Remove what can be made again; keeps .tonewright
	rm -rf $(VENV) .tools build dist bench/results .mypy_cache .ruff_cache .pytest_cache

.PHONY: help
help: ## This page
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ------------------------------------------------------------------------------------------------ environment

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "tonewright needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Name one with PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		if [ -n "$${INSTALL:-}" ]; then apt-get update -q && apt-get install -y -q python3-venv; \
		else echo "Python's venv module is missing; install python3-venv, or run again with INSTALL=1" >&2; exit 1; fi; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --upgrade pip
	@touch $@

$(VENV)/.run: pyproject.toml | $(VENV)/.venv
	@echo "installing tonewright into $(VENV)"
	@$(BIN)/pip install -q --disable-pip-version-check -e '.[all]'
	@touch $@

$(VENV)/.real: $(VENV)/.run
	@$(BIN)/pip install -q --disable-pip-version-check -e '.[backends]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "installing the development tools into $(VENV)"
	@$(BIN)/pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@
