# Two commands need nothing but Python 3.11 or newer: `make run` and `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

PORT ?= 8000
DATA ?= var
# Where backups and every change since go, when set: make run ARCHIVE=/srv/backups
ARCHIVE ?=
UNTIL ?=
# Where a pytest run should look: make test T=tests/accrual
T ?=
# Seconds for which make fuzz asks as each kind of user
FOR ?= 60
VENV := .venv
BIN := $(VENV)/bin
NODE := $(VENV)/node
SERVICES := auth accrual exchange grants

##@ Use it

.PHONY: run
run: $(VENV)/installed ## Start everything here, with its own PostgreSQL and demo data [PORT=8000 DATA=var]
	@$(MAKE) portal || echo "Going on without a new build of the portal; make portal tries again."
	@$(BIN)/python -m deploy.local run --port $(PORT) --data $(DATA) $(if $(ARCHIVE),--archive "$(ARCHIVE)")

.PHONY: portal
portal: $(VENV)/installed $(NODE) ## Build what / shows, with a Node of its own; does nothing when it is built
	@$(BIN)/python deploy/portal.py --node $(NODE) build

.PHONY: demo
demo: $(VENV)/installed-dev ## Walk through the product, on what runs here or on a fresh installation
	@$(BIN)/python -m deploy.demo

.PHONY: status
status: $(VENV)/installed ## Show what runs [DATA=var]
	@$(BIN)/python -m deploy.local status --data $(DATA)

.PHONY: stop
stop: $(VENV)/installed ## Stop what runs [DATA=var]
	@$(BIN)/python -m deploy.local stop --data $(DATA)

.PHONY: backup
backup: $(VENV)/installed ## Copy what runs; it was started with ARCHIVE=… [ARCHIVE=/srv/backups DATA=var]
	@$(BIN)/python -m deploy.local backup --data $(DATA) --archive "$(ARCHIVE)"

.PHONY: restore
restore: $(VENV)/installed ## Make DATA anew, as it was at a moment [ARCHIVE=… DATA=new UNTIL=2026-11-22T13:00:00+09:00]
	@$(BIN)/python -m deploy.local restore --data $(DATA) --archive "$(ARCHIVE)" $(if $(UNTIL),--until $(UNTIL))

##@ Work on it

.PHONY: test
test: $(VENV)/installed-dev ## Run the tests; they start whatever they need [T=tests/accrual]
	@$(MAKE) portal || echo "Going on without a new build of the portal; make portal tries again."
	@$(BIN)/pytest --numprocesses auto --dist loadgroup $(T)

.PHONY: check
check: $(VENV)/installed-dev $(NODE) ## Everything that can be told without running it: style, types, architecture, migrations, dependencies
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m deploy.local check-migrations
	@$(BIN)/python -m deploy.audit
	@$(BIN)/python deploy/portal.py --node $(NODE) check test

.PHONY: format
format: $(VENV)/installed-dev ## Put the code into shape
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

.PHONY: lint
lint: $(VENV)/installed-dev ## The quick half of check
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

.PHONY: migration
migration: $(VENV)/installed-dev ## Write a migration from the models [S=accrual M="what it does"]
	@$(BIN)/python -m deploy.local migration "$(S)" "$(M)"

.PHONY: fuzz
fuzz: $(VENV)/installed-dev ## Ask every route what it never expects, as every kind of user [FOR=60]
	@$(BIN)/python -m tests.fuzz --seconds $(FOR)

.PHONY: bench
bench: $(VENV)/installed-dev ## Measure the hot paths
	@$(BIN)/python -m benchmarks

##@ Ship it

.PHONY: compose-test
compose-test: $(VENV)/installed-dev ## Build the image, start the containers, run the integration tests against them
	@deploy/compose/test

.PHONY: lock
lock: ## Pin every dependency by hash (needs uv)
	@uv pip compile $(LOCK_OPTIONS) pyproject.toml -o requirements.txt
	@uv pip compile $(LOCK_OPTIONS) --group dev pyproject.toml -o requirements-dev.txt
	@uv pip compile $(LOCK_OPTIONS) --group pyproject.toml:portal -o requirements-portal.txt

LOCK_OPTIONS := -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --custom-compile-command "make lock"

.PHONY: clean
clean: ## Remove the environment and the caches; data in var/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@cd gateway/portal && rm -rf node_modules build .built .svelte-kit
	@find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

.PHONY: help
help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

# The environment: made again when the interpreter went away, installed again when a lock changed.

$(VENV)/installed: requirements.txt
	@$(call install,requirements.txt)

# It holds everything the other one does.
$(VENV)/installed-dev: requirements-dev.txt
	@$(call install,requirements-dev.txt)
	@touch $(VENV)/installed

# Node as a wheel, beside the environment: it builds the portal and is needed for nothing else.
$(NODE): requirements-portal.txt | $(VENV)/installed
	@echo "Installing Node …"
	@rm -rf $@
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
		--target $@ -r $<
	@touch $@

define install
python=$$(deploy/find-python) || exit 1; \
[ -x $(BIN)/python ] && $(BIN)/python -c '' 2>/dev/null || { rm -rf $(VENV); "$$python" -m venv $(VENV); }; \
echo "Installing $(1) …"; \
$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1); \
touch $@
endef
