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

# Programs by others that verify what we sign and describe, in an environment of their own: they
# bring some sixty packages.
SIGNING := build/signing

$(SIGNING)/.installed: requirements/signing.txt
	$(PYTHON) -m venv $(SIGNING)
	$(SIGNING)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/signing.txt
	touch $@

# What monitoring is checked against, likewise; and a browser that reports are looked at in.
ORACLES := build/oracles

$(ORACLES)/.installed: requirements/oracles.txt
	$(PYTHON) -m venv $(ORACLES)
	$(ORACLES)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/oracles.txt
	touch $@

browser:
	@tools/ensure-browser.sh

test: setup java browser $(SIGNING)/.installed $(ORACLES)/.installed ## run the tests
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report --skip-covered --skip-empty

# The tests that need Spark, on the oldest that is supported.
OLD_SPARK := build/spark-3.5

$(OLD_SPARK)/.installed: requirements/spark35.txt
	$(PYTHON) -m venv $(OLD_SPARK)
	$(OLD_SPARK)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/spark35.txt
	touch $@

test-spark35: $(OLD_SPARK)/.installed java ## the tests of tests/spark on Spark 3.5
	PYTHONPATH=src PYSPARK_PYTHON=$(abspath $(OLD_SPARK))/bin/python $(OLD_SPARK)/bin/python -m pytest tests/spark \
	  -W ignore::ResourceWarning -W ignore::pytest.PytestUnraisableExceptionWarning # it leaves sockets open

test-servers: setup jdk ## the contract on real servers: Nexus 3 and 2, nginx, Apache, Artipie
	$(BIN)/pytest tests/real

test-cluster: setup jdk ## Spark, HDFS and S3 on several hosts that it pretends to have (as root)
	@tools/ensure-hosts.sh
	$(BIN)/pytest tests/cluster

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

# What is measured beside Gavial lives in an environment of its own: MLflow brings a hundred packages.
BENCH_STAMP := build/bench/.installed
BENCH_PYTHON := PYTHONPATH=src build/bench/env/bin/python
BENCHMARKS := peers versions governance transfer watermark resolves cold_start monitoring sequential

$(BENCH_STAMP): requirements/bench.txt
	$(PYTHON) -m venv build/bench/env
	build/bench/env/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	touch $@

BENCH_MONITORING := build/bench-monitoring

$(BENCH_MONITORING)/.installed: requirements/bench-monitoring.txt
	$(PYTHON) -m venv $(BENCH_MONITORING)
	$(BENCH_MONITORING)/bin/python -m pip install --no-deps --quiet --disable-pip-version-check --require-hashes -r requirements/bench-monitoring.txt
	touch $@

bench: $(BENCH_STAMP) $(BENCH_MONITORING)/.installed java ## measure beside Spark's own save and load, MLflow and curl (about an hour)
	for one in $(BENCHMARKS); do $(BENCH_PYTHON) benchmarks/$$one.py; done
	$(BENCH_PYTHON) benchmarks/chart.py

bench-quick: $(BENCH_STAMP) java ## the same in a few minutes: small models, few repeats
	$(BENCH_PYTHON) benchmarks/peers.py --quick --models AB
	$(BENCH_PYTHON) benchmarks/versions.py 1000
	$(BENCH_PYTHON) benchmarks/chart.py

lint: setup ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup ## build the documentation into site/
	$(BIN)/mkdocs build --strict --quiet

check: lint docs test test-spark35 test-servers test-cluster ## everything that CI runs

format: setup ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## resolve the locked versions again (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-strip-extras --no-header --no-annotate --no-emit-index-url --upgrade --quiet -o requirements/dev.txt
	uv pip compile pyproject.toml --group fuzz --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --upgrade --quiet -o requirements/fuzz.txt
	uv pip compile pyproject.toml --group bench --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --upgrade --quiet -o requirements/bench.txt
	uv pip compile pyproject.toml --group spark35 --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --upgrade --quiet -o requirements/spark35.txt
	uv pip compile pyproject.toml --group connect --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --upgrade --quiet -o requirements/connect.txt
	uv pip compile pyproject.toml --group oracles --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --upgrade --quiet -o requirements/oracles.txt
	uv pip compile pyproject.toml --group bench-monitoring --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --upgrade --quiet -o requirements/bench-monitoring.txt
	uv pip compile pyproject.toml --group signing --universal --python-version 3.11 --generate-hashes \
	  --no-strip-extras --no-header --no-annotate --no-emit-index-url --upgrade --quiet -o requirements/signing.txt
	$(PYTHON) tools/cut_lock.py numpy py4j pyspark < requirements/dev.txt > requirements/spark.txt
	printf 'numpy>=1.26\npyspark==4.2.0\n' | uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet -o requirements/spark-4.2.txt

clean: ## remove what was built
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis spark-warehouse

.PHONY: help setup java jdk browser demo test test-spark35 test-servers test-cluster fuzz bench bench-quick docs lint check format lock clean
