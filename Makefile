# make demo   a simulated night in a fresh TOM, served on http://127.0.0.1:8000 (SERVE=0 ends before serving)
# make test   the whole test suite
PYTHON ?= python3
BIN := .venv/bin
SERVE ?= 1
PORT ?= 8000
TESTS ?= tests
# Tests wait for brokers, servers and browsers a good part of their time, so there are twice as many at once as processors.
WORKERS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))

.PHONY: demo test test-postgresql test-portal lint format bench docs clean

demo: .venv/demo
	$(BIN)/python -m classifiers compile
	$(BIN)/python demo/manage.py alerce_demo
ifneq ($(SERVE),0)
	DEBUG=1 $(BIN)/python demo/manage.py runserver 127.0.0.1:$(PORT)
endif

test: .venv/test
	$(BIN)/python -m classifiers compile
	$(BIN)/python -m pytest -n $(WORKERS) -m "not portal" $(TESTS)

# The tests that touch the database once more, on a PostgreSQL server that lives as long as they do.
test-postgresql: .venv/test
	.ci/with-postgresql $(BIN)/python -m pytest -n $(WORKERS) tests/tom_alerce tests/field

# Requests sent to a real observation portal, through faults; its own environment is made once, in .portal.
test-portal: .venv/test
	.ci/with-portal $(BIN)/python -m pytest tests/portal

lint: .venv/lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/lint
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/benchmarks
	$(BIN)/python -m benchmarks all

docs: .venv/docs
	$(BIN)/sphinx-build -W -b html docs docs/_build/html

# One environment; a file in it says which extra has been installed for the pyproject.toml of now.
.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/demo: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet -e .
	touch $@

.venv/test .venv/lint .venv/docs .venv/benchmarks: .venv/%: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet -e ".[$*]"
	touch $@

clean:
	rm -rf .venv .portal demo/data docs/_build docs/generated build *.egg-info
