# make demo   from nothing to a swapped video        make test    the whole test suite
# make check  what CI checks besides the tests       make serve   the demo's results in a browser
# make bench  measured against named peers           make docs    regenerate the generated pages

# The first Python of a version that fits and that really runs (a version manager's shim may only be a name).
FITS    = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python3.12 python3.11 python3.13; do \
  if $$python -c '$(FITS)' 2>/dev/null; then echo $$python; exit; fi; done; echo python3)
VENV   ?= .venv
BIN     = $(VENV)/bin
NAMES   = $(VENV)/names
DEMO   ?= demo
ARGS   ?=

.PHONY: demo test check bench serve docs clean format wheel

demo: $(VENV)/.demo
	$(BIN)/galloway demo --folder $(DEMO) $(ARGS)

serve: $(VENV)/.demo
	$(BIN)/galloway -w $(DEMO) serve

test: $(VENV)/.test
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/.test $(NAMES)/galloway
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	cd $(NAMES) && $(CURDIR)/$(BIN)/lint-imports $(CURDIR)/setup.cfg
	$(BIN)/python tests/wired.py
	$(BIN)/python docs/generate.py --check
	$(BIN)/python docs/generate_marketplace.py --check
	$(BIN)/python docs/generate_api.py --check

docs: $(VENV)/.test
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/generate_marketplace.py
	$(BIN)/python docs/generate_api.py

format: $(VENV)/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.test
	@for name in truth truth_table adaptive merge screen engines zoo swap cleaning mark gate judge marketplace hostile recruit agents fair; do \
	  echo "== bench.$$name"; $(BIN)/python -m bench.$$name --quick || exit 1; done

wheel: $(VENV)/.test
	rm -rf build dist
	$(BIN)/python -m build --wheel

$(VENV)/bin/python:
	@$(PYTHON) -c '$(FITS)' || \
	  { echo "Galloway needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# mypy and import-linter look for `galloway.curation` where a folder of that name lies: one of links, as an install has it.
$(NAMES)/galloway: $(wildcard galloway/*.py) | $(VENV)/bin/python
	mkdir -p $@
	for room in $(patsubst %,../../../%,$(wildcard galloway/*.py)) ../../../curation ../../../mturk ../../../pipeline ../../../templates; do \
	  ln -sfn $$room $@/; done

$(VENV)/.demo: setup.cfg setup.py | $(VENV)/bin/python
	@echo "Installing Galloway, the embedded engine and the marketplace (about 2.7 GB once unpacked) …"
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $@

$(VENV)/.test: setup.cfg setup.py | $(VENV)/bin/python
	@echo "Installing Galloway, the embedded engine and the test tools …"
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@ $(VENV)/.demo

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache htmlcov .coverage*
