PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: demo test test-faults check fix train install

demo: .venv/installed
	$(BIN)/kikitori demo

test: .venv/installed
	$(BIN)/python -m pytest -q

test-faults: .venv/installed
	$(BIN)/python -m pytest -q -m slow

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

train: .venv/installed
	$(BIN)/python -m models.training
	$(BIN)/python -m models.theme_prior

install: .venv/installed

.venv/installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint requirements.lock --editable '.[dev]'
	touch $@
