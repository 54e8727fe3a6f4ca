# `make` lists what there is to do.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# One thing after another: lint and types speak before the tests do.
.NOTPARALLEL:

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Arguments: make demo ARGS="--for 20s"; make test PYTEST_ARGS="-x -k tiers"; make bench BENCH=score_file
ARGS ?=
PYTEST_ARGS ?=
PYTHON ?= $(shell for name in python3.11 python3 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo "$$name" && break; done)

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- To begin --------------------------------------------------------------------------------------------------------
.PHONY: venv
venv: $(READY) ## The virtual environment .venv from the lock file (Python 3.11)

$(READY): requirements/dev.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "leadstream needs Python 3.11, and neither python3.11 nor python3 is one." >&2; \
		echo "Install it (Debian 12: apt-get install python3.11 python3.11-venv), or name one: make venv PYTHON=/path" >&2; \
		exit 1; fi
	@if [ ! -x $(BIN)/python ]; then \
		echo "Making $(VENV) ..."; \
		"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
			echo "$(PYTHON) cannot make virtual environments (Debian: apt-get install python3.11-venv)." >&2; exit 1; }; fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: kafka-jars
kafka-jars: $(READY) java ## Apache Kafka for the tests, by Maven into .cache/kafka
	@$(BIN)/python -m tests.kafka.jars

.PHONY: java
java:
	@tests/kafka/need-java

.PHONY: redis
redis:
	@tests/need-redis

.PHONY: demo
demo: $(READY) ## Behaviour becomes scores, owners and clocks, on an embedded broker (ARGS="--for 20s")
	@$(BIN)/leadstream demo $(ARGS)

# --- To check --------------------------------------------------------------------------------------------------------
.PHONY: test
test: lint types layers drift kafka-jars redis ## Everything that CI checks: all of the below, then all tests
	@$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

.PHONY: unit
unit: $(READY) ## The quick tests: no Kafka, nothing slow
	@$(BIN)/python -m pytest -m "not kafka and not slow and not kill" $(PYTEST_ARGS)

.PHONY: lint
lint: $(READY) ## Style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(READY) ## Strict types, tests included
	@$(BIN)/mypy

.PHONY: layers
layers: $(READY) ## Who may import whom
	@$(BIN)/lint-imports

.PHONY: drift
drift: $(READY) ## Generated files (JSON Schema, AsyncAPI) are those of the code
	@$(BIN)/python -m schemas.generate --check

# --- To change -------------------------------------------------------------------------------------------------------
.PHONY: format
format: $(READY) ## Format, and mend what lint can mend
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

.PHONY: generate
generate: $(READY) ## Write the generated files anew, the golden pages of the models and the README's picture too
	@$(BIN)/python -m schemas.generate
	@$(BIN)/python -m tests.scoring.model.golden
	@$(BIN)/python -m tests.demo.picture

.PHONY: compiled
compiled: $(READY) ## A wheel in dist/ whose hot path is native code (needs a C compiler); the images are made of it
	@rm -rf build  # what an older wheel left there would be in this one
	@LEADSTREAM_COMPILED=1 $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--wheel-dir dist .

.PHONY: lock
lock: $(READY) ## Lock files with the newest versions that pyproject.toml allows
	@$(BIN)/uv pip compile pyproject.toml --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url \
		--extra serve --custom-compile-command "make lock" --quiet --output-file requirements/base.lock
	@$(BIN)/uv pip compile pyproject.toml --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url \
		--extra dev --constraint requirements/base.lock \
		--custom-compile-command "make lock" --quiet --output-file requirements/dev.lock
	@$(BIN)/uv pip compile pyproject.toml --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url \
		--extra build --constraint requirements/dev.lock \
		--custom-compile-command "make lock" --quiet --output-file requirements/build.lock

.PHONY: race-lock
race-lock: $(READY) ## Lock files of the race's engines, from tests/bench/peers/requirements/*.in
	@for wanted in tests/bench/peers/requirements/*.in; do \
		$(BIN)/uv pip compile $$wanted --python-version 3.11 --generate-hashes --no-emit-index-url --quiet \
			--custom-compile-command "make race-lock" --output-file $${wanted%.in}.lock; done

# --- Longer proofs, and figures --------------------------------------------------------------------------------------
.PHONY: property-10k
property-10k: $(READY) ## 10,000 random cases against the reference
	@LEADSTREAM_PROPERTY_CASES=10000 $(BIN)/python -m pytest -m property --timeout 7200 $(PYTEST_ARGS)

.PHONY: simulation
simulation: $(READY) ## Kafka, clocks and crashes simulated around the same code (SEEDS=2000, or SEED=1234 to replay one)
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) $(ARGS)

.PHONY: faults
faults: kafka-jars redis ## Every fault by name, with a ledger (ONLY=zombie SEED=7 RUNS=20 FULL=1)
	@$(BIN)/python -m tests.faults $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED)) $(if $(RUNS),--runs $(RUNS)) \
		$(if $(MINUTES),--minutes $(MINUTES)) $(if $(FULL),--full)

.PHONY: kill-20
kill-20: kafka-jars redis ## 20 runs with workers killed in their midst, on Apache Kafka
	@LEADSTREAM_KILL_RUNS=20 $(BIN)/python -m pytest -m kill --timeout 7200 $(PYTEST_ARGS)

FLOORS := .cache/floors
.PHONY: floors
floors: $(READY) kafka-jars redis ## The oldest versions that pyproject.toml allows: unit tests, properties, pipeline, view
	@mkdir -p $(FLOORS)
	@$(BIN)/uv pip compile pyproject.toml --resolution lowest-direct --python-version 3.11 --extra serve --quiet \
		--output-file $(FLOORS)/requirements.txt
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(FLOORS)/venv
	@$(BIN)/uv pip install --quiet --python $(FLOORS)/venv/bin/python -r $(FLOORS)/requirements.txt \
		hypothesis jsonschema psutil pytest pytest-timeout pytest-xdist
	@$(BIN)/uv pip install --quiet --python $(FLOORS)/venv/bin/python --no-deps -e .
	@# Left out: what checks the house, writes files, or needs a tool that wants newer versions.
	@$(FLOORS)/venv/bin/python -m pytest -n 2 -W ignore::DeprecationWarning -m "not kafka and not slow and not kill" \
		--ignore tests/test_architecture.py --ignore tests/schemas/test_generated.py --ignore tests/view/test_api.py
	@$(FLOORS)/venv/bin/python -m pytest -n 2 -W ignore::DeprecationWarning tests/streams/test_stages_on_kafka.py \
		tests/view/test_worker.py

.PHONY: bench
bench: kafka-jars redis ## The figures of the README
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: race
race: kafka-jars ## The same job on the engines people would pick instead (ONLY=flink,faust SCALE=0.1 RUNS=2)
	@$(BIN)/python -m tests.bench.peers $(if $(ONLY),--only $(ONLY)) $(if $(SCALE),--scale $(SCALE)) \
		$(if $(RUNS),--runs $(RUNS)) $(ARGS)

.PHONY: clean
clean: ## Take away what was built, the environment and Kafka's jars too
	@rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
