# make run     the example experiment, from nothing: creates the environment, installs, searches, registers
# make test    everything that has to pass before a change lands, from nothing too
# make help    the rest

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
# Many tests wait for processes that they have started: three at once keep two cores busy. A file stays together, and
# files keep their order: pytest-xdist would begin those of most tests first, which are not those that take longest.
PYTEST := -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# uv reads another variable for a folder of wheels than pip, with commas between several.
empty :=
space := $(empty) $(empty)
comma := ,
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS ?= $(subst $(space),$(comma),$(strip $(PIP_FIND_LINKS)))
endif
ifdef PIP_CERT
export SSL_CERT_FILE ?= $(PIP_CERT)
endif

# Some machines set it. Then every process that a test or a search starts would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test test-all lint format unit install constraints clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "make %-12s %s\n", $$1, $$2}'

run: $(VENV)/.installed ## search on Iris and register the best model
	@$(BIN)/automl run examples/iris.yaml

# Types take a minute of one core: beside the tests, which often wait.
test: $(VENV)/.installed-dev ## lint, types, imports and the quick tests
	@$(MAKE) --no-print-directory --jobs 2 lint unit

test-all: lint ## the same with the long tests
	HYPOTHESIS_PROFILE=thorough $(BIN)/python $(PYTEST) $(PYTEST_ARGS)

unit: $(VENV)/.installed-dev ## the quick tests alone
	$(BIN)/python $(PYTEST) -m "not slow" $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict automl
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev ## let ruff fix what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(VENV)/.installed-dev ## the environment with all extras and the development tools

# The stamps save the installation when neither the dependencies nor the pins have changed.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(call install,.)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(call install,.[all$(comma)dev])
	@touch $(VENV)/.installed $@

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "automl needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) -V)"
	@if uv --version >/dev/null 2>&1; then \
	    uv venv --quiet --allow-existing --seed --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV); \
	else \
	    $(PYTHON) -m venv $(VENV) || { echo "Cannot create $(VENV): Python's venv module is incomplete here (on Debian: apt install python3-venv)." >&2; exit 1; }; \
	    $(BIN)/python -m pip install --quiet uv || true; \
	fi

# Installs $(1), editable: with uv where there is one, and with pip where there is none or where it fails. Compiled now,
# nothing need be compiled when it is started, and where PYTHONDONTWRITEBYTECODE is set that would be at every start.
define install
echo "Installing automl ($(1)); the first time this takes a while"; \
if uv --version >/dev/null 2>&1; then uv=uv; elif [ -x $(BIN)/uv ]; then uv=$(BIN)/uv; else uv=false; fi; \
if ! $$uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraints constraints.txt --editable '$(1)'; then \
    echo "uv could not do it; pip tries, which is slower."; \
    $(BIN)/python -m pip install --quiet --compile --constraint constraints.txt --editable '$(1)'; \
fi; \
$(BIN)/python -m compileall -q automl
endef

constraints: ## pin again what CI installs (needs uv; Linux, Python 3.11)
	@head -n 3 constraints.txt > constraints.new
	@uv pip compile --quiet --python-version 3.11 --all-extras --upgrade --no-header --no-annotate --no-emit-index-url \
	    --no-emit-find-links --constraint <(echo torch==2.13.0) pyproject.toml | sed -E 's/^([^=]+==[^+]+)\+cpu$$/\1/' >> constraints.new
	@mv constraints.new constraints.txt

clean: ## remove the environment and all caches
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
