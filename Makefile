# Two commands matter: `make run` opens the app, `make test` passes the tests. Both do all set-up themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-fast lint types setup clean

run: setup
	$(BIN)/python app.py

PYTEST := $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(PYTEST_OPTIONS)

test: $(VENV)/.dev setup
	$(PYTEST)

# Without real fine-tunings, browsers and what is slow for another reason: while working.
test-fast: $(VENV)/.dev setup
	$(PYTEST) -m "not training and not browser and not slow"

# Style, the floors of the code (.importlinter), types.
lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

types: $(VENV)/.dev
	$(BIN)/mypy

# What the first run needs: the packages, MiniLM and the rated sentences. Everything else comes when it is first chosen.
setup: $(VENV)/.app
	$(BIN)/python -m engine.assets setup

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tunebench needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: requirements.txt $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.app
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
