# `make demo` and `make test` are the two commands a new user needs; both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_HOME ?= $(CURDIR)/.demo/dagster_home
# No telemetry of dbt or Dagster.
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1
export DAGSTER_DISABLE_TELEMETRY := 1
# Or each of the many processes that the tests start compiles the whole library again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo dev test drill check lint types imports bench eval-live clean

setup: $(VENV)/.complete

$(VENV)/.complete: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else "dagster_agent needs Python 3.11 to 3.13, this is %d.%d: set PYTHON=python3.11" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade -c constraints.txt "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[duckdb]" --group dev
	touch $@

demo: setup ## build the shop, let three quiet days pass, break it, watch the agent mend it
	$(BIN)/dagster-agent demo

dev: setup ## the example code location in the Dagster UI, on what the demo left
	mkdir -p "$(DAGSTER_HOME)"
	$(BIN)/dagster dev -w workspace.yaml

test: setup ## all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not drill"

drill: setup ## the long ones: whole stories that `make test` tells in shorter ones
	$(BIN)/python -m pytest -n 2 -m drill

check: lint types imports test ## every gate

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/pyright

imports: setup
	$(BIN)/lint-imports

bench: setup ## benchmarks; figures go to benchmarks/README.md by hand, with the machine they came from
	$(BIN)/python -m benchmarks

eval-live: setup ## the demo's incidents judged by Claude itself; needs a key, costs money
	$(BIN)/python -m tests.evals.live

clean:
	rm -rf $(VENV) .demo build dist *.egg-info
