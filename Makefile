# `make` lists what one can do. Everything that is made lies in .venv (and the demo's artifacts where it says).
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run
STAMP := $(VENV)/.made
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
SOURCES := projects toolbox tests benchmarks run_toolbox.py testing

.DEFAULT_GOAL := help
.PHONY: help setup demo test soak lint style imports roles types bench docs

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(STAMP) ## make .venv with everything that is needed

# What running needs comes first: the demo waits for nothing else.
$(RUN): pyproject.toml constraints.txt
	@echo 'installing into $(VENV) …'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --upgrade pip hatchling editables
	@$(PIP) --no-build-isolation -e .
	@touch $@

$(STAMP): $(RUN)
	@$(PIP) --group dev
	@$(BIN)/python tests/fetch_collection.py
	@touch $@

demo: $(RUN) ## rehearse the skeleton project on the simulated cluster and say where the report is
	@testing/rehearse skeleton

test: $(STAMP) ## run every test
	@$(BIN)/python -m pytest -n auto tests

soak: $(STAMP) ## run the proofs whole, and print their figures (an hour or so)
	@FORESAIL_SOAK=1 $(BIN)/python -m pytest -m soak -s --timeout=0 -p no:xdist tests

lint: style imports roles types ## ruff, import contracts, ansible-lint and the type checker

# Apart, so that `make -k lint` hears all of them, whatever the first one says.
style: $(STAMP)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)

imports: $(STAMP)
	@$(BIN)/lint-imports

roles: $(STAMP)
	@PATH="$(CURDIR)/$(BIN):$$PATH" ANSIBLE_COLLECTIONS_PATH=projects/core $(BIN)/ansible-lint --offline -q toolbox

types: $(STAMP) ## mypy --strict
	@$(BIN)/mypy

bench: $(STAMP) ## measure the bars and print ratios taken in this run
	@$(BIN)/python -m benchmarks

docs: $(STAMP) ## generate the references of the toolbox and of scenarios, and the roles' defaults
	@$(BIN)/python -m projects.core.cli.generate
	@$(BIN)/python -m projects.sim_cluster.scenarios.reference
