# Each target installs what it needs into .venv and local/node_modules.
.DEFAULT_GOAL := help
.PHONY: demo serve test mutate-checks mutate-gate lint help
SHELL := /bin/sh
PYTHON := .venv/bin/python
PATH := $(CURDIR)/.venv/bin:$(PATH)
export PATH
ARGS ?=

demo: .venv/installed local/node_modules/installed ## Watch it work once, without an Azure account (ARGS=--healthy: agents that behave)
	@$(PYTHON) -m local.demo $(ARGS)

serve: .venv/installed local/node_modules/installed ## Keep the whole of it running on this machine
	@$(PYTHON) -m local.serve $(ARGS)

test: lint local/node_modules/installed ## Run every test, with coverage
	@$(PYTHON) -m pytest -n auto --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered $(ARGS)

mutate-checks: .venv/installed ## Plant mistakes in the checks' queries: do their fixtures notice? (minutes; ARGS=<check id>)
	@$(PYTHON) -m tests.mutation $(ARGS)

mutate-gate: .venv/installed ## Plant mistakes in the rules of the release gate: do the configurations notice?
	@$(PYTHON) -m tests.unit.release.gate_mutants

lint: .venv/installed ## Check style and types
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Once one of them has run, .venv/bin/tracekeeper --help lists what the command can do."

.venv/installed: requirements-dev.txt requirements.txt local/requirements-node.txt local/python313.sh
	@echo "Installing Python packages (once) ..."
	@interpreter=$$(local/python313.sh) && "$$interpreter" -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@node --version >/dev/null 2>&1 || .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r local/requirements-node.txt
	@touch $@

local/node_modules/installed: local/package-lock.json .venv/installed
	@echo "Installing Node packages (once) ..."
	@cd local && npm ci --silent
	@touch $@

.PHONY: bench
bench: .venv/installed local/node_modules/installed ## Measure every path beside its peer or limit (ARGS=--large: 1,000,000 spans too; ARGS="alerts seals": only these)
	@$(MAKE) --no-print-directory .venv-presidio/installed || echo "Without Presidio the detectors have no peer."
	@$(PYTHON) -m bench.run $(ARGS)

.PHONY: bench-detectors
bench-detectors: ## Measure our detectors beside Presidio's alone (ARGS=<labelled texts>)
	@$(MAKE) --no-print-directory bench ARGS=detectors $(if $(ARGS),BENCH_LABELLED=$(ARGS))

.venv-presidio/installed: bench/requirements-presidio.txt local/python313.sh
	@echo "Installing Presidio into an environment of its own (once) ..."
	@interpreter=$$(local/python313.sh) && "$$interpreter" -m venv .venv-presidio
	@.venv-presidio/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bench/requirements-presidio.txt
	@touch $@

.PHONY: infra
infra: .venv/installed ## Write the workbook and the views for Azure anew (ARGS=<folder of your own config files>)
	@$(PYTHON) -m infra.workbook.build $(ARGS)

.PHONY: checkov
checkov: .venv/installed .venv-checkov/installed ## Check the templates with checkov (reasons for what is skipped: infra/checkov/reasons.yaml)
	@$(PYTHON) -m infra.checkov.run

.venv-checkov/installed: infra/checkov/requirements.txt local/python313.sh
	@echo "Installing checkov into an environment of its own (once) ..."
	@interpreter=$$(local/python313.sh) && "$$interpreter" -m venv .venv-checkov
	@.venv-checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r infra/checkov/requirements.txt
	@touch $@

.PHONY: images
images: .venv/installed local/node_modules/installed ## Make every picture of the documentation anew (minutes; ARGS=documents|stage: some)
	@$(PYTHON) -m local.images $(ARGS)
