.POSIX:

PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin
PIP = $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check install --quiet -c constraints.txt
PROJECT = pyproject.toml setup.py constraints.txt

.PHONY: demo test slow exhaustive lint clean

demo: $(VENV)/installed
	$(BIN)/graphc build specs/unet.yaml

test: $(VENV)/installed-test
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not slow and not exhaustive"

slow: $(VENV)/installed-test
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m slow

exhaustive: $(VENV)/installed-test
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m exhaustive

lint: $(VENV)/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

clean:
	rm -rf $(VENV) out build graphc.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'graphc needs Python 3.11 or newer; name one with: make PYTHON=python3.11' >&2; exit 1; }
	$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/installed: $(BIN)/python $(PROJECT)
	$(PIP) -e .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(PIP) -e '.[test]'
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed-test
	$(PIP) -e '.[test,dev]'
	@touch $@
