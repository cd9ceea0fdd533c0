# One command a task. Everything is installed into the project's own environment, from
# the locked and hashed versions in requirements/.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Gavial needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name one: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

setup: $(STAMP) ## make the environment

java:
	@tools/ensure-java.sh

jdk:
	@tools/ensure-jdk.sh

demo: setup java ## the life of a model on real data, from fit to watermark
	$(BIN)/python examples/flight_delays/demo.py

test: setup java ## run the tests
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report --skip-covered --skip-empty

test-servers: setup jdk ## the contract on real servers: Nexus 3 and 2, nginx, Apache, Artipie
	$(BIN)/pytest tests/real

# Each target of tests/fuzz for SECONDS; what it learns is kept in build/fuzz/corpus.
FUZZ_STAMP := build/fuzz/.installed
SECONDS ?= 60
TARGETS ?= $(shell sed -n '/^    for one in (/,/^    )/s/^        \([a-z_]*\),$$/\1/p' tests/fuzz/targets.py)

$(FUZZ_STAMP): requirements/fuzz.txt
	$(PYTHON) -m venv build/fuzz/env
	build/fuzz/env/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	touch $@

fuzz: $(FUZZ_STAMP) ## look for inputs that break what reads from outside (SECONDS=60 each)
	@for target in $(TARGETS); do mkdir -p build/fuzz/found/$$target; \
	  PYTHONPATH=src build/fuzz/env/bin/python tests/fuzz/run.py $$target build/fuzz/corpus/$$target \
	    -max_total_time=$(SECONDS) -artifact_prefix=build/fuzz/found/$$target/ -verbosity=0 -print_final_stats=1 \
	    >build/fuzz/$$target.log 2>&1 \
	    && echo "$$target: $$(sed -n 's/^stat::number_of_executed_units: *//p' build/fuzz/$$target.log) inputs, none broke it" \
	    || { echo "$$target: BROKEN, see build/fuzz/$$target.log and build/fuzz/found/$$target"; exit 1; }; done

bench: setup java ## measure speed and size, as ratios to Spark's own
	$(BIN)/python benchmarks/large_model.py

lint: setup ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup ## build the documentation into site/
	$(BIN)/mkdocs build --strict --quiet

check: lint docs test test-servers ## everything that CI runs

format: setup ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## resolve the locked versions again (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --upgrade --quiet -o requirements/dev.txt
	uv pip compile pyproject.toml --group fuzz --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --upgrade --quiet -o requirements/fuzz.txt
	$(PYTHON) tools/cut_lock.py numpy py4j pyspark < requirements/dev.txt > requirements/spark.txt
	printf 'numpy>=1.26\npyspark==4.2.0\n' | uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet -o requirements/spark-4.2.txt

clean: ## remove what was built
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis spark-warehouse

.PHONY: help setup java jdk demo test test-servers fuzz bench docs lint check format lock clean
