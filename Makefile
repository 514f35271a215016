# Every target sets up what it needs: the virtual environment is made once, and again when pyproject.toml changes.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV ?= .venv
# The interpreter to make it with; without one the first suitable on PATH is taken.
PYTHON ?=
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# One thread for each process: tests side by side, and CPU times that mean something.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1

# A photo for the demo's network to look at, beside drawn streets; else the first one found in CAMVID, if any.
PHOTO ?=
CAMVID ?= ../shared/data/camvid
export PHOTO CAMVID

.PHONY: help venv demo demo-weights tour test test-slow lint bench clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

venv: $(READY) ## Make the virtual environment (.venv), with the package in it

$(READY): pyproject.toml .ci/venv
	@PYTHON="$(PYTHON)" .ci/venv $(VENV)
	@touch $@

demo: $(READY) ## Compile, draw and compare FasterSeg's student; see streets with a trained network
	@BIN=$(BIN) bash docs/demo.sh

demo-weights: $(READY) ## Train the demo's network again (minutes)
	@BIN=$(BIN) bash docs/demo/train.sh

tour: $(READY) ## Search CAS, AutoRTNet, GAS and FasterSeg on drawn streets, train what is found
	@BIN=$(BIN) bash docs/tour/tour.sh

test: $(READY) ## Run the tests
	$(BIN)/python -m pytest -n auto --maxprocesses 8

test-slow: $(READY) ## Run the checks that take minutes
	$(BIN)/python -m pytest -n auto --maxprocesses 4 -m slow

lint: $(READY) ## Style, format, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --project pyproject.toml
	$(BIN)/lint-imports

bench: $(READY) ## Measure commands against their budgets, how cost grows with size, the loader, the streets
	$(BIN)/python -m benchmarks.commands
	$(BIN)/python -m benchmarks.growth
	$(BIN)/python -m benchmarks.loader
	$(BIN)/python -m benchmarks.streets

clean: ## Remove the virtual environment, caches and compiled files
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis benchmarks/results
	git clean -fdXq compiled
	find archdsl tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
