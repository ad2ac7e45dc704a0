# Every target makes its own environment in .venv; a second call is instant. Nothing outside this folder is changed,
# but for the system packages that scripts/system_packages.sh names (it installs them only when run as root).

PYTHON ?= python3
VENV ?= .venv
# Slow or metered line? `make demo PIP_FLAGS="--no-cache-dir"`; a mirror is set the usual way, with PIP_INDEX_URL.
PIP_FLAGS ?=
# A narrower run, one test after the other: `make test TESTS=tests/scenes`. Without it, tests run on up to four cores at once,
# but for those that time things on the clock: they have the machine to themselves.
TESTS ?=
TIMED := $(addprefix tests/hil/,agent faults host link mcap) tests/benchmarks tests/cli
BESIDE := -n auto --maxprocesses 4 --dist loadfile $(TIMED:%=--ignore=%)
QUICK := -m "not slow and not gpu and not jetson and not isaac"
BIN := $(VENV)/bin
RUN := $(VENV)/run.stamp
DEV := $(VENV)/dev.stamp

.DEFAULT_GOAL := help
.PHONY: help demo test test-all bench lint format clean

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(RUN) ## Seed to report in under three minutes: out/demo/report.html
	$(BIN)/python rehearse.py demo

test: $(DEV) ## Lint, types and every test that takes less than about ten seconds
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(if $(TESTS),$(BIN)/pytest $(QUICK) $(TESTS),$(BIN)/pytest $(QUICK) $(BESIDE) && $(BIN)/pytest $(QUICK) $(TIMED))

test-all: $(DEV) ## As test, with the slow tests
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(if $(TESTS),$(BIN)/pytest $(TESTS),$(BIN)/pytest $(BESIDE) && $(BIN)/pytest $(TIMED))

bench: $(DEV) ## Frame cost, latency and post-processing, each as a ratio to its limit
	@mkdir -p out
	$(BIN)/pytest benchmarks --benchmark-only --benchmark-disable-gc -o python_files="test_bench_*.py" --benchmark-json=out/bench.json

lint: $(DEV) ## Lint and types only
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(DEV) ## Sort imports and mend what ruff can mend
	$(BIN)/ruff check --fix .

clean: ## Remove the environment, caches and everything under out/
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .benchmarks .hypothesis

$(BIN)/python:
	@sh scripts/system_packages.sh $(PYTHON)
	$(PYTHON) -m venv $(VENV)

$(RUN): pyproject.toml | $(BIN)/python
	@echo "Installing what running needs (no torch) into $(VENV) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -e ".[sim,cpu]"
	@touch $@

$(DEV): pyproject.toml | $(BIN)/python
	@echo "Installing what testing and training need (with torch) into $(VENV) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -e ".[sim,cpu,train,dev]"
	@touch $@ $(RUN)
