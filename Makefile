# Each verb makes the virtual environment it needs; nothing else has to be installed by hand.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
REPORT ?= demo-report
MINUTES ?= 10

.PHONY: help demo test attacks fuzz check bench chaos accept clean

help:
	@echo "make demo    a small Europe: three stories over real AS4, report in $(REPORT)/"
	@echo "make test    all tests, with coverage"
	@echo "make attacks every attack of the list against live nodes; table, and attacks.xml as JUnit"
	@echo "make fuzz    damaged octets for the readers of strangers, five minutes; FUZZ_SECONDS=N"
	@echo "make check   layers, types, lint, format"
	@echo "make bench   SEDs per second, split per step, beside the measured floor"
	@echo "make chaos   a network under load while everything fails, and an audit; MINUTES=N"
	@echo "make accept  accept the current output as the new golden files"
	@echo "make clean   remove everything that the other verbs made"

# --group needs pip 25.1, so pip goes first.
$(VENV)/.run: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; found $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11"; exit 3; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[fast]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

demo: $(VENV)/.run
	$(BIN)/eessi-sim demo --report $(REPORT)

# In the order of the folders: the files that take minutes (acceptance) begin, the short ones (unit) fill both cores at the end.
test: $(VENV)/.dev
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest --quiet --numprocesses=auto --dist=loadfile --no-loadscope-reorder --cov --cov-report=
	$(BIN)/python tests/quality/coverage_gate.py

attacks: $(VENV)/.dev
	$(BIN)/python -m pytest -q tests/attacks tests/quality/test_conformance_list.py --junitxml=attacks.xml

fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.run
	$(BIN)/eessi-sim bench

chaos: $(VENV)/.run
	$(BIN)/eessi-sim chaos --minutes $(MINUTES)

accept: $(VENV)/.dev
	EESSI_SIM_ACCEPT_GOLDEN=1 $(BIN)/python -m pytest -q tests/unit tests/quality

clean:
	rm -rf $(VENV) $(REPORT) tests/interop/java/target attacks.xml .eessi-sim .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* dist build
