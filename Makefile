# Everything that is done with this repository. A fresh machine needs Python 3.11 or newer and make:
# each target sets up what it needs, once. `make help` lists the targets.

PYTHON ?= python3

TOOLS := .venv/.installed
RUNTIME := .venv/.project
MELTANO := .meltano-venv/.installed
PLUGINS := .meltano/.installed

PIP_INSTALL := -m pip install --disable-pip-version-check --no-input
COMPILE := .venv/bin/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --no-emit-options --no-header --allow-unsafe
COMPILE_WITH_HASHES := $(COMPILE) --generate-hashes

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check soak bench record requirements clean

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do \
		printf '  make %-14s%s\n' "$$name" "$$text"; \
	done

demo: $(RUNTIME) $(PLUGINS) ## Run the real pipeline from a sandbox into a PostgreSQL of its own.
	@.venv/bin/python -m demo

test: $(RUNTIME) $(PLUGINS) ## Run all tests but the long ones.
	@.venv/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

check: $(RUNTIME) ## Check format, lint, types, imports and dependencies.
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/deptry .

soak: $(RUNTIME) $(PLUGINS) ## Run the long tests.
	@.venv/bin/python -m pytest -m soak

bench: $(RUNTIME) $(PLUGINS) ## Measure requests, speed and memory.
	@.venv/bin/python -m benchmarks

record: $(RUNTIME) ## Record how Cirqll answers, for the contract tests; RECORD=--help tells more.
	@.venv/bin/python -m tests.contract $(RECORD)

requirements: $(RUNTIME) ## Compile requirements/*.txt anew; UPGRADE=--upgrade takes new versions.
	$(COMPILE_WITH_HASHES) $(UPGRADE) --extra connect --extra sandbox --extra postgres \
		--output-file requirements/runtime.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --extra postgres --output-file requirements/constraints.txt \
		--constraint requirements/runtime.txt pyproject.toml
	for name in development meltano tap-postgres target-postgres target-jsonl; do \
		$(COMPILE_WITH_HASHES) $(UPGRADE) --output-file requirements/$$name.txt \
			requirements/$$name.in || exit 1; \
	done

clean: ## Remove what the other targets made. Meltano's bookmarks in .meltano/meltano.db stay.
	rm -rf .venv .meltano-venv .setup .demo .coverage htmlcov build dist
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	rm -rf .meltano/.installed .meltano/extractors .meltano/loaders .meltano/logs .meltano/run
	find . -name __pycache__ -prune -exec rm -rf {} +

# The environments. Each is made from nothing, and its stamp comes last: after an interruption, or a
# change of the requirements, it is made anew.

$(TOOLS): requirements/runtime.txt requirements/development.txt
	$(call set_up,.venv,what the tap and its tools need into .venv,\
		$(PYTHON) -m venv --clear .venv && \
		.venv/bin/python $(PIP_INSTALL) --require-hashes \
			-r requirements/runtime.txt -r requirements/development.txt)

$(RUNTIME): $(TOOLS) pyproject.toml
	$(call set_up,.venv,the tap into .venv,\
		.venv/bin/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .)

$(MELTANO): requirements/meltano.txt
	$(call set_up,.meltano-venv,Meltano into .meltano-venv,\
		$(PYTHON) -m venv --clear .meltano-venv && \
		.meltano-venv/bin/python $(PIP_INSTALL) --require-hashes -r requirements/meltano.txt)

$(PLUGINS): $(MELTANO) meltano.yml requirements/constraints.txt requirements/tap-postgres.txt \
		requirements/target-postgres.txt requirements/target-jsonl.txt
	$(call set_up,.meltano,Meltano's plugins into .meltano,\
		.meltano-venv/bin/meltano --log-level=info install)

# $(call set_up,name,what is installed,commands): one line when it goes well, the whole log when not.
define set_up
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, and '$(PYTHON)' is older or missing." \
			"Name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; \
		exit 1; \
	}
	@echo "Installing $(2) ..."
	@mkdir -p .setup $(1)
	@( $(3) ) > .setup/$(1).log 2>&1 < /dev/null || { \
		cat .setup/$(1).log >&2; \
		echo "Installing $(2) failed: the log is above." >&2; \
		exit 1; \
	}
	@touch $@
endef
