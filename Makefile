# Everything runs in .venv, which the first target makes. PYTHON names the interpreter to make it with.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_OUT ?= runs/demo
LOWEST := .venv-lowest
# Processes that test; each takes up to 3 GB. PYTEST_ADDOPTS can say more.
WORKERS ?= 2

.PHONY: install install-demo demo pictures notebooks docs test test-lowest check format lint bench clean

# Two environments in one: what the demo needs, and on top of it what tests and checks need.
install: $(VENV)/.installed
install-demo: $(VENV)/.demo

$(VENV)/.demo: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=python3.11")'
	@echo "Making $(VENV) and installing what training and prediction need. Torch is most of it: some"
	@echo "gigabytes, and minutes on a slow line. pip says nothing while it loads."
	$(PYTHON) -m venv $(VENV)
	@echo "1 of 2: torch and torchvision"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch torchvision
	@echo "2 of 2: finding-nemo with the extras train and fast"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[train,fast]'
	@touch $@

$(VENV)/.installed: $(VENV)/.demo pyproject.toml
	@echo "Installing what tests and checks need: a minute or two, in which pip says nothing."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: install-demo
	$(BIN)/finding-nemo demo --out $(DEMO_OUT) --overwrite

# The picture of the README is the demo's own.
pictures: demo
	cp $(DEMO_OUT)/frames.png docs/pictures/frames.png

# The notebooks with their pictures, each from its script, by running it.
notebooks: install
	$(BIN)/python tests/notebook_pairs.py

# All pages as a site for a browser, which needs no server and no network: build/site/index.html.
docs: install
	$(BIN)/python tests/site_build.py build/site

# Tests of one file share what they have trained, so a file stays with one process. Threads that wait
# sleep: by default they spin, and take a quarter of the cores from the other process.
test: install
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadscope

# The unit tests with the lowest versions that pyproject.toml allows, in an environment of its own.
# About 4 GB to load (torch for CUDA) and 9 GB on the disk; remove it with `make clean`.
test-lowest:
	rm -rf $(LOWEST)
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python tests/lowest_versions.py pyproject.toml $(LOWEST)/lowest.txt
	PIP_CONSTRAINT=$(LOWEST)/lowest.txt $(LOWEST)/bin/python -m pip install --quiet --editable '.[dev]'
	$(LOWEST)/bin/python -m pytest -q tests/unit

lint: install
	$(BIN)/ruff format --check src tests benchmarks notebooks
	$(BIN)/ruff check src tests benchmarks notebooks
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

format: install
	$(BIN)/ruff format src tests benchmarks notebooks
	$(BIN)/ruff check --fix src tests benchmarks notebooks

clean:
	rm -rf $(VENV) $(LOWEST) runs build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

bench: install
	$(BIN)/python benchmarks/run.py
