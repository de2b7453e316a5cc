# Everything the project needs, on a machine that has git, make, Python 3.11 or newer and a package index.
# `make help` lists the commands. Only `make clean` removes anything, and never the data folder.

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?=
PORT   ?= 8000
ARGS   ?=
# 0: `make demo` and `make run` leave out what draws and scores images (torch and its friends, see docs/operations.md).
GENERATION ?= 1
# Two test processes: each has its own database, broker and web server, and most machines have two cores to spare.
JOBS   ?= 2

SITE := $(VENV)/$(if $(filter 0 no off false,$(GENERATION)),.site,.generation)

.DEFAULT_GOAL := help
# Two test runs at once would share the two cores and mix their reports.
.NOTPARALLEL:
# Some images for containers set it. Every process would then compile the libraries anew, which takes longer than most
# of what a worker or a test does.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help demo run check docs messages test test-sqlite test-postgres lint format bench lock clean

help:  ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(SITE)  ## Bring up the site with the demo study, and print ready sign-in links
	@echo "==> Preparing the database"
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py serve --demo --port $(PORT) $(ARGS)

run: $(SITE)  ## Bring up the site on your own data
	@echo "==> Preparing the database"
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py serve --port $(PORT) $(ARGS)

# These need neither a database nor a browser. Their tests marked `slow` are left to `make test`.
PURE := tests/stats tests/recipes tests/exchange tests/reports tests/test_layers.py tests/test_english.py

# `loadfile` gives a file to one process, which sets up once what its tests share.
# Lint keeps one core busy and the tests two processes, so together they take less time than one after the other.
check: $(VENV)/.dev  ## Lint, and the fast tests of the pure packages: before every commit
	@echo "==> Tests of the pure packages, and lint at the same time"
	@said=$$(mktemp); $(MAKE) --no-print-directory lint > $$said 2>&1 & lint=$$!; \
	$(BIN)/python -m pytest -q -m "not slow" -n $(JOBS) --dist loadfile $(PURE) $(ARGS); tests=$$?; \
	wait $$lint; lint=$$?; cat $$said; rm -f $$said; \
	[ $$tests -eq 0 ] && [ $$lint -eq 0 ]

test: test-sqlite test-postgres  ## Run every test, then those that touch the database again on PostgreSQL

test-sqlite: $(VENV)/.dev  ## Run every test on SQLite
	@echo "==> Tests, on SQLite"
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

test-postgres: $(VENV)/.dev  ## Run the tests that touch the database on PostgreSQL
	@echo "==> Tests that touch the database, on PostgreSQL"
	@$(BIN)/python -m pytest --postgres -n $(JOBS) --dist worksteal $(ARGS)

docs: $(VENV)/.dev  ## Write docs/api.md and docs/report.schema.json from the code, and run docs/notebook.ipynb anew
	@$(BIN)/python -m tests.api_page
	@$(BIN)/python manage.py report_schema --out docs/report.schema.json
	@cd docs && ../$(BIN)/python -c "import nbclient, nbformat; book = nbformat.read('notebook.ipynb', 4); \
	  nbclient.NotebookClient(book, record_timing=False, coalesce_streams=True).execute(); nbformat.write(book, 'notebook.ipynb')" \
	  && rm -f figure-*.pdf

messages: $(VENV)/.dev  ## Bring the catalogues of translations up to date
	@$(BIN)/python -m tests.languages.catalogues

lint: $(VENV)/.dev  ## Check style, types, import rules and migrations
	@echo "==> ruff";        $(BIN)/ruff check .
	@echo "==> ruff format"; $(BIN)/ruff format --check .
	@echo "==> mypy";        $(BIN)/mypy
	@echo "==> imports";     $(BIN)/lint-imports --no-logo
	@echo "==> migrations";  $(BIN)/python manage.py makemigrations --check --dry-run

format: $(VENV)/.dev  ## Format the code and fix what can be fixed automatically
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: $(VENV)/.bench  ## Measure speed and accuracy (takes a while; figures go to bench-results/)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

lock: $(VENV)/.dev  ## Choose the newest allowed version of every dependency and write them down
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade \
	  --no-header --no-emit-index-url --quiet --output-file requirements.lock
	@git diff --stat -- requirements.lock

clean:  ## Remove what was installed and built (never data/)
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis test-results

# --- the virtual environment -----------------------------------------------------------------------------------------
# One stamp for each set of dependencies: the site alone, with what draws and scores images, with the tools for tests,
# with what benchmarks compare with. Each set holds the one before it, so installing it renews that one's stamp as well;
# installing a smaller set takes nothing away.
$(VENV)/.site: extras :=
$(VENV)/.site: stamps := .site
$(VENV)/.generation: extras := [generation]
$(VENV)/.generation: stamps := .site .generation
$(VENV)/.dev: extras := [generation,dev]
$(VENV)/.dev: stamps := .site .generation .dev
$(VENV)/.bench: extras := [generation,dev,bench]
$(VENV)/.bench: stamps := .site .generation .dev .bench

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock

$(VENV)/.generation $(VENV)/.dev $(VENV)/.bench: $(VENV)/.torch
$(VENV)/.site $(VENV)/.generation $(VENV)/.dev $(VENV)/.bench: pyproject.toml requirements.lock | $(VENV)/bin/python
	@echo "==> Installing evalsite$(extras) into $(VENV) (a minute or so the first time)"
	@: > $(VENV)/install.log; \
	constraint=$$(grep -o '^uv==[^ ]*' requirements.lock); \
	{ $(PIP) "$$constraint" && $(BIN)/uv pip install --quiet --python $(BIN)/python -c requirements.lock -e ".$(extras)"; \
	} >> $(VENV)/install.log 2>&1 \
	|| { echo "    uv could not do it; trying pip, which is slower"; $(PIP) -e ".$(extras)" >> $(VENV)/install.log 2>&1; } \
	|| { cat $(VENV)/install.log; \
	     echo "Installing failed: see above. Is a package index reachable ('pip download Django' tells)?" >&2; exit 1; }
	@touch $(addprefix $(VENV)/,$(stamps))

# torch comes first and by pip, which heeds the user's own pip configuration: with an index of builds for the CPU it
# fetches 0.2 GB, and several with CUDA. uv then keeps the build it finds. torchvision must be of the same build.
$(VENV)/.torch: requirements.lock | $(VENV)/bin/python
	@wanted=$$(grep -oE '^torch(vision)?==[^ ]*' requirements.lock); \
	have=$$($(BIN)/python -m pip list --format=freeze --disable-pip-version-check | sed 's/+.*//'); \
	for package in $$wanted; do \
	  echo "$$have" | grep -qxF "$$package" && continue; \
	  echo "==> Installing torch into $(VENV) (some minutes and, with CUDA, several GB; GENERATION=0 leaves it out)"; \
	  $(PIP) $$wanted > $(VENV)/install.log 2>&1 && break; \
	  cat $(VENV)/install.log; \
	  echo "Installing torch failed: see above. 'make demo GENERATION=0' does without." >&2; exit 1; \
	done
	@touch $@

$(VENV)/bin/python:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "==> Making a virtual environment with $$($$python --version)"; \
	    exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo "evalsite needs Python 3.11 or newer with its venv module, and found none." >&2; \
	echo "Install one (on Debian or Ubuntu: apt-get install python3 python3-venv), or say where it is:" >&2; \
	echo "    make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; \
	exit 1
