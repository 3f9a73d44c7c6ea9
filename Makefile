# Everything starts from here: `make` alone lists what there is.

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test test-e2e test-faults fuzz up down status bench soak lint format docs lock environment clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: environment ## Run the whole story on this machine: about two minutes
	@$(BIN)/vsc demo

test: lint ## Check and test everything
	@$(BIN)/pytest

test-e2e: environment ## Only the tests of the whole stack
	@$(BIN)/pytest -m e2e

test-faults: environment ## Kill everything, again and again: about 25 minutes; FAULT_SEEDS=, FAULT_MESSAGES=, FAULT_REPORT=
	@$(BIN)/pytest tests/faults --all-faults --numprocesses=2 --dist=worksteal \
		$(if $(FAULT_SEEDS),--fault-seeds=$(FAULT_SEEDS)) $(if $(FAULT_MESSAGES),--fault-messages=$(FAULT_MESSAGES)) \
		$(if $(FAULT_REPORT),--fault-report=$(FAULT_REPORT))

up: environment ## Start the local stack with a simulated fleet; it keeps running
	@$(BIN)/vsc up

down: environment ## End the local stack
	@$(BIN)/vsc down

status: environment ## Show each part of the local stack and whether it works
	@$(BIN)/vsc status

fuzz: environment ## Give every decoder hostile bytes: ten minutes, or FUZZ_SECONDS=
	@$(PYTHON) scripts/bootstrap.py requirements-fuzz.lock
	@$(BIN)/python -m tests.fuzz.run $(if $(FUZZ_SECONDS),--seconds=$(FUZZ_SECONDS))

bench: environment ## Measure ingest: about five minutes, on servers of its own
	@$(BIN)/vsc bench ingest

soak: environment ## Keep ingest at 70 % of its limit for an hour and see whether anything grows
	@$(BIN)/vsc bench soak

lint: environment ## Check style, types and import directions
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy .
	@$(BIN)/lint-imports

format: environment ## Lay out the code and fix what can be fixed
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

docs: environment ## Write the generated pages under docs/ anew
	@$(BIN)/python -m vsc.pages

lock: environment ## Pin the newest releases that pyproject.toml allows
	@$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --group dev --group build pyproject.toml --output-file requirements.lock
	@$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --group fuzz --output-file requirements-fuzz.lock

environment: # Make .venv from the lock files; instant when nothing changed
	@$(PYTHON) scripts/bootstrap.py

clean: ## End the stack; remove its data, the environment and all caches
	-@test ! -x $(BIN)/vsc || $(BIN)/vsc down
	@test ! -x $(BIN)/python || rm -rf "$$($(BIN)/python -c 'from vsc.runtime.place import state_dir; print(state_dir())')"
	@rm -rf var .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
