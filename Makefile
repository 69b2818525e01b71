PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: demo test test-faults check fix train bench install

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

# Labelled conversations beside models/corpus/dialogue; the held-out ones teach nothing.
CONVERSATIONS := $(addprefix tests/data/conversations,.jsonl _dev3.jsonl _dev4.jsonl)

train: .venv/installed
	$(BIN)/python -m models.training
	$(BIN)/python -m models.theme_prior
	$(BIN)/python -m models.wording_training
	$(BIN)/python -m models.speakers $(CONVERSATIONS)
	$(BIN)/python -m pipeline.mask.learn $(CONVERSATIONS)

# What needs no evaluation data; the reading of 2,000 malformed files draws new ones each time.
bench: .venv/installed
	$(BIN)/python benchmarks/reading.py
	KIKITORI_FUZZ_FILES=2000 $(BIN)/python -m pytest -q tests/test_read_fuzz.py

install: .venv/installed

.venv/installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint requirements.lock --editable '.[dev]'
	touch $@
